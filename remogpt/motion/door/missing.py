"""Put joints that a recording does not have where a body has them: toes, head, spine, collars."""

from __future__ import annotations

import numpy as np

from remogpt.motion.door.measure import at, bone_lengths, front, leg_length, right_to_left, trunk, unit
from remogpt.motion.skeleton import BONE_LENGTHS, JOINT_INDEX, JOINT_NAMES
from remogpt.runtime.errors import RemogptError

_SHORT = 0.012
"""Share of the leg below which a bone has no length."""
_SPINE = ("spine1", "spine2", "spine3")
_LEAN = np.deg2rad(35.0)
"""Angle by which the head stands before the neck (HumanML3D's mean pose)."""


def fill_missing(joints: np.ndarray, origin: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give length to the bones that have none.

    Args:
        joints: (T, 22, 3) in any units and axes, sides as they are.
        origin: file, for messages.

    Returns:
        The joints, and what is to be said.

    Raises:
        RemogptError: if limbs have no length.
    """
    leg = leg_length(joints)
    short = np.median(bone_lengths(joints)[:, 1:], axis=0) < _SHORT * leg
    lacking = [JOINT_NAMES[joint] for joint in np.flatnonzero(short) + 1]
    if not lacking:
        return joints, ()
    size = leg / float(BONE_LENGTHS[[4, 5, 7, 8]].sum() / 2)
    joints = joints.copy()
    if set(lacking) & set(_SPINE) or "neck" in lacking:
        _space_spine(joints)
    for name in lacking:
        joint = JOINT_INDEX[name]
        length = float(BONE_LENGTHS[joint]) * size
        side = name.split("_")[0]
        if name.endswith("foot"):
            joints[:, joint] = at(joints, f"{side}_ankle") + length * _ahead_of_shin(joints, side)
        elif name == "head":
            lean = np.cos(_LEAN) * trunk(joints) + np.sin(_LEAN) * front(joints)
            joints[:, joint] = at(joints, "neck") + length * lean
        elif name.endswith("collar"):
            joints[:, joint] = 0.4 * at(joints, f"{side}_shoulder") + 0.6 * at(joints, "neck")
        elif name.endswith("shoulder"):
            out = right_to_left(joints) * (1 if side == "left" else -1)
            joints[:, joint] = at(joints, f"{side}_collar") + length * out
        elif name not in (*_SPINE, "neck"):
            raise RemogptError(
                f"{origin}: {name} lies on the joint before it; expected limbs with lengths. Say which joint is which "
                f"with a table (remogpt data map, --skeleton)"
            )
    return joints, (f"estimated, since the recording has none: {', '.join(lacking)}",)


def _ahead_of_shin(joints: np.ndarray, side: str) -> np.ndarray:
    """Return the direction (T, 3) square to the shin and to the line between the hips, towards the front."""
    shin = at(joints, f"{side}_ankle") - at(joints, f"{side}_knee")
    across = unit(at(joints, "left_hip") - at(joints, "right_hip"))
    return unit(np.cross(shin, across))


def _space_spine(joints: np.ndarray) -> None:
    """Place the spine's joints on the way from pelvis to neck as our body has them."""
    names = ("pelvis", *_SPINE, "neck")
    way = np.stack([at(joints, name) for name in names])
    if np.median(np.linalg.norm(way[-1] - way[-2], axis=-1)) < 1e-6:  # no neck: half way to the head
        joints[:, JOINT_INDEX["neck"]] = way[-1] = (way[-2] + at(joints, "head")) / 2
    shares = np.cumsum([float(BONE_LENGTHS[JOINT_INDEX[name]]) for name in names[1:]])
    for name, share in zip(_SPINE, shares[:-1] / shares[-1], strict=True):
        joints[:, JOINT_INDEX[name]] = way[0] + share * (way[-1] - way[0])
