"""Find a model or one of its components: in a folder, on the hub, or inside the package."""

import re
from importlib import resources
from pathlib import Path

from remogpt.runtime.errors import MissingPathError
from remogpt.runtime.folders.model_folder import MANIFEST

_MARKERS = {"database": "CURRENT"}
"""File that marks a component's own folder, where the file is not config.json."""


def find_model(path: str | Path | None) -> Path:
    """Return a model's folder; a model on the hub is downloaded, or found in the local cache.

    Args:
        path: a folder, or a name on the hub ("owner/name"); the embedded `mini` without it.

    Raises:
        MissingPathError: if there is no embedded model, or none of that name on the hub.
    """
    if path is None:
        embedded = embedded_model("mini")
        if not embedded.is_dir():
            raise MissingPathError(
                f"this installation has no embedded model in {embedded}; install remogpt anew, make the model with "
                "scripts/mini.sh, or name a model folder with --model"
            )
        return embedded
    return _fetched(path, "check the path, or leave --model out for the embedded model")


def find_component(path: str | Path | None, kind: str) -> Path:
    """Return a component's folder: `path` itself, or the folder of that kind in the model at `path`.

    Args:
        path: the component's own folder, the folder of a model that holds it, or a model's name on the hub
            ("owner/name"); the embedded `mini` without it.
        kind: tokenizer, retriever, lm, copy or database, as the folders in a model are named.

    Raises:
        MissingPathError: if there is no embedded model, or none of that name on the hub. Whoever reads
            the component checks its files and kind.
    """
    advice = f"check the path: wanted the folder of a {kind}, or of a model"
    folder = find_model(None) if path is None else _fetched(path, advice)
    marker = _MARKERS.get(kind, "config.json")
    if (folder / marker).is_file():
        return folder
    holds_components = (folder / MANIFEST).is_file() or (folder / kind / marker).is_file()
    return folder / kind if holds_components else folder


def _fetched(path: str | Path, advice: str) -> Path:
    """Return an existing path as it is; download a name that only the hub knows."""
    is_name = re.fullmatch(r"[\w.-]+/[\w.-]+", str(path)) is not None
    # In a folder that is here, what is missing is a wrong path; asking the hub for it would take seconds off-line.
    if Path(path).exists() or Path(path).parent.is_dir() or not is_name:
        return Path(path)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(path)))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:  # "../model" is no hub name
        raise MissingPathError(
            f"no folder {str(path)!r}, and no model of that name on the hub ({str(error).splitlines()[0]}); {advice}"
        ) from error


def embedded_model(name: str) -> Path:
    """Return where an embedded model (mini, evaluator) belongs, whether or not it exists."""
    return Path(str(resources.files("remogpt"))) / "models" / name
