"""Span corruption: hide runs of ids behind sentinels, and ask for them.

Source: T5, Raffel et al. 2020 (JMLR 21), sec. 3.1.4: 15 % of the ids in spans of mean length 3. MotionGPT carries it
for text and motion but never draws it (its condition is always "supervised"); here it runs, on real lengths, never on
padding.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Shuffler(Protocol):
    """`numpy.random.Generator` or `RandomState`."""

    def shuffle(self, x: np.ndarray, /) -> None: ...


def span_mask(
    length: int, rng: Shuffler, density: float = 0.15, mean_span: float = 3.0, max_spans: int | None = None
) -> np.ndarray:
    """Choose which ids to hide.

    Args:
        length: ids of the sequence; at least 2, so that one can be hidden and one kept.
        rng: shuffles where spans begin.
        density: share of ids to hide.
        mean_span: mean length of a hidden run.
        max_spans: number of sentinels at hand.

    Returns:
        (length,) bool, True where hidden. The first id is always kept; at least one id is hidden.
    """
    if length < 2:
        raise ValueError(f"a sequence of {length} ids has no span to hide; leave it out")
    num_hidden = min(max(round(length * density), 1), length - 1)
    num_spans = min(max(round(num_hidden / mean_span), 1), num_hidden, length - num_hidden)
    num_spans = min(num_spans, max_spans or num_spans)
    hidden = _random_lengths(num_hidden, num_spans, rng)
    kept = _random_lengths(length - num_hidden, num_spans, rng)
    runs = np.stack([kept, hidden], axis=1).reshape(-1)
    return np.repeat(np.arange(2 * num_spans) % 2 == 1, runs)


def _random_lengths(total: int, count: int, rng: Shuffler) -> np.ndarray:
    """Split `total` into `count` positive lengths, every split equally likely."""
    is_first = np.arange(total - 1) < count - 1
    rng.shuffle(is_first)
    starts = np.flatnonzero(np.concatenate([[True], is_first]))
    return np.diff(np.append(starts, total))


def corrupt(
    ids: Sequence[int], hidden: np.ndarray, sentinels: Sequence[int], eos_id: int
) -> tuple[list[int], list[int]]:
    """Replace each hidden run by its sentinel; the target is the sentinels, each followed by what it hides.

    Args:
        ids: the sequence, without an end.
        hidden: (len(ids),) bool.
        sentinels: at least as many ids as there are runs.
        eos_id: closes input and target.
    """
    inputs: list[int] = []
    targets: list[int] = []
    num_runs = 0
    was_hidden = False
    for token, is_hidden in zip(ids, hidden.tolist(), strict=True):
        if is_hidden and not was_hidden:
            inputs.append(sentinels[num_runs])
            targets.append(sentinels[num_runs])
            num_runs += 1
        (targets if is_hidden else inputs).append(token)
        was_hidden = is_hidden
    return [*inputs, eos_id], [*targets, eos_id]
