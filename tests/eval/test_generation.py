"""Generation metrics: parity with the reference's numbers, and values known by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.eval import generation

Reference = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays, and what the reference answers for them."""


def reference_in(folder: Path, name: str) -> Reference:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files if not key.startswith("tmr")}
    return arrays, json.loads((folder / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def small(golden_dir: Path) -> Reference:
    arrays, expected = reference_in(golden_dir, "metrics_small")
    return arrays, expected["small"]


@pytest.fixture(scope="module")
def full(full_golden_dir: Path) -> Reference:
    return reference_in(full_golden_dir, "metrics")


@pytest.fixture(params=["small", "full"])
def reference(request: Any) -> Reference:
    """128 rows of width 48, which every checkout has, and 640 of width 512, kept beside it."""
    found: Reference = request.getfixturevalue(request.param)
    return found


def test_r_precision_mm_dist_and_frechet_distance_equal_the_reference(reference):
    arrays, expected = reference
    for name in ("gt", "gen"):
        assert generation.r_precision(arrays["text"], arrays[name]).tolist() == expected[name]["R_precision"]
        assert generation.mm_dist(arrays["text"], arrays[name]) == pytest.approx(expected[name]["MM_dist"], rel=1e-4)
    distance = generation.frechet_distance(arrays["gt"], arrays["gen"])
    assert distance == pytest.approx(expected["FID_gt_gen"], rel=1e-3)


def test_captions_of_motions_and_repeated_captions_are_scored_as_the_reference_scores_them(full):
    arrays, expected = full
    for name in ("gt", "gen"):
        text, motion = arrays["text"], arrays[name]
        assert generation.r_precision(motion, text).tolist() == expected[name]["R_precision_motion_to_text"]
        distance = np.sqrt(generation.squared_distances(text[:32], motion[:32]))
        np.testing.assert_allclose(distance, arrays[f"distmat32_{name}"], rtol=1e-4)
    text = arrays["text"][:32].copy()
    text[5] = text[3]
    assert generation.r_precision(text, arrays["gt"][:32]).tolist() == expected["rprec_dup_text"]


def test_frechet_distance_of_few_items_or_few_dimensions_equals_the_reference(full):
    arrays, expected = full
    real, made = arrays["gt"], arrays["gen"]
    distance = generation.frechet_distance(real[:, :16], made[:, :16])
    assert distance == pytest.approx(expected["FID_first16dims"], rel=1e-3)
    # With fewer items than dimensions the reference takes the root of a singular product.
    distance = generation.frechet_distance(real[:100], made[:100])
    assert distance == pytest.approx(expected["FID_rank_deficient_100"], rel=0.02)
    statistics = generation.GaussianStatistics.of(real)
    np.testing.assert_allclose(statistics.mean, arrays["mu_gt"], atol=1e-4)
    np.testing.assert_allclose(statistics.covariance, arrays["cov_gt"], atol=1e-4)


@pytest.mark.parametrize(
    ("kept", "indices", "pairs", "seed"), [("small", "", 100, 0), ("full", "_0", 300, 0), ("full", "_123", 300, 123)]
)
def test_diversity_and_multimodality_equal_the_reference(request, kept, indices, pairs, seed):
    arrays, expected = request.getfixturevalue(kept)
    value = generation.diversity(arrays["gen"], arrays[f"div_first{indices}"], arrays[f"div_second{indices}"])
    assert value == pytest.approx(expected[f"diversity_{pairs}_seed{seed}"], rel=1e-4)
    value = generation.multimodality(arrays["mm"], arrays[f"mm_first{indices}"], arrays[f"mm_second{indices}"])
    assert value == pytest.approx(expected[f"multimodality_10_seed{seed}"], rel=1e-4)


def test_frechet_distance_of_a_set_with_itself_is_zero_and_of_a_shift_is_its_square():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 24))
    delta = rng.normal(size=24)
    assert generation.frechet_distance(x, x) == pytest.approx(0.0, abs=1e-8)
    assert generation.frechet_distance(x, x + delta) == pytest.approx(float(delta @ delta), rel=1e-6)


def test_frechet_distance_of_one_dimension_is_the_known_formula():
    a, b = np.array([[0.0], [2.0]]), np.array([[5.0], [9.0]])
    spread_a, spread_b = np.sqrt(2.0), np.sqrt(8.0)
    assert generation.frechet_distance(a, b) == pytest.approx(6.0**2 + (spread_a - spread_b) ** 2)


def test_ground_truth_scores_perfectly_and_shuffled_captions_score_chance():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3200, 16))
    assert generation.r_precision(x, x).tolist() == [1.0, 1.0, 1.0]
    assert generation.mm_dist(x, x) == 0.0
    chance = generation.r_precision(rng.permutation(x), x)
    np.testing.assert_allclose(chance, [1 / 32, 2 / 32, 3 / 32], atol=0.015)


def test_a_generator_that_always_gives_one_motion_scores_exactly_chance():
    text = np.random.default_rng(2).normal(size=(64, 8))
    np.testing.assert_allclose(generation.r_precision(text, np.ones((64, 8))), [1 / 32, 2 / 32, 3 / 32])


