"""Give a body bones of constant length."""

from __future__ import annotations

import numpy as np

from remogpt.motion.inverse_kinematics import unit
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.rotation_fit import CHILDREN, best_rotation, rest_offsets
from remogpt.motion.skeleton import BONE_LENGTHS
from remogpt.runtime.errors import RemogptError

RIGID = 1e-4
"""Metres that a joint of a rigid skeleton may be off."""
_SHAPE_FRAMES = 32
"""Frames from which the shape of pelvis and chest is taken."""


def hold_bones(joints: np.ndarray, lengths: np.ndarray = BONE_LENGTHS) -> np.ndarray:
    """Fit a skeleton with rigid pelvis and chest to joint positions, so that joint rotations alone describe them.

    Each bone aims at the place of its joint, so that errors do not add up along a limb.

    Args:
        joints: (T, 22, 3) metres.
        lengths: (22,) metres, of the bone that ends at each joint.

    Returns:
        (T, 22, 3) float64 metres; the pelvis stays where it is.

    Raises:
        RemogptError: if a joint lies on its parent.
    """
    joints = joints.astype(np.float64)
    shape = rest_offsets(joints[:: max(1, len(joints) // _SHAPE_FRAMES)])
    held = joints.copy()
    for joint, children in enumerate(CHILDREN):
        hung = list(children)
        bones = unit(joints[:, hung] - held[:, joint, None]) * lengths[hung, None]
        if len(hung) > 1:
            rest = unit(shape[hung]) * lengths[hung, None]
            bones = rest @ best_rotation(rest, bones).swapaxes(1, 2)
        held[:, hung] = held[:, joint, None] + bones
    return held


def hold_bones_like(joints: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """Give a changed motion the bones of the one that it was made of, where these keep their length.

    Args:
        joints: (T, 22, 3) metres.
        changed: (U, 22, 3) metres, the same body.

    Returns:
        (U, 22, 3) float32; `changed` itself where `joints` are of no rigid skeleton, to `RIGID`.
    """
    lengths = np.median(np.linalg.norm(bone_offsets(joints.astype(np.float64)), axis=-1), axis=0)
    try:
        is_rigid = np.abs(hold_bones(joints, lengths) - joints).max() < RIGID
    except RemogptError:  # a joint lies on its parent
        return changed
    return hold_bones(changed, lengths).astype(np.float32) if is_rigid else changed
