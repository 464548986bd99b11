"""Features of both bodies, many motions at once, with quirks and without, of poses on which formulas break down."""

from itertools import product

import numpy as np
import pytest

from remogpt.motion import features_to_joints, features_to_joints_from_rotations, joints_to_features
from remogpt.motion.feature_body import HUMANML3D, KIT, FeatureBody
from remogpt.motion.features import canonicalize, joints_to_features_batch, to_target_skeleton
from remogpt.motion.kinematics import chain_forward_kinematics
from remogpt.motion.skeleton import JOINT_INDEX
from remogpt.runtime.errors import RemogptError
from tests.motion.test_features import moving, standing

KIT_LENGTHS = np.array([0, 90, 120, 250, 110, 150, 280, 250, 150, 280, 250, 95, 430, 410, 60, 70, 95, 430, 410, 60, 70])
"""Millimetres, of a made person."""


def kit_motion(frames: int = 60, seed: int = 0, turns: float = 0.3) -> np.ndarray:
    """A person of KIT-ML's 21 joints in millimetres who swings every limb and walks along a curve."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / KIT.fps
    angle = 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 0.8, 21) * time + rng.uniform(0, 6, 21))
    angle[:, 0] = 2 * np.pi * turns * np.linspace(0, 1, frames)
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    about_y = np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], -1).reshape(frames, 21, 3, 3)
    about_x = np.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], -1).reshape(frames, 21, 3, 3)
    rotations = np.where((np.arange(21) == 0)[:, None, None], about_y, about_x)
    # The rest pose of KIT-ML's parameters has its right at +x; a person who faces +z has it at -x.
    offsets = KIT.raw_offsets * KIT_LENGTHS[:, None] * [-1, 1, 1]
    root = 1000 * np.concatenate([np.sin(time), 0.95 + 0.02 * np.sin(9 * time), time], axis=1)
    return chain_forward_kinematics(rotations, root, offsets, KIT.chains)


def test_channels_of_both_bodies() -> None:
    for body, joints, features in ((HUMANML3D, 22, 263), (KIT, 21, 251)):
        assert (body.num_joints, body.num_features) == (joints, features)
        covered = [*range(4), *(i for part in (body.positions, body.rotations, body.velocities, body.contacts)
                                for i in range(features)[part])]  # fmt: skip
        assert covered == list(range(features))
        assert sorted(body.tree_order) == list(range(1, joints))


@pytest.mark.parametrize("body", [KIT, KIT.with_target(kit_motion(1)[0])])
def test_kits_features_give_back_the_joints(body: FeatureBody) -> None:
    joints = kit_motion()
    features = joints_to_features(joints, body=body)
    assert features.shape == (59, 251)
    right = (joints[0, 11] - joints[0, 16] + joints[0, 5] - joints[0, 8])[[0, 2]]
    cos, sin = -right / np.linalg.norm(right)  # of a person who faces +z, right hip and shoulder lie at -x
    moved = (joints - joints[0, 0] * [1, 0, 1]) @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    moved[..., 1] -= joints[..., 1].min()
    np.testing.assert_allclose(features_to_joints(features, body=body), moved[:-1], atol=0.05)  # millimetres


def test_kits_joints_by_rotations_need_lengths() -> None:
    joints = kit_motion()
    body = KIT.with_target(joints[0])
    features = joints_to_features(joints, body=body)
    by_rotations = features_to_joints_from_rotations(features, body=body)
    np.testing.assert_allclose(by_rotations, features_to_joints(features, body=body), atol=0.5)
    with pytest.raises(RemogptError, match=r"wanted bone lengths .* KIT.with_target"):
        features_to_joints_from_rotations(features, body=KIT)


def test_a_body_refuses_the_others_joints() -> None:
    with pytest.raises(RemogptError, match=r"wanted joints of shape \(T, 21, 3\)"):
        joints_to_features(standing(), body=KIT)
    with pytest.raises(RemogptError, match=r"wanted features of shape \(..., T, 251\)"):
        features_to_joints(np.zeros((5, 263)), body=KIT)


def test_many_motions_at_once_are_each_as_alone() -> None:
    motions = [moving(frames, seed) for seed, frames in enumerate((60, 2, 41, 3000, 17, 199))]
    for fixed in (False, True):
        together = joints_to_features_batch(motions, fixed=fixed)
        for features, joints in zip(together, motions, strict=True):
            np.testing.assert_allclose(features, joints_to_features(joints, fixed=fixed), atol=1e-6)
            assert features.flags.c_contiguous
    assert joints_to_features_batch([]) == []


def test_the_motion_that_cannot_be_used_is_named() -> None:
    broken = moving(30)
    broken[7, 18] = broken[7, 16]
    with pytest.raises(RemogptError, match=r"motion 2: .* left_elbow lies on left_shoulder in frame 7"):
        joints_to_features_batch([moving(30), moving(40), broken])


def turning(turns: float, frames: int = 120) -> np.ndarray:
    """A person who walks and turns on the way."""
    joints = moving(frames, seed=3)
    angle = 2 * np.pi * turns * np.linspace(0, 1, frames)
    cos, sin, zero, one = np.cos(angle), np.sin(angle), 0 * angle, 1 + 0 * angle
    turn = np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], -1).reshape(frames, 3, 3)
    path = np.cumsum(np.einsum("tij,j->ti", turn, [0.0, 0.0, 0.04]), axis=0)[:, None]
    return np.einsum("tij,tnj->tni", turn, joints - joints[:, :1] * [1, 0, 1]) + path


@pytest.mark.parametrize("turns", [0.0, 0.4, 1.5, -2.2])
def test_mended_features_recover_turns_that_the_reference_loses(turns: float) -> None:
    joints = turning(turns)
    features = joints_to_features(joints, fixed=True)
    recovered = features_to_joints(features)
    # The mended heading of frame 0 is the smoothed one: another turn of the whole motion, the same shape.
    true = to_target_skeleton(joints)[:-1]
    for found in (recovered, features_to_joints_from_rotations(features)):
        a, b = true - true[:1, :1], found - found[:1, :1]
        cross = (a[..., [0, 2]] * b[..., [0, 2]]).sum(), (a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]).sum()
        angle = np.arctan2(cross[1], cross[0])
        cos, sin = np.cos(angle), np.sin(angle)
        aligned = a @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        np.testing.assert_allclose(b, aligned, atol=2e-4)
    fastest = 2 * np.pi * abs(turns) / 119 + 0.5 / 20  # radians a frame, by the turn and by `moving` itself
    assert np.abs(features[:, 0]).max() < 0.6 * fastest
    if abs(turns) > 1:
        expected = canonicalize(true)
        assert np.abs(features_to_joints(joints_to_features(joints)) - expected).max() > 0.005


def degenerate() -> dict[str, np.ndarray]:
    """Poses on which a heading, an arc or a speed vanishes."""
    poses = {"at rest": standing()}
    for name, direction in {"up": (0, 1, 0), "ahead": (0, 0, 1), "back": (0, 0, -1)}.items():
        joints = standing()
        for shoulder, elbow, wrist in ((16, 18, 20), (17, 19, 21)):
            joints[:, elbow] = joints[:, shoulder] + 0.25 * np.array(direction)
            joints[:, wrist] = joints[:, elbow] + 0.25 * np.array(direction)
        poses[f"arms {name}"] = joints
    for axis, sign in product(range(3), (1, -1)):
        joints = standing()
        order = np.roll(np.arange(3), axis)
        poses[f"lying {axis} {sign}"] = joints[..., order] * [1, sign, sign]
    crossed = standing()
    left, right = (JOINT_INDEX[f"{side}_hip"] for side in ("left", "right"))
    crossed[:, [left, right]] = crossed[:, [right, left]]
    poses["hips against shoulders"] = crossed
    vanishing = standing()
    hips = vanishing[:, 1] - vanishing[:, 2]
    vanishing[:, 16] = vanishing[:, 17] + hips  # in the hip swap both sides cancel
    poses["heading of length zero"] = vanishing
    backwards = standing() * [-1, 1, -1]
    backwards[0] *= [-1, 1, -1]
    poses["half a turn within a frame"] = backwards
    return poses


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("name", degenerate())
def test_no_pose_gives_nan(name: str, fixed: bool) -> None:
    features = joints_to_features(degenerate()[name], fixed=fixed)
    assert np.isfinite(features).all()
    for recover in (features_to_joints, features_to_joints_from_rotations):
        assert np.isfinite(recover(features)).all()
