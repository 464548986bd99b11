"""Evaluators behind one interface: tokens where they are needed, rows in the order given."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from remogpt.eval.evaluators.evaluator import GuoNetworks, RetrieverAsEvaluator
from remogpt.eval.evaluators.import_guo import load_released
from remogpt.eval.text import tokenize as caption_tokens
from remogpt.eval.text.tokenize import lemma_tokens, tagged_tokens
from remogpt.interfaces import Evaluator
from remogpt.runtime.errors import RemogptError

TAGS = {"the": "DET", "man": "NOUN", "walks": "VERB", "left": "VERB", "twice": "ADV", "2": "NUM", "!": "PUNCT"}
LEMMAS = {"walks": "walk", "left": "leave"}


class Embedder:
    """A retriever that tells items apart."""

    hash = "ab" * 32

    def encode_text(self, texts):
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32).reshape(-1, 2)

    def encode_motion(self, motions):
        return np.array([[len(motion), 2.0] for motion in motions], dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def guo(guo_release: Path) -> GuoNetworks:
    return GuoNetworks(load_released([guo_release]), "HumanML3D")


@pytest.fixture
def fake_spacy(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A tagger of seven words in spaCy's place; returns what it was given to read."""
    read: list[str] = []

    def tag(text: str) -> list[SimpleNamespace]:
        read.append(text)
        return [
            SimpleNamespace(text=word, pos_=TAGS[word], lemma_=LEMMAS.get(word, word), is_alpha=word.isalpha())
            for word in text.split()
        ]

    spacy = ModuleType("spacy")
    spacy.load = lambda name: tag  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    caption_tokens._spacy_model.cache_clear()
    yield read
    caption_tokens._spacy_model.cache_clear()


@pytest.fixture
def no_spacy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    caption_tokens._spacy_model.cache_clear()


def test_guo_reads_given_tokens_and_names_itself(guo: GuoNetworks, no_spacy: None) -> None:
    evaluator: Evaluator = guo
    tokens = [("person/NOUN", "walk/VERB"), ("walk/VERB",)]
    rows = evaluator.encode_text(["a person walks", "walk"], tokens)
    np.testing.assert_array_equal(rows, guo.evaluator.encode_text(tokens))
    assert (evaluator.name, evaluator.trained_on, len(evaluator.hash)) == ("guo-packed", "HumanML3D", 64)
    motions = [np.random.default_rng(seed).normal(size=(40, 263)).astype(np.float32) for seed in (0, 1)]
    assert evaluator.encode_motion(motions).shape == (2, 4)
    assert evaluator.encode_motion([]).shape == evaluator.encode_text([]).shape == (0, 4)
    with pytest.raises(RemogptError, match=r"motion 1 has shape \(40, 22, 3\), wanted are \(frames, 263\) features"):
        evaluator.encode_motion([motions[0], np.zeros((40, 22, 3))])


def test_captions_without_tokens_are_tagged_as_humanml3d_tagged_them(guo: GuoNetworks, fake_spacy: list[str]) -> None:
    # Lemmas of nouns and verbs, "left" as it is, letters only, hyphens out.
    assert tagged_tokens(["the man walks left twice 2 !"]) == [
        ["the/DET", "man/NOUN", "walk/VERB", "left/VERB", "twice/ADV"]
    ]
    assert tagged_tokens(["the- man", "  "]) == [["the/DET", "man/NOUN"], []]
    assert lemma_tokens(["man walks left", ("run/VERB",)]) == [["man", "walk", "left"], ["run"]]
    fake_spacy.clear()
    mixed = guo.encode_text(["man walks", "anything", "walks", ""], [(), ("man/NOUN", "walk/VERB"), (), ()])
    assert fake_spacy == ["man walks", "walks"]
    np.testing.assert_allclose(mixed[0], mixed[1], atol=1e-6)
    np.testing.assert_allclose(mixed[2:], guo.evaluator.encode_text([["walk/VERB"], []]), atol=1e-6)
    np.testing.assert_allclose(guo.encode_text(["man walks"]), mixed[:1], atol=1e-6)


def test_without_spacy_the_extra_is_named_only_where_it_is_needed(guo: GuoNetworks, no_spacy: None) -> None:
    with pytest.raises(RemogptError, match=r"without lemma/POS tokens need spaCy: .*remogpt\[spacy\]"):
        guo.encode_text(["a man walks"])
    assert guo.encode_text([" "]).shape == (1, 4)
    assert guo.encode_text(["a man walks"], [("walk/VERB",)]).shape == (1, 4)


def test_a_retriever_scores_by_the_caption_itself(no_spacy: None) -> None:
    evaluator: Evaluator = RetrieverAsEvaluator(Embedder(), "tmr")
    assert (evaluator.name, evaluator.hash, evaluator.trained_on) == ("tmr", "ab" * 32, None)
    assert evaluator.encode_text(["a", "abc"]).tolist() == [[1, 1], [3, 1]]
    assert evaluator.encode_text(["a"], [("walk/VERB",)]).tolist() == [[1, 1]]
    assert evaluator.encode_motion([np.zeros((5, 263))]).tolist() == [[5, 2]]


@pytest.mark.parametrize("kind", ["guo", "retriever"])
def test_texts_that_do_not_fit_are_refused(guo: GuoNetworks, kind: str) -> None:
    evaluator: Evaluator = guo if kind == "guo" else RetrieverAsEvaluator(Embedder(), "tmr")
    with pytest.raises(RemogptError, match="2 captions came with the tokens of 1"):
        evaluator.encode_text(["a", "b"], [("walk/VERB",)])
    with pytest.raises(RemogptError, match="wants a list of captions, got one string"):
        evaluator.encode_text("a man walks")
