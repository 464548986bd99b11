"""Write features anew for joints that were moved."""

from __future__ import annotations

import numpy as np

from remogpt.motion.features import (
    CONTACTS,
    POSITIONS,
    ROOT_HEIGHT,
    ROTATIONS,
    VELOCITIES,
    foot_contacts,
    recover_root,
    turned,
)
from remogpt.motion.inverse_kinematics import inverse_kinematics
from remogpt.motion.rotations import quaternion_to_6d


def with_joints(features: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return features whose channels tell of `joints`, in the headings that `features` has.

    Args:
        features: (T, 263) raw.
        joints: (T, 22, 3) metres, the pelvis of frame 0 at x = z = 0.

    Returns:
        (T, 263) float32, which give `joints` back. The last row, which leads to a frame that is not there, keeps its
        step of the root and repeats velocities and contacts of the row before.

    Raises:
        RemogptError: if a joint lies on its parent.
    """
    turn, _ = recover_root(features.astype(np.float64))
    written = features.astype(np.float32)
    steps = np.diff(joints, axis=0)
    written[:-1, 1], written[:-1, 2] = turned(steps[:, 0, 0], steps[:, 0, 2], -turn[1:])
    written[:, ROOT_HEIGHT] = joints[:, 0, 1:2]
    places = joints[:, 1:] - joints[:, :1] * [1.0, 0.0, 1.0]
    written[:, POSITIONS] = _in_heading(places, turn)
    half = turn / 2
    zero = np.zeros_like(half)
    root = np.stack([np.cos(half), zero, np.sin(half), zero], axis=-1).astype(np.float32)
    rotations = quaternion_to_6d(inverse_kinematics(joints, root=root)[:, 1:])
    written[:, ROTATIONS] = rotations.reshape(len(joints), -1)
    written[:-1, VELOCITIES] = _in_heading(steps, turn[:-1])
    written[:-1, CONTACTS] = foot_contacts(joints)
    if len(joints) > 1:
        written[-1, VELOCITIES.start :] = written[-2, VELOCITIES.start :]
    return written


def _in_heading(vectors: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Express vectors (T, J, 3) in the heading of each frame, and return them as (T, 3 J)."""
    x, z = turned(vectors[..., 0], vectors[..., 2], -turn[:, None])
    return np.stack([x, vectors[..., 1], z], axis=-1).reshape(len(vectors), 3 * vectors.shape[1])
