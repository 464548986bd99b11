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

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from remogpt.motion.arrays import Array, namespace
from remogpt.motion.checks import check_features, check_joints
from remogpt.motion.feature_body import HUMANML3D, FeatureBody, body_of
from remogpt.motion.inverse_kinematics import (
    FORWARD,
    bone_directions,
    heading,
    inverse_kinematics,
    root_quaternions,
    turned_angle,
    unit,
)
from remogpt.motion.kinematics import chain_forward_kinematics
from remogpt.motion.rotations import (
    dot,
    matrix_from_6d,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_6d,
    shortest_arc,
)
from remogpt.runtime.errors import RemogptError

YAW_VELOCITY = slice(0, 1)
ROOT_VELOCITY = slice(1, 3)
ROOT_HEIGHT = slice(3, 4)
POSITIONS = slice(4, 67)
ROTATIONS = slice(67, 193)
VELOCITIES = slice(193, 259)
CONTACTS = slice(259, 263)

CONTACT_THRESHOLD = 0.002
"""Square metres: a foot joint whose squared displacement to the next frame is below this rests on the ground."""


FRAMES_AT_ONCE = 2048
"""Frames of which features are computed together: as much as fits into a processor's cache."""


def joints_to_features(joints: Array, *, body: FeatureBody = HUMANML3D, fixed: bool = False) -> Array:
    """Turn joint positions into HumanML3D's features.

    The body is first scaled to the target bone lengths, put on the floor at the origin and turned to face +z.

    Args:
        joints: (T, 22, 3) metres, y up, 20 fps, NumPy or torch (no gradient flows back). T >= 2.
        body: whose joints they are; `KIT` gives KIT-ML's 251 channels of 21 joints.
        fixed: mend the quirks that `inverse_kinematics` names. Such features are recovered as any others, but no
            published model knows them.

    Returns:
        (T-1, 263) float32.

    Raises:
        RemogptError: wrong shape, fewer than 2 frames, NaN, a bone of length zero.

    Source: HumanML3D, `process_file`; differs: inputs on which the reference divides by zero give finite numbers.
    """
    return _as_given(joints_to_features_batch([joints], body=body, fixed=fixed)[0], joints)


def joints_to_features_batch(
    motions: Sequence[Array], *, body: FeatureBody = HUMANML3D, fixed: bool = False
) -> list[np.ndarray]:
    """Turn joint positions of many motions into features, as `joints_to_features` does, several times as fast.

    Args:
        motions: (T, 22, 3) each, of any lengths.
        body, fixed: as in `joints_to_features`.

    Returns:
        (T-1, 263) float32 each.

    Raises:
        RemogptError: as `joints_to_features`; names the first motion that cannot be used.
    """
    names = ["joints"] if len(motions) == 1 else [f"motion {number}" for number in range(len(motions))]
    checked = [
        check_joints(joints, where=name, min_frames=2, num_joints=body.num_joints)
        for name, joints in zip(names, motions, strict=True)
    ]
    found: list[np.ndarray] = []
    begin = 0
    while begin < len(checked):
        end, frames = begin + 1, len(checked[begin])
        while end < len(checked) and frames + len(checked[end]) <= FRAMES_AT_ONCE:
            frames += len(checked[end])
            end += 1
        try:
            found += _features_of(checked[begin:end], body, fixed)
        except RemogptError:
            for joints, name in zip(checked[begin:end], names[begin:end], strict=True):
                bone_directions(joints, body, name)
            raise
        begin = end
    return found


