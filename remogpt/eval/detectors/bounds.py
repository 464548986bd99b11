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
