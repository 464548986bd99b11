"""One component of a model folder: `config.json`, `model.safetensors`, and `normalizer.safetensors` where it has one.

A component loads alone and strictly. Its hash covers configuration, weights and statistics; it is computed by
`save_component` and checked by `load_component`, so an edited or half copied component is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, sha256_file, write_json
from remogpt.runtime.folders.envelope import FORMAT_VERSION, read_envelope


@dataclass(frozen=True)
class Component:
    """Content of a component's folder."""

    config: dict[str, Any]
    """The component's own settings, without the envelope."""
    tensors: dict[str, Tensor]
    """Weights and buffers; floating ones as float32."""
    normalizer: dict[str, Tensor]
    """Statistics, empty where the component has none."""
    hash: str
    """64 hexadecimal digits."""
    dtype: torch.dtype
    """In which floating weights are stored."""


def save_component(
    folder: str | Path,
    kind: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    normalizer: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype | None = None,
) -> str:
    """Write a component and return its hash.

    Args:
        folder: made if absent; files of an earlier save are replaced, others left alone.
        kind: "tokenizer", "retriever", "lm": checked at load.
        config: JSON-ready settings that rebuild the module.
        tensors: the module's state dict.
        normalizer: statistics; always kept in float32.
        dtype: store floating weights in this type (torch.float16 for shipped models).
    """
    folder = Path(folder)
    _save_tensors(folder / "model.safetensors", {name: _stored(tensor, dtype) for name, tensor in tensors.items()})
    if normalizer:
        _save_tensors(folder / "normalizer.safetensors", {k: _stored(v, torch.float32) for k, v in normalizer.items()})
    component_hash = _hash(folder, kind, dict(config))
    # Written last: a folder without a config.json is visibly incomplete.
    write_json(
        folder / "config.json",
        {"kind": kind, "format": FORMAT_VERSION, "hash": component_hash, "config": dict(config)},
        durable=True,
    )
    return component_hash


def load_component(folder: str | Path, kind: str, verify: bool = True) -> Component:
    """Read a component.

    Raises:
        MissingPathError: if a file is missing; the message lists what is there.
        RemogptError: if the component is of another kind, of a newer format, or not what was saved.
    """
    folder = Path(folder)
    envelope = read_envelope(folder, kind)
    if verify and _hash(folder, kind, envelope["config"]) != envelope["hash"]:
        raise RemogptError(
            f"the {kind} in {folder} is not what was saved there (its contents do not give hash "
            f"{envelope['hash'][:12]}); copy the folder again or train it anew"
        )
    normalizer = folder / "normalizer.safetensors"
    stored = _load_tensors(folder / "model.safetensors")
    return Component(
        config=envelope["config"],
        tensors={name: _loaded(tensor) for name, tensor in stored.items()},
        normalizer=_load_tensors(normalizer) if normalizer.is_file() else {},
        hash=envelope["hash"],
        dtype=next((tensor.dtype for tensor in stored.values() if tensor.is_floating_point()), torch.float32),
    )


def _stored(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    tensor = tensor.detach().cpu()
    return (tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor).contiguous()


def _loaded(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    with atomic_path(path, durable=True) as temporary:
        save_file(tensors, temporary)


def _load_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise RemogptError(f"{path} is damaged ({error}); copy it again or train it anew") from error


def _hash(folder: Path, kind: str, config: dict[str, Any]) -> str:
    normalizer = folder / "normalizer.safetensors"
    components = {
        "kind": kind,
        "config": config,
        "model": sha256_file(folder / "model.safetensors"),
        "normalizer": sha256_file(normalizer) if normalizer.is_file() else None,
    }
    return hashlib.sha256(json.dumps(components, sort_keys=True).encode()).hexdigest()
