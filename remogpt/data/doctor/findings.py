"""What an examination finds."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal[
    "missing", "malformed", "nan", "scale", "normalised", "facing", "up", "sides", "limits", "encoding", "caption",
    "duplicate", "overlap", "official", "mirror", "statistics", "mismatch",
]  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One fault of a set."""

    kind: Kind
    file: str
    """Relative to the set; with a line of it, where that is known."""
    what: str
    """What was found."""
    remedy: str
    """What to do."""

    def __str__(self) -> str:
        return f"{self.file}: {self.what} [{self.kind}]. {self.remedy}"


@dataclass
class Report:
    """Outcome of an examination."""

    folder: str
    layout: str
    """Whose way of laying out files this is."""
    num_motions: int = 0
    num_captions: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    """Ids of each split file."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no fault."""

    def add(self, kind: Kind, file: str, what: str, remedy: str) -> None:
        """Note a fault."""
        self.findings.append(Finding(kind, file, what, remedy))

    def to_json(self) -> dict[str, Any]:
        """Return everything, with the number of findings of each kind."""
        return {**asdict(self), "kinds": dict(Counter(finding.kind for finding in self.findings).most_common())}
