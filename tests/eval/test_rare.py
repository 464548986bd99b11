"""Rare-motion scores on values small enough to compute by hand, and the memorisation measure on known cheats."""

import numpy as np
import pytest

from remogpt.eval import rare


def test_rareness_is_one_minus_the_best_cosine():
    gallery = np.array([[2.0, 0.0], [0.0, 3.0]])
    prompts = np.array([[5.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(rare.rareness(prompts, gallery), [0.0, 1.0 - np.sqrt(0.5), 1.0], atol=1e-12)


def test_rarest_takes_the_rounded_up_share():
    values = np.linspace(0.0, 1.0, 101)
    assert rare.rarest(values).tolist() == [100, 99, 98, 97, 96, 95]
    assert len(rare.rarest(np.zeros(100))) == 5
    assert len(rare.rarest(np.zeros(3))) == 1


def test_balanced_counts_every_range_once():
    values = np.array([1.0, 1.0, 1.0, 5.0])
    curve = rare.curve(values, np.array([0.0, 0.01, 0.02, 1.0]), num_bins=10)
    assert curve.balanced == 3.0
    assert curve.counts.tolist() == [3, *[0] * 8, 1]
    assert curve.to_json()["means"][1] is None
    published = rare.curve(values, np.array([0.0, 0.01, 0.02, 1.0]), edges=np.array([0.0, 2.0]))
    assert published.balanced == 2.0


def test_evaluate_scores_the_rare_items():
    rng = np.random.default_rng(0)
    text = rng.normal(size=(200, 6))
    rareness = np.linspace(0.0, 0.5, 200)
    motion = text + rareness[:, None]
    result = rare.evaluate(text, motion, rareness)
    assert (result["num_rare"], result["num_pairs"]) == (10, 5)
    assert result["mm_dist_rare"] == pytest.approx(np.sqrt(6) * rareness[-10:].mean())
    assert result["mm_dist_rare"] > result["mm_dist_balanced"] > 0
    assert result["rarest"] == [199, 198, 197, 196, 195]
    assert result == rare.evaluate(text, motion, rareness)


def test_memorisation_exposes_a_generator_that_copies():
    rng = np.random.default_rng(1)
    training, real, novel = (rng.normal(size=(count, 8)) for count in (500, 300, 300))
    honest = rare.memorisation(novel, training, real)
    assert honest["share_nearer_than_real"] < 0.12 and honest["ratio"] == pytest.approx(1.0, abs=0.1)
    nearest = training[rare.nearest_distance(real, training)[1]]
    copied = rare.memorisation(nearest, training, real)
    assert copied["share_nearer_than_real"] == 1.0 and copied["nearest_generated"] == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rare.rareness(np.eye(3)[:2] * [1, 0, 1], np.ones((2, 3))), "prompt embeddings row 1 is all zero"),
        (lambda: rare.rareness(np.ones((2, 3)), np.ones((2, 4))), "one encoder"),
        (lambda: rare.rareness(np.ones((0, 3)), np.ones((2, 3))), "at least 1"),
        (lambda: rare.rarest(np.zeros(0)), "N > 0"),
        (lambda: rare.rarest(np.zeros(5), 0.0), r"share must lie in \(0, 1\]"),
        (lambda: rare.curve(np.zeros(3), np.zeros(4)), r"must be \(N,\)"),
    ],
)
def test_input_that_cannot_be_scored_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
