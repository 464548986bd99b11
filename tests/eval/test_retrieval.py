"""Retrieval metrics: ranks of every protocol equal to the reference's, and matrices small enough to rank by eye."""

import json

import numpy as np
import pytest

from remogpt.eval.retrieval import (
    caption_positives,
    cosines,
    rank_rows,
    retrieval_metrics,
    retrieval_ranks,
    small_batches,
    text_positives,
)
from remogpt.eval.tasks.retrieval import _marks

MOTION_PATCHES = {
    "t2m": {"R@1": 18.0, "R@2": 34.0, "R@3": 37.0, "R@5": 52.0, "R@10": 70.0, "MedR": 5.0},
    "m2t": {"R@1": 21.0, "R@2": 35.0, "R@3": 40.0, "R@5": 52.0, "R@10": 66.0, "MedR": 5.0},
}
"""What the test script of MotionPatches answers for the golden ranks of identical captions."""


@pytest.fixture(scope="module")
def arrays(golden_dir):
    with np.load(golden_dir / "metrics_small.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name.startswith(("tmr", "mp"))}


@pytest.fixture(scope="module")
def expected(golden_dir):
    return json.loads((golden_dir / "metrics_small.json").read_text())


def test_two_different_captions_do_not_prove_a_collapse() -> None:
    rows, captions = np.ones((4, 8)), ["a man walks", "a man jumps"] * 2
    told = [" ".join(_marks(rows, rows, own)) for own in (captions, [*captions[:3], "a man sits"])]
    assert ["of the captions" in one for one in told] == [False, True]
    assert all("of the motions" in one for one in told)


def our_key(key):
    way, name = key.split("/")
    return f"{way}/R@{int(name[1:])}" if name[0] == "R" else key


@pytest.mark.parametrize("kind", ["random", "ties", "all_equal", "dup_columns"])
@pytest.mark.parametrize("protocol", ["normal", "threshold_0.95", "threshold_0.8"])
def test_ranks_and_metrics_equal_the_reference(arrays, expected, kind, protocol):
    similarity = arrays[f"tmr_sim_{kind}"]
    text = arrays["tmr_emb"] @ arrays["tmr_emb"].T
    name, _, value = protocol.partition("_")
    threshold = float(value or 0.95)
    positives = None if name == "normal" else text_positives(text, threshold)
    for way, ranks in retrieval_ranks(similarity, positives).items():
        np.testing.assert_array_equal(ranks, arrays[f"tmr_ranks_{way}_{kind}_{protocol}"])
    scores = retrieval_metrics(similarity, name, text_similarity=text, threshold=threshold)
    assert scores == {our_key(k): v for k, v in expected["tmr"][f"{kind}|{protocol}"]["rounded2"].items()}


def test_optimistic_ranks_equal_the_reference(arrays, expected):
    ranks = retrieval_ranks(arrays["tmr_sim_ties"], ties="optimistic")["t2m"]
    np.testing.assert_array_equal(ranks, arrays["tmr_ranks_t2m_ties_optimistic"])
    scores = retrieval_metrics(arrays["tmr_sim_ties"], "a", ties="optimistic")
    assert {key: scores[our_key(f"t2m/{key}")] for key in expected["tmr"]["ties|normal|optimistic"]} == (
        expected["tmr"]["ties|normal|optimistic"]
    )


def test_small_batches_equal_the_reference(arrays, expected):
    np.testing.assert_array_equal(small_batches(100), arrays["tmr_guo_batches"])
    scores = retrieval_metrics(arrays["tmr_sim_random"], "d")
    assert scores == {our_key(k): v for k, v in expected["tmr"]["guo_small_batches"].items()}


def test_identical_captions_equal_the_reference(arrays):
    labels = arrays["mp_caption_ids"]
    ranks = retrieval_ranks(arrays["tmr_sim_random"], caption_positives(labels), ties="expected")
    scores = retrieval_metrics(arrays["tmr_sim_random"], "identical", captions=labels)
    for way in ("t2m", "m2t"):
        np.testing.assert_array_equal(ranks[way], arrays[f"mp_ranks_{way}"])
        assert {key: scores[f"{way}/{key}"] for key in MOTION_PATCHES[way]} == MOTION_PATCHES[way]


def test_hand_made_matrix():
    similarity = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.1], [0.1, 0.3, 0.2]])
    ranks = retrieval_ranks(similarity)
    assert ranks["t2m"].tolist() == [0, 1, 1]
    assert ranks["m2t"].tolist() == [0, 0, 0.5]
    scores = retrieval_metrics(similarity)
    assert (scores["t2m/R@1"], scores["t2m/R@2"], scores["t2m/MedR"]) == (33.33, 100.0, 2.0)
    # A tie of two at the top counts for R@1: its rank is 0.5.
    assert (scores["m2t/R@1"], scores["m2t/MedR"]) == (100.0, 1.0)


