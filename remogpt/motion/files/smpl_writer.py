"""Write motions as SMPL pose parameters in the layout of AMASS, and as plain joint rotations.

AMASS: one .npz with `poses` (T, 156) axis-angle radians (22 body joints, then 30 of the hands, which are zero), `trans`
(T, 3) metres, `betas` (16,) zeros, `gender` neutral, `mocap_framerate`; z is up, as in AMASS.

No body model is needed to write them: the rotations are fitted to the mean body's resting skeleton. Positions that SMPL
gives back differ where the person's proportions differ from the mean body's; directions of bones are the motion's.

Source: AMASS, arXiv 1904.03278; the resting skeleton of the neutral body as common tools list it (HybrIK, arXiv
    2011.14672).
differs: left and right of that skeleton are averaged and rounded to millimetres.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from remogpt.motion.features import foot_contacts
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.rig import rig_motion
from remogpt.motion.rotation_fit import fit_rotations
from remogpt.motion.skeleton import FPS, JOINT_INDEX, JOINT_NAMES, LEG_JOINTS, NUM_JOINTS, PARENTS

NUM_SMPL_H_JOINTS = 52
PELVIS = np.array([-0.0018, -0.2233, 0.0282])
"""Metres: where the mean body's pelvis rests; SMPL turns the body about it."""
_MIDDLE = {
    "spine1": (0.0, 0.109, -0.027), "spine2": (0.0, 0.135, 0.001), "spine3": (0.0, 0.053, 0.025),
    "neck": (0.0, 0.214, -0.043), "head": (0.0, 0.065, 0.051),
}  # fmt: skip
_LEFT = {
    "hip": (0.069, -0.091, -0.006), "knee": (0.036, -0.379, -0.007), "ankle": (-0.015, -0.398, -0.043),
    "foot": (0.026, -0.052, 0.121), "collar": (0.080, 0.120, -0.036), "shoulder": (0.094, 0.032, -0.009),
    "elbow": (0.257, -0.013, -0.024), "wrist": (0.252, 0.008, -0.003),
}  # fmt: skip


def _smpl_rest() -> np.ndarray:
    offsets = np.zeros((NUM_JOINTS, 3))
    for name, offset in _MIDDLE.items():
        offsets[JOINT_INDEX[name]] = offset
    for name, offset in _LEFT.items():
        offsets[JOINT_INDEX[f"left_{name}"]] = offset
        offsets[JOINT_INDEX[f"right_{name}"]] = np.multiply(offset, (-1.0, 1.0, 1.0))
    offsets.flags.writeable = False
    return offsets


SMPL_REST: np.ndarray = _smpl_rest()
"""(22, 3) metres: each joint of SMPL's neutral mean body from its parent, at rest, y up."""


def amass_arrays(joints: np.ndarray, fps: float, axes: np.ndarray) -> dict[str, Any]:
    """Return the arrays of an AMASS file.

    Args:
        joints: (T, 22, 3) metres, y up. Paths are scaled by the legs, so that the mean body's feet stay on the floor.
        fps: frames a second.
        axes: (3, 3) from our axes to those of the file.
    """
    from scipy.spatial.transform import Rotation  # slow to import

    rotations = fit_rotations(joints, SMPL_REST).rotations
    rotations[:, 0] = axes @ rotations[:, 0]
    poses = np.zeros((len(joints), NUM_SMPL_H_JOINTS, 3), dtype=np.float32)
    poses[:, :NUM_JOINTS] = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec().reshape(-1, NUM_JOINTS, 3)
    legs = list(LEG_JOINTS)
    own = np.median(np.linalg.norm(bone_offsets(joints.astype(np.float64))[:, legs], axis=-1).sum(-1))
    scale = np.linalg.norm(SMPL_REST[legs], axis=-1).sum() / own
    return {
        "poses": poses.reshape(len(joints), -1),
        "trans": ((joints[:, 0] * scale) @ axes.T - PELVIS).astype(np.float32),
        "betas": np.zeros(16, dtype=np.float32),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(float(fps)),
    }


def rotation_arrays(joints: np.ndarray, fps: float, axes: np.ndarray, metres_per_unit: float) -> dict[str, Any]:
    """Return root, joint rotations, resting skeleton and foot contacts of a motion.

    Args:
        joints: (T, 22, 3) metres, y up.
        fps: frames a second.
        axes: (3, 3) from our axes to those of the file.
        metres_per_unit: of positions in the file.

    Returns:
        `root` (T, 3), `quaternions` (T, 22, 4) relative to the parent, real part first, `offsets` (22, 3) at rest,
        `parents`, `names`, and `contacts` (T, 4): 1 where left ankle, left foot, right ankle, right foot rest.
    """
    motion = rig_motion(joints, fps, pivots=False).turned(axes)
    contacts = foot_contacts(joints * (fps / FPS)) if len(joints) > 1 else np.zeros((0, 4), dtype=np.float32)
    return {
        "root": (motion.root / metres_per_unit).astype(np.float32),
        "quaternions": motion.quaternions().astype(np.float32),
        "offsets": (motion.rig.offsets / metres_per_unit).astype(np.float32),
        "parents": np.array(PARENTS),
        "names": np.array(JOINT_NAMES),
        "contacts": np.concatenate([contacts, contacts[-1:] if len(contacts) else np.zeros((1, 4), np.float32)]),
    }
