"""Join motions into one, each going on where and as the one before ends."""

from collections.abc import Sequence

import numpy as np

from remogpt.motion.inverse_kinematics import heading
from remogpt.motion.skeleton import FPS

SLOW = 1.2
"""Metres a second at which the joint that has to go farthest moves between two motions."""
LEAST, MOST = 4, 16
"""Frames between two motions."""
COASTING = 3.0
"""Frames in which the speed of a limb dies away, to e^-1."""
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
    return float(np.linalg.norm(_placed(following, motion[-1])[0] - motion[-1], axis=-1).max())


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
    facing = heading(np.stack([motion[0], last]), hip_swap=False)
    before, after = np.arctan2(facing[:, 0], facing[:, 2])
    turn = after - before
    sine, cosine = np.sin(turn), np.cos(turn)
    from_start = motion - motion[0, 0] * GROUND
    x, z = from_start[..., 0], from_start[..., 2]
    turned = np.stack([x * cosine + z * sine, from_start[..., 1], z * cosine - x * sine], axis=-1)
    return turned + last[0] * GROUND
