"""Convert joint positions to one rotation per bone, as HumanML3D does.

The routine reproduces the data set's processing, errors included, since every published model was trained on its
numbers. Two of its rules look like bugs:

* Hip swap: the hips enter the heading with the opposite sign of the shoulders. Correcting this would change
  channels 0-2 and 67-258 of every clip.
* The root rotation of frame 0 is the identity, whatever the body's heading.

Source: HumanML3D 9176e8f, `Skeleton.inverse_kinematics_np`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from remogpt.motion.rotations import quaternion_conjugate, quaternion_multiply, shortest_arc
from remogpt.motion.skeleton import CHAINS, FACE_JOINTS, JOINT_NAMES, NUM_JOINTS, PARENTS, RAW_OFFSETS
from remogpt.runtime.errors import RemogptError

HEADING_SIGMA = 20
"""Frames; standard deviation of the Gaussian that smooths the heading (one second)."""

FORWARD = np.array([0.0, 0.0, 1.0])


def heading(joints: np.ndarray, *, hip_swap: bool) -> np.ndarray:
    """Return the horizontal facing direction, (T, 3) float64; shorter than 1 where the body leans sideways.

    Args:
        joints: (T, 22, 3) metres.
        hip_swap: give the hips the opposite sign of the shoulders, as the reference does inside its inverse
            kinematics (but not when it turns a clip to face +z).
    """
    right_hip, left_hip, right_shoulder, left_shoulder = FACE_JOINTS
    hips = joints[:, right_hip] - joints[:, left_hip]
    shoulders = joints[:, right_shoulder] - joints[:, left_shoulder]
    across = unit((shoulders - hips if hip_swap else shoulders + hips).astype(np.float64))
    return np.stack([across[:, 2], np.zeros(len(across)), -across[:, 0]], axis=-1)  # up x across


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (..., 3) to length one; zero stays zero."""
    lengths = np.sqrt((vectors * vectors).sum(-1, keepdims=True))
    return vectors / np.where(lengths > 0, lengths, 1)


def smooth_in_time(values: np.ndarray, sigma: float) -> np.ndarray:
    """Filter (T, C) along time with a Gaussian cut at four sigma; the ends are repeated.

    Equal to `scipy.ndimage.gaussian_filter1d(values, sigma, axis=0, mode="nearest")`.
    """
    radius = int(4.0 * sigma + 0.5)
    ramp = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (ramp / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=-1)


def root_quaternions(joints: np.ndarray, sigma: float = HEADING_SIGMA) -> np.ndarray:
    """Return the turns (T, 4) float32 that bring the smoothed heading of each frame to +z; frame 0 is the identity."""
    smoothed = smooth_in_time(heading(joints, hip_swap=True), sigma)
    quaternions = shortest_arc(unit(smoothed), FORWARD)
    quaternions[0] = (1.0, 0.0, 0.0, 0.0)
    return quaternions


def bone_directions(joints: np.ndarray) -> np.ndarray:
    """Return the unit direction (T, 22, 3) of the bone that ends at each joint; the root's is zero.

    Raises:
        RemogptError: if a joint lies on its parent, since such a bone points nowhere.
    """
    bones = joints[:, 1:] - joints[:, list(PARENTS[1:])]
    lengths = np.sqrt((bones * bones).sum(-1, keepdims=True))
    if not (lengths > 1e-9).all():
        frame, bone = (int(index) for index in np.argwhere(~(lengths[..., 0] > 1e-9))[0])
        raise RemogptError(
            f"joints: wanted every joint apart from its parent, but {JOINT_NAMES[bone + 1]} lies on "
            f"{JOINT_NAMES[PARENTS[bone + 1]]} in frame {frame}. Interpolate the joint that was not captured."
        )
    directions = np.zeros_like(joints)
    directions[:, 1:] = bones / lengths
    return directions


def inverse_kinematics(joints: np.ndarray) -> np.ndarray:
    """Turn joint positions into HumanML3D's rotations.

    Entry 0 is the root; entry j turns the bone that ends at j relative to the previous bone of its chain, and the first
    bone of every chain (arms included) relative to the root. `kinematics.chain_forward_kinematics` is the inverse.

    Args:
        joints: (T, 22, 3) metres.

    Returns:
        (T, 22, 4) float32 quaternions, real part first.

    Raises:
        RemogptError: if a joint lies on its parent.
    """
    root = root_quaternions(joints)
    world = shortest_arc(RAW_OFFSETS, bone_directions(joints))  # rotation of each bone from its rest direction
    world[:, 0] = root
    previous = [0] * NUM_JOINTS
    for chain in CHAINS:
        for before, joint in pairwise(chain[1:]):
            previous[joint] = before
    local = quaternion_multiply(quaternion_conjugate(world[:, previous]), world)
    local[:, 0] = root
    return local
