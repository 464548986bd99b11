"""Sentence vectors of a frozen text model, computed once for a list of sentences and kept beside a set."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from remogpt.retriever.text.frozen_model import FrozenText, find_model_folder, fingerprint
from remogpt.runtime import files
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.resumable import compute_in_shards, remove_shards

_SHARD = 1024
"""Sentences a piece; about five seconds of all-MiniLM-L6-v2 on one core."""


def cached_sentence_vectors(model: str, sentences: Sequence[str], folder: str | Path) -> np.ndarray:
    """Return (N, dim) float32 unit rows of N sentences, from the cache where they are there.

    Args:
        model: name of a text model; see `text_source`. It is loaded only where something is missing.
        sentences: in any order; the order belongs to the cached file's name.
        folder: of the cache, made if absent; one that cannot be written to is left alone and nothing is kept.

    Raises:
        MissingPathError: if there is no such text model.
        RemogptError: without sentences.
    """
    if not sentences:
        raise RemogptError("wanted at least one sentence to encode, got none; is the split empty?")
    name = files.fingerprint([fingerprint(find_model_folder(model)), *sentences])[:16]
    path = Path(folder) / f"{name}.npy"
    if path.is_file():
        return files.read_npy(path)
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if os.access(above, os.W_OK | os.X_OK):
        vectors = _compute(model, sentences, path.with_suffix(".parts"))
        files.write_npy(path, vectors)
        remove_shards(path.with_suffix(".parts"))
        return vectors
    with tempfile.TemporaryDirectory() as temporary:
        return _compute(model, sentences, Path(temporary))


def _compute(model: str, sentences: Sequence[str], parts: Path) -> np.ndarray:
    # Sentences of like length go together, so that little of a batch is padding; rows go back to their places.
    order = sorted(range(len(sentences)), key=lambda place: (len(sentences[place]), place))
    text = FrozenText(model)
    rows = compute_in_shards(
        parts,
        len(order),
        lambda places: text.sentence_vectors([sentences[order[place]] for place in places]),
        _SHARD,
        desc="sentence vectors",
        unit="caption",
    )
    vectors = np.empty_like(rows)
    vectors[order] = rows
    return vectors