def _features_of(motions: Sequence[np.ndarray], body: FeatureBody, fixed: bool) -> list[np.ndarray]:
    """Compute the features of some motions laid one behind the other."""
    starts = np.cumsum([0, *(len(joints) for joints in motions)])[:-1].tolist()
    joints = by_component(motions)
    directions = bone_directions(joints, body)
    scaled = _scaled(joints, directions, starts, body)
    positions = _canonical(scaled, starts, body, fixed)
    roots = root_quaternions(positions, starts, fixed=fixed, body=body)
    quaternions = inverse_kinematics(positions, root=roots, body=body)
    turns = roots[:-1, None]  # (T, 1, 4)

    steps = positions[1:] - positions[:-1]
    relative = positions[:-1].copy(order="K")
    relative[..., 0] -= positions[:-1, :1, 0]
    relative[..., 2] -= positions[:-1, :1, 2]
    root_steps = quaternion_rotate(roots[1:], steps[:, 0])
    yaw = quaternion_multiply(roots[1:], quaternion_conjugate(roots[:-1]))[..., 2]

    rows = len(steps)
    features = np.empty((rows, body.num_features), dtype=np.float32)
    features[:, 0] = np.arcsin(np.clip(yaw, -1, 1))
    features[:, ROOT_VELOCITY] = root_steps[:, [0, 2]]
    features[:, ROOT_HEIGHT] = relative[:, 0, 1:2]
    _fill(features, body.positions, quaternion_rotate(turns, relative[:, 1:]))
    _fill(features, body.rotations, quaternion_to_6d(quaternions[:-1, 1:]))
    _fill(features, body.velocities, quaternion_rotate(turns, steps))
    features[:, body.contacts] = _resting(steps, body)
    # The last frame of a motion has no way to a next one; its row leads to the next motion.
    stops = [*starts[1:], rows + 1]
    return [features[first : stop - 1].copy() for first, stop in zip(starts, stops, strict=True)]


def by_component(motions: Sequence[np.ndarray]) -> np.ndarray:
    """Lay motions (T, J, 3) one behind the other, in memory component by component: see `arrays.stack_last`."""
    joints = np.concatenate(motions)
    return np.asarray(np.ascontiguousarray(joints.T).T)


def to_target_skeleton(joints: np.ndarray, body: FeatureBody = HUMANML3D) -> np.ndarray:
    """Scale a body to the target bone lengths, keeping every bone's direction; steps scale with the legs.

    Args:
        joints: (T, 22, 3) metres.
        body: whose joints they are; without target lengths those of frame 0 are kept throughout.

    Returns:
        (T, 22, 3) float64 metres.

    Raises:
        RemogptError: if a joint lies on its parent.

    Source: HumanML3D, `uniform_skeleton`; the source uses inverse and forward kinematics, with the same result.
    """
    return _scaled(joints, bone_directions(joints, body), [0], body)


def _scaled(joints: np.ndarray, directions: np.ndarray, starts: list[int], body: FeatureBody) -> np.ndarray:
    """Scale the motions that begin at `starts`, each by its own first frame."""
    counts = np.diff([*starts, len(joints)])
    parents = [max(parent, 0) for parent in body.parents]
    first = joints[starts].astype(np.float64)
    own = np.linalg.norm(first - first[:, parents], axis=-1)  # (motions, J)
    legs = list(body.leg_joints)
    target = own if body.bone_lengths is None else np.broadcast_to(body.bone_lengths.astype(np.float64), own.shape)
    scale = np.repeat(target[:, legs].sum(-1) / own[:, legs].sum(-1), counts)
    lengths = None if body.bone_lengths is not None else np.repeat(own, counts, axis=0)
    scaled = np.empty_like(directions, dtype=np.float64)
    scaled[:, 0] = joints[:, 0] * scale[:, None]
    for joint in body.tree_order:
        length = target[0, joint] if lengths is None else lengths[:, joint, None]
        np.multiply(directions[:, joint], length, out=scaled[:, joint])
        scaled[:, joint] += scaled[:, body.parents[joint]]
    return scaled


def canonicalize(joints: np.ndarray) -> np.ndarray:
    """Put a motion on the floor, at the origin, facing +z in its first frame; sizes are kept.

    Args:
        joints: (T, 22, 3) metres.

    Returns:
        (T, 22, 3) float32: the lowest point of all frames is at y = 0, the pelvis of frame 0 at x = z = 0.

    Source: HumanML3D, beginning of `process_file`.
    """
    return _canonical(joints, [0], HUMANML3D, False)


def _canonical(joints: np.ndarray, starts: list[int], body: FeatureBody, fixed: bool) -> np.ndarray:
    """Put each motion on the floor, at the origin, facing +z: by its first frame's heading, or the smoothed one."""
    counts = np.diff([*starts, len(joints)])
    shift = joints[starts, 0].copy()
    shift[:, 1] = np.minimum.reduceat(joints[..., 1].min(axis=1), starts)
    if fixed:
        angle = turned_angle(joints, starts, body=body)[starts]
        facing = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)
    else:
        facing = unit(heading(joints[starts], hip_swap=False, body=body))
    turns = np.repeat(shortest_arc(facing, FORWARD), counts, axis=0)
    moved = (joints - np.repeat(shift, counts, axis=0)[:, None]).astype(np.float32)
    return quaternion_rotate(turns[:, None], moved)


