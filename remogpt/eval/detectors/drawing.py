"""Find shapes that one hand draws in the air: circles by their radius, triangles and crosses by their strokes."""

from dataclasses import dataclass

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured
from remogpt.eval.detectors.rhythm import spans

AHEAD, LOWEST = 0.14, -0.36
"""Metres that a drawing hand is ahead of the upper spine at least, and against its height."""
ONCE_AROUND, SLOWEST = (290.0, 400.0), 64
"""Degrees between which the way of a circle turns, and most frames of a shape."""
RADIUS, UNEVEN, OVAL = 0.10, 0.15, 0.6
"""Least mean radius of a circle in metres, deviation of the radius over it, and the least radius over the largest."""
APART = 0.5
"""Largest distance between the ends of a circle, over its mean diameter."""
BENT = 24.0
"""Degrees by which the direction of a stroke may differ from its mean."""
SIDE, ARM = 0.12, 0.22
"""Least length of a side of a triangle and of a stroke of a cross, metres."""
CORNER = (75.0, 172.0)
"""Degrees that a hand turns at the corner of a triangle."""
MEET = 0.45
"""Largest distance between sides of a triangle that meet, over their mean length."""
STEEP = 0.5
"""Share of a side by which it rises or falls steeply."""
SLANT = (22.0, 72.0)
"""Degrees from level of the strokes of a cross."""
INNER = (0.17, 0.83)
"""Shares of both strokes of a cross between which they cross."""
LIFT = 34
"""Most frames between the strokes of a cross."""
IDLE = 0.55
"""Longest way of the other hand, over that of the hand that draws."""


@dataclass(frozen=True)
class Stroke:
    """A straight way in frames [start, end), from one place (right, up) to another, metres."""

    start: int
    end: int
    first: np.ndarray
    last: np.ndarray

    @property
    def way(self) -> np.ndarray:
        """(2,) from its first to its last place."""
        return self.last - self.first

    @property
    def length(self) -> float:
        """Metres."""
        return float(np.linalg.norm(self.way))


