"""Join clips into one long motion, like a recording of several actions.

Every clip keeps its poses and its pace. Clips are scaled to the target skeleton, and moved and turned so that position
and heading continue the previous clip. A few transition frames between two clips belong to neither.
"""

from collections.abc import Sequence

import numpy as np

from remogpt.motion.checks import check_joints
from remogpt.motion.features import canonicalize, to_target_skeleton
from remogpt.motion.inverse_kinematics import heading
from remogpt.runtime.errors import RemogptError

BLEND = 5
"""Frames between two clips: a quarter of a second."""


def join_motions(clips: Sequence[np.ndarray], blend: int = BLEND) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Join clips into one motion.

    Args:
        clips: each (T, 22, 3) metres, y up, 20 fps, of any person, position and heading; T >= 2.
        blend: transition frames between two clips; with 0 the pose jumps, the position does not.

    Returns:
        (T, 22, 3) float32 metres on the target skeleton, starting at the origin facing +z, and the frames
        [start, end) of each clip in it. `joints_to_features` gives one row less, so the last clip ends one row earlier.

    Raises:
        RemogptError: no clips, a clip of another shape or shorter than 2 frames, a negative blend.
    """
    if not clips:
        raise RemogptError("wanted at least one clip to join, got none")
    if blend < 0:
        raise RemogptError(f"blend: wanted 0 or more frames, got {blend}")
    pieces: list[np.ndarray] = []
    spans: list[tuple[int, int]] = []
    length = 0
    for index, clip in enumerate(clips):
        placed = _standardized(check_joints(clip, where=f"clip {index}", min_frames=2))
        if pieces:
            placed = _continued(pieces[-1], placed, blend)
            if blend:
                pieces.append(_transition(pieces[-1], placed, blend))
                length += blend
        pieces.append(placed)
        spans.append((length, length + len(placed)))
        length += len(placed)
    return np.concatenate(pieces).astype(np.float32), spans


def _standardized(joints: np.ndarray) -> np.ndarray:
    """Scale a clip to the target skeleton and put it on the floor, at the origin, facing +z."""
    return canonicalize(to_target_skeleton(joints)).astype(np.float64)


def _continued(before: np.ndarray, clip: np.ndarray, blend: int) -> np.ndarray:
    """Move and turn a clip to where the previous clip would be after the transition.

    The root's speed changes linearly over the transition.
    """
    facing = heading(before[-1:], hip_swap=False)[0]
    yaw = np.arctan2(facing[0], facing[2])
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned = clip @ np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])
    speed = (before[-1, 0] - before[-2, 0] + turned[1, 0] - turned[0, 0]) / 2
    shift = before[-1, 0] + speed * (blend + 1) - turned[0, 0]
    return turned + shift * np.array([1.0, 0.0, 1.0])


def _transition(before: np.ndarray, after: np.ndarray, blend: int) -> np.ndarray:
    """Return the transition between two clips, (blend, 22, 3), without a jump in speed.

    Each joint goes along a cubic curve with the speeds of both ends (Hermite); then bone lengths are restored and
    joints below the floor lifted onto it.
    """
    steps = blend + 1
    u = (np.arange(1, steps) / steps)[:, None, None]
    start, end = before[-1], after[0]
    leaving, arriving = (start - before[-2]) * steps, (after[1] - end) * steps
    curve = (
        (2 * u**3 - 3 * u**2 + 1) * start
        + (u**3 - 2 * u**2 + u) * leaving
        + (3 * u**2 - 2 * u**3) * end
        + (u**3 - u**2) * arriving
    )
    # `to_target_skeleton` measures the first frame, so a real pose has to come first.
    poses = to_target_skeleton(np.concatenate([start[None], curve]))[1:]
    poses[..., 1] -= np.minimum(poses[..., 1].min(axis=1), 0.0)[:, None]
    return poses
