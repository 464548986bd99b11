"""Rare motions: how rare a prompt is, scores on the rarest prompts, balanced scores, and memorisation.

Conventions: rareness of a test prompt is 1 minus its largest cosine with the captions of the training set (or of a
database); 0 means that the prompt is there word for word. Which text encoder made the embeddings belongs beside every
number. Arrays are (N, D) embeddings and (N,) values per test item.

Source: ReMoDiffuse (ICCV 2023) and ReMoGPT (AAAI 2025) describe the evaluation but released no code; the paper names
neither encoder nor bins. differs: equal-width bins between the smallest and the largest rareness, published with the
number; Diversity draws at most half of the rare set, which is smaller than the usual 300 pairs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from remogpt.eval import generation
from remogpt.eval.interval import half_width
from remogpt.runtime.errors import RemogptError

Array = np.ndarray
CHUNK = 256
"""Rows compared at a time, so that a large gallery needs no (N, M) matrix; with 70,000 captions they are 140 MB."""


def _unit(table: Array, name: str) -> Array:
    table = generation.validate(table, name)
    norm = np.linalg.norm(table, axis=1, keepdims=True)
    if (norm == 0).any():
        raise RemogptError(f"{name} row {int(np.flatnonzero(norm[:, 0] == 0)[0])} is all zero; was the caption empty?")
    return table / norm


def rareness(prompts: Array, gallery: Array) -> Array:
    """Return (N,) rareness in [0, 2] of each prompt against the captions of a gallery.

    Args:
        prompts: (N, D) embeddings of test captions. gallery: (M, D) of training or database captions, same encoder.
    """
    return rareness_and_nearest(prompts, gallery)[0]


def rareness_and_nearest(prompts: Array, gallery: Array) -> tuple[Array, Array]:
    """Return rareness (N,) and the row (N,) of the gallery's most similar caption; arguments as in `rareness`."""
    prompts, gallery = _unit(prompts, "prompt embeddings"), _unit(gallery, "gallery embeddings")
    if prompts.shape[1] != gallery.shape[1]:
        raise RemogptError(
            f"prompts are {prompts.shape[1]} wide, the gallery {gallery.shape[1]}; embed both with one encoder."
        )
    best, where = [], []
    for start in range(0, len(prompts), CHUNK):
        cosines = prompts[start : start + CHUNK] @ gallery.T
        where.append(cosines.argmax(axis=1))
        best.append(cosines.max(axis=1))
    return np.maximum(1.0 - np.concatenate(best), 0.0), np.concatenate(where)


def rarest(values: Array, share: float = 0.05) -> Array:
    """Return the rows of the ceil(share * N) rarest prompts, rarest first."""
    values = np.asarray(values)
    if values.ndim != 1 or not len(values):
        raise RemogptError(f"rareness must be (N,) with N > 0, came {values.shape}.")
    if not 0.0 < share <= 1.0:
        raise RemogptError(f"share must lie in (0, 1], came {share}.")
    # The small term keeps 0.05 * 100 from becoming 6 through rounding.
    return np.argsort(-values, kind="stable")[: int(np.ceil(share * len(values) - 1e-9))]


@dataclass(frozen=True)
class Curve:
    """A value per range of rareness."""

    edges: Array
    """(bins + 1,) edges of the ranges."""
    means: Array
    """(bins,) mean of the items in each range, NaN where it is empty."""
    ci95: Array
    """(bins,) half width of the 95 % interval, NaN where the range is empty."""
    counts: Array
    """(bins,) items."""

    @property
    def balanced(self) -> float:
        """Mean of the ranges' means, every range that is not empty counting once."""
        return float(np.nanmean(self.means))

    def to_json(self) -> dict[str, Any]:
        """Return plain lists; an empty range has null."""
        return {
            "edges": self.edges.tolist(),
            "means": [None if np.isnan(value) else float(value) for value in self.means],
            "ci95": [None if np.isnan(value) else float(value) for value in self.ci95],
            "counts": self.counts.tolist(),
        }


