"""Find spans, peaks and turning points in a curve over time."""

from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks

Span = tuple[int, int]
"""Frames [start, end)."""


def spans(mask: np.ndarray, least: int = 1, bridge: int = 0) -> list[Span]:
    """Return the spans in which a mask (T,) is true, gaps of up to `bridge` frames closed, without short ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    found: list[Span] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] <= bridge:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [span for span in found if span[1] - span[0] >= least]


def peaks(curve: np.ndarray, prominence: float, apart: int = 3, least: float | None = None) -> list[int]:
    """Return the frames of a curve's maxima that stand out by `prominence` on both sides; an end is no peak.

    Args:
        apart: fewest frames between two peaks, of which the higher one counts. least: lowest value of a peak.
    """
    return [int(frame) for frame in find_peaks(curve, prominence=prominence, distance=apart, height=least)[0]]


def around(curve: np.ndarray, peak: int, share: float = 0.5) -> Span:
    """Return the span about a peak in which a curve is above a share of its height over each side's lowest value."""
    sides = []
    for values in (curve[peak::-1], curve[peak:]):
        below = np.flatnonzero(values < values.min() + share * (values[0] - values.min()) + 1e-9)
        sides.append(int(below[0]) if len(below) else len(values))
    return peak - sides[0] + 1, peak + sides[1]


def turning_points(curve: np.ndarray, least: float) -> list[int]:
    """Return the frames between which a curve goes up and down by at least `least`, its two ends included."""
    points, trend = [0], 0
    for frame in range(1, len(curve)):
        if trend == 0:
            low, high = int(np.argmin(curve[: frame + 1])), int(np.argmax(curve[: frame + 1]))
            if curve[high] - curve[low] >= least:
                points, trend = [min(low, high), max(low, high)], 1 if high > low else -1
        elif (curve[frame] - curve[points[-1]]) * trend >= 0:
            points[-1] = frame
        elif abs(curve[frame] - curve[points[-1]]) >= least:
            points.append(frame)
            trend = -trend
    return points if trend else []


def slides(curve: np.ndarray, least: float) -> list[Span]:
    """Return (first, last) frames of every rise and fall of a curve by at least `least`, without interruption."""
    points = turning_points(curve, least)
    return list(pairwise(points))
