"""Choosing items that say different things."""

from itertools import combinations

import numpy as np
import pytest

from remogpt.data.analysis.dissimilar import SAME_MEANING, choose_dissimilar, describe
from remogpt.runtime.errors import RemogptError


def captions_like(seed: int, num: int, kinds: int = 25, dim: int = 24) -> np.ndarray:
    """Vectors in clusters around a common direction, as sentence vectors of captions are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(kinds, dim))
    return centres[rng.integers(kinds, size=num)] + 0.6 * rng.normal(size=(num, dim)) + 0.8 * rng.normal(size=dim)


def plain_greedy(vectors: np.ndarray, size: int) -> np.ndarray:
    """Take the item least like all, then the one least like those taken: slow and obvious."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    chosen = [int(cosines.sum(axis=1).argmin())]
    while len(chosen) < size:
        sums = cosines[:, chosen].sum(axis=1)
        sums[chosen] = np.inf
        chosen.append(int(sums.argmin()))
    return np.array(chosen)


def best_sum(vectors: np.ndarray, size: int) -> float:
    """Try every choice."""
    return min(describe(vectors, np.array(choice)).mean for choice in combinations(range(len(vectors)), size))


@pytest.mark.parametrize("seed", range(5))
def test_it_beats_random_and_plain_greedy(seed: int) -> None:
    vectors, rng = captions_like(seed, 400), np.random.default_rng(seed)
    ours = choose_dissimilar(vectors, 20, seed=seed)
    greedy = describe(vectors, plain_greedy(vectors, 20))
    drawn = [describe(vectors, rng.choice(400, 20, replace=False)) for _ in range(50)]
    assert (ours.num_alike, ours.mean) <= (greedy.num_alike, greedy.mean)
    assert ours.mean < min(choice.mean for choice in drawn) - 0.05
    assert ours.max <= SAME_MEANING < np.mean([choice.max for choice in drawn])


def test_the_sum_alone_is_lower_than_greedys() -> None:
    """Where no two items are alike, both look at the sum alone."""
    better = 0
    for seed in range(10):
        vectors = np.random.default_rng(seed).normal(size=(80, 40))
        greedy = describe(vectors, plain_greedy(vectors, 10)).mean
        ours = choose_dissimilar(vectors, 10, seed=seed).mean
        assert ours <= greedy + 1e-6
        better += ours < greedy - 1e-4
    assert better >= 8


def test_it_comes_close_to_the_best_choice_of_all() -> None:
    for seed in range(5):
        vectors = np.random.default_rng(seed).normal(size=(14, 30))
        assert choose_dissimilar(vectors, 5, seed=seed).mean <= best_sum(vectors, 5) + 0.005


def test_pairs_of_the_same_meaning_are_avoided_before_the_sum() -> None:
    """Two items far from all others and equal to each other have the lowest sum, and are no gallery."""
    crowd = np.random.default_rng(0).normal(size=(30, 40)) + 0.9  # cosines around .45
    away = -np.ones((2, 40))
    vectors = np.concatenate([crowd, away])
    chosen = choose_dissimilar(vectors, 4)
    assert chosen.num_alike == 0 and len({30, 31} & set(chosen.indices.tolist())) == 1
    both = describe(vectors, plain_greedy(vectors, 4))
    assert {30, 31} <= set(both.indices.tolist()) and both.mean < chosen.mean and both.max == pytest.approx(1, abs=1e-5)


def test_a_seed_gives_one_choice_and_scale_does_not_matter() -> None:
    vectors = captions_like(3, 200)
    first, again = choose_dissimilar(vectors, 15, seed=4), choose_dissimilar(vectors * 7.0, 15, seed=4)
    assert np.array_equal(first.indices, again.indices) and len(set(first.indices.tolist())) == 15
    assert np.array_equal(first.indices, np.sort(first.indices))
    assert np.array_equal(choose_dissimilar(vectors, 200).indices, np.arange(200))


def test_too_few_different_items_are_counted() -> None:
    vectors = np.repeat(np.eye(3), 4, axis=0)
    chosen = choose_dissimilar(vectors, 5)
    assert chosen.num_alike == 2 and chosen.max == pytest.approx(1)


def test_equal_items_are_the_last_to_be_taken() -> None:
    """Three pairs alike at cosine .8 and one item three times: six of nine must take pairs, and no item twice."""
    base = np.eye(8)
    near = 0.8 * base[:3] + 0.6 * base[3:6]
    vectors = np.concatenate([base[:3], near, np.repeat(base[6:7], 3, axis=0)])
    chosen = choose_dissimilar(vectors, 6)
    assert chosen.num_alike == 2 and chosen.max == pytest.approx(0.8, abs=1e-5)


def test_what_may_be_wrong() -> None:
    vectors = captions_like(0, 10)
    for size in (1, 11):
        with pytest.raises(RemogptError, match=f"at most all of the 10 items, got {size}"):
            choose_dissimilar(vectors, size)
    with pytest.raises(RemogptError, match="finite sentence vectors"):
        choose_dissimilar(np.full((4, 2), np.nan), 2)
    with pytest.raises(RemogptError, match="sentence vector 2 is zero"):
        choose_dissimilar(np.array([[1.0, 0], [0, 1], [0, 0]]), 2)
