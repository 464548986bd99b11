"""Who may look on while a run trains: the numbers of log.jsonl in TensorBoard or Weights & Biases, through accelerate.

TensorBoard's files lie in the run folder, under tensorboard/. Weights & Biases wants an account, or WANDB_MODE=offline;
its run is called after the run folder, in the project `remogpt`. Each is an extra package.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from accelerate import Accelerator

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint

Tracker = Literal["tensorboard", "wandb"]


def check_tracker(tracker: Tracker | None) -> None:
    """Raise a `RemogptError` if the tracker's package is not installed; accelerate would be silent about it."""
    spec = None if tracker is None else find_spec(tracker)
    # Without an origin it is the folder of that name which the tracker itself left in the working directory.
    if tracker is not None and (spec is None or spec.origin is None):
        raise RemogptError(
            f"loop.tracker {tracker} needs the package of that name: pip install 'remogpt[{tracker}]', or leave it out "
            "(loop.tracker: null); log.jsonl in the run folder has the same numbers"
        )


def start_tracker(
    accelerator: Accelerator, tracker: Tracker | None, folder: Path, settings: dict[str, Any], step: int
) -> None:
    """Open the tracker of a run that stands at `step`; what it was told of later steps is told again."""
    if tracker is None:
        return
    if tracker == "tensorboard":
        accelerator.init_trackers("tensorboard", init_kwargs={"tensorboard": {"purge_step": step + 1}})
        return
    name = str(folder.resolve())
    own = {
        "name": folder.parent.name if folder.name == "run" else folder.name,
        "dir": name,
        "id": fingerprint([name, settings["data"]])[:16],  # the same when the run is started again
        "resume": "allow",
    }
    accelerator.init_trackers("remogpt", config=settings, init_kwargs={"wandb": own})


def end_tracker(accelerator: Accelerator) -> None:
    """Close it; accelerate's own end would also take leave of the other processes."""
    for tracker in accelerator.trackers:
        tracker.finish()
    accelerator.trackers = []
