"""What holds for every motion: mirrored twice, turned about the vertical, moved, scaled, played at another rate."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from remogpt.motion import Motion, features_to_joints, joints_to_features, mirror_joints
from remogpt.motion.mirror import MIRROR_ORDER
from tests.motion.test_features import moving

SEEDS = st.integers(0, 10_000)
FRAMES = st.integers(2, 90)
FEW = settings(max_examples=15, deadline=None)


def close(ours: np.ndarray, theirs: np.ndarray, joints: np.ndarray) -> None:
    """Compare features; where the reference's heading nearly vanishes, it magnifies rounding without limit."""
    across = (joints[:, 17] - joints[:, 16]) - (joints[:, 2] - joints[:, 1])
    if np.linalg.norm(across[:, [0, 2]], axis=-1).min() > 0.1:
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


@FEW
@given(SEEDS, FRAMES)
def test_mirrored_twice_is_the_motion(seed: int, frames: int) -> None:
    joints = moving(frames, seed)
    np.testing.assert_array_equal(mirror_joints(mirror_joints(joints)), joints)
    motion = Motion.from_joints(joints, caption="a person lifts the left arm and turns right")
    again = motion.mirrored().mirrored()
    np.testing.assert_array_equal(again.joints, motion.joints)
    np.testing.assert_array_equal(again.features, motion.features)
    assert again.caption == motion.caption


@FEW
@given(SEEDS, FRAMES)
def test_a_mirror_image_has_the_sides_exchanged_and_the_path_reflected(seed: int, frames: int) -> None:
    joints = moving(frames, seed)
    plain, mirrored = (
        features_to_joints(joints_to_features(one, fixed=True)) for one in (joints, mirror_joints(joints))
    )
    # Target bones differ by millimetres between left and right, which turns the heading of frame 0 by a degree or so,
    # and the right leg alone sets the scale of the path: neither is exact.
    expected = plain[:, list(MIRROR_ORDER)] * [-1, 1, 1]
    np.testing.assert_allclose(mirrored[..., 1], expected[..., 1], atol=0.05)
    np.testing.assert_allclose(mirrored, expected, atol=0.03 + 0.03 * np.abs(expected[:, 0]).max())


@FEW
@given(SEEDS, FRAMES, st.floats(-10, 10), st.floats(-50, 50), st.floats(-50, 50), st.floats(0.3, 3))
def test_heading_place_and_size_do_not_matter(
    seed: int, frames: int, turn: float, x: float, z: float, size: float
) -> None:
    joints = moving(frames, seed)
    cos, sin = np.cos(turn), np.sin(turn)
    elsewhere = size * joints @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]]) + [x, 0.3 * x, z]
    for fixed in (False, True):
        close(joints_to_features(elsewhere, fixed=fixed), joints_to_features(joints, fixed=fixed), joints)


@FEW
@given(SEEDS, FRAMES, st.integers(1, 6))
def test_a_recording_at_a_multiple_of_the_rate_is_the_same_motion(seed: int, frames: int, times: int) -> None:
    dense = moving(frames * times, seed)
    motion = Motion.from_joints(dense, 20.0 * times)
    picked = dense[::times]
    np.testing.assert_allclose(motion.joints, picked, atol=1e-6)
    assert abs(motion.seconds - len(dense) / (20.0 * times)) < 0.05


@FEW
@given(SEEDS, st.floats(12.0, 240.0))
def test_another_rate_keeps_the_time_and_the_poses(seed: int, fps: float) -> None:
    joints = moving(60, seed)
    there = Motion.from_joints(joints, 20.0)
    back = Motion.from_joints(Motion(there.joints, fps).joints, fps)
    assert abs(back.seconds - 60 / fps) < 0.05 + 1 / fps
    np.testing.assert_allclose(back.joints[0], joints[0], atol=1e-6)
    assert np.abs(back.joints).max() <= np.abs(there.joints).max() + 1e-6  # nothing is extrapolated
