"""One captioned motion on its way into, or out of, a database."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import msgspec
import numpy as np

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.schema import checked

T = TypeVar("T")


@dataclass(frozen=True)
class DatabaseEntry:
    """A motion with its captions and where it comes from."""

    id: str
    """Unique within a database."""
    source_id: str
    """The recording that this was cut or mirrored from; entries of one source are never examples for each other."""
    mirror_of: str | None
    """Id of the clip that this is the mirror image of."""
    captions: tuple[str, ...]
    """At least one; each is embedded."""
    features: np.ndarray
    """(T, 263) raw features at 20 fps; of a database of KIT-ML's own (T, 251) at 12.5."""
    provenance: str = ""
    """Origin of the motion, for people to read."""
    licence: str = ""
    """Licence of the motion and its captions."""
    tags: Mapping[str, Any] = field(default_factory=dict)
    """Free JSON-ready labels, for `filter`."""

    def __post_init__(self) -> None:
        if isinstance(self.captions, str):
            raise RemogptError(f"the captions of {self.id} are one string; give a tuple of sentences")
        if not self.id or not self.captions or not all(caption.strip() for caption in self.captions):
            raise RemogptError(
                f"a database entry needs an id and captions that are not empty, got id {self.id!r} with "
                f"{self.captions!r}; drop it or caption it"
            )

    @property
    def info(self) -> "EntryInfo":
        """Everything but the motion itself."""
        return EntryInfo(
            self.id, self.source_id, self.mirror_of, tuple(self.captions), len(self.features), self.provenance,
            self.licence, dict(self.tags),
        )  # fmt: skip


@dataclass(frozen=True)
class EntryInfo:
    """Everything about an entry but its motion; fields as in `DatabaseEntry`."""

    id: str
    source_id: str
    mirror_of: str | None
    captions: tuple[str, ...]
    num_frames: int
    """Length of the motion at its features' rate."""
    provenance: str
    licence: str
    tags: dict[str, Any]

    def with_features(self, features: np.ndarray) -> DatabaseEntry:
        """Return the entry that this describes, with its motion (T, F)."""
        return DatabaseEntry(
            self.id, self.source_id, self.mirror_of, self.captions, features, self.provenance, self.licence, self.tags
        )

    def to_line(self) -> bytes:
        """Return one line of JSON."""
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_line(cls, line: bytes) -> "EntryInfo":
        """Read what `to_line` wrote."""
        return _read(line, _INFO, cls)


@dataclass(frozen=True)
class EntryNames:
    """The names by which an entry is left out of a search; fields as in `DatabaseEntry`."""

    id: str
    source_id: str
    mirror_of: str | None

    @classmethod
    def from_line(cls, line: bytes) -> "EntryNames":
        """Read the names of what `EntryInfo.to_line` wrote."""
        return _read(line, _NAMES, cls)


_INFO, _NAMES = msgspec.json.Decoder(EntryInfo), msgspec.json.Decoder(EntryNames)


def _read(line: bytes, decoder: "msgspec.json.Decoder[T]", kind: type[T]) -> T:
    """Read a line of entries.jsonl."""
    try:
        return decoder.decode(line)
    except msgspec.DecodeError:
        pass  # it may hold a NaN among its tags; if not, what follows says what is wrong
    try:
        values = json.loads(line)
    except ValueError as error:
        raise RemogptError(f"a line of entries.jsonl is not JSON ({error}); copy the database again") from error
    return checked(values, kind, "a line of entries.jsonl")


def windowed(entries: Iterable[DatabaseEntry], max_frames: int = 196, min_frames: int = 40) -> Iterator[DatabaseEntry]:
    """Cut entries longer than `max_frames` into windows under one source id, named `<id>#<number>`.

    The windows follow each other; a rest shorter than `min_frames` is covered by shifting the last window back.
    """
    for entry in entries:
        num_frames = len(entry.features)
        if num_frames <= max_frames:
            yield entry
            continue
        starts = list(range(0, num_frames, max_frames))
        if num_frames - starts[-1] < min_frames:
            starts[-1] = num_frames - max_frames
        for number, start in enumerate(starts):
            features = entry.features[start : start + max_frames]
            mirror = f"{entry.mirror_of}#{number}" if entry.mirror_of else None
            yield replace(entry, id=f"{entry.id}#{number}", mirror_of=mirror, features=features)


@dataclass(frozen=True)
class RetrievedExample:
    """One captioned motion found in a database; prompts read `caption` and `codes`."""

    id: str
    """Entry of the database."""
    caption: str
    """The caption of that entry that lies closest to the query."""
    codes: np.ndarray
    """(N,) int64 codebook indices of its motion."""
    score: float
    """Cosine in [-1, 1] by which the route ranked it."""
    route: str
    """t2m, t2t, m2t or m2m."""
    to_motion: float = math.nan
    """Cosine of the query with its motion, whatever the route; nan where the query was not at hand."""
    to_caption: float = math.nan
    """Cosine of the query with `caption`, likewise."""
    fact_share: float = math.nan
    """Share of the query's facts that its motion holds, which helped to rank it; nan where no facts were asked for."""
    used: bool = False
    """Whether the prompt of an answer shows it; a model with a copy head leaves out what does not answer the query."""
    answers: bool | None = None
    """Whether the model's match test finds that a search's hit answers the query; None where nothing was tested."""
    pinned: bool = False
    """Whether it was named by the caller, and not retrieved."""
    row: int = -1
    """Row of the entry in its database."""
    weight: float = 1.0
    """How strongly it is followed, beside others."""
