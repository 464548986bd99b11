"""Measure a body for the checks: directions of trunk, front and sides, lengths of limbs. Any units, any axes."""

from __future__ import annotations

import numpy as np

from remogpt.motion.skeleton import BONE_LENGTHS, JOINT_INDEX, PARENTS

OUR_LEG = float(BONE_LENGTHS[[4, 5, 7, 8]].sum() / 2)
"""Metres from hip to ankle along the bones of the feature format's body."""
_UP = [max(parent, 0) for parent in PARENTS]
_SPINE = [JOINT_INDEX[name] for name in ("spine1", "spine2", "spine3", "neck")]


def at(joints: np.ndarray, name: str) -> np.ndarray:
    """Return (T, 3) positions of a joint; `ankles` and the like mean the middle between left and right."""
    if name in JOINT_INDEX:
        return joints[:, JOINT_INDEX[name]]
    single = name.removesuffix("s").replace("feet", "foot")
    return (joints[:, JOINT_INDEX[f"left_{single}"]] + joints[:, JOINT_INDEX[f"right_{single}"]]) / 2


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length one; zero stays zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """Return (T, 22), the length of the bone that ends at each joint; the root's is zero."""
    return np.asarray(np.linalg.norm(joints - joints[:, _UP], axis=-1))


def leg_length(joints: np.ndarray) -> float:
    """Return the length from hip to ankle along the bones, mean of both legs, median of the frames."""
    return float(np.median(bone_lengths(joints)[:, [4, 5, 7, 8]].sum(-1)) / 2)


def head_height(joints: np.ndarray) -> float:
    """Return how high the head would stand over the ankles of a person who stands straight."""
    bones = np.median(bone_lengths(joints), axis=0)
    return float(bones[[4, 5, 7, 8]].sum() / 2 + bones[_SPINE].sum() + bones[JOINT_INDEX["head"]])


def trunk_length(joints: np.ndarray) -> float:
    """Return the length from pelvis to neck along the bones."""
    return float(np.median(bone_lengths(joints), axis=0)[_SPINE].sum())


def stands(rest: np.ndarray) -> bool:
    """Return whether a rest pose (22, 3) is a person's who stands: both legs straight and away from the trunk."""
    pose = rest[None]
    up = trunk(pose)[0]
    for side in ("left", "right"):
        down = (at(pose, f"{side}_ankle") - at(pose, f"{side}_hip"))[0]
        if np.linalg.norm(down) < 0.85 * leg_length(pose) or float(unit(down) @ up) > -0.8:
            return False
    return True


def right_to_left(joints: np.ndarray) -> np.ndarray:
    """Return the unit direction (T, 3) from the right joints of hips and shoulders to the left ones."""
    across = sum(at(joints, f"left_{part}") - at(joints, f"right_{part}") for part in ("hip", "shoulder"))
    return unit(np.asarray(across))


def trunk(joints: np.ndarray) -> np.ndarray:
    """Return the unit direction (T, 3) from the hips to the neck."""
    return unit(at(joints, "neck") - at(joints, "hips"))


def front(joints: np.ndarray) -> np.ndarray:
    """Return the unit direction (T, 3) that the chest faces, if left and right are named as they are."""
    return unit(np.cross(right_to_left(joints), trunk(joints)))
