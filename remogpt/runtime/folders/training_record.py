"""Record what a component was trained on, in `training.json` beside it.

The component's hash does not cover the record, and the record is optional. An evaluation reads it to report what the
evaluator was trained on, and whether the scored model was trained on the same data.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from remogpt.runtime.files import read_json, write_json

RECORD_FILE = "training.json"


@dataclass(frozen=True)
class TrainingRecord:
    """Training set, data fingerprint and seed of a component; None where unknown."""

    set: str
    """Name of the training set."""
    data: str | None = None
    """Fingerprint of the training data."""
    seed: int | None = None
    """Seed of the training loop."""
    clips: int | None = None
    """Training clips."""
    part: str | None = None
    """Hash of the component; called `part` for compatibility with existing files."""

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
    """Read a component's `training.json`; None if missing or written for another component.

    Args:
        folder: of the component.
        component: hash of the component in `folder`; None skips the comparison.

    Raises:
        RemogptError: if the file has other content.
    """
    path = Path(folder) / RECORD_FILE
    if not path.is_file():
        return None
    found = read_json(path, TrainingRecord)
    record = TrainingRecord(**{name: found[name] for name in TrainingRecord.__dataclass_fields__ if name in found})
    return None if component and record.part and record.part != component else record