def test_perfect_similarity_ranks_everything_first():
    scores = retrieval_metrics(np.eye(40))
    assert {scores[f"{way}/R@1"] for way in ("t2m", "m2t")} == {100.0}
    assert scores["t2m/MedR"] == 1.0


def test_shuffled_items_score_chance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(640, 8))
    scores = retrieval_metrics(rng.permutation(x) @ x.T, "guo")
    assert scores["t2m/R@1"] == pytest.approx(3.1, abs=2.0)
    assert scores["t2m/R@3"] == pytest.approx(9.4, abs=3.0)


def test_identical_captions_share_their_motions_and_nsim_takes_the_list():
    similarity = np.array([[0.1, 0.9, 0.0], [0.1, 0.9, 0.0], [0.5, 0.6, 0.7]])
    assert retrieval_metrics(similarity, "identical", captions=["walk", "walk", "sit"])["t2m/R@1"] == 100.0
    assert retrieval_metrics(similarity, "nsim", subset=[1, 2])["t2m/R@1"] == 100.0
    assert retrieval_metrics(similarity, "normal")["t2m/R@1"] == 66.67
    # Tied positives do not push each other back; a tied stranger costs half a rank on average.
    positives = np.array([[True, True, False]])
    assert rank_rows(np.array([[0.9, 0.9, 0.1]]), positives, "expected").tolist() == [0.0]
    assert rank_rows(np.array([[0.9, 0.1, 0.9]]), positives, "expected").tolist() == [0.5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: retrieval_metrics(np.zeros((2, 3))), r"must be \(N, N\)"),
        (lambda: retrieval_metrics(np.zeros((0, 0))), "empty"),
        (lambda: retrieval_metrics(np.full((2, 2), np.nan)), "NaN"),
        (lambda: retrieval_metrics(np.eye(3), "tmr"), "unknown retrieval protocol 'tmr'"),
        (lambda: retrieval_metrics(np.eye(3), "threshold"), "needs the argument text_similarity="),
        (lambda: retrieval_metrics(np.eye(3), "identical"), "needs the argument captions="),
        (lambda: retrieval_metrics(np.eye(3), "nsim"), "needs the argument subset="),
        (lambda: retrieval_metrics(np.eye(3), "guo"), "needs at least 32 items, came 3"),
        (lambda: retrieval_metrics(np.eye(3), "identical", captions=["a"]), "positives are"),
        (lambda: rank_rows(np.eye(2), np.zeros((2, 2), dtype=bool)), "row 0 has no positive"),
        (lambda: rank_rows(np.eye(2), ties="first"), "ties must be"),
    ],
)
def test_input_that_cannot_be_scored_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_equal_rows_have_equal_cosines_wherever_they_stand() -> None:
    rng = np.random.default_rng(0)
    for count in (3, 7, 20, 33, 100):
        text, motion = (rng.normal(size=(count, 70)).astype(np.float32) for _ in range(2))
        text[count // 2], motion[-1] = text[0], motion[1]
        similarity = cosines(text, motion)
        np.testing.assert_allclose(similarity, text.astype(float) @ motion.astype(float).T, atol=1e-12)
        assert (similarity[0] == similarity[count // 2]).all() and (similarity[:, 1] == similarity[:, -1]).all()
        alike = cosines(text, np.repeat(motion[:1], count, axis=0))
        assert (retrieval_ranks(alike)["t2m"] == (count - 1) / 2).all()
