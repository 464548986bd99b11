"""Relate proven facts in time, for one motion or for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOMENT, PAUSE = 8, 24
"""Frames: shorter actions are moments; repetitions with shorter pauses form one bout."""
OVERLAP = 0.33
"""Smallest overlap of simultaneous bouts, over the shorter one."""
NEARLY = 0.9
"""Bouts of at least this share of the longest one count as equally long."""


@dataclass(frozen=True)
class Proofs:
    """The intervals that prove one fact for some motions, in order of the motions; all (n,) int64."""

    motion: np.ndarray
    """Number of the motion that an interval belongs to, never falling."""
    start: np.ndarray
    end: np.ndarray

    def bouts(self) -> "Proofs":
        """Join the intervals of a motion that follow each other with pauses of at most `PAUSE` frames."""
        if not len(self.motion):
            return self
        is_next = (self.motion[1:] != self.motion[:-1]) | (self.start[1:] - self.end[:-1] > PAUSE)
        first = np.concatenate([[0], np.flatnonzero(is_next) + 1])
        last = np.concatenate([first[1:] - 1, [len(self.motion) - 1]])
        return Proofs(self.motion[first], self.start[first], self.end[last])


def relation(name: str, first: Sequence[tuple[int, int]], second: Sequence[tuple[int, int]]) -> bool:
    """Return whether two facts of one motion, proven by these intervals, stand in a relation; see `where_related`."""
    return bool(len(where_related(name, _of_one_motion(first), _of_one_motion(second))))


def where_related(name: str, first: Proofs, second: Proofs) -> np.ndarray:
    """Return the numbers of the motions in which two proven facts stand in a relation, ascending.

    `before`: the longest bout of the first begins before the longest bout of the second. `then`: once the second begins
    after the first or goes on after it, by `MOMENT` frames. `while`: the overlap is at least a third of the shorter
    bout; moments shorter than `MOMENT` frames may be that far apart (a jump and its punch).
    """
    if name == "then":
        one, other = _pairs(first.motion, second.motion)
        later = second.start[other] - first.start[one] >= MOMENT
        later |= second.end[other] - first.end[one] >= MOMENT
        return np.unique(first.motion[one[later]])
    first, second = first.bouts(), second.bouts()
    if name == "before":
        motions, starts = _starts(first)
        others, other_starts = _starts(second)
        shared, one, other = np.intersect1d(motions, others, assume_unique=True, return_indices=True)
        return shared[starts[one] < other_starts[other]]
    one, other = _pairs(first.motion, second.motion)
    shorter = np.minimum((first.end - first.start)[one], (second.end - second.start)[other])
    overlap = np.minimum(first.end[one], second.end[other]) - np.maximum(first.start[one], second.start[other])
    together = overlap >= np.where(shorter > MOMENT, OVERLAP * shorter, -MOMENT)
    return np.unique(first.motion[one[together]])


def _of_one_motion(found: Sequence[tuple[int, int]]) -> Proofs:
    start, end = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return Proofs(np.zeros_like(start), start, end)


def _starts(bouts: Proofs) -> tuple[np.ndarray, np.ndarray]:
    """Return each motion and the start of its longest bout; the starts of nearly equal bouts are averaged."""
    motions, edges, counts = np.unique(bouts.motion, return_index=True, return_counts=True)
    if not len(motions):
        return motions, np.zeros(0)
    length = bouts.end - bouts.start
    longest = np.repeat(np.maximum.reduceat(length, edges), counts)
    long = (length >= NEARLY * longest).astype(np.float64)
    return motions, np.add.reduceat(long * bouts.start, edges) / np.add.reduceat(long, edges)


def _pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of all pairs of equal numbers of two ascending arrays."""
    left, right = np.searchsorted(second, first, "left"), np.searchsorted(second, first, "right")
    counts = right - left
    one = np.repeat(np.arange(len(first)), counts)
    return one, np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts - left, counts)
