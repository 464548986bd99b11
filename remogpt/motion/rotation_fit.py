"""Turn joint positions into the rotations of a skeleton with fixed bones, in closed form, frame by frame.

Positions do not tell how a limb is twisted about its own axis. Where three bones leave a joint (pelvis, chest), their
directions give the whole rotation. Everywhere else the twist is taken from a table of resting directions, so that it is
the same function of the pose in every frame: smooth, without memory, and the same for a body that faces elsewhere.

Conventions: metres, y up; rest pose is a T that faces +z; a joint's rotation turns the bones that leave it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from remogpt.motion.inverse_kinematics import unit
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.rotations import quaternion_to_matrix, shortest_arc
from remogpt.motion.skeleton import JOINT_NAMES, NUM_JOINTS, PARENTS
from remogpt.runtime.errors import RemogptError

CHILDREN = tuple(tuple(child for child in range(NUM_JOINTS) if PARENTS[child] == joint) for joint in range(NUM_JOINTS))
"""Joints that hang on each joint."""
_FORKS = tuple(children for children in CHILDREN if len(children) > 1)
_PROCRUSTES_ROUNDS = 4


def _t_pose() -> np.ndarray:
    directions = np.zeros((NUM_JOINTS, 3))
    for index, name in enumerate(JOINT_NAMES):
        side = 1.0 if name.startswith("left") else -1.0
        joint_kind = name.split("_")[-1]
        if joint_kind == "hip":
            directions[index] = (0.5 * side, -0.8, 0.0)
        elif joint_kind == "collar":
            directions[index] = (0.5 * side, 0.8, 0.0)
        elif joint_kind in ("knee", "ankle"):
            directions[index] = (0.0, -1.0, 0.0)
        elif joint_kind == "foot":
            directions[index] = (0.0, -0.42, 0.9)  # the sole is level
        elif joint_kind in ("shoulder", "elbow", "wrist"):
            directions[index] = (side, 0.0, 0.0)
        elif joint_kind != "pelvis":
            directions[index] = (0.0, 1.0, 0.0)
    return unit(directions)


T_POSE = _t_pose()
"""(22, 3) unit direction in which the bone that ends at each joint points at rest."""

_MIDDLES = {"knee": (0.15, -0.8, 0.5), "ankle": (0.0, -0.7, -0.7), "elbow": (0.8, -0.3, 0.5), "wrist": (0.7, 0.0, 0.7)}
"""Middle of the reach of a left limb's bones, relative to the joint they leave.

No choice of twist is smooth in all directions: at one it must jump. The jump lies opposite of this middle, where no
healthy limb gets to; opposite of the rest pose it would lie straight up for a thigh, and across the chest for an arm.
"""


def _middles() -> np.ndarray:
    middles = T_POSE.copy()
    for index, name in enumerate(JOINT_NAMES):
        side, _, joint_kind = name.partition("_")
        if joint_kind in _MIDDLES:
            middles[index] = np.multiply(_MIDDLES[joint_kind], (1.0 if side == "left" else -1.0, 1.0, 1.0))
    return unit(middles)


@dataclass(frozen=True)
class RotationFit:
    """A skeleton's rotations in each frame, and how well its forks fit."""

    rotations: np.ndarray
    """(T, 22, 3, 3) rotation of each joint relative to its parent; leaves keep their parent's."""
    swings: np.ndarray
    """(T, 22, 3, 3) rotation of the bone that ends at a joint, before the joint's own; identity where not asked for."""
    fork_error: np.ndarray
    """(22,) metres by which a rigid fork misplaces each joint at most; 0 where a joint has one child."""
    posed: np.ndarray
    """(T, 22, 3) metres: where the skeleton's joints come to lie, the pelvis at its place in the motion."""


