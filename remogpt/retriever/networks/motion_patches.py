"""Motions as MotionPatches reads them: an image of five kinematic chains over time, and 20 frames a second.

Source: MotionPatches, arXiv 2405.04771 (settings from its configuration, 1ce221f; its code is under another
licence and was not used).
"""

import numpy as np

from remogpt.motion.skeleton import CHAINS
from remogpt.runtime.errors import RemogptError

POINTS = 16
"""Points along each chain; with 16 frames they make one patch."""
_KIT_SECOND = 12
"""Frames of KIT-ML that MotionPatches takes for a second; the true rate is 12.5."""


def chain_image(joints: np.ndarray, chains: tuple[tuple[int, ...], ...] = CHAINS) -> np.ndarray:
    """Resample each kinematic chain to 16 points and stack the chains.

    Args:
        joints: (T, J, 3), z-scored or not.
        chains: joints of each chain, in the order of the image.

    Returns:
        (T, 16 * chains, 3): right leg, left leg, spine, right arm, left arm for `CHAINS`.

    The points are those of a linear image resize with half-pixel centres: the first and last lie on the chain's ends.
    """
    if joints.ndim != 3 or joints.shape[1] <= max(max(chain) for chain in chains) or joints.shape[2] != 3:
        raise RemogptError(f"wanted joints of shape (frames, joints, 3) that the chains name, got {joints.shape}")
    images = []
    for chain in chains:
        positions = ((np.arange(POINTS) + 0.5) * len(chain) / POINTS - 0.5).clip(0, len(chain) - 1)
        below = np.floor(positions).astype(int)
        above = np.minimum(below + 1, len(chain) - 1)
        share = (positions - below)[:, None].astype(joints.dtype)
        along = joints[:, list(chain)]  # (T, joints of the chain, 3)
        images.append(along[:, below] * (1 - share) + along[:, above] * share)
    return np.concatenate(images, axis=1)


def kit_frames(num_frames: int) -> np.ndarray:
    """Return indices of the frames that MotionPatches picks from a KIT-ML clip of `num_frames` to reach 20 a second.

    Each 12 frames give 20: a second is taken to have 12 frames and not 12.5, so that motion is slowed by 4 %.
    """
    within = np.arange(20) * 12.5 // 20
    starts = np.arange(0, num_frames, _KIT_SECOND)
    frames = (starts[:, None] + within).ravel().astype(np.int64)
    return frames[frames < num_frames]
