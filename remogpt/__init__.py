"""remogpt: text to motion and motion to text, with retrieved examples.

The public names load lazily, so that `import remogpt` costs nothing until a model is asked for.
"""

from importlib import import_module

TYPE_CHECKING = False  # `typing` takes longer to import than all of this, and Ctrl-C would show where
if TYPE_CHECKING:
    from typing import Any

    from remogpt.app.client import Client
    from remogpt.motion import Motion, load_motion
    from remogpt.options import GenerationOptions
    from remogpt.pipeline import ReMoGPT

__version__ = "0.2.0"
__all__ = ["Client", "GenerationOptions", "Motion", "ReMoGPT", "__version__", "load_motion"]

_HOMES = {
    "Client": "remogpt.app.client",
    "GenerationOptions": "remogpt.options",
    "Motion": "remogpt.motion",
    "ReMoGPT": "remogpt.pipeline",
    "load_motion": "remogpt.motion",
}


def __getattr__(name: str) -> "Any":
    # Not `runtime.lazy`, which the rooms use: importing the package imports nothing of it.
    if name not in _HOMES:
        raise AttributeError(f"module 'remogpt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