def rest_offsets(joints: np.ndarray) -> np.ndarray:
    """Return a person's bones in a T-pose: each joint relative to its parent, (22, 3) metres.

    Args:
        joints: (T, 22, 3) metres. Lengths are medians over time; the bones of a fork keep their mean shape.

    Raises:
        RemogptError: if a joint lies on its parent in most frames.
    """
    bones = bone_offsets(joints.astype(np.float64))
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    if (lengths[1:] < 1e-4).any():
        bone = 1 + int(np.argmax(lengths[1:] < 1e-4))
        raise RemogptError(
            f"joints: wanted every joint apart from its parent, but {JOINT_NAMES[bone]} lies on "
            f"{JOINT_NAMES[PARENTS[bone]]}. Interpolate the joint that was not captured."
        )
    offsets = T_POSE * lengths[:, None]
    for children in map(list, _FORKS):
        upright = shape = offsets[children]
        for _ in range(_PROCRUSTES_ROUNDS):
            turned = best_rotation(shape, bones[:, children])
            shape = np.einsum("tji,tcj->ci", turned, bones[:, children]) / len(bones)
        shape = unit(shape @ best_rotation(shape, upright[None])[0].T)
        offsets[children] = shape * lengths[children, None]
    return offsets


def fit_rotations(
    joints: np.ndarray, offsets: np.ndarray, *, same_body: bool = False, swinging: Collection[int] = ()
) -> RotationFit:
    """Find the rotations that turn the bones of a rest pose into those of a motion.

    Args:
        joints: (T, 22, 3) metres.
        offsets: (22, 3) metres, each joint from its parent at rest.
        same_body: the rest pose is this person's own. Bones then aim at the joints' positions, so that errors of bones
            whose lengths vary do not add up along a limb. Otherwise bones keep the directions of the motion's.
        swinging: children of forks whose bones get a rotation of their own; elsewhere forks are rigid, and fit best.
    """
    joints = joints.astype(np.float64)
    # The middles are told for a T-pose; a rest pose whose bone points elsewhere turns them along.
    middles = np.einsum("jik,jk->ji", _arc(T_POSE, offsets), _middles())
    local = np.tile(np.eye(3), (len(joints), NUM_JOINTS, 1, 1))
    # Of the bones that leave a joint; of the bone that ends there, alone; of its parent and that bone together.
    world, swings, carried = local.copy(), local.copy(), local.copy()
    posed, fork_error = joints.copy(), np.zeros(NUM_JOINTS)
    for joint, children in enumerate(CHILDREN):
        if not children:  # nothing shows how a leaf is turned: it keeps its parent's rotation
            continue
        hung = list(children)
        bones = joints[:, hung] - (posed if same_body else joints)[:, joint, None]
        bones = unit(bones) * np.linalg.norm(offsets[hung], axis=-1)[:, None]
        inverse = carried[:, joint].swapaxes(1, 2)
        if len(hung) > 1:
            local[:, joint] = inverse @ best_rotation(offsets[hung], bones)
        else:
            wanted = np.einsum("tij,tj->ti", inverse, bones[:, 0])
            local[:, joint] = _swing(offsets[hung[0]], middles[hung[0]], wanted)
        world[:, joint] = carried[:, joint] @ local[:, joint]
        for number, child in enumerate(hung):
            wanted = np.einsum("tji,tj->ti", world[:, joint], bones[:, number])
            fork_error[child] = np.linalg.norm(wanted - offsets[child], axis=-1).max()
            if child in swinging:
                swings[:, child] = _arc(offsets[child], wanted)
            carried[:, child] = world[:, joint] @ swings[:, child]
            posed[:, child] = posed[:, joint] + carried[:, child] @ offsets[child]
    return RotationFit(local, swings, fork_error, posed)


def world_rotations(local: np.ndarray) -> np.ndarray:
    """Turn our joints' rotations (T, 22, 3, 3) relative to their parents into rotations in the world."""
    world = [local[:, 0]]
    for joint in range(1, NUM_JOINTS):
        world.append(world[PARENTS[joint]] @ local[:, joint])
    return np.stack(world, axis=1)


def best_rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotations (T, 3, 3) that bring the vectors `source` (C, 3) closest to `target` (T, C, 3).

    Source: Kabsch, Acta Crystallographica A32 (1976) 922, by singular values.
    """
    left, _, right = np.linalg.svd(np.einsum("tci,cj->tij", target, source))
    # Where a reflection fits better than any rotation, the last axis is flipped back.
    left[..., 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return left @ right


def _swing(rest: np.ndarray, middle: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Turn `rest` (3,) onto `wanted` (T, 3), by way of the middle of its reach; rest itself needs no turn."""
    return _arc(middle, wanted) @ _arc(rest, middle)


def _arc(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return quaternion_to_matrix(shortest_arc(source, target).astype(np.float64))
