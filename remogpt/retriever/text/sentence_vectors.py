"""Sentence vectors of a frozen text model, computed once for a list of sentences and kept in a set's cache."""

from collections.abc import Sequence
from functools import cache as once

import numpy as np

from remogpt.retriever.text.frozen_text_model import FrozenText, find_model_folder, sentence_fingerprint
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VectorCache


def cached_sentence_vectors(model: str, sentences: Sequence[str], cache: VectorCache) -> np.ndarray:
    """Return (N, dim) float32 unit rows of N sentences, from the cache where they are there.

    Args:
        model: name of a text model; see `frozen_text_model`. It is loaded only where something is missing.
        sentences: in any order, which belongs to the cached rows' key.
        cache: of the set.

    Raises:
        MissingPathError: if there is no such text model.
        RemogptError: without sentences.
    """
    if not sentences:
        raise RemogptError("wanted at least one sentence to encode, got none; is the split empty?")
    # Sentences of like length share a batch, so that little of it is padding; the rows return in the given order.
    order = sorted(range(len(sentences)), key=lambda index: (len(sentences[index]), index))
    network = sentence_fingerprint(find_model_folder(model))
    text = once(lambda: FrozenText(model, device=chosen_device()))
    rows = cache.rows(
        network, ["sentence vectors", *(sentences[index] for index in order)], len(order),
        lambda indices: text().sentence_vectors([sentences[order[index]] for index in indices]),
        desc="sentence vectors", unit="caption", about={"network_name": model, "what": "sentence vectors"},
    )  # fmt: skip
    vectors = np.empty(rows.shape, rows.dtype)
    vectors[order] = rows
    return vectors
