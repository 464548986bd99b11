"""Find walks, runs, steps and sidesteps by the ways that the feet make through the air.

A foot's swing is the time in which its ball moves over the floor. Swings in one direction that follow each other make a
bout; in a run the next foot leaves the floor before the last one lands.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import FPS, SIGN, Figure, measured, rate, steady
from remogpt.eval.detectors.rhythm import spans

SWING_SPEED, SWING_WAY = 0.35, 0.12
"""Metres a second of a foot in the air, and metres of the shortest swing."""
PAUSE = 14
"""Most frames between two swings of a bout."""
SHORT_WALK, STEP_WAY = 0.8, (0.2, 0.9)
"""Metres: shortest way of a walk of two swings; way of a single step."""
WALK_PACES, RUN_PACES = (0.88, 1.42), (2.5, 3.1)
"""Metres a second between slow, normal and fast."""
SLOWEST_RUN = 1.5


@dataclass(frozen=True)
class Swing:
    """One foot's way through the air: frames, and metres forward and to the left as the figure sees it."""

    start: int
    end: int
    side: str
    forward: float
    left: float

    @property
    def direction(self) -> str:
        """Where the foot goes: forward, backward, left or right."""
        if abs(self.forward) >= 0.9 * abs(self.left):
            return "forward" if self.forward > 0 else "backward"
        return "left" if self.left > 0 else "right"


@dataclass(frozen=True)
class Bout:
    """Swings of one direction that follow each other."""

    swings: tuple[Swing, ...]
    flying: bool
    """True: the next foot leaves before the last one lands."""

    @property
    def direction(self) -> str:
        """Direction of all its swings."""
        return self.swings[0].direction

    @property
    def alternates(self) -> bool:
        """Whether left and right take turns."""
        changes = sum(a.side != b.side for a, b in pairwise(self.swings))
        return changes >= 0.5 * (len(self.swings) - 1)


def swings(figure: Figure) -> list[Swing]:
    """Return the swings of both feet in order of time."""
    found = []
    for side in SIGN:
        ball = figure.at(f"{side}_foot")
        moves = np.linalg.norm(rate(ball)[:, [0, 2]], axis=-1) > SWING_SPEED
        for start, end in spans(moves, 2):
            way = ball[min(end, len(ball) - 1)] - ball[max(start - 1, 0)]
            middle = (start + end) // 2
            seen = figure.seen(way[None], figure.facing[middle : middle + 1])[0]
            if np.hypot(seen[0], seen[2]) >= SWING_WAY:
                found.append(Swing(start, end, side, float(seen[0]), float(seen[2])))
    return sorted(found, key=lambda swing: swing.start + swing.end)


def in_flight(found: list[Swing]) -> list[bool]:
    """Return for each swing whether most pairs of swings around it overlap in time."""
    over = [a.side != b.side and a.end > b.start for a, b in pairwise(found)]
    near = [over[max(0, index - 2) : index + 2] for index in range(len(found))]
    touching = [any(over[max(0, index - 1) : index + 1]) for index in range(len(found))]
    return [touch and sum(some) >= 0.5 * len(some) for touch, some in zip(touching, near, strict=True)]


@measured
def bouts(figure: Figure) -> list[Bout]:
    """Return the bouts of at least two swings in which the feet take turns."""
    found = swings(figure)
    rows: list[tuple[list[Swing], bool]] = []
    for swing, flying in zip(found, in_flight(found), strict=True):
        flying = flying and swing.direction == "forward"
        row, last_flies = rows[-1] if rows else ([], None)
        if row and (row[-1].direction, last_flies) == (swing.direction, flying) and swing.start - row[-1].end <= PAUSE:
            row.append(swing)
        else:
            rows.append(([swing], flying))
    made = [Bout(tuple(row), flying) for row, flying in rows if len(row) >= 2]
    return [bout for bout in made if bout.alternates]


def way(figure: Figure, start: int, end: int) -> float:
    """Return the metres that the pelvis goes over the floor, looked at every 0.4 s so that its sway is not counted."""
    path = steady(figure.joints[:, 0, [0, 2]], 2.0)[start:end] * figure.scale
    marks = np.linspace(0, len(path) - 1, max(2, round(len(path) / 8) + 1)).round().astype(int)
    return float(np.linalg.norm(np.diff(path[marks], axis=0), axis=-1).sum())


def pace(figure: Figure, start: int, end: int) -> float:
    """Return the metres a second of the fastest whole seconds, without start and stop."""
    length = min(int(FPS), end - start - 1)
    ways = [way(figure, first, first + length + 1) for first in range(start, end - length, 2)]
    return float(np.quantile(ways, 0.8)) / length * FPS


def _word(speed: float, limits: tuple[float, float]) -> str:
    return "slow" if speed < limits[0] else "normal" if speed < limits[1] else "fast"


def _travel(figure: Figure, bout: Bout, paces: tuple[float, float], side: str | None = None) -> Event:
    """Describe a bout, from a quarter of a second before its first swing to as much after its last."""
    start, end = max(0, bout.swings[0].start - 5), min(len(figure), bout.swings[-1].end + 6)
    speed = _word(pace(figure, start, end), paces)
    return Event(start, end, side, bout.direction, distance=way(figure, start, end), speed=speed)


@detector("walks")
@measured
def walks(figure: Figure) -> list[Event]:
    """Find bouts forward or backward with a foot on the floor at any time."""
    walked = [bout for bout in bouts(figure) if bout.direction in ("forward", "backward") and not bout.flying]
    found = [(_travel(figure, bout, WALK_PACES), len(bout.swings)) for bout in walked]
    return [event for event, steps in found if (event.distance or 0.0) > (0.5 if steps > 2 else SHORT_WALK)]


@detector("runs")
def runs(figure: Figure) -> list[Event]:
    """Find bouts forward with flight."""
    found = [_travel(figure, bout, RUN_PACES) for bout in bouts(figure) if bout.flying]
    return [event for event in found if pace(figure, event.start, event.end) > SLOWEST_RUN]


@detector("sidesteps")
def sidesteps(figure: Figure) -> list[Event]:
    """Find bouts to the left or right."""
    found = [_travel(figure, bout, WALK_PACES) for bout in bouts(figure) if bout.direction in ("left", "right")]
    return [event for event in found if (event.distance or 0.0) > 0.3]


@detector("steps")
def steps(figure: Figure) -> list[Event]:
    """Find bouts of few swings that go no farther than one step; the first foot gives the side."""
    short = [bout for bout in bouts(figure) if len(bout.swings) <= 4]
    found = [_travel(figure, bout, WALK_PACES, bout.swings[0].side) for bout in short]
    return [event for event in found if STEP_WAY[0] < (event.distance or 0.0) < STEP_WAY[1]]
