"""Vary motions in training: as another person may do the same, and another camera or suit record it.

A network that has seen clean motion alone is lost on recordings: depth cameras and pose estimation from video tilt a
bone by some degrees for a whole clip, let it drift and tremble, and people move their arms less, or more, than an
animator would. Where the body goes, and when, stays as it is, so that what captions say still holds.
"""

import numpy as np

from remogpt.motion.features import features_to_joints, joints_to_features
from remogpt.motion.skeleton import JOINT_INDEX, NUM_JOINTS, PARENTS

TILT, FOOT_TILT = 0.12, 0.06
"""Standard deviation of the tilt of a bone and of a shin or foot, the same in all of a clip, radians for each axis."""
DRIFT, DRIFT_FRAMES = 0.05, 12
"""Standard deviation of a tilt that comes and goes, radians; frames from one to the next."""
TREMBLE = 0.015
"""Standard deviation of a tilt that changes in every frame, radians."""
SWAY = 0.008
"""Standard deviation of the drift of the whole body, metres."""
ARM_RANGE = (0.7, 1.15)
"""How far arms move from where they are on average, beside the given motion, least and most."""

_ARMS = [JOINT_INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")]
_FEET = [JOINT_INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("ankle", "foot")]
_PARENTS = [max(parent, 0) for parent in PARENTS]


def varied(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a motion's features (T, 263) as another recording of it would have them, (T - 1, 263).

    Args:
        features: raw features.
        rng: draws what changes.
    """
    return joints_to_features(varied_joints(features_to_joints(features), rng))


def sometimes_varied(features: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a motion's features varied in a share of the draws, else as they are."""
    return varied(features, rng) if share and rng.random() < share else features


def varied_joints(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return joints (T, 22, 3), metres, as another recording would have them, as long; the floor is at 0."""
    length = len(joints)
    turned = _heading(joints)
    bones = _turn(joints - joints[:, _PARENTS], -turned)
    mean = bones.mean(axis=0)
    bones[:, _ARMS] = mean[_ARMS] + rng.uniform(*ARM_RANGE) * (bones[:, _ARMS] - mean[_ARMS])
    tilt = rng.normal(0.0, TILT, (NUM_JOINTS, 3))
    tilt[_FEET] *= FOOT_TILT / TILT
    tilts = tilt + _drift(rng, DRIFT, (length, NUM_JOINTS, 3)) + rng.normal(0.0, TREMBLE, (length, NUM_JOINTS, 3))
    bones = _turn(bones + np.linalg.norm(bones, axis=-1, keepdims=True) * tilts, turned)
    placed = np.empty_like(bones)
    placed[:, 0] = joints[:, 0] + _drift(rng, SWAY, (length, 3))
    for joint in range(1, NUM_JOINTS):
        placed[:, joint] = placed[:, PARENTS[joint]] + bones[:, joint]
    placed[..., 1] -= placed[..., 1].min()
    return placed


def _heading(joints: np.ndarray) -> np.ndarray:
    """(T,) direction across the hips, radians."""
    across = joints[:, JOINT_INDEX["right_hip"]] - joints[:, JOINT_INDEX["left_hip"]]
    return np.arctan2(across[:, 2], across[:, 0])


def _turn(vectors: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Turn vectors (T, J, 3) around the vertical, each frame by its angle, in float64."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y, z = (vectors[..., axis].astype(np.float64) for axis in range(3))
    return np.stack([cos * x - sin * z, y, sin * x + cos * z], axis=-1)


def _drift(rng: np.random.Generator, deviation: float, shape: tuple[int, ...]) -> np.ndarray:
    """Draw values every few frames, and go smoothly from each to the next; the first axis is time."""
    knots = rng.normal(0.0, deviation, (shape[0] // DRIFT_FRAMES + 2, *shape[1:]))
    before, part = np.divmod(np.arange(shape[0]), DRIFT_FRAMES)
    eased = (part / DRIFT_FRAMES) ** 2 * (3.0 - 2.0 * part / DRIFT_FRAMES)
    eased = eased.reshape(-1, *[1] * (len(shape) - 1))
    return np.asarray(knots[before] * (1.0 - eased) + knots[before + 1] * eased)
