"""Text-motion retrieval metrics from a similarity matrix, in every protocol of the field.

Convention: `similarity[i, j]` compares caption i with motion j, higher is closer, item i of both sides belong
together. Direction t2m ranks motions for a caption (rows), m2t ranks captions for a motion (columns). Ranks inside this
module start at 0 and may end in .5; reported R@k is percent and MedR starts at 1.

Protocols (names as in TMR, and the letters of its paper):

| name | letter | what counts as a hit |
|---|---|---|
| `normal` | a | the own item among all |
| `threshold` | b | any item whose caption is at least `threshold` similar to the own one |
| `nsim` | c | the own item among a fixed list of dissimilar items |
| `guo` | d | the own item among 32, averaged over batches |
| `identical` | - | any item with the identical caption string (MotionPatches) |

Worked example: `similarity = [[.9, .1], [.8, .2]]`. Both captions prefer motion 0, so caption 1 finds its own motion
second: t2m ranks (0, 1), R@1 50 %, MedR 1.5. Each motion prefers its own caption: m2t ranks (0, 0), R@1 100 %.

Source: Petrovich et al., "TMR", ICCV 2023, sec. 4.1 and its released `metrics.py`; MotionPatches (CVPR 2024) for
`identical`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from remogpt.runtime.errors import RemogptError

Array = np.ndarray
RECALL_AT = (1, 2, 3, 5, 10)
ALIASES = {
    "a": "normal", "all": "normal", "normal": "normal",
    "b": "threshold", "threshold": "threshold",
    "c": "nsim", "nsim": "nsim",
    "d": "guo", "guo": "guo", "small_batches": "guo",
    "identical": "identical", "identical_caption": "identical", "e": "identical",
}  # fmt: skip


def cosines(text: Array, motion: Array) -> Array:
    """Multiply unit rows (N, D) and (M, D) to similarities (N, M), for equal rows equal to the last bit.

    A product of matrices adds up in an order that depends on where a row stands, so that ties would be broken by place.
    """
    tables = [np.unique(np.asarray(rows, dtype=np.float64), axis=0, return_inverse=True) for rows in (text, motion)]
    (left, of_text), (right, of_motion) = tables
    return (left @ right.T)[np.ix_(of_text.ravel(), of_motion.ravel())]


def validate(similarity: Array) -> Array:
    """Check a square similarity matrix without NaN and return it unchanged (ranks depend on exact equality)."""
    table = np.asarray(similarity)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise RemogptError(f"similarity must be (N, N), captions by motions, came {table.shape}.")
    if table.shape[0] == 0:
        raise RemogptError("similarity is empty; is the split file empty or every clip filtered out?")
    if np.isnan(table).any():
        raise RemogptError("similarity holds NaN; did an encoder see an empty caption or motion?")
    return table


def rank_rows(similarity: Array, positives: Array | None = None, ties: str = "average") -> Array:
    """Return the zero-based rank of the best positive in each row.

    Args:
        similarity: (N, M). positives: (N, M) bool, None for the diagonal.
        ties: `average` gives tied ranks their mean (TMR), `optimistic` the first of them, `expected` the mean rank of
            the first positive when tied items are in random order (used where ties are between positives).

    Raises:
        RemogptError: if a row has no positive or `ties` is unknown.
    """
    if positives is None:
        best = np.diagonal(similarity)[:, None]
    else:
        if not positives.any(axis=1).all():
            row = int(np.flatnonzero(~positives.any(axis=1))[0])
            raise RemogptError(f"row {row} has no positive item; every caption must at least match its own motion.")
        best = np.where(positives, similarity, -np.inf).max(axis=1, keepdims=True)
    above = (similarity > best).sum(axis=1).astype(np.float64)
    tied = similarity == best
    if ties == "optimistic":
        return above
    if ties == "average":
        return above + (tied.sum(axis=1) - 1) / 2.0
    if ties == "expected":
        num_right = (tied & positives).sum(axis=1) if positives is not None else np.ones(len(above))
        return above + (tied.sum(axis=1) - num_right) / (num_right + 1.0)
    raise RemogptError(f"ties must be average, optimistic or expected, came {ties!r}.")


def retrieval_ranks(similarity: Array, positives: Array | None = None, ties: str = "average") -> dict[str, Array]:
    """Return the zero-based ranks of both directions, `{"t2m": (N,), "m2t": (N,)}`; `positives` (N, N) serves both."""
    similarity = validate(similarity)
    return {
        "t2m": rank_rows(similarity, positives, ties),
        "m2t": rank_rows(np.ascontiguousarray(similarity.T), positives, ties),
    }


def metrics_from_ranks(ranks: dict[str, Array]) -> dict[str, float]:
    """Return R@k in percent, median rank from 1 and number of items, keys like `t2m/R@1` and `m2t/MedR`."""
    result: dict[str, float] = {}
    for way, values in ranks.items():
        for k in RECALL_AT:
            result[f"{way}/R@{k}"] = 100.0 * float((values < k).mean())
        result[f"{way}/MedR"] = float(np.median(values)) + 1.0
        result[f"{way}/len"] = float(len(values))
    return result


def text_positives(text_similarity: Array, threshold: float) -> Array:
    """Return (N, N) bool: captions whose cosine exceeds 2 * threshold - 1, and each item itself.

    Source: TMR, protocol (b); differs: the own item always counts, also where rounding puts its cosine below 1.
    """
    table = validate(text_similarity)
    return (table > 2.0 * threshold - 1.0) | np.eye(len(table), dtype=bool)


def caption_positives(captions: Sequence[Any]) -> Array:
    """Return (N, N) bool: items with the identical caption (any hashable label)."""
    _, labels = np.unique(np.array([str(caption) for caption in captions]), return_inverse=True)
    return labels[:, None] == labels[None, :]


def small_batches(num_items: int, size: int = 32, seed: int = 0) -> Array:
    """Return (batches, size) rows of a seeded shuffle of the sorted items; an incomplete batch is dropped."""
    order = np.arange(num_items)
    # The reference's legacy generator, so that the batches are the published ones.
    np.random.RandomState(seed).shuffle(order)
    count = num_items // size
    if count == 0:
        raise RemogptError(f"protocol guo needs at least {size} items, came {num_items}.")
    return order[: count * size].reshape(count, size)


def retrieval_metrics(
    similarity: Array,
    protocol: str = "normal",
    *,
    text_similarity: Array | None = None,
    threshold: float = 0.95,
    captions: Sequence[Any] | None = None,
    subset: Sequence[int] | Array | None = None,
    batches: Array | None = None,
    seed: int = 0,
    ties: str | None = None,
    digits: int | None = 2,
) -> dict[str, float]:
    """Score a similarity matrix in one protocol, both directions.

    Args:
        similarity: (N, N), captions by motions; rows sorted by id for `guo`, whose seeded shuffle starts from there.
        protocol: a name or letter from the module table.
        text_similarity: (N, N) cosine of the captions in [-1, 1]; `threshold` only.
        threshold: on the user-facing score cos / 2 + 0.5; `threshold` only.
        captions: (N,) strings or labels; `identical` only.
        subset: rows of the fixed dissimilar list; `nsim` only.
        batches: (batches, size) rows, None to draw them with `seed`; `guo` only.
        ties: None for the protocol's own rule, else as in `rank_rows`.
        digits: decimals to round to, as the reference reports; None keeps all.

    Returns:
        `t2m/R@1` ... `t2m/R@10`, `t2m/MedR`, `t2m/len` and the same for `m2t`.

    Raises:
        RemogptError: if the protocol is unknown or its own argument is missing.
    """
    similarity = validate(similarity)
    name = ALIASES.get(protocol)
    if name is None:
        raise RemogptError(f"unknown retrieval protocol {protocol!r}; choose one of {sorted(set(ALIASES.values()))}.")
    rule = ties or ("expected" if name == "identical" else "average")
    if name == "guo":
        groups = small_batches(len(similarity), seed=seed) if batches is None else np.asarray(batches)
        results = [metrics_from_ranks(retrieval_ranks(similarity[np.ix_(rows, rows)], None, rule)) for rows in groups]
        result = {key: float(np.mean([one[key] for one in results])) for key in results[0]}
    else:
        positives = None
        if name == "nsim":
            rows = _given(subset, "subset", name)
            similarity = similarity[np.ix_(rows, rows)]
        elif name == "threshold":
            positives = text_positives(_given(text_similarity, "text_similarity", name), threshold)
        elif name == "identical":
            positives = caption_positives(_given(captions, "captions", name))
        if positives is not None and positives.shape != similarity.shape:
            raise RemogptError(f"{name}: similarity is {similarity.shape} but its positives are {positives.shape}.")
        result = metrics_from_ranks(retrieval_ranks(similarity, positives, rule))
    return result if digits is None else {key: round(value, digits) for key, value in result.items()}


def _given(value: Any, argument: str, protocol: str) -> Any:
    if value is None:
        raise RemogptError(f"retrieval protocol {protocol!r} needs the argument {argument}=.")
    return value
