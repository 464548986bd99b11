"""The cache of embeddings: computed once, read as they were computed, and not lost when a computation is killed."""

import json
from pathlib import Path

import numpy as np
import pytest

from remogpt.eval.evaluators import embedding_cache as embeddings
from remogpt.eval.evaluators.embedding_cache import EmbeddingCache
from remogpt.runtime.errors import RemogptError


class Counting:
    """An evaluator that counts what it embeds, and may be struck down."""

    name, trained_on = "counting", None

    def __init__(self, digit: str = "a") -> None:
        self.hash = digit * 64
        self.embedded: list[float] = []
        self.die_at: int | None = None

    def encode_motion(self, features):
        for motion in features:
            if self.die_at == len(self.embedded):
                raise KeyboardInterrupt
            self.embedded.append(motion[0, 0])
        return np.array([[motion[0, 0], motion[0, 1]] for motion in features], dtype=np.float64).reshape(-1, 2)

    def encode_text(self, captions, tokens=None):
        self.embedded += [len(caption) for caption in captions]
        return np.array([[len(a), len(b)] for a, b in zip(captions, tokens or captions, strict=True)]).reshape(-1, 2)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "SHARD", 4)


def load(place: int) -> np.ndarray:
    return np.full((5, 263), place, dtype=np.float32)


IDS = [f"clip{place}" for place in range(10)]


def test_motions_are_embedded_once_and_mapped_from_disk(tmp_path: Path) -> None:
    evaluator = Counting()
    first = EmbeddingCache(tmp_path).motions(evaluator, IDS, load)
    assert first.dtype == np.float32 and first.tolist() == [[place, place] for place in range(10)]
    assert evaluator.embedded == list(range(10))
    again = EmbeddingCache(tmp_path).motions(evaluator, IDS, load)
    assert isinstance(again, np.memmap) and not again.flags.writeable
    np.testing.assert_array_equal(again, first)
    assert len(evaluator.embedded) == 10
    (array,) = (tmp_path / "aaaaaaaaaaaa").glob("*.npy")
    about = json.loads(array.with_suffix(".json").read_text())
    assert about["num_items"] == 10 and about["first"] == "clip0" and about["evaluator"]["name"] == "counting"
    assert {path.suffix for path in array.parent.iterdir()} == {".npy", ".json"}, "shards are gone"


def test_everything_that_makes_an_embedding_is_in_its_key(tmp_path: Path) -> None:
    cache, evaluator, other = EmbeddingCache(tmp_path), Counting(), Counting("b")
    cache.motions(evaluator, IDS, load)
    cache.motions(other, IDS, load)
    assert len(other.embedded) == 10
    cases = [
        (IDS[::-1], load, ""),  # an evaluator may read neighbours, so order counts
        (IDS[:9], load, ""),
        (IDS, load, "sampled with seed 1"),
        (IDS, lambda place: load(place) + 100, ""),  # made anew under the same ids
    ]
    for number, (ids, loader, version) in enumerate(cases, start=1):
        before = len(evaluator.embedded)
        rows = cache.motions(evaluator, ids, loader, version=version)
        assert len(evaluator.embedded) == before + len(ids), number
        assert rows[0, 0] == loader(0)[0, 0]
    assert len(list(tmp_path.rglob("*.npy"))) == 6


def test_a_killed_computation_loses_no_finished_shard(tmp_path: Path) -> None:
    evaluator = Counting()
    evaluator.die_at = 6
    with pytest.raises(KeyboardInterrupt):
        EmbeddingCache(tmp_path).motions(evaluator, IDS, load)
    assert not [path for path in tmp_path.rglob("*.npy") if path.parent.name == "aaaaaaaaaaaa"], "no half array"
    evaluator.die_at, evaluator.embedded = None, []
    rows = EmbeddingCache(tmp_path).motions(evaluator, IDS, load)
    assert evaluator.embedded == [4, 5, 6, 7, 8, 9]
    assert rows[:, 0].tolist() == list(range(10))


def test_captions_and_their_tokens(tmp_path: Path) -> None:
    cache, evaluator = EmbeddingCache(tmp_path), Counting()
    captions = ["a", "ab", "abc", "abcd", "abcde"]
    tokens = [("a/DET",), (), ("a/DET", "b/NOUN"), (), ()]
    assert cache.texts(evaluator, captions, tokens)[:, 1].tolist() == [1, 0, 2, 0, 0]
    assert cache.texts(evaluator, captions, [list(row) for row in tokens])[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert len(evaluator.embedded) == 5
    cache.texts(evaluator, captions)
    assert len(evaluator.embedded) == 10, "other tokens, other embeddings"
    with pytest.raises(RemogptError, match="5 captions came with the tokens of 1"):
        cache.texts(evaluator, captions, [()])


def test_nothing_gives_nothing(tmp_path: Path) -> None:
    assert EmbeddingCache(tmp_path / "new").motions(Counting(), [], load).shape == (0, 2)
    assert EmbeddingCache(tmp_path / "new").texts(Counting(), []).shape == (0, 2)
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_embeddings_is_refused_and_not_kept(tmp_path: Path) -> None:
    cache, evaluator = EmbeddingCache(tmp_path), Counting()
    with pytest.raises(RemogptError, match="the embedding of item 6 is not finite"):
        cache.motions(evaluator, IDS, lambda place: load(place) * (np.nan if place == 6 else 1))
    evaluator.encode_motion = lambda features: np.zeros((1, 2))  # type: ignore[method-assign]
    with pytest.raises(RemogptError, match=r"given 4 items and answered with an array of shape \(1, 2\)"):
        cache.motions(evaluator, IDS, load)
    assert not list((tmp_path / "aaaaaaaaaaaa").glob("*.npy"))
    rows = EmbeddingCache(tmp_path).motions(Counting(), IDS, load)
    path = Path(rows.filename)
    np.save(path, np.zeros((3, 2), dtype=np.float32))
    with pytest.raises(RemogptError, match=r"should hold 10 rows of float32 and holds float32 \(3, 2\); delete it"):
        EmbeddingCache(tmp_path).motions(Counting(), IDS, load)
