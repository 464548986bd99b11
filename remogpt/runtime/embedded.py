"""Models that come inside the package."""

from importlib import resources
from pathlib import Path


def embedded_model(name: str) -> Path:
    """Return the folder of an embedded model (mini, evaluator), whether it is there or not."""
    return Path(str(resources.files("remogpt"))) / "models" / name
