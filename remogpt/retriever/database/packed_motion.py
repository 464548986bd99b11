"""Keep a motion in an eighth of its features' bytes: joint positions in 16 bits, from which features are made again."""

from dataclasses import dataclass

import numpy as np

from remogpt.motion.feature_body import HUMANML3D, KIT, body_of
from remogpt.motion.features import (
    ROOT_HEIGHT,
    features_to_joints,
    joints_to_features,
    recover_root,
    turned,
)

LARGEST = np.iinfo(np.int16).max
GROUND = [0, 2]
"""Axes x and z."""


@dataclass(frozen=True)
class PackedMotion:
    """Joint positions of a motion, as whole multiples of a length."""

    joints: np.ndarray
    """(T + 1, J, 3) int16: of joints 1 to J - 1 the position relative to the root's x and z; of the root its height,
    and in x and z the way from the frame before. One frame more than rows of features, which tell the way on."""
    unit: float
    """In the features' own: metres, some .05 mm, more for a motion faster than 30 m/s. (With .1 mm, turns add up to a
    way that is off by more than a millimetre.)"""

    @classmethod
    def pack(cls, features: np.ndarray) -> "PackedMotion":
        """Pack (T, F) raw features."""
        joints = _with_next_frame(features)
        largest = max(np.abs(_relative(joints)).max(), 1.0)
        unit = np.float32(largest / (LARGEST - 1))  # the difference of two rounded numbers may be one more
        # Rounded before the differences are taken, so that they add up to the path without a growing error.
        return cls(_relative(np.round(joints / np.float64(unit)).astype(np.int64)).astype(np.int16), float(unit))

    @classmethod
    def of_steps(cls, steps: np.ndarray, unit: float) -> "PackedMotion":
        """Return the motion of what `steps` gives."""
        return cls(np.cumsum(steps, axis=0, dtype=np.int16), unit)

    @property
    def steps(self) -> np.ndarray:
        """(T + 1, J, 3) int16: the first frame, and what each further one adds; in an archive 2/3 of the joints' bytes.

        Where 16 bits overflow, they do so again on the way back.
        """
        return np.diff(self.joints, axis=0, prepend=np.int16(0))

    def unpack(self) -> np.ndarray:
        """Return (T, F) raw features; positions to a millimetre, where bones have the target skeleton's lengths."""
        units = self.joints.astype(np.int64)
        units[:, 0, GROUND] = np.cumsum(units[:, 0, GROUND], axis=0)
        units[:, 1:, GROUND] += units[:, :1, GROUND]
        joints = (units * self.unit).astype(np.float32)
        body = HUMANML3D if joints.shape[1] == HUMANML3D.num_joints else KIT
        features = joints_to_features(joints, body=body)
        # Features are made for a motion that touches the floor; this one may be cut from a longer one, and hover.
        height = joints[..., 1].min()
        features[:, ROOT_HEIGHT] += height
        features[:, body.positions].reshape(-1, body.num_joints - 1, 3)[..., 1] += height
        return features


def _relative(joints: np.ndarray) -> np.ndarray:
    """Return (T, J, 3) the numbers that are packed, of joints in the world."""
    relative = joints.copy()
    relative[:, 1:, GROUND] -= joints[:, :1, GROUND]
    relative[1:, 0, GROUND] = np.diff(joints[:, 0, GROUND], axis=0)
    return relative


def _with_next_frame(features: np.ndarray) -> np.ndarray:
    """Return (T + 1, J, 3) joint positions of (T, F) features, the last frame from the velocities."""
    body = body_of(features.shape[1])
    joints = features_to_joints(np.asarray(features, dtype=np.float32), body=body)
    turn = recover_root(np.asarray(features, dtype=np.float64))[0][-1]
    x, y, z = features[-1, body.velocities].reshape(body.num_joints, 3).astype(np.float64).T
    x, z = turned(x, z, turn)
    return np.concatenate([joints, (joints[-1] + np.stack([x, y, z], axis=-1))[None]])
