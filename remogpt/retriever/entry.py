"""One captioned motion on its way into, or out of, a database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class DatabaseEntry:
    """A motion with its captions and where it comes from."""

    id: str
    """Unique within a database."""
    source_id: str
    """The recording that this was cut from or mirrored from; entries of one source never serve each other."""
    mirror_of: str | None
    """Id of the clip that this is the mirror image of."""
    captions: tuple[str, ...]
    """At least one; each is embedded."""
    features: np.ndarray
    """(T, 263) raw features at 20 fps."""
    provenance: str = ""
    """Where it comes from, for people."""
    licence: str = ""
    """Of the motion and its captions."""
    tags: Mapping[str, Any] = field(default_factory=dict)
    """Free JSON-ready labels, for `filter`."""

    def __post_init__(self) -> None:
        if not self.id or not self.captions or not all(caption.strip() for caption in self.captions):
            raise RemogptError(
                f"a database entry needs an id and captions that are not empty, got id {self.id!r} with "
                f"{self.captions!r}; drop it or caption it"
            )
        if isinstance(self.captions, str):
            raise RemogptError(f"the captions of {self.id} are one string; give a tuple of sentences")


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
