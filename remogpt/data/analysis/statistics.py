"""Compute mean and standard deviation of a set as HumanML3D does.

The deviation is averaged within seven groups of channels, so that channels of a group keep their
relative scale. Source: HumanML3D 9176e8f, cal_mean_variance; no feat_bias here: that belongs to Guo et al.'s training.
"""

from collections.abc import Iterable

import numpy as np

from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.runtime.errors import RemogptError

GROUPS = (slice(0, 1), slice(1, 3), slice(3, 4), slice(4, 67), slice(67, 193), slice(193, 259), slice(259, 263))
"""Root yaw, root xz, root height, joint positions, joint rotations, joint velocities, contacts."""


def mean_and_std(motions: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return ((F,), (F,)) float32 mean and group-averaged standard deviation over all frames.

    Args:
        motions: (T, 263) raw features each; read once, one at a time.
    """
    count, total, squares = 0, np.zeros(NUM_FEATURES), np.zeros(NUM_FEATURES)
    for motion in motions:
        motion = motion.astype(np.float64)
        count += len(motion)
        total += motion.sum(axis=0)
        squares += np.square(motion).sum(axis=0)
    if count == 0:
        raise RemogptError("statistics need at least one motion, got none; check the training split")
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    for group in GROUPS:
        std[group] = std[group].mean()
    # A constant channel (a set without walking) would divide by zero.
    return mean.astype(np.float32), np.maximum(std, 1e-4).astype(np.float32)
