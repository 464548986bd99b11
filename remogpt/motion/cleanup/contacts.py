"""Find when each foot rests on what carries the body, from joint positions alone.

A foot rests while it is among the lowest parts of the body and slow. Nothing is assumed of the floor, so that feet on
a step rest too, and the feet of who jumps or holds a leg up do not. Contact channels are not read: a decoder writes
them as it writes positions, and they are wrong where the positions are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from remogpt.motion.skeleton import FPS, LEFT_FOOT, RIGHT_FOOT

FEET = (LEFT_FOOT, RIGHT_FOOT)
"""(ankle, toe) of each foot."""
NEAR_LOWEST = 0.06
"""Metres above the lowest joint of the frame up to which a toe may carry the body."""
SLOW = (0.35, 0.25, 0.15)
"""Metres a second under which a foot may rest; the later ones are tried where an earlier one finds a foot that drifts
too far for a rest."""
SURELY = 0.6
"""Share of that speed under which some frame of a rest lies."""
RISE = 0.01
"""Metres above its middle height at which a rest has not begun, or is over."""
LEAST_FRAMES = 3
"""Frames at 20 fps: shorter rests are taken for a foot that passes."""
BRIEF = 2
"""Frames at 20 fps up to which a low foot may be faster within a rest, or where the motion begins or ends: a jerk of
the decoder, no step."""
DRIFT, DRIFT_SPEED, DRIFT_TURN = 0.1, 0.2, 0.5
"""Metres; metres a second; radians. A foot that goes farther than the first, and faster than the second or turning by
more than the third, does not rest: it is dragged, or shuffles round. Who stands for long may drift."""

Interval = tuple[int, int]
"""First frame, and the one after the last."""


@dataclass(frozen=True)
class Rests:
    """When a foot rests: intervals of its toe, and within them those in which the whole foot lies flat."""

    toe: list[Interval]
    flat: list[Interval]


def find_rests(joints: np.ndarray) -> tuple[Rests, Rests]:
    """Return when the left and the right foot rest.

    Args:
        joints: (T, 22, 3) metres, y up.
    """
    lowest = joints[..., 1].min(axis=1)
    found = []
    for ankle, toe in FEET:
        sole = joints[:, toe] - joints[:, ankle]
        turn = np.unwrap(np.arctan2(sole[:, 0], sole[:, 2]))
        rests = _rests(joints[:, toe], turn, joints[:, toe, 1] < lowest + NEAR_LOWEST)
        resting = np.zeros(len(joints), dtype=bool)
        for first, stop in rests:
            resting[first:stop] = True
        found.append(Rests(rests, _rests(joints[:, ankle], turn, resting)))
    return found[0], found[1]


def speeds(points: np.ndarray) -> np.ndarray:
    """Return the speed (T,) of a point (T, 3) in metres a second, over two frames each."""
    return np.asarray(np.linalg.norm(np.gradient(points, axis=0), axis=-1) * FPS)


def _rests(point: np.ndarray, turn: np.ndarray, may: np.ndarray) -> list[Interval]:
    """Return the intervals in which a point that `may` rest does, by the highest speed that makes no walk of it.

    Args:
        point: (T, 3) metres, ankle or toe.
        turn: (T,) radians, where the foot points.
        may: (T,) whether it may rest.
    """
    speed = speeds(point)
    found: list[Interval] = []
    for slow in SLOW:
        drifting = np.zeros(len(point), dtype=bool)
        for first, stop in _intervals(may, speed, slow):
            drift = float(np.linalg.norm(np.ptp(point[first:stop, [0, 2]], axis=0)))
            is_fast = drift / (stop - first) * FPS > DRIFT_SPEED
            if drift > DRIFT and (is_fast or np.ptp(turn[first:stop]) > DRIFT_TURN):
                drifting[first:stop] = True
            else:
                found += _level(point[:, 1], first, stop)
        may = drifting
    return sorted(found)


def _level(heights: np.ndarray, first: int, stop: int) -> list[Interval]:
    """Cut off the ends of an interval in which a point is still coming down or already rises."""
    own = heights[first:stop]
    low = np.flatnonzero(own < np.median(own) + RISE)
    begin, end = first + int(low[0]), first + int(low[-1]) + 1
    return [(begin, end)] if end - begin >= LEAST_FRAMES else []


def _intervals(may: np.ndarray, speed: np.ndarray, slow: float) -> list[Interval]:
    """Return runs of frames that `may` rest and are slow, some of them surely so."""
    resting = may & (speed < slow)
    for first, stop in _runs(may & ~resting):
        rests_before, rests_after = first == 0 or resting[first - 1], stop == len(may) or resting[stop]
        if stop - first <= BRIEF and rests_before and rests_after:
            resting[first:stop] = True
    return [
        (first, stop)
        for first, stop in _runs(resting)
        if stop - first >= LEAST_FRAMES and speed[first:stop].min() < SURELY * slow
    ]


def _runs(is_true: np.ndarray) -> list[Interval]:
    edges = np.diff(np.concatenate([[0], is_true.astype(np.int8), [0]]))
    runs = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    return [(int(first), int(stop)) for first, stop in runs]
