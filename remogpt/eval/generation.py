"""Text-to-motion metrics on embeddings: R-precision, MM-dist, FID, Diversity, MultiModality.

Conventions: embeddings are (N, D) rows of one evaluator, text row i belongs to motion row i. All sums run in float64.
Lower is better for MM-dist and FID; Diversity should be close to the value of real motion. R-precision is a fraction.
Random choices (pools of 32, pairs for Diversity) are made outside by `draw_pools` and `draw_pairs`, so that they can be
recorded beside the numbers.

Source: Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022, and its released code.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from remogpt.eval.interval import mean_interval
from remogpt.runtime.errors import RemogptError

Array = np.ndarray
POOL = 32
"""Items in a pool of R-precision."""
PAIRS = 300
"""Pairs of Diversity."""


def validate(embeddings: Array, name: str = "embeddings", min_rows: int = 1, dims: int = 2) -> Array:
    """Check an embedding table and return it as float64.

    Raises:
        RemogptError: if the number of axes, the number of rows, or a value that is not finite makes it unusable.
    """
    table = np.asarray(embeddings)
    if table.ndim != dims:
        wanted = "(N, D)" if dims == 2 else "(texts, generations, D)"
        raise RemogptError(
            f"{name} must be {wanted}, came with shape {table.shape}; embed the items before scoring them."
        )
    if len(table) < min_rows:
        raise RemogptError(f"{name} has {len(table)} rows, at least {min_rows} are needed; evaluate on more items.")
    table = table.astype(np.float64, copy=False)
    if not np.isfinite(table).all():
        bad = int(np.flatnonzero(~np.isfinite(table).reshape(len(table), -1).all(axis=1))[0])
        raise RemogptError(f"{name} row {bad} holds NaN or infinity; did the evaluator see an empty motion?")
    return table


def _paired(text: Array, motion: Array) -> tuple[Array, Array]:
    text, motion = validate(text, "text embeddings"), validate(motion, "motion embeddings")
    if text.shape != motion.shape:
        raise RemogptError(
            f"text and motion embeddings must be paired rows of one evaluator, came {text.shape} and {motion.shape}."
        )
    return text, motion


def r_precision(text: Array, motion: Array, top_k: int = 3, group: int = POOL) -> Array:
    """Return the share of rows of `text` whose own row of `motion` is among the nearest 1..top_k of its group.

    Swap the arguments for the other direction (motion queries, text gallery), as captioning reports it.

    Args:
        text: (N, D) queries. motion: (N, D) gallery; row i is the answer to query i.
        top_k: number of ranks to report. group: gallery size; consecutive rows form a group and an incomplete last
            group is dropped, so shuffle first (`draw_pools`).

    Returns:
        (top_k,) cumulative fractions.

    Raises:
        RemogptError: if fewer than `group` rows are given.

    Source: Guo et al. 2022, sec. 5; differs: tied distances are scored by what a random order of the tied items would
    give on average (the reference leaves them in the order of an unstable sort), and no NaN can arise. Distances are
    tied that differ by no more than the rounding of a product of matrices, whose last digits depend on the pool's size.
    """
    text, motion = _paired(text, motion)
    num_groups = len(text) // group
    if num_groups == 0:
        raise RemogptError(f"R-precision needs at least {group} items (one group), came {len(text)}.")
    if not 1 <= top_k <= group:
        raise RemogptError(f"top_k must be between 1 and the group size {group}, came {top_k}.")
    queries = text[: num_groups * group].reshape(num_groups, group, -1)
    gallery = motion[: num_groups * group].reshape(num_groups, group, -1)
    distance = squared_distances(queries, gallery)  # (groups, group, group)
    own = np.diagonal(distance, axis1=1, axis2=2)[..., None]
    rounding = _rounding(queries, gallery)
    nearer = (distance < own - rounding).sum(-1)
    tied = (np.abs(distance - own) <= rounding).sum(-1)
    hits = [np.clip((k - nearer) / tied, 0.0, 1.0).mean() for k in range(1, top_k + 1)]
    return np.array(hits)


def squared_distances(left: Array, right: Array) -> Array:
    """Return squared Euclidean distances (..., N, M) between rows of (..., N, D) and (..., M, D), never negative."""
    cross = left @ np.swapaxes(right, -1, -2)
    square = (left**2).sum(-1)[..., :, None] + (right**2).sum(-1)[..., None, :]
    return np.maximum(square - 2.0 * cross, 0.0)


def _rounding(queries: Array, gallery: Array) -> Array:
    """Return (groups, N, 1) bounds on the rounding error of the difference of two of a query's squared distances.

    Each is a sum of about D products, none larger than the squared lengths, in float64.
    """
    squares = (queries**2).sum(-1) + (gallery**2).sum(-1).max(-1, keepdims=True)
    bounds: Array = 4 * queries.shape[-1] * np.finfo(np.float64).eps * squares[..., None]
    return bounds


def mm_dist(text: Array, motion: Array) -> float:
    """Return the mean Euclidean distance between each caption and its motion, both (N, D)."""
    text, motion = _paired(text, motion)
    return float(np.linalg.norm(text - motion, axis=-1).mean())


@dataclass(frozen=True)
class GaussianStatistics:
    """Mean and covariance of a set of embeddings; keep it for the real set, which every repeat compares with."""

    mean: Array
    """(D,)"""
    covariance: Array
    """(D, D), normalised by N - 1."""
    num_items: int

    @classmethod
    def of(cls, embeddings: Array) -> "GaussianStatistics":
        """Estimate from (N, D) rows, N >= 2."""
        table = validate(embeddings, "embeddings for FID", min_rows=2)
        return cls(table.mean(axis=0), np.atleast_2d(np.cov(table, rowvar=False)), len(table))

    @cached_property
    def root(self) -> Array:
        """(D, D) factor R with R R^T = covariance, by symmetric eigendecomposition."""
        values, vectors = np.linalg.eigh(self.covariance)
        return vectors * np.sqrt(np.maximum(values, 0.0))


def frechet_distance(a: Array | GaussianStatistics, b: Array | GaussianStatistics) -> float:
    """Return the Frechet distance between Gaussians fitted to two sets of embeddings (FID).

    Args:
        a, b: (N, D) embeddings, or their `GaussianStatistics`. With fewer rows than D the value is biased upwards and
            not comparable with a full evaluation.

    Source: Heusel et al. 2017, eq. 6; differs: trace of the root of C_a C_b through the eigenvalues of
    R_a^T C_b R_a, which are real and not negative, so nothing has to be added to the diagonal of a singular product.
    """
    first = a if isinstance(a, GaussianStatistics) else GaussianStatistics.of(a)
    second = b if isinstance(b, GaussianStatistics) else GaussianStatistics.of(b)
    if first.mean.shape != second.mean.shape:
        raise RemogptError(
            f"FID compares embeddings of one evaluator; widths {first.mean.size} and {second.mean.size} differ."
        )
    product = first.root.T @ second.covariance @ first.root
    trace_root = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0.0)).sum()
    shift = first.mean - second.mean
    return float(shift @ shift + np.trace(first.covariance) + np.trace(second.covariance) - 2.0 * trace_root)


def diversity(x: Array, first: Array, second: Array) -> float:
    """Return the mean distance between rows `first[i]` and `second[i]` of x (N, D)."""
    table = validate(x, "embeddings for Diversity", min_rows=2)
    first, second = _index_pair(first, second, len(table))
    return float(np.linalg.norm(table[first] - table[second], axis=-1).mean())


def multimodality(x: Array, first: Array, second: Array) -> float:
    """Return the mean distance between generations of one text, averaged over texts.

    Args:
        x: (texts, generations, D). first, second: index vectors into the generations, the same for every text.
    """
    table = validate(x, "embeddings for MultiModality", dims=3)
    first, second = _index_pair(first, second, table.shape[1])
    return float(np.linalg.norm(table[:, first] - table[:, second], axis=-1).mean())


def _index_pair(first: Array, second: Array, size: int) -> tuple[Array, Array]:
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.ndim != 1 or first.size == 0:
        raise RemogptError(f"the two index vectors must be of one length, came {first.shape} and {second.shape}.")
    if min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= size:
        raise RemogptError(f"index vectors must lie in 0..{size - 1}; were they drawn for another set?")
    return first, second


def marks(num_items: int, dim: int, group: int = POOL, pairs: int = PAIRS) -> list[str]:
    """Return what keeps scores of so few items from being compared with published ones, a sentence each.

    Args:
        num_items: N. dim: width D of the evaluator. group: pool that R-precision was computed in. pairs: of Diversity.
    """
    found = []
    if group < POOL:
        found.append(f"R-precision in pools of {group}, the protocol's are {POOL}: too high")
    if num_items <= dim:
        found.append(f"FID of {num_items} items in {dim} dimensions: too high")
    if num_items < pairs:
        found.append(f"Diversity of {num_items} pairs, the protocol's are {pairs}")
    return found


def draw_pairs(size: int, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw `count` distinct rows out of `size`, twice; a pair may coincide, as in the reference."""
    if count > size:
        raise RemogptError(f"cannot draw {count} distinct rows out of {size}; lower the number of pairs.")
    return rng.choice(size, count, replace=False), rng.choice(size, count, replace=False)


