"""What a set says of a motion: clips and the captions that describe them."""

import math
from dataclasses import dataclass, field
from typing import Any

from remogpt.runtime.errors import RemogptError

MAX_SECONDS = 1e5
"""Longest recording that a caption's times may speak of."""


@dataclass(frozen=True)
class Caption:
    """One description of a motion or of a stretch of it."""

    text: str
    """The words as a person wrote them."""
    tokens: tuple[str, ...] = ()
    """lemma/POS pairs."""
    start: float = 0.0
    """Seconds from the beginning of the motion."""
    end: float = 0.0
    """Seconds; 0 with start 0 means the whole motion."""

    @property
    def is_whole(self) -> bool:
        """Whether the caption describes the whole motion."""
        return self.start == 0.0 and self.end == 0.0

    @property
    def times(self) -> str:
        """The stretch as an id tells it: "1.5-4"; empty for the whole motion."""
        return "" if self.is_whole else f"{self.start:g}-{self.end:g}"

    def to_line(self) -> str:
        """Return the caption as a line of a text file; line ends and '#', which separates fields, become spaces."""
        text, tokens = (" ".join(content.replace("#", " ").split()) for content in (self.text, " ".join(self.tokens)))
        return f"{text}#{tokens}#{self.start}#{self.end}"

    @classmethod
    def from_line(cls, line: str, where: str = "the caption file") -> "Caption":
        """Parse a line of a HumanML3D text file."""
        fields = line.strip().split("#")
        if len(fields) != 4:
            raise RemogptError(
                f"wanted 'caption#tokens#start#end' in {where}, got {len(fields)} fields: {line.strip()!r}; mend the "
                "line"
            )
        try:
            start, end = (0.0 if math.isnan(float(value)) else float(value) for value in fields[2:])
        except ValueError as error:
            raise RemogptError(
                f"wanted seconds behind the last two '#' in {where}, got {line.strip()!r}; correct the line"
            ) from error
        if not (0 <= start < MAX_SECONDS and 0 <= end < MAX_SECONDS) or (end <= start and (start or end)):
            raise RemogptError(
                f"a caption from {fields[2]} to {fields[3].strip()} s in {where}; wanted a start of 0 or more and an "
                "end behind it, or 0.0#0.0 for the whole motion"
            )
        if not fields[0].strip():
            raise RemogptError(f"an empty caption in {where}; write words, or take the line out")
        return cls(fields[0].strip(), tuple(fields[1].split()), start, end)


@dataclass(frozen=True)
class Clip:
    """A motion, or a stretch of one, with the captions that describe it."""

    id: str
    """Unique in the set; a sub-clip's id holds its times."""
    file_id: str
    """Stem of the feature file."""
    source_id: str
    """Recording that the clip was cut from; clips that share it are never each other's examples."""
    mirror_of: str | None
    """Id of the clip of which this is the mirror image."""
    captions: tuple[str, ...]
    """At least one."""
    tokens: tuple[tuple[str, ...], ...]
    """lemma/POS pairs of each caption."""
    first: int
    """First frame in the feature file."""
    num_frames: int
    """Frames of the clip."""
    tags: dict[str, Any] = field(default_factory=dict, hash=False)
    """Labels from the set's writer: factors, action, style."""
