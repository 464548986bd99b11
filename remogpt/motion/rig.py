"""Give a motion the skeleton of an animation program: named joints, fixed bones, one rotation a joint and frame.

Named skeletons have our 22 joints under the names that a program looks for, a T as rest pose, and the bones of the
person. A few recordings turn the hips against the waist (CMU's bodies do); a rigid pelvis cannot, so a joint of length
zero named `<child>_pivot` is put between, as CMU's own BVH files do. It is there only where that halves the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from remogpt.motion.rotation_fit import CHILDREN, T_POSE, RotationFit, fit_rotations, rest_offsets
from remogpt.motion.skeleton import JOINT_NAMES, NUM_JOINTS, PARENTS
from remogpt.runtime.errors import RemogptError

_SMPL = (
    "Pelvis", "L_Hip", "R_Hip", "Spine1", "L_Knee", "R_Knee", "Spine2", "L_Ankle", "R_Ankle", "Spine3", "L_Foot",
    "R_Foot", "Neck", "L_Collar", "R_Collar", "Head", "L_Shoulder", "R_Shoulder", "L_Elbow", "R_Elbow", "L_Wrist",
    "R_Wrist",
)  # fmt: skip
_HUMANIK = (
    "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2",
    "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
    "LeftForeArm", "RightForeArm", "LeftHand", "RightHand",
)  # fmt: skip
_UNREAL = (
    "pelvis", "thigh_l", "thigh_r", "spine_01", "calf_l", "calf_r", "spine_02", "foot_l", "foot_r", "spine_03",
    "ball_l", "ball_r", "neck_01", "clavicle_l", "clavicle_r", "head", "upperarm_l", "upperarm_r", "lowerarm_l",
    "lowerarm_r", "hand_l", "hand_r",
)  # fmt: skip

SKELETONS: dict[str, tuple[str, ...]] = {
    "remogpt": JOINT_NAMES,
    "smpl": _SMPL,
    "mixamo": tuple(f"mixamorig:{name}" for name in _HUMANIK),
    "humanik": _HUMANIK,
    "unreal": _UNREAL,
}
"""Joint names of each named skeleton, in our order: this project's, SMPL's, Mixamo's (Maya's HumanIK, MotionBuilder and
Unity take the same without the prefix), and Unreal's mannequin's."""

_LEAVES = tuple(joint for joint, children in enumerate(CHILDREN) if not children)

_RIGID = 5e-4
"""Metres; error of a fork above which pivots are tried."""


@dataclass(frozen=True)
class Rig:
    """A tree of named joints in its rest pose."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for the root; parents come first."""
    offsets: np.ndarray
    """(J, 3) metres, each joint from its parent at rest, y up; the root's is zero."""
    places: tuple[int, ...]
    """Index in `names` of each of our 22 joints; -1 where a rig has none."""
    ends: Mapping[int, np.ndarray]
    """Offset (3,) in metres of the tip beyond each joint without children."""

    @property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Joints that hang on each joint."""
        joints = range(len(self.names))
        return tuple(tuple(child for child in joints if self.parents[child] == joint) for joint in joints)

    @property
    def rest_positions(self) -> np.ndarray:
        """(J, 3) metres, with the root at the origin."""
        positions = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents[1:], start=1):
            positions[joint] = positions[parent] + self.offsets[joint]
        return positions


@dataclass(frozen=True)
class RigMotion:
    """A rig that moves."""

    rig: Rig
    rotations: np.ndarray
    """(T, J, 3, 3) of each joint relative to its parent; the root's in the world."""
    root: np.ndarray
    """(T, 3) metres, position of the root."""
    fps: float

    def positions(self) -> np.ndarray:
        """Pose the rig: joint positions (T, J, 3) in metres."""
        world = [self.rotations[:, 0]]
        positions = [self.root]
        for joint, parent in enumerate(self.rig.parents[1:], start=1):
            positions.append(positions[parent] + world[parent] @ self.rig.offsets[joint])
            world.append(world[parent] @ self.rotations[:, joint])
        return np.stack(positions, axis=1)

    def quaternions(self) -> np.ndarray:
        """Return the rotations as (T, J, 4) unit quaternions, real part first; signs are kept along T."""
        from scipy.spatial.transform import Rotation  # slow to import

        turns = Rotation.from_matrix(self.rotations.reshape(-1, 3, 3)).as_quat(canonical=True)
        quaternions = np.roll(turns, 1, axis=-1).reshape(*self.rotations.shape[:2], 4)
        turned_over = (quaternions[1:] * quaternions[:-1]).sum(-1) < 0
        quaternions[1:] *= np.where(np.cumsum(turned_over, axis=0) % 2, -1.0, 1.0)[..., None]
        return quaternions

    def turned(self, axes: np.ndarray) -> RigMotion:
        """Express the motion in other axes: `axes` (3, 3) takes a vector of ours to theirs."""
        ends = {joint: axes @ end for joint, end in self.rig.ends.items()}
        rig = replace(self.rig, offsets=self.rig.offsets @ axes.T, ends=ends)
        return RigMotion(rig, axes @ self.rotations @ axes.T, self.root @ axes.T, self.fps)


