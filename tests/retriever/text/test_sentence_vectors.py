"""Sentence vectors of a frozen text model."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever.text import sentence_vectors
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.sentence_vectors import cached_sentence_vectors
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.vector_cache import VectorCache

SENTENCES = ["a person walks", "runs", "a man waves the left hand to the right", "the woman", "a person"]


def test_vectors_are_those_of_the_model_and_come_from_the_cache(tiny_text_model, tmp_path: Path, monkeypatch) -> None:
    cache = VectorCache(tmp_path)
    vectors = cached_sentence_vectors(str(tiny_text_model), SENTENCES, cache)
    np.testing.assert_allclose(vectors, FrozenText(str(tiny_text_model)).sentence_vectors(SENTENCES), atol=1e-6)
    monkeypatch.setattr(sentence_vectors, "FrozenText", None)  # a second call must not load the model
    assert np.array_equal(cached_sentence_vectors(str(tiny_text_model), SENTENCES, cache), vectors)
    assert np.array_equal(cached_sentence_vectors(str(tiny_text_model), SENTENCES[::-1], cache), vectors[::-1])


def test_no_sentences_and_no_model_are_said(tiny_text_model, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="at least one sentence"):
        cached_sentence_vectors(str(tiny_text_model), [], VectorCache(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPathError, match="no text model in"):
        cached_sentence_vectors(str(tmp_path / "empty"), SENTENCES, VectorCache(tmp_path))
