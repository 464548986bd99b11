"""Choose entries of a database by what is known about them: ids, words, tags, licence, length."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remogpt.motion.skeleton import FPS
from remogpt.retriever.database.entry import EntryInfo


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Keeps entries that meet every condition given."""

    ids: frozenset[str] | None = None
    """Entries that bear one of these as their own id or their source's."""
    text: str = ""
    """Words that one caption holds, all of them; letter case does not matter."""
    licence: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    """Tags and their values, compared as text."""
    min_seconds: float = 0.0
    max_seconds: float = float("inf")

    def keeps(self, info: EntryInfo, fps: float = FPS) -> bool:
        """Say whether an entry meets the conditions; `fps`: of its motions."""
        return (
            (self.ids is None or not self.ids.isdisjoint({info.id, info.source_id}))
            and (self.licence is None or info.licence == self.licence)
            and self.min_seconds <= info.num_frames / fps <= self.max_seconds
            and _has_tags(info.tags, self.tags)
            and (not self.text or any(_holds(caption, self.text) for caption in info.captions))
        )


def _has_tags(tags: Mapping[str, Any], wanted: tuple[tuple[str, str], ...]) -> bool:
    return all(name in tags and str(tags[name]) == value for name, value in wanted)


def _holds(caption: str, text: str) -> bool:
    words = caption.lower().replace(".", " ").replace(",", " ").split()
    return set(text.lower().split()) <= set(words)
