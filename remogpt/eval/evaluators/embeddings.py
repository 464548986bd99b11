"""Embeddings by an evaluator, computed once and kept in the cache of the set."""

from collections.abc import Callable, Sequence

import numpy as np

from remogpt.eval.evaluators.evaluator import check_texts
from remogpt.interfaces import Evaluator, TextEncoder
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VectorCache


def embed_motions(
    cache: VectorCache,
    evaluator: Evaluator,
    identity: str,
    count: int,
    load: Callable[[int], np.ndarray],
    what: str = "motions",
) -> np.ndarray:
    """Embed motions: (N, D) float32, read-only.

    Args:
        cache: of the set.
        evaluator: what embeds.
        identity: hash of these motions, their contents and their order.
        count: N.
        load: index of a motion -> (T, 263) raw features.
        what: shown by the progress bar.

    Raises:
        RemogptError: if the evaluator does not answer with a finite row for each motion, or a kept array is damaged.
    """
    if not count:
        return evaluator.encode_motion([])
    key = ["motions", identity]
    return _rows(cache, evaluator, key, count, what, lambda indices: evaluator.encode_motion([*map(load, indices)]))


def embed_texts(
    cache: VectorCache,
    encoder: TextEncoder,
    captions: Sequence[str],
    tokens: Sequence[Sequence[str]] | None = None,
) -> np.ndarray:
    """Embed captions: (N, D) float32, read-only.

    Args:
        cache: of the set.
        encoder: what embeds; it need not embed motions.
        captions: N sentences.
        tokens: `lemma/POS` tokens of each, empty where it has none.

    Raises:
        RemogptError: as `embed_motions` does, and as the encoder does.
    """
    if not len(captions):
        return encoder.encode_text([])
    rows = [list(row) for row in check_texts(captions, tokens)]
    key = ["texts", *captions, *(" ".join(row) for row in rows)]

    def compute(indices: range) -> np.ndarray:
        chosen = slice(indices.start, indices.stop)
        return encoder.encode_text(captions[chosen], rows[chosen])

    return _rows(cache, encoder, key, len(captions), "captions", compute)


def _rows(
    cache: VectorCache,
    encoder: TextEncoder,
    key: Sequence[str],
    count: int,
    what: str,
    embed: Callable[[range], np.ndarray],
) -> np.ndarray:
    desc = f"{encoder.name}: {what}"

    def compute(indices: range) -> np.ndarray:
        rows = np.asarray(embed(indices), dtype=np.float32)
        _check(rows, indices, desc)
        return rows

    about = {"network_name": encoder.name, "what": what}
    return cache.rows(encoder.hash, key, count, compute, desc=desc, about=about)


def _check(rows: np.ndarray, indices: range, name: str) -> None:
    if rows.ndim != 2 or len(rows) != len(indices):
        raise RemogptError(
            f"{name}: the evaluator was given {len(indices)} items and answered with an array of shape {rows.shape}; "
            "it should answer with a row for each"
        )
    strange = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(strange):
        raise RemogptError(
            f"{name}: the embedding of item {indices.start + strange[0]} is not finite; repair or drop the item"
        )
