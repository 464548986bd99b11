"""Find shapes that a hand draws in the air before the body: a circle, a triangle, a cross."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from remogpt.motion.body import Body, memo, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, covered, stretches
from remogpt.motion.skeleton import FPS

LOWEST, AHEAD = -0.46, 0.16
"""Metres: lowest place of a drawing hand against its shoulder, and least distance that it is ahead of it."""
SHORTEST, LONGEST = 10, 64
"""Frames of one loop."""
LIFT = (6, 44)
"""Frames from the first to the second time at which a hand is at the crossing of its strokes."""
SMALLEST, LARGEST = 0.19, 1.0
"""Metres that a shape is wide and high."""
CLOSED = 0.3
"""Largest gap between start and end of a loop, over its larger extent."""
AGAIN = 2.4
"""Turns of a raised hand around the middle of its loop from which it goes round and round and draws no shape."""
ROUND, FILLED = 0.84, 0.57
"""Least area of a circle over that of a disc of the same outline, and its largest share of a triangle in it."""
THIN, CORNERED = 0.42, (0.67, 1.15)
"""Least area of a triangle over that of a disc of the same outline, and between what the share of a triangle lies."""
ARM, OF_LOOP, STRAIGHT = 0.11, 0.26, 0.95
"""Metres that each stroke of a cross goes beyond the crossing at both ends, the same over the larger extent of the way
from one stroke to the other, and the length of a stroke over that of its way."""
SLANT = (20.0, 71.0)
"""Degrees from level between which the strokes of a cross are, one each way."""
COMES, GOES = 0.5, 4
"""Metres a second of a hand that comes up or goes down, and frames over which they are measured."""
RESTS = -0.36
"""Metres below the shoulder at which no hand begins or ends a triangle: there it comes from its rest."""
STILL = 0.5
"""Largest way of the other hand, over that of the hand that draws."""
_POINTS = 24
_TRIPLES = np.array(list(combinations(range(_POINTS), 3)))


@dataclass(frozen=True)
class Loop:
    """A closed way of a hand in frames [start, end), with its measures."""

    start: int
    end: int
    passing: bool
    """Whether it begins while the hand comes up and ends while it goes down, or at rest, as around any stroke."""
    round: float
    """Its area over that of a disc of the same outline: a circle has 1, a square 0.79, a triangle 0.6 at most."""
    filled: float
    """Share of its area that the largest triangle with corners on it covers: 1 for a triangle, 0.41 for ellipses."""


@memo
def _hand(body: Body, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from its shoulder: forward, up, left, in the heading of the shoulders."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder", 1.0)


@memo
def _raised(body: Body, side: str) -> Intervals:
    return stretches(_hand(body, side)[:, 1] > LOWEST, SHORTEST, 1)


def _area(way: np.ndarray) -> np.ndarray:
    """Return the signed areas of closed ways (..., N, 2), square metres."""
    x, y = way[..., 0], way[..., 1]
    return np.asarray(0.5 * (x * np.roll(y, -1, axis=-1) - y * np.roll(x, -1, axis=-1)).sum(axis=-1))


def _evenly(way: np.ndarray) -> np.ndarray:
    """Return points at equal distances on a closed way (N, 2) -> (24, 2)."""
    closed = np.concatenate([way, way[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=-1))])
    at = np.linspace(0.0, along[-1], _POINTS, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=-1)


def _measure(way: np.ndarray) -> tuple[float, float]:
    """Return roundness and share of the largest triangle (see `Loop`) of a closed way (N, 2)."""
    points = _evenly(way)
    area = abs(float(_area(points)))
    outline = float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=-1).sum())
    largest = float(np.abs(_area(points[_TRIPLES])).max())
    return 4.0 * np.pi * area / max(outline, 1e-6) ** 2, largest / max(area, 1e-6)


def _turns(way: np.ndarray, middle: np.ndarray) -> float:
    """Return the full turns of a way (N, 2) around a place, however it turns."""
    angle = np.unwrap(np.arctan2(*(way - middle).T))
    return float(np.ptp(angle) / (2.0 * np.pi))


@memo
def _loops(body: Body, side: str) -> list[Loop]:
    """Find closed ways of a raised hand in the plane across the body."""
    hand = _hand(body, side)
    plane = hand[:, [2, 1]]
    later, before = (np.clip(np.arange(len(hand)) + by, 0, len(hand) - 1) for by in (GOES // 2, -GOES // 2))
    rise = (hand[later, 1] - hand[before, 1]) * FPS / GOES
    found = []
    for first, last in _raised(body, side):
        for start in range(first, last - SHORTEST):
            stop = min(last, start + LONGEST)
            gaps = np.linalg.norm(plane[start:stop] - plane[start], axis=-1)
            for length in _returns(gaps):
                way = plane[start : start + length + 1]
                extents = np.ptp(way, axis=0)
                if extents.min() < SMALLEST or extents.max() > LARGEST or gaps[length] > CLOSED * extents.max():
                    continue
                if hand[start : start + length + 1, 0].min() < AHEAD:
                    continue
                passing = (rise[start] > COMES and rise[start + length] < -COMES) or way[[0, -1], 1].min() < RESTS
                if _turns(plane[first:last], way.mean(axis=0)) < AGAIN:
                    found.append(Loop(start, start + length + 1, passing, *_measure(way)))
    return found


def _returns(gaps: np.ndarray) -> list[int]:
    """Return where a distance from the start (N,) is least after a way out, and the last frame."""
    inner = np.flatnonzero((gaps[1:-1] <= gaps[:-2]) & (gaps[1:-1] < gaps[2:])) + 1
    return [int(at) for at in inner if at >= SHORTEST]


@memo
def _circles(body: Body, side: str) -> Intervals:
    return [(one.start, one.end) for one in _loops(body, side) if one.round > ROUND and one.filled < FILLED]


@memo
def _triangles(body: Body, side: str) -> Intervals:
    least, most = CORNERED
    loops = [one for one in _loops(body, side) if not one.passing]
    return [(one.start, one.end) for one in loops if one.round > THIN and least < one.filled < most]


@memo
def _crossings(body: Body, side: str) -> Intervals:
    """Find pairs of slanting strokes of a raised hand that cross, with the way from one to the other between them."""
    hand = _hand(body, side)
    plane = np.stack([-hand[:, 2], hand[:, 1]], axis=-1)
    found = []
    for first, last in _raised(body, side):
        way, ahead = plane[first:last], hand[first:last, 0]
        for one, two in _meetings(way):
            if LIFT[0] <= two - one <= LIFT[1] and ahead[one:two].min() > AHEAD:
                arm = max(ARM, OF_LOOP * float(np.ptp(way[one : two + 1], axis=0).max()))
                stroke, other_stroke = _stroke(way, one, arm), _stroke(way, two, arm)
                if stroke and other_stroke and _are_across(stroke[2], other_stroke[2]):
                    found.append((first + stroke[0], first + other_stroke[1] + 1))
    return found


def _are_across(slant: float, other_slant: float) -> bool:
    return slant * other_slant < 0 and all(SLANT[0] < abs(one) < SLANT[1] for one in (slant, other_slant))


def _meetings(way: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of frames (i, j), i + 1 < j, after which the steps of a way (N, 2) cross each other."""
    step = np.diff(way, axis=0)
    between = way[None, :-1] - way[:-1, None]
    cross = step[:, None, 0] * step[None, :, 1] - step[:, None, 1] * step[None, :, 0]
    cross = np.where(np.abs(cross) < 1e-12, np.inf, cross)
    on_first = (between[..., 0] * step[None, :, 1] - between[..., 1] * step[None, :, 0]) / cross
    on_second = (between[..., 0] * step[:, None, 1] - between[..., 1] * step[:, None, 0]) / cross
    meet = (on_first >= 0) & (on_first < 1) & (on_second >= 0) & (on_second < 1)
    return [(int(i), int(j)) for i, j in np.argwhere(np.triu(meet & np.isfinite(cross), 2))]


