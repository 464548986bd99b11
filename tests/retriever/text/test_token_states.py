"""Precomputed token states in a folder."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever.text import token_states
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.token_states import TokenStates, write_token_states
from remogpt.runtime.errors import MissingPathError, RemogptError

SENTENCES = ["a person walks", "runs", "a man waves the left hand to the right", "the woman", "a person"]


def test_token_states_are_read_back_from_their_shards(tiny_text_model, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(token_states, "SHARD", 2)
    source = FrozenText(str(tiny_text_model))
    write_token_states(source, SENTENCES, tmp_path)
    states = TokenStates.open(tmp_path)
    assert len(states) == 5 and len(list(tmp_path.glob("states_*.safetensors"))) == 3
    for sentence in SENTENCES:
        hidden, lengths, vectors = source.encode([sentence])
        assert states[sentence].shape == (int(lengths[0]), 16)
        np.testing.assert_allclose(states[sentence], hidden[0], atol=2e-3)
        np.testing.assert_allclose(states.vector(sentence), vectors[0], atol=1e-5)
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
