"""Send the numbers of log.jsonl to TensorBoard or Weights & Biases, through accelerate.

TensorBoard's files lie in the run folder, under tensorboard/. Weights & Biases needs an account or WANDB_MODE=offline;
its run is named after the run folder, in the project `remogpt`. Each tracker is an extra package.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from accelerate import Accelerator

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint

Tracker = Literal["tensorboard", "wandb"]


def check_tracker(tracker: Tracker | None) -> None:
    """Raise a `RemogptError` if the tracker's package is not installed; accelerate would ignore this silently."""
    spec = None if tracker is None else find_spec(tracker)
    # A spec without origin is a folder of that name in the working directory, such as the tracker's own output.
    if tracker is not None and (spec is None or spec.origin is None):
        raise RemogptError(
            f"loop.tracker {tracker} needs the package of that name: pip install 'remogpt[{tracker}]', or leave it out "
            "(loop.tracker: null); log.jsonl in the run folder has the same numbers"
        )


def start_tracker(
    accelerator: Accelerator, tracker: Tracker | None, folder: Path, settings: dict[str, Any], step: int
) -> None:
    """Resume the tracker at `step`; points logged after it are overwritten."""
    if tracker is None:
        return
    if tracker == "tensorboard":
        accelerator.init_trackers("tensorboard", init_kwargs={"tensorboard": {"purge_step": step + 1}})
        return
    name = str(folder.resolve())
    own = {
        "name": folder.parent.name if folder.name == "run" else folder.name,
        "dir": name,
        "id": fingerprint([name, settings["data"]])[:16],  # the same after a restart
        "resume": "allow",
    }
    accelerator.init_trackers("remogpt", config=settings, init_kwargs={"wandb": own})


def end_tracker(accelerator: Accelerator) -> None:
    """Close the trackers; accelerate's `end_training` would also shut down the process group."""
    for tracker in accelerator.trackers:
        tracker.finish()
    accelerator.trackers = []
