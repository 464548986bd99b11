"""Load a pretrained vision transformer, its positions resized to images of motions."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.text.frozen_text_model import find_model_folder, quiet_transformers
from remogpt.runtime.errors import RemogptError


def load_vision_transformer(name: str, height: int, width: int) -> nn.Module:
    """Load a ViT from a folder or the hub for images of (height, width), without its pooler, in float32.

    Raises:
        MissingPathError: if it is nowhere to be found.
        RemogptError: if it is no ViT, or its patches do not divide the image.

    Source: MotionPatches, arXiv 2405.04771, which starts from ViT-B/16 of ImageNet-21k.
    """
    from transformers import AutoConfig, ViTConfig, ViTModel

    folder = find_model_folder(name, "vision transformer")
    config: Any = AutoConfig.from_pretrained(folder)
    if not isinstance(config, ViTConfig):
        raise RemogptError(
            f"the model {name} in {folder} is a {config.model_type!r}; MotionPatches wants a ViT such as "
            "google/vit-base-patch16-224-in21k"
        )
    patch: Any = config.patch_size
    if height % patch or width % patch:
        raise RemogptError(f"patches of {patch} do not divide images of {height} frames by {width} points; see {name}")
    trained = _loaded(ViTModel, folder, name)
    grid = trained.embeddings.patch_embeddings.image_size
    state = trained.state_dict()
    positions = "embeddings.position_embeddings"
    state[positions] = _resized(
        state[positions], (grid[0] // patch, grid[1] // patch), (height // patch, width // patch)
    )
    config.image_size = [height, width]
    network = ViTModel(config, add_pooling_layer=False)
    network.load_state_dict(state)
    return network


def _loaded(kind: Any, folder: Path, name: str) -> Any:
    """Load a network without reports on a head or pooler that it does not have, but not with weights missing."""
    from transformers.utils import logging

    quiet_transformers()
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        network, report = kind.from_pretrained(
            folder, add_pooling_layer=False, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    finally:
        logging.set_verbosity(before)
    if report["missing_keys"]:
        raise RemogptError(f"the model {name} in {folder} lacks {sorted(report['missing_keys'])[0]}; copy it again")
    return network


def _resized(positions: Tensor, before: tuple[int, int], now: tuple[int, int]) -> Tensor:
    """Resize (1, 1 + rows * columns, D) embeddings of the class token and of a grid of patches."""
    grid = positions[:, 1:].unflatten(1, before).permute(0, 3, 1, 2)
    resized = functional.interpolate(grid, size=now, mode="bicubic", antialias=True)
    return torch.cat([positions[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
