"""Keep resting feet where they are, and move legs and pelvis along.

The path of each toe is replaced by the nearest one that stands still while the foot rests; so is the direction of the
foot while it lies flat. Nearness counts position and acceleration, which spreads a correction over the steps between.
The pelvis follows what both feet have in common, and the knees bend by the cosine rule.

Source: Kovar, Schreiner, Gleicher, Footskate cleanup for motion capture editing (SCA 2002), for the order: feet, root,
    legs.
differs: rests are found in joints, their places come from one least-squares problem, and bones never change length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from remogpt.motion.cleanup.contacts import FEET, LEAST_FRAMES, Interval, Rests, find_rests
from remogpt.motion.inverse_kinematics import smooth_in_time, unit

BLEND = 1.5
"""Frames over which a correction fades."""
FOLLOW = 4
"""Frames; standard deviation of the Gaussian with which the pelvis follows the feet."""
STRETCHED = 0.9995
"""Share of a leg's length that hip and ankle may lie apart."""
DEEPEST = 0.1
"""Metres by which the pelvis comes down at most so that a foot is within reach."""
ONE_FLOOR = 0.04
"""Metres between the middle of all rests and the highest or lowest of them, up to which they are on one floor."""
_FIRMLY = 1e7
"""Weight of a height that is given, beside those of nearness, which are below 100."""
_TOWARDS_TOE = 1e-3
"""Metres by which a straight knee is taken to be bent towards the toe."""
_LEGS = ((1, 4), (2, 5))
"""(hip, knee) of each leg."""


def plant_feet(joints: np.ndarray) -> np.ndarray:
    """Return joints whose resting feet stand still, and on one floor where they are near one.

    Args:
        joints: (T, 22, 3) float64 metres, y up, with constant bones.

    Returns:
        (T, 22, 3) float64, each bone as long as before. Where a leg would have to be longer, its foot falls short.
    """
    rests = find_rests(joints) if len(joints) >= LEAST_FRAMES else ()
    if not any(one.toe for one in rests):
        return joints
    floor = floor_height(joints, rests)
    toes, ankles = [], []
    for (ankle, toe), rest in zip(FEET, rests, strict=True):
        held = hold_still(joints[:, toe], rest.toe)
        if floor is not None:
            held[:, 1] = hold_still(joints[:, toe, 1:2], rest.toe, at=floor)[:, 0]
            held[:, 1] = np.maximum(held[:, 1], floor)
        bone = joints[:, toe] - joints[:, ankle]
        length = np.linalg.norm(bone, axis=-1, keepdims=True)
        toes.append(held)
        ankles.append(held - unit(hold_still(bone, rest.flat)) * length)
    common = np.mean([held - joints[:, toe] for held, (_, toe) in zip(toes, FEET, strict=True)], axis=0)
    moved = joints + smooth_in_time(common, FOLLOW)[:, None]
    moved[..., 1] -= pelvis_drop(moved, ankles, rests)[:, None]
    for (hip, knee), (ankle, toe), wanted, held in zip(_LEGS, FEET, ankles, toes, strict=True):
        moved[:, knee], moved[:, ankle] = bend_leg(joints[:, [hip, knee, ankle, toe]], moved[:, hip], wanted)
        moved[:, toe] = moved[:, ankle] + held - wanted
    if floor is not None:
        moved[..., 1] += max(0.0, -floor)
    return moved