@measured
def _place(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from the upper spine as (ahead, up, left) of the shoulders, y upright."""
    return figure.seen(figure.at(f"{side}_wrist", 7) - figure.at("spine3", 9), figure.yaw("shoulder"))


@measured
def _drawn(figure: Figure, side: str) -> np.ndarray:
    """(T, 2) places of a wrist as (right, up), as a wall before the figure would show them."""
    place = _place(figure, side)
    return np.stack([-place[:, 2], place[:, 1]], axis=-1)


@measured
def _times(figure: Figure, side: str) -> list[tuple[int, int]]:
    place = _place(figure, side)
    return spans((place[:, 0] > AHEAD) & (place[:, 1] > LOWEST), 10, 1)


def _course(way: np.ndarray) -> np.ndarray:
    """Return the degrees, counterclockwise and unwrapped, in which each step of a way (N, 2) goes -> (N - 1,)."""
    step = np.diff(way, axis=0)
    return np.degrees(np.unwrap(np.arctan2(step[:, 1], step[:, 0])))


def _is_circle(way: np.ndarray) -> bool:
    """Return whether a way (N, 2) keeps its distance from its middle, each metre of it counted alike."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=-1))])
    at = np.linspace(0.0, along[-1], 40)
    even = np.stack([np.interp(at, along, way[:, axis]) for axis in (0, 1)], axis=-1)
    radius = np.linalg.norm(even - even.mean(axis=0), axis=-1)
    mean = float(radius.mean())
    closes = float(np.linalg.norm(way[-1] - way[0])) < 2.0 * APART * mean
    return closes and mean > RADIUS and radius.std() < UNEVEN * mean and radius.min() > OVAL * radius.max()


@measured
def _rounds(figure: Figure, side: str) -> list[Event]:
    """Find circles of a hand, none of which shares time with another."""
    way, found = _drawn(figure, side), list[Event]()
    for first, last in _times(figure, side):
        course = _course(way[first:last])
        start = 0
        while start < len(course):
            turned = np.abs(course[start : start + SLOWEST] - course[start])
            ends = first + start + np.flatnonzero((turned > ONCE_AROUND[0]) & (turned < ONCE_AROUND[1])) + 1
            end = next((int(end) for end in ends if _is_circle(way[first + start : end])), None)
            if end is not None:
                found.append(Event(first + start, end, side))
            start = start + 1 if end is None else end - first
    return found


@measured
def _strokes(figure: Figure, side: str) -> list[Stroke]:
    """Find the straight ways of a raised hand, in order: the longest from each place on."""
    way, found = _drawn(figure, side), list[Stroke]()
    for first, last in _times(figure, side):
        step = np.diff(way[first:last], axis=0)
        start = 0
        while start < len(step):
            end = _straight_until(step, start)
            found.append(Stroke(first + start, first + end + 1, way[first + start], way[first + end]))
            start = end
    return [stroke for stroke in found if stroke.length > SIDE]


def _straight_until(step: np.ndarray, start: int) -> int:
    """Return the first step after `start` at which steps (N, 2) leave the direction of those before."""
    total = step[start].copy()
    for at in range(start + 1, len(step)):
        if abs(_turn(total, step[at])) > BENT:
            return at
        total += step[at]
    return len(step)


def _turn(way: np.ndarray, other: np.ndarray) -> float:
    """Return the degrees, counterclockwise, from the direction of a way (2,) to that of another."""
    cross, dot = way[0] * other[1] - way[1] * other[0], float(way @ other)
    return float(np.degrees(np.arctan2(cross, dot)))


def _closes(sides: list[Stroke]) -> bool:
    """Return whether three strokes are a triangle: each turns the same way and begins where the one before ends.

    One from its lowest corner is none: so does a hand go that comes up, swipes to a side and goes down.
    """
    turns = [_turn(a.way, b.way) for a, b in zip(sides, sides[1:] + sides[:1], strict=True)]
    size = float(np.mean([side.length for side in sides]))
    gaps = [float(np.linalg.norm(b.first - a.last)) for a, b in zip(sides, sides[1:] + sides[:1], strict=True)]
    same = len({turn > 0 for turn in turns}) == 1
    corners = all(CORNER[0] < abs(turn) < CORNER[1] for turn in turns)
    from_below = sides[0].way[1] > STEEP * sides[0].length and sides[2].way[1] < -STEEP * sides[2].length
    closed = max(gaps) < MEET * size and sides[2].end - sides[0].start <= SLOWEST
    return same and corners and closed and not from_below


def _cross(one: Stroke, two: Stroke) -> bool:
    """Return whether two slanting strokes cross each other well inside of both."""
    slants = [float(np.degrees(np.arctan2(s.way[1] * np.sign(s.way[0]), abs(s.way[0])))) for s in (one, two)]
    if slants[0] * slants[1] >= 0 or not all(SLANT[0] < abs(slant) < SLANT[1] for slant in slants):
        return False
    if min(one.length, two.length) < ARM or not 0 <= two.start - one.end <= LIFT:
        return False
    shares = np.linalg.solve(np.stack([one.way, -two.way], axis=-1), two.first - one.first)
    return bool(((shares > INNER[0]) & (shares < INNER[1])).all())


@measured
def _crosses(figure: Figure, side: str) -> list[Event]:
    strokes = _strokes(figure, side)
    pairs = [(one, two) for index, one in enumerate(strokes) for two in strokes[index + 1 :] if _cross(one, two)]
    return [Event(one.start, two.end, side) for one, two in pairs]


def _alone(figure: Figure, found: list[Event]) -> list[Event]:
    """Keep what one hand draws while the other goes a much shorter way."""

    def way(side: str, event: Event) -> float:
        return float(np.linalg.norm(np.diff(_place(figure, side)[event.start : event.end], axis=0), axis=-1).sum())

    return [one for one in found if one.side and way(OTHER[one.side], one) < IDLE * way(one.side, one)]


@detector("draws_circle")
def draws_circle(figure: Figure) -> list[Event]:
    """Find one hand that goes around once at an even distance from a place before the body."""
    found: list[Event] = []
    for side in SIGN:
        rounds = _rounds(figure, side)
        crossed = any(one.overlap(cross) > 0.5 for one in rounds for cross in _crosses(figure, side))
        found += rounds if len(rounds) == 1 and not crossed else []
    return _alone(figure, found)


@detector("draws_triangle")
def draws_triangle(figure: Figure) -> list[Event]:
    """Find three straight strokes of one hand, the last of which ends where the first began."""
    found: list[Event] = []
    for side in SIGN:
        strokes = _strokes(figure, side)
        threes = [strokes[at : at + 3] for at in range(len(strokes) - 2)]
        triangles = [Event(three[0].start, three[2].end, side) for three in threes if _closes(three)]
        found += triangles if not _rounds(figure, side) and not _crosses(figure, side) else []
    return _alone(figure, found)


@detector("draws_cross")
def draws_cross(figure: Figure) -> list[Event]:
    """Find two slanting strokes of one hand that cross."""
    return _alone(figure, [event for side in SIGN for event in _crosses(figure, side)])
