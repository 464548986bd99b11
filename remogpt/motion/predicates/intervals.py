"""Find stretches, repetitions and turning points in a measured signal."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

Intervals = list[tuple[int, int]]
"""Frame intervals [start, end), in order."""


def stretches(mask: np.ndarray, min_frames: int = 1, bridge: int = 0) -> Intervals:
    """Return the runs of True in mask (T,); gaps of at most `bridge` frames are closed, short runs dropped."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    found: Intervals = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] <= bridge:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [(start, end) for start, end in found if end - start >= min_frames]


def excursions(signal: np.ndarray, reach: float, back: float, min_frames: int = 1) -> Intervals:
    """Return the stretches in which signal (T,) reaches `reach`, each until it falls below `back` < `reach`."""
    found = stretches(signal > back)
    return [(start, end) for start, end in found if (signal[start:end] >= reach).sum() >= min_frames]


def turning_points(signal: np.ndarray, swing: float) -> list[int]:
    """Return the frames where signal (T,) turns, counting only swings of at least `swing`; includes the ends.

    Between neighbours in the list the signal changes by at least `swing`, up and down alternately. A signal that
    never changes by as much gives one frame.
    """
    low = high = 0
    points: list[int] = []
    rising: bool | None = None
    values = signal.tolist()  # numbers of Python are read four times as fast as those of NumPy
    for index in range(1, len(values)):
        now = values[index]
        low = index if now < values[low] else low
        high = index if now > values[high] else high
        if rising is not False and values[high] - now >= swing and high < index:
            points, rising, low = [*(points or [_first(signal, high, swing)]), high], False, index
        elif rising is not True and now - values[low] >= swing and low < index:
            points, rising, high = [*(points or [_first(signal, low, swing)]), low], True, index
    last = (high if rising else low) if rising is not None else 0
    points = [*points, last]
    return sorted(set(points))


def _first(signal: np.ndarray, turn: int, swing: float) -> int:
    """Return the start of the clip's first swing if it is large enough, else the first turning point."""
    before = signal[: turn + 1]
    start = int(np.argmax(np.abs(before - signal[turn])))
    return start if abs(before[start] - signal[turn]) >= swing else turn


def swings(signal: np.ndarray, swing: float) -> Intervals:
    """Return the monotone stretches between neighbouring turning points."""
    points = turning_points(signal, swing)
    return list(pairwise(points))


def counted(found: Intervals, count: int | None) -> Intervals:
    """Return the repetitions if their number is `count` (plus or minus one from five on), else nothing."""
    slack = 0 if count is None or count < 5 else 1
    return found if count is None or abs(len(found) - count) <= slack else []


def in_turn(find: Callable[[str], Intervals], side: str) -> Intervals:
    """Return what one side does; of "both" what left and right do in turn, and nothing unless each does it."""
    if side != "both":
        return find(side)
    left, right = find("left"), find("right")
    return sorted(left + right) if left and right else []


def covered(found: Intervals, num_frames: int) -> np.ndarray:
    """Return the mask (T,) of the frames that lie in any interval."""
    mask = np.zeros(num_frames, dtype=bool)
    for start, end in found:
        mask[start:end] = True
    return mask


def groups(found: Intervals, gap: int) -> list[Intervals]:
    """Split repetitions into bouts: a pause longer than `gap` frames starts a new bout."""
    bouts: list[Intervals] = []
    for interval in found:
        if bouts and interval[0] - bouts[-1][-1][1] <= gap:
            bouts[-1].append(interval)
        else:
            bouts.append([interval])
    return bouts


def trimmed(signal: np.ndarray, start: int, end: int, share: float = 0.05) -> tuple[int, int]:
    """Trim the still ends of a swing: keep the frames between `share` and 1 - `share` of its change."""
    change = signal[end] - signal[start]
    progress = (signal[start : end + 1] - signal[start]) / (change if change else 1.0)
    # Keep at least two frames: a swing may be one jump into its last frame.
    first = min(int(np.flatnonzero(progress >= share)[0]), end - start - 1)
    last = int(np.flatnonzero(progress <= 1.0 - share)[-1])
    return start + first, start + max(last, first + 1)
