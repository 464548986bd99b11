"""Read a component's `config.json` without loading its weights or torch."""

from pathlib import Path
from typing import Any, TypedDict

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.schema import Count, Hash

FORMAT_VERSION = 1
CODES_OF = "codes_of"
"""Entry of a tokenizer's config: hash of the one whose encoder and codebook it has, if its decoder was trained on."""
_MAKERS = {"guo_evaluator": "import guo"}
"""Commands that write components of a kind, where the command is not 'train'."""


class Envelope(TypedDict):
    """A component's `config.json`."""

    kind: str
    format: Count
    hash: Hash
    config: dict[str, Any]


def read_envelope(folder: str | Path, kind: str) -> dict[str, Any]:
    """Read a component's `config.json` (keys kind, format, hash, config) without its weights."""
    folder = Path(folder)
    missing = [name for name in ("config.json", "model.safetensors") if not (folder / name).is_file()]
    if missing:
        present = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        found = f"it holds {', '.join(present)}" if present else "there is no such folder or it is empty"
        raise MissingPathError(
            f"no {kind} in {folder}: {' and '.join(missing)} missing ({found}); "
            f"point to a folder written by 'remogpt {_MAKERS.get(kind, f'train {kind}')}', or restore what is missing"
        )
    envelope: dict[str, Any] = read_json(folder / "config.json", Envelope)
    if envelope["kind"] != kind:
        raise RemogptError(f"wanted a {kind}, but {folder} holds a {envelope['kind']}; point to the {kind}'s folder")
    if envelope["format"] < 1:
        raise RemogptError(f"{folder / 'config.json'} has format {envelope['format']}, which never was; restore it")
    if envelope["format"] > FORMAT_VERSION:
        raise RemogptError(
            f"{folder} was written in format {envelope['format']}, newer than this version's {FORMAT_VERSION}; "
            "upgrade remogpt"
        )
    return envelope
