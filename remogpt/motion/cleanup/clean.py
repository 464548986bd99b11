"""Clean a motion, given as joints or as features."""

from __future__ import annotations

import numpy as np

from remogpt.motion.cleanup.bones import hold_bones
from remogpt.motion.cleanup.feet import plant_feet
from remogpt.motion.cleanup.rewrite import with_joints
from remogpt.motion.features import features_to_joints
from remogpt.runtime.errors import RemogptError


def clean_features(features: np.ndarray) -> np.ndarray:
    """Return the features of the same motion with constant bones and planted feet.

    Args:
        features: (T, 263) raw. A body that has collapsed, joint upon joint, cannot be fitted and stays as it is.

    Returns:
        (T, 263) float32, in which every channel tells of the cleaned joints.

    Raises:
        RemogptError: wrong number of channels, NaN.
    """
    joints = features_to_joints(features)
    try:
        cleaned = clean_joints(joints)
    except RemogptError:
        return features
    return with_joints(features, cleaned)


def clean_joints(joints: np.ndarray) -> np.ndarray:
    """Return the same motion on the skeleton of the feature format, with planted feet.

    Args:
        joints: (T, 22, 3) metres, y up, 20 fps, of a body of that size.

    Returns:
        (T, 22, 3) float64; the pelvis starts at the same x and z.

    Raises:
        RemogptError: if a joint lies on its parent.
    """
    planted = plant_feet(hold_bones(joints))
    planted[..., [0, 2]] += joints[0, 0, [0, 2]] - planted[0, 0, [0, 2]]
    return planted
