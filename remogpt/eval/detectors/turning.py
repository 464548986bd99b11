"""Find turns and circles by where the feet point, which shoulders and hips may disagree with for a while."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import Figure, measured, rate, steady
from remogpt.eval.detectors.gait import way
from remogpt.eval.detectors.rhythm import spans

SLOWEST, LEAST = 5.0, 28.0
"""Degrees a second and degrees of a turn."""
MOVING = 0.2
"""Metres of way for each radian, from which on a turn is made while walking."""
FULL, ROUND = 285.0, 2.5
"""Degrees and metres of way of a walked circle."""


@detector("turns")
@measured
def turns(figure: Figure) -> list[Event]:
    """Find times in which the feet turn one way; `moving` says whether the pelvis goes somewhere meanwhile."""
    yaw = steady(np.degrees(figure.foot_yaw), 4.0)
    found = []
    for direction, sign in (("left", 1.0), ("right", -1.0)):
        for start, end in spans(sign * rate(yaw) > SLOWEST, 6, 8):
            angle = float(sign * (yaw[min(end + 4, len(yaw) - 1)] - yaw[max(start - 4, 0)]))
            if angle > LEAST:
                moving = way(figure, start, end) / np.radians(angle) > MOVING
                found.append(Event(start, end, direction=direction, angle=angle, moving=bool(moving)))
    return found


@detector("circles")
def circles(figure: Figure) -> list[Event]:
    """Find turns by nearly a full circle on a way that is long enough to be one; turning right is clockwise."""
    ways = {"right": "clockwise", "left": "counterclockwise"}
    return [
        Event(turn.start, turn.end, direction=ways[str(turn.direction)])
        for turn in turns(figure)
        if (turn.angle or 0.0) > FULL and turn.moving and way(figure, turn.start, turn.end) > ROUND
    ]
