"""Read weights that other projects released, without running code in the files.

A `.pt`, `.pth`, `.ckpt` or `.tar` file is a pickle, which may run code when it is opened. PyTorch's restricted reader
accepts tensors and plain containers and refuses everything else, or, on request, replaces other objects by empty ones.
Nothing that a file names is ever imported or called.
"""

import pickle
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_npy

PICKLES = (".pt", ".pth", ".ckpt", ".tar", ".bin")
_WRAPPERS = ("state_dict", "net", "model")
"""Keys under which training scripts keep the weights beside optimizer states and step counts."""


class _Unopened:
    """Empty stand-in for a Python object of a checkpoint: accepts any arguments and keeps none."""

    def __new__(cls, *_args: Any, **_options: Any) -> "_Unopened":
        return object.__new__(cls)

    def __setstate__(self, _state: Any) -> None:
        pass


def read_released(path: str | Path, skip_objects: bool = False) -> dict[str, Tensor]:
    """Read a file of named tensors: safetensors, or a PyTorch file of a state dict or of a checkpoint that holds one.

    Args:
        path: the file.
        skip_objects: replace Python objects beside the tensors (settings, callbacks in a Lightning checkpoint) by empty
            ones; without this option such a file is refused.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if the file is damaged, holds other objects, or no named tensors.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        try:
            return load_file(_existing(path))
        except SafetensorError as error:
            raise RemogptError(f"{path} is damaged ({error}); download it again") from error
    found = _read_pickle(path, skip_objects)
    for wrapper in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise RemogptError(
            f"{path} should hold named tensors, alone or under one of {', '.join(_WRAPPERS)}, and holds "
            f"{_describe(found)}; save the network's state_dict() alone and import that"
        )
    return {str(name): tensor for name, tensor in found.items()}


def read_released_networks(path: str | Path, networks: Iterable[str]) -> dict[str, dict[str, Tensor]]:
    """Read a checkpoint that holds several networks, the named tensors of each under its own key.

    Args:
        path: a PyTorch file.
        networks: keys to read; others (optimizers, step counts) are ignored.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if it is damaged, or a network is missing or holds more than tensors.
    """
    networks = list(networks)
    found = _read_pickle(Path(path))
    holds = {name: found.get(name) if isinstance(found, Mapping) else None for name in networks}
    for name, state in holds.items():
        is_state = isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values())
        if not is_state or not state:
            raise RemogptError(
                f"{path} should hold the named tensors of {', '.join(networks)}, each under its own key; {name} is "
                f"missing or is no such thing ({path} holds {_describe(found)}); is it another network's checkpoint?"
            )
    return {name: {str(key): tensor for key, tensor in (state or {}).items()} for name, state in holds.items()}


def read_statistics(folder: str | Path) -> tuple[Tensor, Tensor]:
    """Read mean and standard deviation (F,) float32 from a folder: mean and std as .pt or .npy, in any letter case.

    Raises:
        MissingPathError: if the folder or one of the files is missing; the message lists the folder's content.
        RemogptError: unless both are vectors of one length, with positive deviations.
    """
    folder = Path(folder)
    present = {path.name.lower(): path for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    vectors = []
    for kind in ("mean", "std"):
        files = [present[name] for name in (f"{kind}.pt", f"{kind}.npy") if name in present]
        if not files:
            raise MissingPathError(
                f"no {kind}.pt or {kind}.npy in {folder} (found {', '.join(present) or 'nothing'}); give the folder of "
                "the statistics that the weights were trained with"
            )
        vectors.append(_vector(files[0]))
    mean, std = vectors
    if mean.shape != std.shape or not (std > 0).all():
        raise RemogptError(
            f"mean and std in {folder} have lengths {len(mean)} and {len(std)}, and the smallest std is "
            f"{std.min().item():g}; wanted two of one length, with std above 0"
        )
    return mean, std


def strip_prefix(state: Mapping[str, Tensor], prefixes: Iterable[str]) -> tuple[dict[str, Tensor], list[str]]:
    """Keep the tensors under the first prefix that occurs and strip it; keep all tensors if none occurs.

    Returns:
        The kept tensors, and the sorted first name components of the others.
    """
    for prefix in prefixes:
        chosen = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        if chosen:
            return chosen, sorted({name.split(".")[0] for name in state if not name.startswith(prefix)})
    return dict(state), []


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingPathError(f"no file {path}; download the released weights and give their path")
    return path


def _read_pickle(path: Path, skip_objects: bool = False) -> Any:
    if _existing(path).suffix not in PICKLES:
        raise RemogptError(
            f"{path} should end in .safetensors or in one of {', '.join(PICKLES)}; is it a weights file?"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the lines below refuse these files themselves
            with safe_globals(_stand_ins(path) if skip_objects else []):
                return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RemogptError(
            f"{path} holds Python objects besides tensors, or is no PyTorch file, and is not opened, since that could "
            "run its code; where you trust it, save its state_dict() alone and import that"
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, UnicodeDecodeError) as error:
        first_line = str(error).strip().split("\n")[0][:120]
        raise RemogptError(f"{path} is damaged or no PyTorch file ({first_line}); download it again") from error


def _stand_ins(path: Path) -> list[Any]:
    """Return the class names in a file besides tensors and plain containers, each mapped to its stand-in."""
    if not zipfile.is_zipfile(path):  # an older format, whose names cannot be listed
        return []
    return [(_Unopened, name) for name in get_unsafe_globals_in_checkpoint(path)]


def _vector(path: Path) -> Tensor:
    values = torch.from_numpy(np.array(read_npy(path))) if path.suffix == ".npy" else _read_pickle(path)
    if not isinstance(values, Tensor) or values.ndim != 1 or len(values) == 0 or not torch.isfinite(values).all():
        raise RemogptError(f"{path} should hold one vector of finite numbers and holds {_describe(values)}")
    return values.float()


def _describe(found: Any) -> str:
    if isinstance(found, Mapping):
        others = [f"{name} ({type(value).__name__})" for name, value in found.items() if not isinstance(value, Tensor)]
        return f"a dictionary with {', '.join(others[:4]) or 'nothing'}"
    return f"a tensor of shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
