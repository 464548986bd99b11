"""Convert joint positions to the 263 channels of HumanML3D and back.

| channels | content |
|---|---|
| 0 | half the turn of the root about the upright axis to the next frame (rad) |
| 1-2 | step of the root in x and z to the next frame, in that frame's heading (m) |
| 3 | height of the root (m) |
| 4-66 | joints 1..21 relative to the root's x and z, in the heading frame (m) |
| 67-192 | 6-D rotations of joints 1..21 |
| 193-258 | displacement of joints 0..21 to the next frame, in the heading frame (m a frame, not a second) |
| 259-262 | 1.0 where left ankle, left foot, right ankle, right foot rest on the ground |

A row describes a frame and the way to the next one, so T frames give T-1 rows.

Source: HumanML3D, arXiv 2204.14277, sec. 4, and its released processing (9176e8f), quirks included; tests compare with
its output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from remogpt.motion.arrays import Array, namespace
from remogpt.motion.checks import check_features, check_joints
from remogpt.motion.inverse_kinematics import FORWARD, bone_directions, heading, inverse_kinematics, unit
from remogpt.motion.kinematics import chain_forward_kinematics
from remogpt.motion.rotations import (
    matrix_from_6d,
    matrix_to_6d,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
    shortest_arc,
)
from remogpt.motion.skeleton import BONE_LENGTHS, LEFT_FOOT, LEG_JOINTS, NUM_JOINTS, PARENTS, RIGHT_FOOT

YAW_VELOCITY = slice(0, 1)
ROOT_VELOCITY = slice(1, 3)
ROOT_HEIGHT = slice(3, 4)
POSITIONS = slice(4, 67)
ROTATIONS = slice(67, 193)
VELOCITIES = slice(193, 259)
CONTACTS = slice(259, 263)

CONTACT_THRESHOLD = 0.002
"""Square metres: a foot joint whose squared displacement to the next frame is below this rests on the ground."""


ON_FLOOR = np.array([1.0, 0.0, 1.0], dtype=np.float32)
"""Mask that keeps x and z."""


def joints_to_features(joints: Array) -> Array:
    """Turn joint positions into HumanML3D's features.

    The body is first scaled to the target bone lengths, put on the floor at the origin and turned to face +z.

    Args:
        joints: (T, 22, 3) metres, y up, 20 fps, NumPy or torch (no gradient flows back). T >= 2.

    Returns:
        (T-1, 263) float32.

    Raises:
        RemogptError: wrong shape, fewer than 2 frames, NaN, a bone of length zero.

    Source: HumanML3D, `process_file`; differs: inputs on which the reference divides by zero give finite numbers.
    """
    positions = canonicalize(to_target_skeleton(check_joints(joints, min_frames=2)))
    quaternions = inverse_kinematics(positions)
    root_turns = quaternions[:, :1]  # (T, 1, 4)

    steps = positions[1:] - positions[:-1]
    root_steps = quaternion_rotate(root_turns[1:, 0], steps[:, 0])
    yaw = np.arcsin(quaternion_multiply(root_turns[1:], quaternion_conjugate(root_turns[:-1]))[:, 0, 2])
    local = quaternion_rotate(root_turns[:-1], positions[:-1] - positions[:-1, :1] * ON_FLOOR)

    rows = len(steps)
    features = np.empty((rows, 263), dtype=np.float32)
    features[:, 0] = yaw
    features[:, ROOT_VELOCITY] = root_steps[:, [0, 2]]
    features[:, ROOT_HEIGHT] = local[:, 0, 1:2]
    features[:, POSITIONS] = local[:, 1:].reshape(rows, -1)
    features[:, ROTATIONS] = matrix_to_6d(quaternion_to_matrix(quaternions[:-1, 1:])).reshape(rows, -1)
    features[:, VELOCITIES] = quaternion_rotate(root_turns[:-1], steps).reshape(rows, -1)
    features[:, CONTACTS] = foot_contacts(positions)
    return _as_given(features, joints)


def to_target_skeleton(joints: np.ndarray) -> np.ndarray:
    """Scale a body to the target bone lengths, keeping every bone's direction; steps scale with the legs.

    Args:
        joints: (T, 22, 3) metres.

    Returns:
        (T, 22, 3) float64 metres.

    Raises:
        RemogptError: if a joint lies on its parent.

    Source: HumanML3D, `uniform_skeleton`; the source uses inverse and forward kinematics, with the same result.
    """
    directions = bone_directions(joints)
    first = np.linalg.norm(joints[0, 1:] - joints[0, list(PARENTS[1:])], axis=-1)
    legs = list(LEG_JOINTS)
    scale = BONE_LENGTHS[legs].sum() / first[[joint - 1 for joint in legs]].sum()
    scaled = np.empty(joints.shape, dtype=np.float64)
    scaled[:, 0] = joints[:, 0] * scale
    for joint in range(1, NUM_JOINTS):
        scaled[:, joint] = scaled[:, PARENTS[joint]] + directions[:, joint] * BONE_LENGTHS[joint]
    return scaled


def canonicalize(joints: np.ndarray) -> np.ndarray:
    """Put a motion on the floor, at the origin, facing +z in its first frame; sizes are kept.

    Args:
        joints: (T, 22, 3) metres.

    Returns:
        (T, 22, 3) float32: the lowest point of all frames is at y = 0, the pelvis of frame 0 at x = z = 0.

    Source: HumanML3D, beginning of `process_file`.
    """
    shift = np.array([joints[0, 0, 0], joints[..., 1].min(), joints[0, 0, 2]])
    facing = unit(heading(joints[:1], hip_swap=False))
    return quaternion_rotate(shortest_arc(facing, FORWARD), (joints - shift).astype(np.float32))


def foot_contacts(joints: np.ndarray, threshold: float = CONTACT_THRESHOLD) -> np.ndarray:
    """Return which feet rest until the next frame, by speed alone.

    Args:
        joints: (T, 22, 3) metres.
        threshold: square metres a frame.

    Returns:
        (T-1, 4) float32, 1.0 = rests: left ankle, left foot, right ankle, right foot.
    """
    steps = np.diff(joints[:, [*LEFT_FOOT, *RIGHT_FOOT]], axis=0)
    return ((steps * steps).sum(-1) < threshold).astype(np.float32)


def recover_root(features: Array) -> tuple[Array, Array]:
    """Integrate the root's turns and steps.

    Args:
        features: (..., T, 263).

    Returns:
        (..., T) rad, the turn about the upright axis that brings the body back to +z, and (..., T, 3) metres, the
        root's position.
    """
    xp = namespace(features)
    turn = 2 * _sum_before(features[..., 0])
    side, ahead = turned(features[..., :-1, 1], features[..., :-1, 2], turn[..., 1:])
    start = xp.zeros_like(turn[..., :1])
    side, ahead = (xp.concatenate([start, xp.cumsum(step, axis=-1)], axis=-1) for step in (side, ahead))
    return turn, xp.stack([side, features[..., 3], ahead], axis=-1)


def features_to_joints(features: Array) -> Array:
    """Turn features back into joint positions, from the position channels.

    Args:
        features: (..., T, 263), NumPy (gives float32) or torch (keeps dtype and device; differentiable).

    Returns:
        (..., T, 22, 3) metres; frame 0 at the origin facing +z.

    Raises:
        RemogptError: wrong number of channels, NaN in a NumPy array.

    Source: HumanML3D, `recover_from_ric`.
    """
    check_features(features)
    values = _working_copy(features)
    xp = namespace(values)
    turn, root = recover_root(values)
    local = values[..., POSITIONS].reshape(*values.shape[:-1], NUM_JOINTS - 1, 3)
    x, z = turned(local[..., 0], local[..., 2], turn[..., None])
    placed = xp.stack([x + root[..., None, 0], local[..., 1], z + root[..., None, 2]], axis=-1)
    return _as_given(xp.concatenate([root[..., None, :], placed], axis=-2), features)


def features_to_joints_from_rotations(features: Array) -> Array:
    """Turn features back into joint positions, from the rotation channels and the target skeleton.

    Bones keep their lengths exactly, but errors add up along a limb.

    Args:
        features: (..., T, 263), as in `features_to_joints`.

    Returns:
        (..., T, 22, 3) metres.

    Raises:
        RemogptError: wrong number of channels, NaN in a NumPy array.

    Source: HumanML3D, `recover_from_rot`.
    """
    check_features(features)
    values = _working_copy(features)
    xp = namespace(values)
    turn, root = recover_root(values)
    rotations = matrix_from_6d(values[..., ROTATIONS].reshape(*values.shape[:-1], NUM_JOINTS - 1, 6))
    zero, one, cos, sin = xp.zeros_like(turn), xp.ones_like(turn), xp.cos(turn), xp.sin(turn)
    rows = [[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]
    root_rotation = xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)
    rotations = xp.concatenate([root_rotation[..., None, :, :], rotations], axis=-3)
    return _as_given(chain_forward_kinematics(rotations, root), features)


def turned(x: Array, z: Array, turn: Array) -> tuple[Array, Array]:
    """Undo a turn (rad) about the upright axis; all arrays broadcast."""
    xp = namespace(x)
    cos, sin = xp.cos(turn), xp.sin(turn)
    return x * cos - z * sin, x * sin + z * cos


def _sum_before(values: Array) -> Array:
    """Return the sum of all earlier entries, (..., T) -> (..., T), beginning with zero."""
    xp = namespace(values)
    return xp.concatenate([xp.zeros_like(values[..., :1]), xp.cumsum(values[..., :-1], axis=-1)], axis=-1)


def _working_copy(features: Array) -> Array:
    """Raise the precision to what a running sum needs: float64 in NumPy, at least float32 in torch."""
    if isinstance(features, np.ndarray):
        return features.astype(np.float64)  # type: ignore[return-value]
    return features.float() if features.element_size() < 4 else features


def _as_given(values: Any, given: Array) -> Array:
    """Convert a result to the input's type: float32 in NumPy; the input's dtype and device in torch."""
    if isinstance(given, np.ndarray):
        return values.astype(np.float32)
    if isinstance(values, np.ndarray):
        return namespace(given).from_numpy(values).to(given.device)
    return values.to(given.dtype)
