"""Join motions into one: each goes on where and as the one before ends, or one is laid over another."""

from collections.abc import Sequence

import numpy as np

from remogpt.motion.features import turned
from remogpt.motion.inverse_kinematics import heading
from remogpt.motion.skeleton import FPS

SLOW = 1.2
"""Metres a second at which the joint that has to go farthest moves between two motions."""
LEAST, MOST = 4, 16
"""Frames between two motions."""
COASTING = 3.0
"""Frames in which the speed of a limb dies away, to e^-1."""
ARMS = ((16, 18, 20), (17, 19, 21))
"""Shoulder, elbow and wrist of each arm."""
UPPER = (3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
RAMP = 6
"""Frames in which the limbs of one motion go over into those of another."""
GROUND = np.array([1.0, 0.0, 1.0])


def join(motions: Sequence[np.ndarray]) -> np.ndarray:
    """Join motions by short passages, in which what moves coasts and the poses go over into each other.

    Args:
        motions: (T, 22, 3) metres, y up, 20 fps each, of at least 2 frames; at least one. Where they are and where they
            face is changed to go on from the one before.

    Returns:
        (T', 22, 3) float64; bones are not held in the passages (see `remogpt.motion.cleanup`).
    """
    joined = np.asarray(motions[0], dtype=np.float64)
    for following in motions[1:]:
        joined = _and_then(joined, np.asarray(following, dtype=np.float64))
    return joined


def distance(motion: np.ndarray, following: np.ndarray) -> float:
    """Return the metres that the farthest joint has to go from the end of one to the beginning of another."""
    return float(np.linalg.norm(_placed(following[:1], motion[-1])[0] - motion[-1], axis=-1).max())


def layer(motion: np.ndarray, over: np.ndarray, *, arms_only: bool) -> np.ndarray:
    """Lay the upper body of one motion over another, in its middle, as far as both last.

    Args:
        motion: (T, 22, 3) metres, y up, 20 fps: its legs and its path stay, and the rest outside of what is laid over.
        over: (T', 22, 3) of the same rate: its upper body, as it stands to the hips.
        arms_only: its arms alone, as they stand to the shoulders, the trunk of `motion` stays.

    Returns:
        (T, 22, 3) float64; bones are not held where one goes over into the other.
    """
    layered = np.array(motion, dtype=np.float64)
    frames = min(len(motion), len(over))
    within = slice((len(motion) - frames) // 2, (len(motion) - frames) // 2 + frames)
    below, own = layered[within].copy(), np.asarray(over[:frames], dtype=np.float64)
    moved = _turned(own - own[:, :1], _facing(below) - _facing(own)) + below[:, :1]
    rising = _eased(np.minimum(1.0, np.arange(1, frames + 1) / RAMP))
    # Where both begin or end together nothing has to go over.
    share = np.minimum(rising if within.start else 1.0, rising[::-1] if within.stop < len(motion) else 1.0)
    share = np.broadcast_to(share, frames)[:, None, None]
    if arms_only:
        for arm in ARMS:
            moved[:, arm] += below[:, arm[:1]] - moved[:, arm[:1]]
    joints = [joint for arm in ARMS for joint in arm] if arms_only else list(UPPER)
    layered[within, joints] = (1.0 - share) * below[:, joints] + share * moved[:, joints]
    return layered


def _and_then(motion: np.ndarray, following: np.ndarray) -> np.ndarray:
    placed = _placed(following, motion[-1])
    far = float(np.linalg.norm(placed[0] - motion[-1], axis=-1).max())
    between = int(np.clip(round(far / SLOW * FPS), LEAST, MOST))
    after = np.arange(1, between + 2)[:, None, None]
    share = _eased(after / (between + 1.0))
    (leaving, way_out), (coming, way_in) = _parted(motion[-2:]), _parted(placed[:2])
    # The way along the ground goes over from one speed to the other, so that who walks on does not stop; limbs coast.
    way = np.cumsum((1.0 - share) * way_out + share * way_in, axis=0)
    left = motion[-1] + _coasted(after) * leaving
    ahead = placed[0] - _coasted(between + 1 - after) * coming
    passage = way + (1.0 - share) * left + share * ahead
    return np.concatenate([motion, passage[:-1], placed + way[-1]])


def _parted(two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how the joints move from one pose to the next, (22, 3), less the pelvis's way along the ground, (3,)."""
    step = two[1] - two[0]
    way = step[0] * GROUND
    return step - way, way


def _eased(share: np.ndarray) -> np.ndarray:
    return share * share * (3.0 - 2.0 * share)


def _coasted(frames: np.ndarray) -> np.ndarray:
    """Return over how many frames' way a speed that dies away leads."""
    return COASTING * (1.0 - np.exp(-frames / COASTING))


def _placed(motion: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return a motion turned and shifted on the ground, so that it begins where a pose stands, facing as it does."""
    before, after = _facing(np.stack([motion[0], last]))
    return _turned(motion - motion[0, 0] * GROUND, after - before) + last[0] * GROUND


def _facing(joints: np.ndarray) -> np.ndarray:
    """Return (T,) radians about the vertical axis by which each pose faces away from +z."""
    forward = heading(joints, hip_swap=False)
    return np.arctan2(forward[:, 0], forward[:, 2])


def _turned(joints: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """Return (T, J, 3) joints turned about the vertical axis, by one angle or one a frame."""
    x, z = turned(joints[..., 0], joints[..., 2], -np.asarray(angle)[..., None])
    return np.stack([x, joints[..., 1], z], axis=-1)
