"""Build retrievers before training, or around imported weights."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.retriever.build import state_tower
from remogpt.retriever.networks.motion_patches import BODIES, POINTS, build_motion_patches, saved_sizes
from remogpt.retriever.networks.pl_tmr import PLTMRConfig, build_pl_tmr
from remogpt.retriever.networks.text_towers import FineTunedTower, TokenStateTower
from remogpt.retriever.networks.tmr import TMR, TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.canonical import CaptionForm
from remogpt.retriever.text.frozen_text_model import (
    FrozenText,
    TextSource,
    WordPieces,
    find_model_folder,
    fingerprint,
    load_transformer,
)
from remogpt.retriever.training.pretrained_vision import load_vision_transformer
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError


def new_retriever(
    config: PLTMRConfig,
    text_model: str,
    fine_tune: bool,
    mean: np.ndarray,
    std: np.ndarray,
    caption_form: CaptionForm = "written",
    vision_model: str | None = None,
    joint_statistics: tuple[np.ndarray, np.ndarray] | None = None,
) -> TextMotionRetriever:
    """Build an untrained PL-TMR or MotionPatches around a pretrained text model.

    Args:
        config: sizes.
        text_model: name of the text model; see `frozen_text_model`.
        fine_tune: train the text model itself and save it with the retriever; else it stays outside, named by hash.
        mean, std: (F,) of the training set's raw features.
        caption_form: how captions are worded before they are embedded; see `remogpt.retriever.text.canonical`.
        vision_model: name or folder of the vision transformer of a MotionPatches; None makes a PL-TMR.
        joint_statistics: (3 * J,) mean and standard deviation of the training set's joint coordinates, of MotionPatches
            alone.
    """
    text: TextSource
    tower: FineTunedTower | TokenStateTower
    settings: dict[str, Any] = {"name": text_model, "fine_tuned": fine_tune}
    if fine_tune:
        folder = find_model_folder(text_model)
        tower = FineTunedTower(load_transformer(folder))
        text = WordPieces.load(folder)
        settings |= {"sha256": fingerprint(folder), "transformer": _plain_config(tower.transformer)}
    else:
        frozen = FrozenText(text_model, device=chosen_device())
        text, tower = frozen, state_tower(config, frozen.dim)
        settings |= {"sha256": frozen.sha256}
    if caption_form != "written":
        settings |= {"form": caption_form}
    statistics = torch.from_numpy(np.asarray(mean)), torch.from_numpy(np.asarray(std))
    if vision_model is None:
        network = build_pl_tmr(config, tower)
        return TextMotionRetriever(network, text, *statistics, {"model": asdict(config), "text": settings})
    width = POINTS * len(BODIES[config.skeleton].chains)
    vit = load_vision_transformer(vision_model, config.max_frames, width)
    patches = build_motion_patches(config, vit, tower)
    if joint_statistics is not None:
        patches.motion_encoder.measure((mean, std), joint_statistics)
    own = {"network": "motion_patches", "model": saved_sizes(config), "text": settings, "vision": _plain_config(vit)}
    return TextMotionRetriever(patches, text, *statistics, own)


def new_tmr_retriever(
    config: TMRConfig, text_model: str, mean: Tensor, std: Tensor, network: TMR | None = None
) -> TextMotionRetriever:
    """Build a retriever around TMR and a frozen text model.

    Args:
        config: sizes.
        text_model: name of the text model, which stays outside the saved retriever; see `frozen_text_model`.
        mean, std: (F,) of raw features.
        network: with its weights; None starts an untrained one.

    Raises:
        RemogptError: if the statistics or the text model do not fit the network.
    """
    if not len(mean) == len(std) == config.num_features:
        raise RemogptError(
            f"mean and std have {len(mean)} and {len(std)} channels, but the network reads {config.num_features}; give "
            "the statistics of the features that it was, or will be, trained on"
        )
    text = FrozenText(text_model, device=chosen_device())
    network = TMR(config, text.dim) if network is None else network
    wanted = network.text_encoder.embed.in_features
    if text.dim != wanted:
        raise RemogptError(
            f"the text model {text_model} has token states of width {text.dim}, but the network reads {wanted}; name "
            "the text model that it was trained with (distilbert-base-uncased for TMR's released weights)"
        )
    settings = {"name": text_model, "fine_tuned": False, "sha256": text.sha256}
    return TextMotionRetriever(network, text, mean, std, {"network": "tmr", "model": asdict(config), "text": settings})


def _plain_config(transformer: nn.Module) -> dict[str, Any]:
    config: Any = transformer.config
    return {"model_type": config.model_type, **json.loads(config.to_json_string(use_diff=True))}