def foot_contacts(joints: np.ndarray, threshold: float = CONTACT_THRESHOLD) -> np.ndarray:
    """Return which feet rest until the next frame, by speed alone.

    Args:
        joints: (T, 22, 3) metres.
        threshold: square metres a frame.

    Returns:
        (T-1, 4) float32, 1.0 = rests: left ankle, left foot, right ankle, right foot.
    """
    return _resting(np.diff(joints, axis=0), replace(HUMANML3D, contact_threshold=threshold))


def _resting(steps: np.ndarray, body: FeatureBody) -> np.ndarray:
    feet = steps[:, [*body.left_foot, *body.right_foot]]
    return (dot(feet, feet) < body.contact_threshold).astype(np.float32)


def _fill(features: np.ndarray, channels: slice, values: np.ndarray) -> None:
    """Write (T, joints, C) values to channels, which hold one joint after the other."""
    features[:, channels].reshape(values.shape)[...] = values


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


def features_to_joints(features: Array, *, body: FeatureBody = HUMANML3D) -> Array:
    """Turn features back into joint positions, from the position channels.

    Args:
        features: (..., T, 263), NumPy (gives float32) or torch (keeps dtype and device; differentiable).
        body: whose features they are; `KIT` for 251 channels.

    Returns:
        (..., T, 22, 3) metres; frame 0 at the origin facing +z.

    Raises:
        RemogptError: wrong number of channels, NaN in a NumPy array.

    Source: HumanML3D, `recover_from_ric`.
    """
    check_features(features, num_features=body.num_features)
    values = _working_copy(features)
    xp = namespace(values)
    turn, root = recover_root(values)
    local = values[..., body.positions].reshape(*values.shape[:-1], body.num_joints - 1, 3)
    x, z = turned(local[..., 0], local[..., 2], turn[..., None])
    placed = xp.stack([x + root[..., None, 0], local[..., 1], z + root[..., None, 2]], axis=-1)
    return _as_given(xp.concatenate([root[..., None, :], placed], axis=-2), features)


def joints_in_metres(features: Array) -> Array:
    """Turn features (..., T, F) of whichever body has so many channels into joint positions (..., T, J, 3) in metres.

    Raises:
        RemogptError: as `features_to_joints`, or nobody's features.
    """
    body = body_of(features.shape[-1] if features.ndim else 0)
    joints = features_to_joints(features, body=body)
    return joints if body.unit == 1.0 else joints * body.unit


def features_to_joints_from_rotations(features: Array, *, body: FeatureBody = HUMANML3D) -> Array:
    """Turn features back into joint positions, from the rotation channels and the target skeleton.

    Bones keep their lengths exactly, but errors add up along a limb.

    Args:
        features: (..., T, 263), as in `features_to_joints`.
        body: whose features they are; KIT-ML's needs target lengths, `KIT.with_target(joints)`.

    Returns:
        (..., T, 22, 3) metres.

    Raises:
        RemogptError: wrong number of channels, NaN in a NumPy array, a body without lengths.

    Source: HumanML3D, `recover_from_rot`.
    """
    check_features(features, num_features=body.num_features)
    if body.bone_lengths is None:
        raise RemogptError(
            f"body: wanted bone lengths to place joints by rotations, {body.name}'s are its users': give "
            "KIT.with_target(pose) with a pose (21, 3) of the person, such as frame 0 of KIT-ML's joints 03950"
        )
    values = _working_copy(features)
    xp = namespace(values)
    turn, root = recover_root(values)
    columns = values[..., body.rotations].reshape(*values.shape[:-1], body.num_joints - 1, 6)
    zero, one, cos, sin = xp.zeros_like(turn), xp.ones_like(turn), xp.cos(turn), xp.sin(turn)
    rows = [[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]
    root_rotation = xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)
    rotations = xp.concatenate([root_rotation[..., None, :, :], matrix_from_6d(columns)], axis=-3)
    offsets = body.raw_offsets * body.bone_lengths[:, None]
    return _as_given(chain_forward_kinematics(rotations, root, offsets, body.chains), features)


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
