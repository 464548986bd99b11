"""Embeddings by an evaluator: computed once for a set, whoever asks, and checked before they are kept."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.eval.evaluators.embeddings import embed_motions, embed_texts
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VectorCache


class Counting:
    """An evaluator that counts what it embeds."""

    name, trained_on = "counting", None

    def __init__(self, digit: str = "a") -> None:
        self.hash = digit * 64
        self.embedded: list[float] = []

    def encode_motion(self, features):
        self.embedded += [motion[0, 0] for motion in features]
        return np.array([[motion[0, 0], motion[0, 1]] for motion in features], dtype=np.float64).reshape(-1, 2)

    def encode_text(self, captions, tokens=None):
        self.embedded += [len(caption) for caption in captions]
        return np.array([[len(a), len(b)] for a, b in zip(captions, tokens or captions, strict=True)]).reshape(-1, 2)


def load(index: int) -> np.ndarray:
    return np.full((5, 263), index, dtype=np.float32)


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "cache")


def test_motions_are_embedded_once(cache: VectorCache) -> None:
    evaluator, other = Counting(), Counting("b")
    for _ in range(2):
        rows = embed_motions(cache, evaluator, "ten motions", 10, load)
        assert rows.dtype == np.float32 and rows.tolist() == [[index, index] for index in range(10)]
    assert evaluator.embedded == list(range(10))
    embed_motions(cache, other, "ten motions", 10, load)
    assert len(other.embedded) == 10
    assert embed_motions(cache, evaluator, "the same ids, made anew", 10, lambda index: load(index) + 1)[0, 0] == 1


def test_captions_and_their_tokens(cache: VectorCache) -> None:
    evaluator = Counting()
    captions = ["a", "ab", "abc", "abcd", "abcde"]
    tokens = [("a/DET",), (), ("a/DET", "b/NOUN"), (), ()]
    assert embed_texts(cache, evaluator, captions, tokens)[:, 1].tolist() == [1, 0, 2, 0, 0]
    assert embed_texts(cache, evaluator, captions, [list(row) for row in tokens])[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert len(evaluator.embedded) == 5
    embed_texts(cache, evaluator, captions)
    assert len(evaluator.embedded) == 10, "other tokens, other embeddings"
    with pytest.raises(RemogptError, match="5 captions came with the tokens of 1"):
        embed_texts(cache, evaluator, captions, [()])


def test_nothing_gives_nothing(cache: VectorCache) -> None:
    assert embed_motions(cache, Counting(), "none", 0, load).shape == (0, 2)
    assert embed_texts(cache, Counting(), []).shape == (0, 2)
    assert not cache.folder.exists()


def test_what_cannot_be_embeddings_is_refused_and_not_kept(cache: VectorCache) -> None:
    evaluator = Counting()
    with pytest.raises(RemogptError, match="the embedding of item 6 is not finite"):
        embed_motions(cache, evaluator, "ten", 10, lambda index: load(index) * (np.nan if index == 6 else 1))
    evaluator.encode_motion = lambda features: np.zeros((1, 2))  # type: ignore[method-assign]
    with pytest.raises(RemogptError, match=r"given 10 items and answered with an array of shape \(1, 2\)"):
        embed_motions(cache, evaluator, "ten", 10, load)
    assert not list(cache.folder.rglob("*.npy"))
    assert embed_motions(cache, Counting(), "ten", 10, load).shape == (10, 2)
