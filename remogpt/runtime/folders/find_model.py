"""Where a model is: in a folder, on the hub, or inside the package."""

import re
from importlib import resources
from pathlib import Path

from remogpt.runtime.errors import MissingPathError


def find_model(path: str | Path | None) -> Path:
    """Return a model's folder; one on the hub is fetched, or found in the local cache.

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
    if not Path(path).exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", str(path)):
        return _from_hub(str(path))
    return Path(path)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:  # "../model" is no hub name
        raise MissingPathError(
            f"no folder {name!r}, and no model of that name on the hub ({str(error).splitlines()[0]}); "
            "check the path, or leave --model out for the embedded model"
        ) from error


def embedded_model(name: str) -> Path:
    """Return the folder of an embedded model (mini, evaluator), whether it is there or not."""
    return Path(str(resources.files("remogpt"))) / "models" / name
