"""Rotations and kinematics against roma and SciPy."""

import numpy as np
import pytest
import roma
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from remogpt.motion.inverse_kinematics import inverse_kinematics, root_quaternions, smooth_in_time
from remogpt.motion.kinematics import bone_offsets, chain_forward_kinematics, forward_kinematics
from remogpt.motion.rotations import (
    matrix_from_6d,
    matrix_to_6d,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
    shortest_arc,
)
from remogpt.motion.skeleton import CHAINS, JOINT_NAMES, MIRROR_PAIRS, NUM_JOINTS, PARENTS, TARGET_OFFSETS


@pytest.fixture
def quaternions() -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(2, 50, 4))
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def to_roma(quaternions: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(quaternions[..., [1, 2, 3, 0]])


def test_quaternions_agree_with_roma(quaternions):
    first, second = quaternions
    vectors = np.random.default_rng(1).normal(size=(50, 3))
    np.testing.assert_allclose(
        to_roma(quaternion_multiply(first, second)), roma.quat_product(to_roma(first), to_roma(second)), atol=1e-12
    )
    matrix = roma.unitquat_to_rotmat(to_roma(first)).numpy()
    np.testing.assert_allclose(quaternion_to_matrix(3 * first), matrix, atol=1e-12)
    np.testing.assert_allclose(quaternion_rotate(first, vectors), np.einsum("nij,nj->ni", matrix, vectors), atol=1e-12)
    identity = quaternion_multiply(first, quaternion_conjugate(first))
    np.testing.assert_allclose(identity, np.tile([1.0, 0, 0, 0], (50, 1)), atol=1e-12)


def test_six_numbers_keep_the_rotation(quaternions):
    matrix = quaternion_to_matrix(quaternions)
    np.testing.assert_allclose(matrix_from_6d(matrix_to_6d(matrix)), matrix, atol=1e-12)
    skewed = matrix_to_6d(matrix) * 2.0
    skewed[..., 3:] += 0.3 * skewed[..., :3]
    np.testing.assert_allclose(matrix_from_6d(skewed), matrix, atol=1e-12)


def test_shortest_arc_reaches_its_target_without_twist():
    rng = np.random.default_rng(2)
    source, target = rng.normal(size=(2, 100, 3))
    arc = shortest_arc(source, target).astype(np.float64)
    reached = quaternion_rotate(arc, source / np.linalg.norm(source, axis=-1, keepdims=True))
    np.testing.assert_allclose(reached, target / np.linalg.norm(target, axis=-1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose((arc[:, 1:] * source).sum(-1), 0, atol=1e-5)
    assert (arc[:, 0] >= 0).all()


@pytest.mark.parametrize("axis", np.concatenate([np.eye(3), -np.eye(3)]))
def test_opposite_directions_give_half_a_turn(axis):
    np.testing.assert_allclose(quaternion_rotate(shortest_arc(axis, -axis), axis), -axis, atol=1e-6)


def test_smoothing_is_scipys_gaussian():
    values = np.random.default_rng(3).normal(size=(37, 3))
    np.testing.assert_allclose(
        smooth_in_time(values, 20), gaussian_filter1d(values, 20, axis=0, mode="nearest"), atol=1e-12
    )


def test_the_root_of_frame_zero_is_the_identity():
    joints = forward_kinematics(_turned_root(50.0, frames=9), np.zeros((9, 3)))
    quaternions = root_quaternions(joints)
    np.testing.assert_array_equal(quaternions[0], [1, 0, 0, 0])
    np.testing.assert_allclose(quaternions[1:, 2], -np.sin(np.radians(25)), atol=1e-6)


def _turned_root(degrees: float, frames: int) -> np.ndarray:
    rotations = np.tile(np.eye(3), (frames, NUM_JOINTS, 1, 1))
    rotations[:, 0] = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    return rotations


def test_forward_kinematics_of_one_bent_elbow():
    rotations = np.tile(np.eye(3), (1, NUM_JOINTS, 1, 1))
    rotations[0, 18] = Rotation.from_euler("x", -90, degrees=True).as_matrix()  # left forearm points ahead
    joints = forward_kinematics(rotations, np.zeros((1, 3)))[0]
    np.testing.assert_allclose(joints[20] - joints[18], [0, 0, -TARGET_OFFSETS[20, 1]], atol=1e-7)
    np.testing.assert_allclose(bone_offsets(joints)[1:20], TARGET_OFFSETS[1:20], atol=1e-6)


def test_inverse_kinematics_is_undone_by_forward_kinematics():
    rng = np.random.default_rng(4)
    rotations = Rotation.random(20 * NUM_JOINTS, rng=rng).as_matrix().reshape(20, NUM_JOINTS, 3, 3)
    joints = forward_kinematics(rotations, rng.normal(size=(20, 3)))
    back = chain_forward_kinematics(quaternion_to_matrix(inverse_kinematics(joints)), joints[:, 0])
    np.testing.assert_allclose(back, joints, atol=2e-5)


def test_forward_kinematics_is_differentiable():
    rotations = torch.eye(3).repeat(2, NUM_JOINTS, 1, 1).requires_grad_()
    forward_kinematics(rotations, torch.zeros(2, 3)).sum().backward()
    assert rotations.grad is not None and rotations.grad[:, 18].abs().sum() > 0


def test_the_skeleton_is_consistent():
    assert len(JOINT_NAMES) == len(PARENTS) == NUM_JOINTS
    assert {(chain[i], chain[i + 1]) for chain in CHAINS for i in range(len(chain) - 1)} == {
        (parent, joint) for joint, parent in enumerate(PARENTS) if parent >= 0
    }
    for left, right in MIRROR_PAIRS:
        assert JOINT_NAMES[left].replace("left", "right") == JOINT_NAMES[right]
    with pytest.raises(ValueError, match="read-only"):
        TARGET_OFFSETS[0] = 1
