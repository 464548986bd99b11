"""Say in a sentence why an answer may not be what was asked for."""

from dataclasses import dataclass
from typing import Literal

NoticeKind = Literal[
    "no_example", "unknown_action", "unknown_word", "misspelling", "language", "negation", "out_of_range", "not_seen"
]
"""no_example: nothing in the database answers the caption, or is like the motion; unknown_action: the caption names an
action that no predicate covers, as the reader understands it; unknown_word: a word that the model has not learnt;
misspelling: one that is read as the nearest word that it has; language: the caption is not English; negation: it says
what is not done; out_of_range: a number beyond those of the captions that the model has learnt from; not_seen: a
written caption says what the motion's joints do not show."""


@dataclass(frozen=True)
class Notice:
    """One reason to doubt an answer."""

    kind: NoticeKind
    text: str
    """A plain sentence without a full stop, for people to read."""

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, str]:
        """Return a JSON-ready dictionary."""
        return {"kind": self.kind, "text": self.text}
