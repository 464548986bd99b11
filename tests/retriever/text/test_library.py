"""Sentence vectors of any model of sentence-transformers are those of that library."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer, models
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.sentence_vectors import cached_sentence_vectors
from remogpt.retriever.text.token_cache import CachedText
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VectorCache

WORDS = ("[PAD]", "[UNK]", "a", "person", "walks", "waves", "query", "and", "jumps")
SENTENCES = ("a person walks", "waves", "a person waves and jumps and walks and waves", "A person Walks")
Save = Callable[..., Path]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained BERT of 16 channels that knows a few words in lower case."""
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(WORDS), **sizes)).save_pretrained(folder)
    words = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.fixture
def save(bert: Path, tmp_path: Path) -> Save:
    """Save a model of sentence-transformers: its pooling, what follows it, and settings."""

    def saved(
        pooling: str = "mean", *behind: Any, name: str = "model", num_tokens: int | None = None, **settings: Any
    ) -> Path:
        first = models.Transformer(str(bert), max_seq_length=num_tokens)
        modules = [first, models.Pooling(16, pooling_mode=pooling), *behind]
        SentenceTransformer(modules=modules, device="cpu", **settings).save(str(tmp_path / name))
        return tmp_path / name

    return saved


def dense(seed: int) -> models.Dense:
    torch.manual_seed(seed)
    return models.Dense(16, 8)


def reading(folder: Path, **settings: Any) -> Path:
    """Say how sentences are read, as files of earlier versions of the library do."""
    (folder / "sentence_bert_config.json").write_text(json.dumps(settings))
    return folder


PROMPT = {"prompts": {"ask": "query "}, "default_prompt_name": "ask"}
PLAIN: dict[str, Callable[[Save], Path]] = {
    "mean": lambda save: save("mean", models.Normalize()),
    "mean of any length": lambda save: save("mean"),
    "first token": lambda save: save("cls", models.Normalize()),
    "a prompt on demand": lambda save: save("mean", models.Normalize(), prompts={"ask": "query "}),
    "few tokens": lambda save: save("mean", num_tokens=4),
}
LIBRARY: dict[str, Callable[[Save], Path]] = {
    "largest": lambda save: save("max", models.Normalize()),
    "weighted mean": lambda save: save("weightedmean"),
    "dense": lambda save: save("mean", dense(0), models.Normalize()),
    "layer norm": lambda save: save("mean", models.LayerNorm(16)),
    "a prompt always": lambda save: save("mean", models.Normalize(), **PROMPT),
    "lower case": lambda save: reading(save("mean"), do_lower_case=True),
    "fewer tokens": lambda save: reading(save("mean"), max_seq_length=4),
}


@pytest.mark.parametrize("name", [*PLAIN, *LIBRARY])
def test_vectors_are_those_of_the_library(save: Save, tmp_path: Path, name: str) -> None:
    folder = (PLAIN | LIBRARY)[name](save)
    expected = SentenceTransformer(str(folder), device="cpu").encode(list(SENTENCES), normalize_embeddings=True)
    source = FrozenText(str(folder))
    vectors = source.sentence_vectors(SENTENCES)
    assert vectors.dtype == np.float32 and vectors.shape == expected.shape == (4, source.vector_dim)
    assert np.abs(vectors - expected).max() < 1e-5
    assert ("_library" in vars(source)) == (name in LIBRARY)  # what can be read without the library is
    kept = CachedText(source, SENTENCES, VectorCache(tmp_path / "states")).sentence_vectors(SENTENCES).numpy()
    assert np.abs(kept - expected).max() < 1e-3  # half precision
    kept = cached_sentence_vectors(str(folder), SENTENCES, VectorCache(tmp_path / "vectors"))
    assert np.abs(kept - expected).max() < 1e-5


def test_models_that_differ_behind_the_transformer_share_no_cache(save: Save, tmp_path: Path) -> None:
    folders = [save("mean", dense(seed), name=f"dense{seed}") for seed in (0, 1)]
    sources = [FrozenText(str(folder)) for folder in folders]
    assert sources[0].sha256 == sources[1].sha256 and sources[0].vectors_sha256 != sources[1].vectors_sha256
    vectors = [cached_sentence_vectors(str(folder), SENTENCES, VectorCache(tmp_path / "cache")) for folder in folders]
    assert np.abs(vectors[0] - vectors[1]).max() > 0.1


def test_the_digest_of_a_plain_model_is_its_weights(save: Save) -> None:
    source = FrozenText(str(save("mean", models.Normalize())))
    assert source.vectors_sha256 == source.sha256


def test_code_and_pickles_of_a_model_are_refused(save: Save) -> None:
    folder = save("mean", dense(0))
    weights = folder / "2_Dense" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(RemogptError, match="keeps its weights as a pickle"):
        FrozenText(str(folder)).sentence_vectors(SENTENCES)
    modules = json.loads((folder / "modules.json").read_text())
    modules[2]["type"] = "elsewhere.Dense"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(RemogptError, match=r"code of its own \(elsewhere\.Dense\)"):
        FrozenText(str(folder)).sentence_vectors(SENTENCES)
