"""Reconstruction errors: parity with the reference's sums, and alignments known by construction."""

import json

import numpy as np
import pytest

from remogpt.eval import reconstruction as rec


def test_errors_equal_the_reference(golden_dir):
    with np.load(golden_dir / "metrics_small.npz", allow_pickle=False) as file:
        made, real = file["mr_rst"], file["mr_ref"]
    expected = json.loads((golden_dir / "metrics_small.json").read_text())["mr"]
    # The reference keeps sums over frames in metres.
    np.testing.assert_allclose(rec.mpjpe(made, real).sum(-1) / rec.MM, expected["mpjpe_root_aligned_sum"], rtol=1e-5)
    np.testing.assert_allclose(rec.pa_mpjpe(made, real).sum(-1) / rec.MM, expected["pampjpe_sum"], rtol=1e-5)
    np.testing.assert_allclose(rec.acceleration_error(made, real).sum(-1) / rec.MM, expected["accel_sum"], rtol=1e-5)


@pytest.fixture
def joints():
    return np.random.default_rng(0).normal(size=(12, 22, 3))


def test_a_perfect_reconstruction_has_no_error(joints):
    scores = rec.evaluate([joints], [joints])
    assert [scores[name] for name in ("mpjpe", "mpjpe_global", "accel")] == [0.0, 0.0, 0.0]
    assert scores["pa_mpjpe"] == pytest.approx(0.0, abs=1e-9)


def test_a_shift_is_seen_globally_only(joints):
    scores = rec.evaluate([joints + np.array([0.03, 0.0, 0.04])], [joints])
    assert scores["mpjpe_global"] == pytest.approx(50.0)
    assert scores["mpjpe"] == pytest.approx(0.0, abs=1e-9)


def test_procrustes_undoes_similarity_but_not_reflection(joints):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    assert rec.pa_mpjpe(1.3 * joints @ turn + 2.0, joints).max() == pytest.approx(0.0, abs=1e-8)
    assert rec.pa_mpjpe(joints * np.array([-1.0, 1.0, 1.0]), joints).min() > 100.0


def test_frames_weigh_equally_and_lengths_are_cut(joints):
    scores = rec.evaluate([joints[:4] + 1.0, joints], [joints, joints[:8]])
    assert scores["mpjpe_global"] == pytest.approx(1000.0 * np.sqrt(3.0) * 4 / 12)
    assert scores["num_items"] == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rec.mpjpe(np.zeros((5, 22, 3)), np.zeros((6, 22, 3))), "differ in shape"),
        (lambda: rec.mpjpe(np.zeros((5, 263)), np.zeros((5, 263))), "are these features"),
        (lambda: rec.mpjpe(np.zeros((0, 22, 3)), np.zeros((0, 22, 3))), "T > 0"),
        (lambda: rec.acceleration_error(np.zeros((2, 22, 3)), np.zeros((2, 22, 3))), "at least 3 frames"),
        (lambda: rec.evaluate([], []), "came 0 and 0"),
    ],
)
def test_input_that_cannot_be_scored_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
