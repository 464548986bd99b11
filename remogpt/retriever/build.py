"""Build the network and the text source that a retriever's settings describe."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import torch

from remogpt.retriever.networks.dual_encoder import DualEncoder
from remogpt.retriever.networks.motion_patches import build_motion_patches, vision_transformer
from remogpt.retriever.networks.pl_tmr import PLTMRConfig, build_pl_tmr
from remogpt.retriever.networks.text_towers import FineTunedTower, TokenStateTower, transformer_from_config
from remogpt.retriever.networks.tmr import TMR, TMRConfig
from remogpt.retriever.text.canonical import CaptionForm
from remogpt.retriever.text.frozen_text_model import FrozenText, TextSource, WordPieces
from remogpt.runtime.errors import RemogptError

TOKENIZER_FOLDER = "text_tokenizer"
"""Folder in which a retriever with a fine-tuned text model keeps its tokenizer."""


def build_network(config: dict[str, Any], folder: Path, device: torch.device) -> tuple[DualEncoder | TMR, TextSource]:
    """Build the network that a retriever's settings describe, without its weights, and its text source.

    Raises:
        RemogptError: if the settings name a network, a size or a form of captions that this version does not know.
        MissingPathError: if the text model is not there.
    """
    settings = config["text"]
    # A saved PL-TMR does not name its network: its hash covers its settings, and the first ones had no other kind.
    kind = config.get("network", "pl_tmr")
    if kind not in ("pl_tmr", "tmr", "motion_patches"):
        raise RemogptError(
            f"the retriever in {folder} is a {kind!r}, which this version does not know; upgrade remogpt"
        )
    if kind == "tmr":
        frozen = FrozenText(settings["name"], settings["sha256"], device)
        return TMR(TMRConfig(**config["model"]), frozen.dim), frozen
    strange = sorted(set(config["model"]) - {one.name for one in fields(PLTMRConfig)})
    strange += [form for form in (settings.get("form", "written"),) if form not in get_args(CaptionForm)]
    if strange:
        raise RemogptError(
            f"the retriever in {folder} was trained with {', '.join(strange)}, which this version does not know; take "
            "the version that trained it, or train it again without"
        )
    sizes = PLTMRConfig(**config["model"])
    tower: FineTunedTower | TokenStateTower
    text: TextSource
    if settings["fine_tuned"]:
        tower = FineTunedTower(transformer_from_config(settings["transformer"]))
        text = WordPieces.load(folder / TOKENIZER_FOLDER)
    else:
        text = frozen = FrozenText(settings["name"], settings["sha256"], device)
        tower = state_tower(sizes, frozen.dim)
    if kind == "motion_patches":
        return build_motion_patches(sizes, vision_transformer(config["vision"]), tower), text
    return build_pl_tmr(sizes, tower), text


def state_tower(config: PLTMRConfig, state_dim: int) -> TokenStateTower:
    """Build the trainable tower over frozen token states."""
    return TokenStateTower(
        state_dim, config.text_width, config.text_layers, config.text_heads, config.text_feedforward, config.dropout
    )
