"""What a trained component learned from, in `training.json` beside it.

The component's hash does not cover it, and a component without one works as well. An evaluation reads it to say
what its evaluator was trained on, and whether that is what the scored model was trained on too.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json

RECORD_FILE = "training.json"


@dataclass(frozen=True)
class TrainingRecord:
    """Where a component's weights come from; None where nobody wrote it down."""

    set: str
    """Name of the training set."""
    data: str | None = None
    """Fingerprint of what was learned from."""
    seed: int | None = None
    """Of the training loop."""
    clips: int | None = None
    """Training clips."""
    part: str | None = None
    """Hash of the component that this is about; the name is that of the first files written."""

    def __str__(self) -> str:
        details = [
            f"{self.clips} clips" if self.clips is not None else "",
            f"data {self.data[:12]}" if self.data is not None else "",
            f"seed {self.seed}" if self.seed is not None else "",
        ]
        told = ", ".join(detail for detail in details if detail)
        return f"{self.set} ({told})" if told else self.set


def write_record(folder: str | Path, record: TrainingRecord) -> None:
    """Write `training.json` into a component's folder."""
    write_json(Path(folder) / RECORD_FILE, asdict(record))


def read_record(folder: str | Path, component: str | None = None) -> TrainingRecord | None:
    """Read a component's `training.json`; None where there is none, or it is about a component that lay there before.

    Args:
        folder: of the component.
        component: hash of the component that is there now; None takes what is written.

    Raises:
        RemogptError: if the file is something else.
    """
    path = Path(folder) / RECORD_FILE
    if not path.is_file():
        return None
    found = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get("set"), str):
        raise RemogptError(
            f"{path} should say which set the component was trained on (set, data, seed, clips) and does not; "
            "restore or remove it"
        )
    record = TrainingRecord(**{name: found[name] for name in TrainingRecord.__dataclass_fields__ if name in found})
    return None if component and record.part and record.part != component else record