def curve(values: Array, rareness_values: Array, num_bins: int = 10, edges: Array | None = None) -> Curve:
    """Average per-item values within ranges of rareness.

    Args:
        values: (N,) for instance the MM-dist of each item, or the gain that retrieval brought it.
        rareness_values: (N,) of the same items.
        num_bins: ranges, where no edges are given.
        edges: published edges to compare with; None for equal widths between the extremes.
    """
    values, rare = np.asarray(values, dtype=np.float64), np.asarray(rareness_values, dtype=np.float64)
    if values.shape != rare.shape or values.ndim != 1 or not len(values):
        raise RemogptError(f"values and rareness must be (N,), came {values.shape} and {rare.shape}.")
    edges = np.linspace(rare.min(), rare.max(), num_bins + 1) if edges is None else np.asarray(edges, dtype=np.float64)
    bin_of = np.clip(np.searchsorted(edges, rare, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bin_of, minlength=len(edges) - 1)
    means, half = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    for index in np.flatnonzero(counts):
        group = values[bin_of == index]
        means[index], half[index] = group.mean(), half_width(group)
    return Curve(edges, means, half, counts)


def evaluate(
    text: Array,
    motion: Array,
    rareness_values: Array,
    *,
    share: float = 0.05,
    num_bins: int = 10,
    edges: Array | None = None,
    pairs: int = 300,
    seed: int = 0,
) -> dict[str, Any]:
    """Return MM-dist and Diversity on the rarest prompts and Balanced MM-dist with its curve.

    Args:
        text, motion: (N, D) paired embeddings of the evaluator.
        rareness_values: (N,) of the prompts.
        share: of the prompts that count as rare.
        num_bins, edges: ranges of the curve, see `curve`.
        pairs: for Diversity; min(pairs, half of the rare set) are drawn and their number is reported.
        seed: of the pairs.
    """
    rare = rarest(rareness_values, share)
    distances = np.linalg.norm(generation.validate(text) - generation.validate(motion), axis=1)
    bins = curve(distances, rareness_values, num_bins, edges)
    result: dict[str, Any] = {
        "num_items": len(distances),
        "num_rare": len(rare),
        "mm_dist": float(distances.mean()),
        "mm_dist_rare": float(distances[rare].mean()),
        "mm_dist_rare_ci95": half_width(distances[rare]),
        "mm_dist_balanced": bins.balanced,
        "bins": bins.to_json(),
        "rarest": rare[:5].tolist(),
    }
    count = min(pairs, len(rare) // 2)
    if count:
        first, second = generation.draw_pairs(len(rare), count, np.random.default_rng(seed))
        result |= {"diversity_rare": generation.diversity(np.asarray(motion)[rare], first, second), "num_pairs": count}
    return result


def nearest_distance(queries: Array, gallery: Array) -> tuple[Array, Array]:
    """Return the Euclidean distance (N,) of each query to its nearest gallery row, and that row's index (N,)."""
    queries, gallery = generation.validate(queries, "queries"), generation.validate(gallery, "gallery")
    best, where = [], []
    for start in range(0, len(queries), CHUNK):
        distance = generation.squared_distances(queries[start : start + CHUNK], gallery)
        where.append(distance.argmin(axis=1))
        # Exact differences for the winners: the expanded square cannot tell a copy from a near copy.
        best.append(np.linalg.norm(queries[start : start + CHUNK] - gallery[where[-1]], axis=1))
    return np.concatenate(best), np.concatenate(where)


def memorisation(generated: Array, training: Array, real: Array) -> dict[str, float | None]:
    """Compare how near generated motions lie to training motions with how near real test motions lie.

    Args:
        generated: (N, D). training: (M, D). real: (K, D) test motions; motion embeddings of one evaluator.

    Returns:
        mean nearest distance of generated and real motions, their ratio (None where the real ones are the training
        motions), and the share of generated motions that lie nearer than 95 % of real ones do: 0.05 for a generator as
        novel as reality, near 1 for one that copies.
    """
    return nearness(nearest_distance(generated, training)[0], nearest_distance(real, training)[0])


def nearness(own: Array, reference: Array) -> dict[str, float | None]:
    """Return what `memorisation` returns, from the nearest distances (N,) of generated and (K,) of real motions."""
    return {
        "nearest_generated": float(own.mean()),
        "nearest_real": float(reference.mean()),
        "ratio": float(own.mean() / reference.mean()) if reference.mean() > 0 else None,
        "share_nearer_than_real": float((own < np.quantile(reference, 0.05)).mean()),
    }