def draw_pools(size: int, repeats: int, rng: np.random.Generator) -> Array:
    """Return (repeats, size) row orders; consecutive rows of an order form the pools of R-precision."""
    return np.stack([rng.permutation(size) for _ in range(repeats)])


def evaluate(
    text: Array,
    motion: Array,
    real: Array | GaussianStatistics,
    *,
    multimodal: Array | None = None,
    repeats: int = 20,
    pairs: int = PAIRS,
    multimodal_pairs: int = 10,
    group: int = POOL,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute every generation metric over `repeats` draws of pools and pairs.

    Args:
        text: (N, D) embeddings of the captions.
        motion: (N, D) embeddings, or (repeats, N, D) when motion was generated anew for each repeat.
        real: embeddings or statistics of the whole real test set.
        multimodal: (texts, generations, D), or None.
        repeats: draws.
        pairs: of Diversity.
        multimodal_pairs: pairs of generations of each text, for MultiModality.
        group: items in a pool of R-precision.
        seed: of the draws.

    Returns:
        metric -> {"mean", "ci95"}; R-precision in both directions as `t2m/R1` and `m2t/R1`, in fractions.
    """
    motion = np.asarray(motion)
    runs = motion if motion.ndim == 3 else motion[None]
    if not 1 <= len(runs) <= repeats:
        raise RemogptError(f"motion holds {len(runs)} generations of the test set, expected 1 to {repeats} (repeats).")
    statistics = real if isinstance(real, GaussianStatistics) else GaussianStatistics.of(real)
    rng = np.random.default_rng(seed)
    orders = draw_pools(len(text), repeats, rng)
    fixed = [{"fid": frechet_distance(statistics, run), "mm_dist": mm_dist(text, run)} for run in runs]
    rows: dict[str, list[float]] = {}
    for repeat in range(repeats):
        run, order = runs[repeat % len(runs)], orders[repeat]
        scores = dict(fixed[repeat % len(runs)])
        for way, left, right in (("t2m", text, run), ("m2t", run, text)):
            precision = r_precision(left[order], right[order], min(3, group), group)
            scores |= {f"{way}/R{k}": float(value) for k, value in enumerate(precision, 1)}
        scores["diversity"] = diversity(run, *draw_pairs(len(run), min(pairs, len(run)), rng))
        if multimodal is not None:
            picks = draw_pairs(multimodal.shape[1], multimodal_pairs, rng)
            scores["multimodality"] = multimodality(multimodal, *picks)
        for name, value in scores.items():
            rows.setdefault(name, []).append(value)
    return {name: mean_interval(np.array(values)) for name, values in rows.items()}
