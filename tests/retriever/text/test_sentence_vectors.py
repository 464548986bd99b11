"""Cached sentence vectors and precomputed token states."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever.text import sentence_vectors
from remogpt.retriever.text import token_cache as token_states
from remogpt.retriever.text.frozen_model import FrozenText
from remogpt.retriever.text.sentence_vectors import cached_sentence_vectors
from remogpt.retriever.text.token_cache import TokenStates, write_token_states
from remogpt.runtime.errors import MissingPathError, RemogptError

SENTENCES = ["a person walks", "runs", "a man waves the left hand to the right", "the woman", "a person"]


def test_vectors_are_those_of_the_model_and_come_from_the_cache(tiny_text_model, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sentence_vectors, "_SHARD", 2)
    vectors = cached_sentence_vectors(str(tiny_text_model), SENTENCES, tmp_path / "cache")
    np.testing.assert_allclose(vectors, FrozenText(str(tiny_text_model)).sentence_vectors(SENTENCES), atol=1e-6)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npy"]
    monkeypatch.setattr(sentence_vectors, "FrozenText", None)  # a second call must not load the model
    assert np.array_equal(cached_sentence_vectors(str(tiny_text_model), SENTENCES, tmp_path / "cache"), vectors)


def test_a_cache_that_cannot_be_written_is_left_alone(tiny_text_model, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sentence_vectors.os, "access", lambda *_: False)
    vectors = cached_sentence_vectors(str(tiny_text_model), SENTENCES, tmp_path / "cache")
    assert vectors.shape == (5, 16) and not (tmp_path / "cache").exists()


def test_no_sentences_and_no_model_are_said(tiny_text_model, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="at least one sentence"):
        cached_sentence_vectors(str(tiny_text_model), [], tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPathError, match="no text model in"):
        cached_sentence_vectors(str(tmp_path / "empty"), SENTENCES, tmp_path)


def test_token_states_are_read_back_from_their_shards(tiny_text_model, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(token_states, "SHARD", 2)
    source = FrozenText(str(tiny_text_model))
    write_token_states(source, SENTENCES, tmp_path)
    states = TokenStates.open(tmp_path)
    assert len(states) == 5 and len(list(tmp_path.glob("states_*.safetensors"))) == 3
    for sentence in SENTENCES:
        hidden, lengths = source.prepare([sentence])
        assert states[sentence].shape == (int(lengths[0]), 16)
        np.testing.assert_allclose(states[sentence], hidden[0], atol=2e-3)
        np.testing.assert_allclose(states.vector(sentence), source.pool(hidden, lengths)[0], atol=1e-5)
    with pytest.raises(RemogptError, match="no token states of 'a person jumps'"):
        states["a person jumps"]


def test_finished_shards_are_kept_and_other_sentences_refused(tiny_text_model, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(token_states, "SHARD", 2)
    source = FrozenText(str(tiny_text_model))
    write_token_states(source, SENTENCES, tmp_path)
    (tmp_path / "index.json").unlink()  # as if killed in the last shard
    (tmp_path / "states_00002.safetensors").unlink()
    kept = (tmp_path / "states_00000.safetensors").stat().st_mtime_ns
    with pytest.raises(MissingPathError):
        TokenStates.open(tmp_path)
    write_token_states(source, SENTENCES, tmp_path)
    assert (tmp_path / "states_00000.safetensors").stat().st_mtime_ns == kept
    assert TokenStates.open(tmp_path)["a person"].shape == (2, 16)
    with pytest.raises(RemogptError, match="of other sentences"):
        write_token_states(source, SENTENCES[:3], tmp_path)
