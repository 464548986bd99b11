"""The Motion class and changes of frame rate."""

import numpy as np
import pytest

import remogpt.motion
from remogpt.motion import Motion, joints_to_features
from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.resample import resample
from remogpt.runtime.errors import RemogptError


def line(frames: int, fps: float) -> np.ndarray:
    """A person who glides along z at 1 m/s: joint positions are linear in time."""
    root = np.stack([np.zeros(frames), np.full(frames, 0.9), np.arange(frames) / fps], axis=-1)
    return forward_kinematics(np.broadcast_to(np.eye(3), (frames, 22, 3, 3)), root).astype(np.float32)


@pytest.mark.parametrize("method", ["linear", "cubic"])
@pytest.mark.parametrize(("fps", "frames", "expected"), [(30, 31, 21), (120, 121, 21), (12.5, 26, 41), (59.94, 60, 20)])
def test_resampling_keeps_time(method, fps, frames, expected):
    resampled = resample(line(frames, fps), fps, method=method)
    assert resampled.shape == (expected, 22, 3) and resampled.dtype == np.float32
    speed = np.diff(resampled[..., 2], axis=0) * 20
    np.testing.assert_allclose(speed, 1.0, atol=1e-4)


def test_rates_that_divide_pick_frames():
    joints = np.random.default_rng(0).normal(size=(61, 22, 3))
    for method in ("linear", "cubic"):
        np.testing.assert_allclose(resample(joints, 60, method=method), joints[::3], atol=1e-12)


def test_the_same_rate_is_a_copy():
    joints = line(5, 20)
    copy = resample(joints, 20)
    assert copy is not joints and (copy == joints).all()


def test_cubic_is_nearer_to_a_smooth_motion():
    def swing(fps: int, frames: int) -> np.ndarray:
        return np.tile(np.sin(5 * np.arange(frames) / fps)[:, None, None], (1, 22, 3))

    errors = {
        method: np.abs(resample(swing(10, 21), 10, method=method) - swing(20, 41))[2:-2].max()
        for method in ("linear", "cubic")
    }
    assert errors["cubic"] < 0.25 * errors["linear"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: resample(line(5, 20), 0), "fps: wanted frames a second above 0, got 0"),
        (lambda: resample(line(5, 20), float("nan")), "got nan"),
        (lambda: resample(line(5, 20), 30, -1), "target"),
        (lambda: resample(line(5, 20), 30, method="nearest"), "wanted one of linear, cubic, got 'nearest'"),
        (lambda: Motion(np.zeros((5, 21, 3)), name="clip"), "^clip: wanted joints"),
        (lambda: Motion(line(5, 20), fps=0), "fps"),
        (lambda: Motion.from_features(np.zeros((5, 251)), name="kit"), "^kit: .*KIT-ML"),
        (lambda: Motion.from_features(np.zeros((2, 5, 263))), "one motion"),
        (lambda: Motion(line(1, 20)).features, "at least 2 frames"),
    ],
)
def test_what_cannot_be_used_is_refused(call, message):
    with pytest.raises(RemogptError, match=message):
        call()


def test_from_joints_resamples_to_20():
    motion = Motion.from_joints(line(91, 30), fps=30, name="glide", caption="a person glides forward.")
    assert (motion.fps, motion.num_frames, motion.joints.dtype) == (20.0, 61, np.float32)
    assert motion.seconds == pytest.approx(61 / 20)
    np.testing.assert_array_equal(motion.features, joints_to_features(motion.joints))
    assert motion.features is motion.features


def test_another_rate_is_resampled_for_features_only():
    motion = Motion(line(91, 30), fps=30)
    assert motion.num_frames == 91 and motion.features.shape == (60, 263)


def test_given_features_are_kept():
    features = joints_to_features(line(31, 20)) + np.float32(0.001)
    motion = Motion.from_features(features, name="x")
    assert motion.num_frames == 30
    np.testing.assert_array_equal(motion.features, features)


def test_mirrored_swaps_sides_and_words():
    motion = Motion(line(5, 20), name="000012", caption="steps to the left")
    mirrored = motion.mirrored()
    assert (mirrored.name, mirrored.caption) == ("M000012", "steps to the right")
    np.testing.assert_array_equal(mirrored.mirrored().joints, motion.joints)


def test_public_names_are_lazy_and_complete():
    assert set(remogpt.motion.__all__) <= set(dir(remogpt.motion))
    assert remogpt.motion.Motion is Motion
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = remogpt.motion.nothing