def _stroke(way: np.ndarray, at: int, arm: float) -> tuple[int, int, float] | None:
    """Return first and last frame of the straight stroke through a frame of a way (N, 2), and its slant.

    The stroke goes `arm` metres to both sides. The slant is in degrees from level, positive for a stroke that is higher
    on the right; None for no such stroke.
    """
    away = np.linalg.norm(way - way[at], axis=-1) >= arm
    before, after = np.flatnonzero(away[:at]), np.flatnonzero(away[at:])
    if not len(before) or not len(after):
        return None
    start, end = int(before[-1]), at + int(after[0])
    length = np.linalg.norm(np.diff(way[start : end + 1], axis=0), axis=-1).sum()
    dx, dy = way[end] - way[start]
    straight = np.hypot(dx, dy) > STRAIGHT * length
    return (start, end, float(np.degrees(np.arctan2(dy * np.sign(dx), abs(dx))))) if straight else None


def _with_one_hand(body: Body, side: str, found: Intervals) -> Intervals:
    """Keep the shapes that a hand draws while the other one is still."""
    hand, idle = _hand(body, side), _hand(body, other(side))
    return [
        (start, end)
        for start, end in found
        if np.linalg.norm(np.ptp(idle[start:end], axis=0)) < STILL * np.linalg.norm(np.ptp(hand[start:end], axis=0))
    ]


def _apart(found: Intervals, others: Intervals, num_frames: int) -> Intervals:
    """Keep the intervals that share no time with others."""
    taken = covered(others, num_frames)
    return [(start, end) for start, end in found if not taken[start:end].any()]


@predicate("draws_circle", "draws a circle in the air with the {side} hand")
def draws_circle(body: Body, side: str) -> Intervals:
    """Move one raised hand around once in front of the body, in a plane across it, while the other is still."""
    found = _apart(_circles(body, side), _crossings(body, side), body.num_frames)
    return _with_one_hand(body, side, found)


@predicate("draws_triangle", "draws a triangle in the air with the {side} hand")
def draws_triangle(body: Body, side: str) -> Intervals:
    """Move one raised hand along three straight lines and back to the start, in a plane across the body."""
    rounder = _circles(body, side) + _crossings(body, side)
    return _with_one_hand(body, side, _apart(_triangles(body, side), rounder, body.num_frames))


@predicate("draws_cross", "draws a cross in the air with the {side} hand")
def draws_cross(body: Body, side: str) -> Intervals:
    """Draw two slanting strokes that cross, an X, with one raised hand in front of the body."""
    return _with_one_hand(body, side, _crossings(body, side))
