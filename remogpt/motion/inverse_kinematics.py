"""Convert joint positions to one rotation per bone, as HumanML3D does.

The routine reproduces the data set's processing, errors included, since every published model was trained on its
numbers. Three of its rules look like bugs, and `fixed=True`, which differs on purpose, mends them:

* Hip swap: the hips enter the heading with the opposite sign of the shoulders, which lets it vanish. Correcting this
  changes channels 0-2 and 67-258 of every clip.
* The root rotation of frame 0 is the identity, whatever the body's smoothed heading.
* Root rotations never have a negative real part, so a turn past 180 degrees counts once the wrong way round, and the
  path drifts; smoothed directions vanish in a fast turn.

Source: HumanML3D 9176e8f, `Skeleton.inverse_kinematics_np`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from remogpt.motion.arrays import stack_last
from remogpt.motion.feature_body import HUMANML3D, FeatureBody
from remogpt.motion.rotations import dot, quaternion_conjugate, quaternion_multiply, shortest_arc
from remogpt.motion.skeleton import JOINT_NAMES
from remogpt.runtime.errors import RemogptError

HEADING_SIGMA = 20
"""Frames; standard deviation of the Gaussian that smooths the heading (one second)."""

FORWARD = np.array([0.0, 0.0, 1.0])


def heading(joints: np.ndarray, *, hip_swap: bool, body: FeatureBody = HUMANML3D) -> np.ndarray:
    """Return the horizontal facing direction, (T, 3) float64; shorter than 1 where the body leans sideways.

    Args:
        joints: (T, J, 3).
        hip_swap: give the hips the opposite sign of the shoulders, as the reference does inside its inverse
            kinematics (but not when it turns a clip to face +z).
        body: whose joints they are.
    """
    right_hip, left_hip, right_shoulder, left_shoulder = body.face_joints
    hips = joints[:, right_hip] - joints[:, left_hip]
    shoulders = joints[:, right_shoulder] - joints[:, left_shoulder]
    across = unit((shoulders - hips if hip_swap else shoulders + hips).astype(np.float64))
    return np.stack([across[:, 2], np.zeros(len(across)), -across[:, 0]], axis=-1)  # up x across


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (..., 3) to length one; zero stays zero."""
    lengths = np.sqrt(dot(vectors, vectors))[..., None]
    return vectors / np.where(lengths > 0, lengths, 1)


def smooth_in_time(values: np.ndarray, sigma: float) -> np.ndarray:
    """Filter (T, C) along time with a Gaussian cut at four sigma; the ends are repeated.

    Equal to `scipy.ndimage.gaussian_filter1d(values, sigma, axis=0, mode="nearest")`.
    """
    radius = int(4.0 * sigma + 0.5)
    ramp = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (ramp / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([values[:1].repeat(radius, axis=0), values, values[-1:].repeat(radius, axis=0)])
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=-1)


def turned_angle(joints: np.ndarray, starts: Sequence[int] = (0,), *, body: FeatureBody = HUMANML3D) -> np.ndarray:
    """Return the angle (T,) rad about the upright axis from +z to the heading, smoothed within each clip.

    The angle runs on past half a turn. Smoothing it, where the reference smooths the direction, keeps it defined for a
    person who turns right round within a second.
    """
    facing = heading(joints, hip_swap=False, body=body)
    angle = np.arctan2(facing[:, 0], facing[:, 2])
    for first, stop in pairwise([*starts, len(joints)]):
        angle[first:stop] = smooth_in_time(np.unwrap(angle[first:stop])[:, None], HEADING_SIGMA)[:, 0]
    return angle


def root_quaternions(
    joints: np.ndarray, starts: Sequence[int] = (0,), *, fixed: bool = False, body: FeatureBody = HUMANML3D
) -> np.ndarray:
    """Return the turns (T, 4) float32 that bring the smoothed heading of each frame to +z.

    Args:
        joints: (T, J, 3).
        starts: first frames of the clips in `joints`; as it is, the root of each is the identity there.
        fixed: mend what the module's docstring names; the signs then follow the turn.
        body: whose joints they are.
    """
    if fixed:
        half = -turned_angle(joints, starts, body=body) / 2
        zero = np.zeros_like(half)
        return np.asarray(stack_last([np.cos(half), zero, np.sin(half), zero]), dtype=np.float32)
    facing = heading(joints, hip_swap=True, body=body)
    for first, stop in pairwise([*starts, len(joints)]):
        facing[first:stop, [0, 2]] = smooth_in_time(facing[first:stop, [0, 2]], HEADING_SIGMA)  # y is zero
    quaternions = shortest_arc(unit(facing), FORWARD)
    quaternions[list(starts)] = (1.0, 0.0, 0.0, 0.0)
    return quaternions


def bone_directions(joints: np.ndarray, body: FeatureBody = HUMANML3D, where: str = "joints") -> np.ndarray:
    """Return the unit direction (T, J, 3) of the bone that ends at each joint; the root's is zero.

    Args:
        joints: (T, J, 3).
        body: whose joints they are.
        where: name of the joints in messages.

    Raises:
        RemogptError: if a joint lies on its parent, since such a bone points nowhere.
    """
    directions = np.empty_like(joints)
    directions[:, 0] = 0
    for joint in body.tree_order:
        np.subtract(joints[:, joint], joints[:, body.parents[joint]], out=directions[:, joint])
    bones = directions[:, 1:]
    lengths = np.sqrt(dot(bones, bones))
    if not (lengths > 1e-9).all():
        frame, bone = (int(index) for index in np.argwhere(~(lengths > 1e-9))[0])
        raise RemogptError(
            f"{where}: wanted every joint apart from its parent, but {_name(bone + 1, body)} lies on "
            f"{_name(body.parents[bone + 1], body)} in frame {frame}. Interpolate the joint that was not captured."
        )
    bones /= lengths[..., None]
    return directions


def _name(joint: int, body: FeatureBody) -> str:
    return JOINT_NAMES[joint] if body.num_joints == len(JOINT_NAMES) else f"joint {joint}"


def inverse_kinematics(
    joints: np.ndarray,
    *,
    root: np.ndarray | None = None,
    directions: np.ndarray | None = None,
    body: FeatureBody = HUMANML3D,
) -> np.ndarray:
    """Turn joint positions into HumanML3D's rotations.

    Entry 0 is the root; entry j turns the bone that ends at j relative to the previous bone of its chain, and the first
    bone of every chain (arms included) relative to the root. `kinematics.chain_forward_kinematics` is the inverse.

    Args:
        joints: (T, J, 3).
        root: (T, 4) turns of the root; default: `root_quaternions` of one clip.
        directions: (T, J, 3), if known: `bone_directions`.
        body: whose joints they are.

    Returns:
        (T, J, 4) float32 quaternions, real part first.

    Raises:
        RemogptError: if a joint lies on its parent.
    """
    directions = bone_directions(joints, body) if directions is None else directions
    world = shortest_arc(body.raw_offsets, directions)  # rotation of each bone from its rest direction
    world[:, 0] = root_quaternions(joints, body=body) if root is None else root
    previous = [0] * body.num_joints
    for chain in body.chains:
        for before, joint in pairwise(chain[1:]):
            previous[joint] = before
    local = quaternion_multiply(quaternion_conjugate(world.T[:, previous].T), world)
    local[:, 0] = world[:, 0]
    return local
