"""Convert joint rotations to joint positions (forward kinematics).

Arrays are NumPy or torch, and torch stays differentiable. Metres, y up.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from remogpt.motion.arrays import Array, like, namespace
from remogpt.motion.skeleton import CHAINS, NUM_JOINTS, PARENTS, TARGET_OFFSETS


def forward_kinematics(local_rotations: Array, root: Array, offsets: np.ndarray = TARGET_OFFSETS) -> Array:
    """Turn each joint's rotation relative to its parent into joint positions.

    The rotation of joint j turns the bones that *leave* j; entry 0 is the root's orientation in the world.
    Rotations of the leaves (feet, head, wrists) have no effect.

    Args:
        local_rotations: (..., 22, 3, 3), relative to the parent in `skeleton.PARENTS`.
        root: (..., 3) metres, position of the pelvis.
        offsets: (22, 3) metres, each joint from its parent in the rest pose.

    Returns:
        (..., 22, 3) metres.
    """
    turns = like(offsets, root)
    world: list[Any] = [local_rotations[..., 0, :, :]]
    positions: list[Any] = [root]
    for joint in range(1, NUM_JOINTS):
        parent = PARENTS[joint]
        positions.append(positions[parent] + world[parent] @ turns[joint])
        world.append(world[parent] @ local_rotations[..., joint, :, :])
    return namespace(root).stack(positions, axis=-2)


def chain_forward_kinematics(
    rotations: Array,
    root: Array,
    offsets: np.ndarray = TARGET_OFFSETS,
    chains: tuple[tuple[int, ...], ...] = CHAINS,
) -> Array:
    """Turn HumanML3D's rotations, which are relative along each chain, into joint positions.

    In HumanML3D the rotation of joint j turns the bone that *ends* at j, and every chain (arms included) starts from
    the root's orientation. Use `forward_kinematics` for everything else.

    Args:
        rotations: (..., 22, 3, 3); entry 0 is the root's orientation.
        root: (..., 3) metres, position of the pelvis.
        offsets: (22, 3) metres, each joint from its parent in the rest pose.
        chains: joints of each limb, root first.

    Returns:
        (..., 22, 3) metres.

    Source: HumanML3D 9176e8f, `Skeleton.forward_kinematics_np`.
    """
    turns = like(offsets, root)
    positions: list[Any] = [root] + [None] * (len(offsets) - 1)
    for chain in chains:
        world = rotations[..., 0, :, :]
        for parent, joint in pairwise(chain):
            world = world @ rotations[..., joint, :, :]
            positions[joint] = world @ turns[joint] + positions[parent]
    return namespace(root).stack(positions, axis=-2)


def bone_offsets(joints: Array) -> Array:
    """Return each joint's position relative to its parent's, (..., 22, 3); the root's is zero."""
    index = [max(parent, 0) for parent in PARENTS]
    return joints - joints[..., index, :]