def pelvis_drop(joints: np.ndarray, ankles: Sequence[np.ndarray], rests: Sequence[Rests]) -> np.ndarray:
    """Return by how many metres (T,) the body comes down so that resting feet are within the legs' reach.

    Args:
        joints: (T, 22, 3) metres.
        ankles: (T, 3) metres of each side, where the ankles shall be.
        rests: of each side.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d  # slow to import

    drop = np.zeros(len(joints))
    for (hip, knee), (ankle, _), wanted, rest in zip(_LEGS, FEET, ankles, rests, strict=True):
        bones = joints[0, [knee, ankle]] - joints[0, [hip, knee]]
        reach = STRETCHED * np.linalg.norm(bones, axis=-1).sum()
        down = joints[:, hip] - wanted
        lowest = np.sqrt(np.maximum(reach**2 - down[:, 0] ** 2 - down[:, 2] ** 2, 0.0))
        for first, stop in rest.toe:
            needed = np.clip(down[first:stop, 1] - lowest[first:stop], 0.0, DEEPEST)
            drop[first:stop] = np.maximum(drop[first:stop], needed)
    window = 2 * FOLLOW + 1
    # The mean of running maxima over the same window is smooth, and nowhere less than what is needed.
    return np.asarray(uniform_filter1d(maximum_filter1d(drop, window, mode="nearest"), window, mode="nearest"))


def floor_height(joints: np.ndarray, rests: Sequence[Rests]) -> float | None:
    """Return the height of resting toes, in metres; None where they rest on more than one floor."""
    heights = [
        float(joints[first:stop, toe, 1].mean())
        for (_, toe), rest in zip(FEET, rests, strict=True)
        for first, stop in rest.toe
    ]
    middle = float(np.median(heights))
    return middle if max(abs(height - middle) for height in heights) < ONE_FLOOR else None


def hold_still(values: np.ndarray, intervals: Sequence[Interval], *, at: float | None = None) -> np.ndarray:
    """Return the values (T, C) nearest to the given ones that are constant within each interval.

    Nearness is the sum of squared differences, and of squared second differences times `BLEND` to the fourth.

    Args:
        values: of each frame.
        intervals: do not overlap.
        at: the value in all intervals; default: in each the nearest.
    """
    from scipy.linalg import solveh_banded  # slow to import

    is_first = np.ones(len(values), dtype=bool)
    for first, stop in intervals:
        is_first[first + 1 : stop] = False
    starts, owner = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    # Frames of an interval share one unknown, so their rows and columns add up, and the bands stay three.
    bands = np.zeros((3, len(starts)))
    for apart, weights in enumerate(_nearness(len(values))):
        rows, columns = owner[: len(weights)], owner[apart:]
        np.add.at(bands, (2 - (columns - rows), columns), np.where(apart and rows == columns, 2, 1) * weights)
    bend = np.diff(values, 2, axis=0) * BLEND**4
    wanted = values.copy()
    wanted[:-2] += bend
    wanted[1:-1] -= 2 * bend
    wanted[2:] += bend
    right = np.add.reduceat(wanted, starts, axis=0)
    if at is not None:
        held = owner[[first for first, _ in intervals]]
        bands[2, held] += _FIRMLY
        right[held] += _FIRMLY * at
    return np.asarray(solveh_banded(bands[max(0, 3 - len(starts)) :], right)[owner])


@lru_cache(maxsize=32)
def _nearness(count: int) -> tuple[np.ndarray, ...]:
    """Return the three upper diagonals of the nearness of `count` frames, the main one first."""
    diagonals = tuple(np.zeros(max(count - apart, 0)) for apart in range(3))
    bends = max(count - 2, 0)
    for first, one in enumerate((1, -2, 1)):
        for apart, other in enumerate((1, -2, 1)[first:]):
            diagonals[apart][first : first + bends] += one * other * BLEND**4
    diagonals[0][:] += 1
    return diagonals


def bend_leg(leg: np.ndarray, hip: np.ndarray, ankle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place a knee so that a leg reaches from hip to ankle; return (T, 3) knee and ankle.

    Args:
        leg: (T, 4, 3) hip, knee, ankle and toe before; the knee keeps its side; a straight one bends to the toe.
        hip: (T, 3) metres.
        ankle: (T, 3) metres; where the leg is too short, the ankle comes to lie nearer.
    """
    thigh, shin = (np.linalg.norm(leg[:, k + 1] - leg[:, k], axis=-1, keepdims=True) for k in (0, 1))
    reach = ankle - hip
    along = unit(reach)
    nearest, farthest = np.abs(thigh - shin) + 1e-6, STRETCHED * (thigh + shin)
    far = np.clip(np.linalg.norm(reach, axis=-1, keepdims=True), nearest, farthest)
    aside = _across(leg[:, 1] - leg[:, 0], unit(leg[:, 2] - leg[:, 0]))
    pole = unit(_across(aside + _TOWARDS_TOE * unit(leg[:, 3] - leg[:, 2]), along))
    ahead = (thigh**2 - shin**2 + far**2) / (2 * far)
    out = np.sqrt(np.maximum(thigh**2 - ahead**2, 0.0))
    return hip + ahead * along + out * pole, hip + far * along


def _across(vectors: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return the part of vectors (T, 3) that is at right angles to unit vectors (T, 3)."""
    return vectors - (vectors * axis).sum(-1, keepdims=True) * axis