def test_r_precision_of_a_hand_made_group():
    text = np.array([[0.0], [10.0], [20.0]])
    motion = np.array([[0.0], [19.0], [21.0]])  # caption 1 is nearer to 19 than to 0 or 21, caption 2 ties
    np.testing.assert_allclose(generation.r_precision(text, motion, top_k=2, group=3), [2.5 / 3, 1.0])


def test_fewer_items_than_ranks_are_scored_as_far_as_they_go():
    rows = np.eye(2)
    scores = generation.evaluate(rows, rows, rows, repeats=2, group=2)
    assert {name for name in scores if "/R" in name} == {"t2m/R1", "t2m/R2", "m2t/R1", "m2t/R2"}
    assert scores["t2m/R1"]["mean"] == 1.0


def test_evaluate_gives_mean_and_interval_of_every_metric():
    rng = np.random.default_rng(3)
    text = rng.normal(size=(70, 8))
    real = text + 0.1 * rng.normal(size=text.shape)
    result = generation.evaluate(text, real, real, multimodal=rng.normal(size=(4, 12, 8)), repeats=3, pairs=20)
    assert set(result) == {
        "fid", "mm_dist", "diversity", "multimodality", *(f"{way}/R{k}" for way in ("t2m", "m2t") for k in (1, 2, 3))
    }  # fmt: skip
    assert result["fid"]["mean"] == pytest.approx(0.0, abs=1e-8)
    assert result["t2m/R1"]["mean"] > 0.9 and result["t2m/R1"]["ci95"] >= 0.0
    again = generation.evaluate(text, real, real, multimodal=None, repeats=3, pairs=20)
    assert again["t2m/R1"] == result["t2m/R1"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generation.r_precision(np.zeros((0, 4)), np.zeros((0, 4))), "at least 1"),
        (lambda: generation.r_precision(np.zeros((8, 4)), np.zeros((8, 4))), "needs at least 32"),
        (lambda: generation.r_precision(np.zeros((32, 4)), np.zeros((32, 5))), "paired rows"),
        (lambda: generation.mm_dist(np.zeros(4), np.zeros(4)), r"must be \(N, D\)"),
        (lambda: generation.mm_dist(np.full((2, 2), np.nan), np.zeros((2, 2))), "row 0 holds NaN"),
        (lambda: generation.frechet_distance(np.zeros((5, 2)), np.zeros((5, 3))), "widths 2 and 3"),
        (lambda: generation.frechet_distance(np.zeros((1, 2)), np.zeros((5, 2))), "at least 2"),
        (lambda: generation.diversity(np.zeros((5, 2)), np.array([5]), np.array([0])), r"must lie in 0\.\.4"),
        (lambda: generation.multimodality(np.zeros((5, 2)), np.array([0]), np.array([0])), "texts, generations"),
        (lambda: generation.draw_pairs(10, 300, np.random.default_rng(0)), "300 distinct rows out of 10"),
    ],
)
def test_input_that_cannot_be_scored_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dim", [3, 8, 64, 512])
def test_equal_motions_are_tied_in_pools_of_every_size(dim: int) -> None:
    """Half of a pool are copies; distances pair by pair, which give copies one value, say what is right."""
    rng = np.random.default_rng(dim)
    for group in (*range(4, 33), 40):
        text = rng.normal(size=(group, dim)).astype(np.float32)
        motion = (text + rng.normal(size=text.shape)).astype(np.float32)
        motion[: group // 2] = motion[group // 2 : 2 * (group // 2)][rng.integers(group // 2, size=group // 2)]
        for left, right in ((text, motion), (motion, text)):
            pairs = [[np.square(one.astype(float) - other).sum() for other in right] for one in left]
            distance = np.array(pairs)
            own = np.diagonal(distance)[:, None]
            nearer, tied = (distance < own).sum(1), (distance == own).sum(1)
            wanted = [np.clip((k - nearer) / tied, 0, 1).mean() for k in (1, 2, 3)]
            assert generation.r_precision(left, right, group=group).tolist() == pytest.approx(wanted, abs=1e-12)
        alike = np.repeat(motion[:1], group, axis=0)
        assert generation.r_precision(text, alike, group=group).tolist() == pytest.approx(np.arange(1, 4) / group)


def test_distances_that_differ_are_no_ties() -> None:
    """The nearest of two motions wins by one unit in the last place of float32, far from the origin."""
    text = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    motion = np.array([[1000.0, 1.0], [1000.0, np.nextafter(np.float32(1.0), np.float32(0.0))]])
    assert generation.r_precision(text, motion, top_k=1, group=2).tolist() == [0.5]


def test_too_few_items_for_the_protocol_are_marked() -> None:
    assert generation.marks(4000, 512) == []
    few = generation.marks(20, 64, group=20)
    assert [mark.split(" ")[0] for mark in few] == ["R-precision", "FID", "Diversity"]
    assert "pools of 20" in few[0] and "20 items in 64 dimensions" in few[1] and "20 pairs" in few[2]
    assert generation.marks(64, 64) == ["FID of 64 items in 64 dimensions: too high", generation.marks(64, 8)[0]]
