"""Represent a prompt as segments in order, each either words or motion codes. No string mixes the two.

The language model turns words into text ids and codes into motion ids, segment by segment, so a caption that spells
`<motion_id_5>` stays words. Roles tell where a segment comes from; the copy head uses them to find the examples' codes
in the encoder input.
"""

from collections.abc import Callable
from dataclasses import dataclass

from remogpt.prompts.motion_string import codes_to_string

STRUCTURE = "structure"
"""Headings and line labels."""
INSTRUCTION = "instruction"
"""Words of a template."""
QUERY = "query"
"""The user's input: caption or codes."""
EXAMPLE = "example"
"""A retrieved caption or its codes; `example` numbers it from 0."""


@dataclass(frozen=True)
class TextSegment:
    """Words; user input in it contains no line ends or bracketed tokens."""

    text: str
    role: str = INSTRUCTION
    example: int | None = None
    """Index of the retrieved example; None outside the context."""
    new_line: bool = False
    """Whether a line starts here; affects `Prompt.text` alone, not the model's input."""


@dataclass(frozen=True)
class MotionSegment:
    """Motion codes in [0, K)."""

    codes: tuple[int, ...]
    role: str = QUERY
    example: int | None = None
    """Index of the retrieved example; None outside the context."""


Segment = TextSegment | MotionSegment
CountTokens = Callable[[Segment], int]
"""Returns the number of ids of a segment in the encoder input."""


@dataclass(frozen=True)
class Trimmed:
    """An example, motion or caption that was shortened or dropped to keep within the token budget."""

    name: str
    """"example 2 motion", "example 1", "caption", "motion"."""
    kept: int
    """Tokens kept; 0 if dropped."""
    removed: int
    """Tokens removed."""

    def __str__(self) -> str:
        return f"{self.name}: {'dropped' if self.kept == 0 else f'cut to {self.kept} tokens'} (-{self.removed})"


@dataclass(frozen=True)
class Prompt:
    """An encoder input in words and codes."""

    segments: tuple[Segment, ...]
    trimmed: tuple[Trimmed, ...] = ()
    """What was cut to keep within the budget, in order."""

    @property
    def num_examples(self) -> int:
        """Number of retrieved examples in the prompt."""
        return len({segment.example for segment in self.segments if segment.example is not None})

    def text(self, num_codes: int = 512) -> str:
        """Return the prompt as text, codes as `<motion_id_k>`."""
        shown = ""
        for segment in self.segments:
            if isinstance(segment, MotionSegment):
                shown += " " + codes_to_string(segment.codes, num_codes)
            else:
                shown += ("\n" if segment.new_line else " ") + segment.text
        return shown.strip()


def approximate_tokens(segment: Segment) -> int:
    """Estimate a segment's ids without a vocabulary: codes with start and end, one id per four bytes of text."""
    if isinstance(segment, MotionSegment):
        return len(segment.codes) + 2
    return (len(segment.text.encode()) + 3) // 4
