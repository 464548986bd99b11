"""Compute mean and standard deviation of a set, in each of the four ways in which published models were trained.

| convention | over | deviation |
|---|---|---|
| humanml3d | features | averaged within seven groups of channels, so that those of a group keep their relative scale |
| guo | features | the same, with root and contacts divided by 25: what Guo et al.'s models were shipped with |
| tmr | features | of each channel |
| motion_patches | joint positions | of each coordinate of each joint |

Source: HumanML3D 9176e8f, cal_mean_variance; text-to-motion 72df96e, whose options say 5 (feat_bias), which its code
applies once for training and once for validation to the same array; TMR 6d74688; MotionPatches 1ce221f.
"""

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np

from remogpt.motion.feature_body import body_of
from remogpt.runtime.errors import RemogptError

Convention = Literal["humanml3d", "guo", "tmr", "motion_patches"]
GUO_EMPHASIS = 25.0
"""By what the deviations of root and contacts are divided in the statistics of Guo et al.'s released models."""
SMALLEST = 1e-4
"""Least deviation: a constant channel (a set without walking) would divide by zero."""


def mean_and_std(motions: Iterable[np.ndarray], convention: Convention = "humanml3d") -> tuple[np.ndarray, np.ndarray]:
    """Return float32 mean and standard deviation over all frames, shaped as a frame of the motions.

    Args:
        motions: (T, 263) or (T, 251) raw features each, for motion_patches joints (T, J, 3); read once, one at a time.
        convention: see the module.

    Raises:
        RemogptError: no motion, or an unknown convention.
    """
    if convention not in get_args(Convention):
        raise RemogptError(f"wanted statistics as {', '.join(get_args(Convention))}, got {convention!r}")
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for motion in motions:
        motion = motion.astype(np.float64)
        count += len(motion)
        total = total + motion.sum(axis=0)
        squares = squares + np.square(motion).sum(axis=0)
    if count == 0:
        raise RemogptError("statistics need at least one motion, got none; check the training split")
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    if convention in ("humanml3d", "guo"):
        for group in channel_groups(len(std)):
            std[group] = std[group].mean()
    std = np.maximum(std, SMALLEST)
    if convention == "guo":
        for group in (*channel_groups(len(std))[:3], channel_groups(len(std))[-1]):
            std[group] /= GUO_EMPHASIS
    return mean.astype(np.float32), std.astype(np.float32)


def channel_groups(num_features: int) -> tuple[slice, ...]:
    """Return root yaw, root xz, root height, joint positions, joint rotations, joint velocities, contacts.

    Raises:
        RemogptError: if no body has so many channels.
    """
    body = body_of(num_features)
    return (slice(0, 1), slice(1, 3), slice(3, 4), body.positions, body.rotations, body.velocities, body.contacts)
