"""Pick the items of a set whose captions are least alike: the gallery of retrieval protocol `nsim` (letter c).

Captions with different meanings leave one right motion each, so near-duplicates cannot distort ranks.

The choice is a quadratic knapsack with equal weights: of N items take k with the smallest summed cost of their
pairs. The problem is NP-hard; here a greedy start and several random starts are improved by exchanging single items,
and the best result is taken.

Source: TMR, arXiv 2305.00976, sec. 4.1, protocol (c): 100 items "maximally dissimilar" by an approximation of the
quadratic knapsack problem. TMR's code for it is not released; differs: this approximation is our own, and avoiding
pairs above TMR's thresholds of same meaning comes before the sum.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.runtime.errors import RemogptError

Array = np.ndarray

SAME_MEANING = 0.6
"""Cosine above which two captions count as equal in meaning, 0.8 on the scale (cos + 1) / 2.

Source: TMR, arXiv 2305.00976, sec. 3.2.
"""
_LEVELS = ((SAME_MEANING, 1e3), (0.9, 1e5))
"""(cosine, extra cost of a pair above it); in a gallery of some hundred items each cost outweighs all lower ones. 0.9
is the 0.95 of protocol (b), above which TMR counts captions as equal."""
_EPSILON = 1e-6


@dataclass(frozen=True)
class Dissimilar:
    """A choice of items with the similarity of its pairs."""

    indices: Array
    """(k,) int64, sorted."""
    mean: float
    """Mean cosine over the pairs."""
    max: float
    """Largest cosine of a pair."""
    num_alike: int
    """Pairs above `SAME_MEANING`; 0 unless the set has too few different captions."""


def choose_dissimilar(vectors: Array, size: int, seed: int = 0, num_starts: int = 8) -> Dissimilar:
    """Choose `size` of N items by their sentence vectors.

    Args:
        vectors: (N, D), one for each item; normalised here.
        size: k, 2 <= k <= N.
        seed: of the random starts; the same seed gives the same choice.
        num_starts: random starts besides the greedy one; 0 is fastest.

    Raises:
        RemogptError: if `size` is out of range, or a vector is not finite or zero.
    """
    unit = _unit_rows(vectors)
    if not 2 <= size <= len(unit):
        raise RemogptError(
            f"wanted a choice of at least 2 and at most all of the {len(unit)} items, got {size}; give another size"
        )
    rng = np.random.default_rng(seed)
    starts = [_greedy(unit, size)]
    starts += [rng.choice(len(unit), size, replace=False) for _ in range(num_starts)]
    chosen = min((_exchange(unit, start) for start in starts), key=lambda indices: _total(unit, indices))
    return describe(unit, chosen)


def describe(vectors: Array, indices: Array) -> Dissimilar:
    """Measure the similarity of a choice: `indices` (k,) of the rows of `vectors` (N, D)."""
    rows = _unit_rows(vectors)[np.sort(indices)]
    pairs = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    return Dissimilar(
        np.sort(indices).astype(np.int64), float(pairs.mean()), float(pairs.max()), int((pairs > SAME_MEANING).sum())
    )


def whole_clips(clips: Sequence[Clip]) -> list[Clip]:
    """Return the only clips of their motions, since an id in a split file stands for all clips of a motion."""
    counts = Counter(clip.file_id for clip in clips)
    return [clip for clip in clips if clip.id == clip.file_id and counts[clip.file_id] == 1]


def _unit_rows(vectors: Array) -> Array:
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise RemogptError(f"wanted finite sentence vectors (N, D), got {rows.shape}; encode the captions again")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise RemogptError(f"sentence vector {int(lengths.argmin())} is zero; is its caption empty?")
    return rows / lengths


def _costs(unit: Array, indices: Array) -> Array:
    """(N, len(indices)) float64 pair cost of each item with each chosen one; 0 with itself."""
    cosines = (unit @ unit[indices].T).astype(np.float64)
    costs = cosines + sum(cost * (cosines > level) for level, cost in _LEVELS)
    costs[indices, np.arange(len(indices))] = 0.0
    return costs


def _total(unit: Array, indices: Array) -> float:
    return float(_costs(unit, indices)[indices].sum()) / 2


def _greedy(unit: Array, size: int) -> Array:
    """Start with the item least similar to all others, then add the item of least cost."""
    chosen = [int((unit @ unit.sum(axis=0)).argmin())]
    cost = np.zeros(len(unit), dtype=np.float64)
    taken = np.zeros(len(unit), dtype=bool)
    while len(chosen) < size:
        taken[chosen[-1]] = True
        cost += _costs(unit, np.array(chosen[-1:]))[:, 0]
        chosen.append(int(np.where(taken, np.inf, cost).argmin()))
    return np.array(chosen)


def _exchange(unit: Array, indices: Array) -> Array:
    """Exchange one chosen item for one outside, the best pair each time, until no exchange lowers the sum."""
    indices = np.array(indices)
    costs = _costs(unit, indices)  # (N, k)
    while True:
        sums = costs.sum(axis=1)  # cost of each item with all chosen ones
        # Cost change if item i replaces the chosen item of column a.
        change = sums[:, None] - costs - sums[indices]
        change[indices] = np.inf
        item, column = np.unravel_index(int(change.argmin()), change.shape)
        if change[item, column] > -_EPSILON:
            return indices
        indices[column] = item
        costs[:, column] = _costs(unit, indices[column : column + 1])[:, 0]
