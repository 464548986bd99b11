"""Similar captions of different clips, counted the slow way too."""

from itertools import combinations

import numpy as np
import pytest

from remogpt.data.analysis import similar_captions as module
from remogpt.data.analysis.similar_captions import similar_captions
from remogpt.runtime.errors import RemogptError


def by_hand(captions: list[list[str]], vectors: dict[str, np.ndarray], threshold: float) -> tuple[int, int]:
    """Pairs above the threshold and captions in one, by looking at every pair."""
    flat = [(clip, caption) for clip, own in enumerate(captions) for caption in own]
    pairs, alike = 0, set()
    for (one, (clip, left)), (two, (other, right)) in combinations(enumerate(flat), 2):
        if clip != other and (left == right or vectors[left] @ vectors[right] > 2 * threshold - 1):
            pairs += 1
            alike |= {one, two}
    return pairs, len(alike)


def random_set(seed: int) -> tuple[list[list[str]], dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    names = [f"sentence {number}" for number in range(12)]
    rows = rng.normal(size=(4, 6))[rng.integers(4, size=12)] + 0.4 * rng.normal(size=(12, 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    captions = [[names[index] for index in rng.integers(12, size=rng.integers(1, 4))] for _ in range(20)]
    return captions, dict(zip(names, rows.astype(np.float32), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_those_of_every_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 5)
    captions, vectors = random_set(seed)
    found = similar_captions(captions, list(vectors), np.stack(list(vectors.values())), (0.6, 0.8, 0.95, 1.0))
    total = sum(map(len, captions))
    assert found["captions"] == total
    assert found["pairs"] == sum(len(a) * len(b) for a, b in combinations(captions, 2))
    for threshold in (0.6, 0.8, 0.95, 1.0):
        pairs, alike = by_hand(captions, vectors, threshold)
        row = found["above"][f"{threshold:g}"]
        assert (row["pairs"], row["captions"]) == (pairs, alike)
        assert row["captions_share"] == pytest.approx(alike / total)
        assert row["pairs_share"] == pytest.approx(pairs / found["pairs"])


def test_identical_captions_are_those_that_several_clips_have() -> None:
    captions = [["walks", "walks"], ["runs", "walks"], ["hops", "hops"], ["jumps"]]
    vectors = np.eye(4, dtype=np.float32)
    found = similar_captions(captions, ["walks", "runs", "hops", "jumps"], vectors)
    assert found["identical"] == {"captions": 3, "captions_share": pytest.approx(3 / 7), "sentences": 1}
    assert found["above"]["0.95"] == {
        "pairs": 2, "pairs_share": pytest.approx(2 / 18), "captions": 3, "captions_share": pytest.approx(3 / 7),
    }  # fmt: skip


def test_a_single_clip_has_no_pairs() -> None:
    found = similar_captions([["a", "b"]], ["a", "b"], np.ones((2, 1), dtype=np.float32))
    assert found["pairs"] == 0 and found["above"]["0.8"]["pairs_share"] == 0.0


def test_what_may_be_wrong() -> None:
    with pytest.raises(RemogptError, match="got none for \\['b'\\]"):
        similar_captions([["a", "b"]], ["a"], np.ones((1, 1)))
    with pytest.raises(RemogptError, match="thresholds must lie between"):
        similar_captions([["a"]], ["a"], np.ones((1, 1)), (0.3,))
