"""Find jumps, hops and jumping jacks: the centre of mass flies like a thrown ball, and feet leave the floor."""

from dataclasses import dataclass

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate, smooth
from remogpt.eval.detectors.rhythm import peaks

RISE, FALL = 0.05, -4.0
"""Metres by which the centre of mass rises, and its acceleration at the top, metres a second squared (free: -9.8)."""
CLEAR, LIFTED = 0.04, 0.05
"""Metres from the floor to a foot in flight, and to the idle foot of a hop."""
GROUND = 0.06
"""Metres from the floor, at most, to a foot that takes off or lands."""
AWAY = 0.13
"""Metres of a leap that goes somewhere."""
LONGEST = 8
"""Most frames from the top of a leap to either end."""


@dataclass(frozen=True)
class Leap:
    """One flight: frames [start, end), the feet that take off and land, metres forward and to the left."""

    start: int
    end: int
    feet: tuple[str, ...]
    forward: float
    left: float

    @property
    def direction(self) -> str:
        """Where the leap goes: up, forward, backward, left or right."""
        if max(abs(self.forward), abs(self.left)) < AWAY:
            return "up"
        if abs(self.forward) > abs(self.left):
            return "forward" if self.forward > 0 else "backward"
        return "left" if self.left > 0 else "right"


def sole(figure: Figure, side: str) -> np.ndarray:
    """(T,) height of the lowest part of a foot."""
    return np.minimum(figure.height(f"{side}_foot", 3), figure.height(f"{side}_ankle", 3) - 0.03)


@measured
def leaps(figure: Figure) -> list[Leap]:
    """Return all flights that one foot or both begin and end."""
    centre = figure.mass_centre
    height = smooth(centre[:, 1], 3)
    pull = smooth(rate(rate(height)), 3)
    low = np.minimum(sole(figure, "left"), sole(figure, "right"))
    found = []
    for top in peaks(height, RISE, 4):
        near = slice(max(0, top - 2), top + 3)
        if low[near].max() < CLEAR or pull[near].min() > FALL:
            continue
        start, end = _flight(low, top)
        feet = tuple(side for side in SIGN if _carries(sole(figure, side), start, end))
        move = centre[min(len(figure) - 1, end + 3)] - centre[max(0, start - 3)]
        seen = figure.seen(move[None], figure.facing[top : top + 1])[0] * figure.scale
        found.append(Leap(start, end, feet, float(seen[0]), float(seen[2])))
    return found


def _flight(low: np.ndarray, top: int) -> tuple[int, int]:
    """Return the frames [start, end) about the top in which the lower foot is off the floor."""
    start, end = top, top + 1
    while start > 0 and low[start - 1] > 0.03 and top - start < LONGEST:
        start -= 1
    while end < len(low) and low[end] > 0.03 and end - top < LONGEST:
        end += 1
    return start, end


def _carries(height: np.ndarray, start: int, end: int) -> bool:
    """Return whether a foot is on the floor just before and just after a flight."""
    return bool(height[max(0, start - 4) : start + 1].min() < GROUND and height[end - 1 : end + 4].min() < GROUND)


@detector("jumps")
def jumps(figure: Figure) -> list[Event]:
    """Find flights that both feet begin and end."""
    return [
        Event(leap.start, leap.end, direction=leap.direction) for leap in leaps(figure) if len(leap.feet) == len(SIGN)
    ]


@detector("hops")
def hops(figure: Figure) -> list[Event]:
    """Find flights of one foot while the other stays lifted; sideways ones count as up."""
    found = []
    for leap in leaps(figure):
        if len(leap.feet) != 1:
            continue
        (side,) = leap.feet
        idle = sole(figure, OTHER[side])[max(0, leap.start - 4) : leap.end + 4]
        if idle.min() > LIFTED:
            direction = leap.direction if leap.direction == "forward" else "up"
            found.append(Event(leap.start, leap.end, side, direction))
    return found


@detector("jumping_jacks")
def jumping_jacks(figure: Figure) -> list[Event]:
    """Find moments at which the feet are widest apart and both hands highest."""
    wide = np.abs(figure.seen(figure.at("left_ankle") - figure.at("right_ankle"))[:, 2])
    rises = [figure.height(f"{side}_wrist") - figure.height(f"{side}_shoulder") for side in SIGN]
    high = np.minimum(*rises)
    opened = smooth(np.minimum(wide / 0.3, high / 0.5), 5)
    return [Event(max(0, top - 8), top + 9) for top in peaks(opened, 0.8, 6) if wide[top] > 0.42 and high[top] > 0.2]
