"""Find skipping and galloping by the order in which the balls of the feet come to rest on the floor."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate
from remogpt.eval.detectors.rhythm import spans

RESTS = 0.7
"""Metres a second over the floor of a ball of the foot that stands, at most."""
HOP = 0.15
"""Metres from where a foot stands to where it stands after a hop, at least."""


@dataclass(frozen=True)
class Rest:
    """One foot standing in frames [start, end), at x and z."""

    start: int
    end: int
    side: str
    place: np.ndarray


@measured
def _ball_speed(figure: Figure, side: str) -> np.ndarray:
    """(T,) metres a second over the floor of the ball of a foot."""
    return np.asarray(np.linalg.norm(rate(figure.at(f"{side}_foot", 3))[:, [0, 2]], axis=-1))


@measured
def _rests(figure: Figure) -> list[Rest]:
    """Return all times at which a foot stands, in order of their middles."""
    found = []
    for side in SIGN:
        ball = figure.at(f"{side}_foot", 3)
        found += [
            Rest(a, b, side, np.median(ball[a:b, [0, 2]], axis=0)) for a, b in spans(_ball_speed(figure, side) < RESTS)
        ]
    return sorted(found, key=lambda rest: rest.start + rest.end)


@detector("skips")
def skips(figure: Figure) -> list[Event]:
    """Find feet that come to rest in the order left, left, right, right, or the other way round."""
    rests = _rests(figure)
    hops = [(a, b) for a, b in pairwise(rests) if a.side == b.side and _hopped(figure, a, b)]
    found = []
    for (first, _), (last, lands) in pairwise(hops):
        if first.side != last.side and lands.end - first.start < 50:
            found.append(Event(first.start, lands.end))
    return found


def _hopped(figure: Figure, leaves: Rest, lands: Rest) -> bool:
    """Return whether a foot goes ahead from one rest to the next, while the other one moves all the time."""
    moves = _ball_speed(figure, OTHER[leaves.side])[leaves.end - 1 : lands.start + 1]
    middle = (leaves.end + lands.start) // 2
    way = np.array([[lands.place[0] - leaves.place[0], 0.0, lands.place[1] - leaves.place[1]]])
    ahead = float(figure.seen(way, figure.facing[middle : middle + 1])[0, 0])
    return ahead > HOP and lands.start - leaves.end <= 10 and bool((moves > RESTS).mean() > 0.8)


@detector("gallops")
def gallops(figure: Figure) -> list[Event]:
    """Find rows of steps in which one foot always reaches far ahead and the other one only catches up, through the air.

    The side is that of the foot that reaches ahead.
    """
    return [Event(*row, side) for side in SIGN for row in _rows(figure, side, 0.0)]


@detector("gallops_sideways")
def gallops_sideways(figure: Figure) -> list[Event]:
    """Find rows of steps to one side in which the outer foot reaches out and the inner one follows through the air."""
    return [
        Event(*row, direction=side) for side, sign in SIGN.items() for row in _rows(figure, side, sign * np.pi / 2.0)
    ]


def _rows(figure: Figure, side: str, turned: float) -> list[tuple[int, int]]:
    """Return first and end frame of each two rounds in a row of a foot that leads; `turned`: see `_chases`."""
    rests = _rests(figure)
    rounds = [
        (a, b, c)
        for a, b, c in zip(rests, rests[1:], rests[2:], strict=False)
        if (a.side, b.side, c.side) == (side, OTHER[side], side) and _chases(figure, a, b, c, turned)
    ]
    return [(one[0].start, two[2].end) for one, two in pairwise(rounds) if two[0] is one[2]]


def _chases(figure: Figure, lead: Rest, rear: Rest, lands: Rest, turned: float) -> bool:
    """Return whether the rear foot makes the smaller way past the leading one, and both move for a moment before.

    `turned` is the course against where the figure faces, radians to the left.
    """
    way = lands.place - lead.place
    length = float(np.linalg.norm(way))
    faced = figure.facing[rear.start] + turned
    ahead = float(way @ [np.sin(faced), np.cos(faced)])
    if length < 0.25 or ahead < 0.7 * length or lands.start - lead.start > 24:
        return False
    share = float((rear.place - lead.place) @ way) / length**2
    near = slice(max(lead.start, rear.start - 8), rear.start + 1)
    slower = np.minimum(_ball_speed(figure, lead.side)[near], _ball_speed(figure, rear.side)[near])
    return share < 0.4 and float(slower.max(initial=0.0)) > RESTS
