"""Segments, in which a motion is written, and the answer that they become."""

import math
from dataclasses import dataclass, field

import numpy as np

from remogpt.lm.long_motion import OVERLAP
from remogpt.motion import Motion
from remogpt.notices import Notice
from remogpt.pipeline.judge import CheckedFact
from remogpt.prompts import Prompt
from remogpt.reader import Reading
from remogpt.retriever import RetrievedExample


@dataclass(frozen=True)
class MotionRequest:
    """One motion to write."""

    index: int
    """Index among the motions of one call."""
    text: str
    """The whole caption, as it was asked."""
    spelled: str
    """The same, its misspelled words as the model knows them: what is read, retrieved for and shown to the model."""
    num_frames: int | None
    """At the motions' rate; None where the model chooses."""
    exclude: frozenset[str] = frozenset()
    """Ids of clips or recordings that are not retrieved."""
    sample: int = 0
    """Index among the motions of its caption."""
    num_samples: int = 1
    """Motions of its caption."""
    seed: int | None = None
    """Seed of its caption; that of the whole call without it."""

    @property
    def stream(self) -> int:
        """Number that tells it from the other motions of its seed; seeds its random numbers."""
        return self.index if self.seed is None else self.sample


@dataclass(frozen=True, eq=False)
class Candidate:
    """A motion that may become the answer of a segment."""

    codes: np.ndarray
    """(N,) int64, overlap included."""
    copied_from: str | None = None
    """Id of the database entry whose motion this is, as it is."""
    joined_from: tuple[str, ...] = ()
    """Ids of the database entries whose motions are joined in this, one for each step of the caption."""
    features: np.ndarray | None = None
    """(T, F) raw features of what was not written; None where a database keeps codes alone, which are decoded then."""


@dataclass(frozen=True, eq=False)
class Guide:
    """A motion joined of retrieved ones that shows what a text claims: an example that no database holds."""

    ids: tuple[str, ...]
    """Database entries that it is joined from."""
    caption: str
    """The text."""
    codes: np.ndarray
    """(N,) int64 codebook indices."""
    to_motion: float
    """Cosine of the text with the motion."""
    to_caption: float = 1.0
    """Cosine of the text with the caption, which is the text."""
    weight: float = 2.0
    """How strongly it is followed, beside the examples; chosen on validation clips."""

    @property
    def id(self) -> str:
        """Name of what it is joined from."""
        return " + ".join(self.ids)


@dataclass
class Segment:
    """A stretch of a motion that is written at once."""

    request: MotionRequest
    """Request of the motion that the segment belongs to."""
    number: int
    """Index among the motion's segments."""
    text: str
    """The sentences of the caption that the segment shows."""
    length: int | None
    """Codes, overlap included; None where the model stops by itself."""
    previous: "Segment | None" = None
    """The segment whose last `OVERLAP` codes this one begins with."""
    reading: Reading | None = None
    """What `text` claims, where the model has a reader."""
    examples: tuple[RetrievedExample, ...] = ()
    guide: Guide | None = None
    rivals: tuple[Candidate, ...] = ()
    """Retrieved motions that compete with the written ones, as they are."""
    prompt: Prompt | None = None
    plain: Prompt | None = None
    """Prompt that guidance contrasts with."""
    candidates: list[Candidate] = field(default_factory=list)
    chosen: int = 0
    """Index of the best candidate."""
    decoded: np.ndarray | None = None
    """(T, F) raw features of the chosen candidate, where choosing has decoded it."""

    @property
    def followed(self) -> tuple[RetrievedExample | Guide, ...]:
        """What is followed: the guide, in place of the last example, and the examples."""
        return self.examples if self.guide is None else (self.guide, *self.examples[:-1])

    @property
    def overlap(self) -> int:
        """Number of codes at the start that the previous segment has written."""
        return 0 if self.previous is None else OVERLAP

    @property
    def begun(self) -> np.ndarray:
        """(overlap,) codes that the segment begins with."""
        return np.empty(0, dtype=np.int64) if self.previous is None else self.previous.codes[-OVERLAP:]

    @property
    def codes(self) -> np.ndarray:
        """(N,) codes of the chosen candidate, overlap included."""
        return self.candidates[self.chosen].codes


@dataclass(frozen=True)
class Generated:
    """One answer to a caption."""

    motion: Motion
    codes: np.ndarray
    """(N,) int64."""
    examples: tuple[RetrievedExample, ...]
    """Retrieved examples, in the order of the prompts, each once."""
    segments: tuple[Segment, ...]
    """One, unless the motion is longer than 9.8 s."""
    warnings: tuple[Notice, ...] = ()
    """Reasons to doubt the answer: unknown words, negations, numbers out of range, no example."""
    copied_from: str | None = None
    """Id of the database entry whose motion this is, as it is; None where it is another one."""
    joined_from: tuple[str, ...] = ()
    """Ids of the database entries whose motions are joined in this, one for each step of the caption; where this and
    `copied_from` say nothing, the language model wrote it."""
    follows: tuple[str, ...] = ()
    """Ids of the database entries of whose stretches a motion was joined that the language model followed; a motion of
    several segments followed one in each."""
    checks: tuple[CheckedFact, ...] = ()
    """The facts that the caption claims and whether they hold, where they were checked."""
    confidence: float = math.nan
    """Expected share of what was asked that the motion shows, from 0 to 1; nan where the retriever was not used."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Prompts of the language model, segment by segment."""
        return tuple(segment.prompt for segment in self.segments if segment.prompt is not None)

    @property
    def prompt(self) -> Prompt:
        """Prompt of the first segment."""
        return self.prompts[0]
