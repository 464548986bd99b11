"""Hold the lengths of legs that a recording stretches, with hips and feet where they were measured.

Cameras that see depth, or none, shorten a thigh that points at them: Kinect's is 47 cm long in a standing person and
30 cm in the same person's squat, while hips and ankles are measured well. Features take the directions of bones at the
lengths of one body, which would push the feet of that squat 30 cm through the floor.
"""

from __future__ import annotations

import numpy as np

from remogpt.motion.cleanup.feet import bend_leg
from remogpt.motion.door.measure import bone_lengths, unit
from remogpt.motion.skeleton import JOINT_INDEX

ELASTIC = 0.08
"""Share of its length by which a bone of the leg changes (10th to 90th percentile) before legs are held."""
_LONG = 80
"""Percentile of a bone's lengths that is its length: seen from the side."""
_STRAIGHT = 0.85
"""Share of thigh and shin by which hip and ankle lie apart, at most, in a recording where the leg is never straight."""
_LEGS = tuple(
    [JOINT_INDEX[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot")] for side in ("left", "right")
)


def hold_legs(joints: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give the legs one length where they change it; knees bend so that hips and ankles stay.

    Both legs get the same lengths. Where a leg is straight at some time, thigh and shin together reach as far as that.
    Toes keep their direction seen from above and one slope, since such recordings guess them.

    Args:
        joints: (T, 22, 3) in any units, y up.

    Returns:
        The joints, and what is to be said; as they came where the legs hold their lengths.
    """
    lengths = bone_lengths(joints)[:, [leg[1:] for leg in _LEGS]]  # (T, 2, 3) thigh, shin and foot of each leg
    low, middle, high = np.percentile(lengths[..., :2], [10, 50, 90], axis=0)
    change = float(((high - low) / np.maximum(middle, 1e-9)).max())
    if change < ELASTIC:
        return joints, ()
    thigh, shin, foot = np.percentile(lengths, _LONG, axis=0).mean(axis=0)
    hips, ankles = (joints[:, [leg[place] for leg in _LEGS]] for place in (0, 2))
    reach = float(np.percentile(np.linalg.norm(ankles - hips, axis=-1), 98, axis=0).max())
    if reach > _STRAIGHT * (thigh + shin):
        thigh, shin = (bone * reach / (thigh + shin) for bone in (thigh, shin))
    held = joints.copy()
    for leg in _LEGS:
        posed = joints[:, leg].copy()
        for place, length in enumerate((thigh, shin, foot)):
            posed[:, place + 1] = posed[:, place] + length * unit(joints[:, leg[place + 1]] - joints[:, leg[place]])
        knee, ankle = bend_leg(posed, joints[:, leg[0]], joints[:, leg[2]])
        held[:, leg[1:]] = np.stack([knee, ankle, ankle + _level(posed[:, 3] - posed[:, 2])], axis=1)
    return held, (f"legs held at one length, knees bent to fit: their bones changed by up to {change:.0%}",)


def _level(foot: np.ndarray) -> np.ndarray:
    """Give a foot (T, 3), from ankle to toe, one slope: its median, from level to half way down."""
    length = np.linalg.norm(foot, axis=-1, keepdims=True)
    drop = np.clip(np.median(-foot[:, 1]), 0.0, length / 2)
    return unit(foot * (1, 0, 1)) * np.sqrt(length**2 - drop**2) - drop * (0, 1, 0)