def check_skeleton(skeleton: str) -> None:
    """Refuse the name of a skeleton that cannot be written.

    Raises:
        RemogptError: says which there are.
    """
    if skeleton not in SKELETONS:
        raise RemogptError(
            f"no skeleton named {skeleton!r} to write; there are {', '.join(SKELETONS)}, or a .bvh file with your rig"
        )


def is_own_rig(skeleton: str | None) -> bool:
    """Tell whether a skeleton is a rig of the user's own, named by its file."""
    return skeleton is not None and skeleton not in SKELETONS and Path(skeleton).suffix.lower() == ".bvh"


def rig_motion(joints: np.ndarray, fps: float, skeleton: str = "remogpt", *, pivots: bool = True) -> RigMotion:
    """Fit a named skeleton with the person's own bone lengths to joint positions.

    Args:
        joints: (T, 22, 3) metres. Where bone lengths vary over time, their medians are taken.
        fps: frames a second.
        skeleton: one of `SKELETONS`.
        pivots: put joints of length zero where a rigid fork would be wrong.

    Raises:
        RemogptError: unknown skeleton, or a joint that lies on its parent.
    """
    check_skeleton(skeleton)
    offsets = rest_offsets(joints)
    fit = fit_rotations(joints, offsets, same_body=True)
    loose = [int(child) for child in np.flatnonzero(fit.fork_error > _RIGID)] if pivots else []
    if loose:
        free = fit_rotations(joints, offsets, same_body=True, swinging=loose)
        if _misplaced(free, joints) < 0.5 * _misplaced(fit, joints):
            fit = free
        else:  # what is wrong are the lengths of bones, which no joint mends
            loose = []
    return _with_pivots(SKELETONS[skeleton], offsets, fit, joints[:, 0].astype(np.float64), fps, loose)


def _misplaced(fit: RotationFit, joints: np.ndarray) -> float:
    """Return the mean distance in metres of the joints from where they should be."""
    return float(np.linalg.norm(fit.posed - joints, axis=-1).mean())


def _with_pivots(
    names: tuple[str, ...], offsets: np.ndarray, fit: RotationFit, root: np.ndarray, fps: float, loose: list[int]
) -> RigMotion:
    """Put a joint of length zero before each joint in `loose`, which turns the bone alone."""
    order: list[tuple[int, bool]] = []  # (our joint, whether this is its pivot)
    for joint in range(NUM_JOINTS):
        order += [(joint, True)] * (joint in loose) + [(joint, False)]
    places = tuple(order.index((joint, False)) for joint in range(NUM_JOINTS))
    parents = tuple(
        order.index((joint, True)) if joint in loose and not is_pivot else places[PARENTS[joint]] if joint else -1
        for joint, is_pivot in order
    )
    rig = Rig(
        tuple(f"{names[joint]}_pivot" if is_pivot else names[joint] for joint, is_pivot in order),
        parents,
        np.stack([offsets[joint] * (not is_pivot) for joint, is_pivot in order]),
        places,
        {places[leaf]: 0.5 * np.linalg.norm(offsets[leaf]) * T_POSE[leaf] for leaf in _LEAVES},
    )
    rotations = np.stack([(fit.swings if pivot else fit.rotations)[:, joint] for joint, pivot in order], axis=1)
    return RigMotion(rig, rotations, root, fps)
