"""Find what the trunk does: bows, bends, looks, twists, reaching to the floor, dances."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import SIGN, Figure, rate, smooth, steady
from remogpt.eval.detectors.lows import drop
from remogpt.eval.detectors.rhythm import around, peaks

BOW, DOWN, SIDE, LOOK, TWIST = 32.0, 45.0, 9.5, 7.5, 11.0
"""Degrees: forward lean of a bow and of reaching to the floor, sideways lean of a bend, turn of the shoulders in a look
and to each side in a twist."""
FLOOR = 0.5
"""Metres from the floor to a wrist that reaches down to it."""
EVEN = 0.09
"""Metres of height between two wrists that reach down together, at most."""
SWAY, ROOM = 0.06, 0.5
"""Metres: shift of the pelvis to each side in a dance, and the place in which it stays."""


def _turned(figure: Figure, against: np.ndarray) -> np.ndarray:
    """(T,) degrees that the shoulders are turned to the left against a heading in radians."""
    turn = figure.yaw("shoulder", 7) - against
    return np.degrees(np.arctan2(np.sin(turn), np.cos(turn)))


@detector("bows")
def bows(figure: Figure) -> list[Event]:
    """Find peaks of the trunk's forward lean while the pelvis stays up and the hands off the floor."""
    pitch, low = smooth(figure.lean()[:, 0], 7), drop(figure)
    hands = np.minimum(figure.height("left_wrist"), figure.height("right_wrist"))
    found = []
    for top in peaks(pitch, 20.0, 8, BOW):
        start, end = around(pitch, top)
        sunk = low[top] - min(low[start], low[min(end, len(low) - 1)])
        if sunk < 0.15 and hands[start:end].min() > 0.36 and end - start > 8:
            found.append(Event(start, end))
    return found


@detector("bends_sideways")
def bends_sideways(figure: Figure) -> list[Event]:
    """Find peaks of the trunk's lean to either side."""
    roll = smooth(figure.lean()[:, 1], 7)
    found = []
    for direction, sign in SIGN.items():
        bends = [around(sign * roll, top, 0.35) for top in peaks(sign * roll, 7.5, 8, SIDE)]
        found += [Event(start, end, direction=direction) for start, end in bends if end - start > 7]
    return found


@detector("looks")
def looks(figure: Figure) -> list[Event]:
    """Find slow turns of the shoulders against the hips to one side that do not swing over to the other."""
    turn = smooth(_turned(figure, figure.yaw("hip", 7)), 13)
    found = []
    for direction, sign in SIGN.items():
        curve = sign * turn
        for top in peaks(curve, 6.5, 10, LOOK):
            start, end = around(curve, top)
            near = curve[max(0, top - 30) : top + 31]
            if end - start >= 14 and near.min() > -0.6 * curve[top]:
                found.append(Event(start, end, direction=direction))
    return found


@detector("twists")
def twists(figure: Figure) -> list[Event]:
    """Find turns of the shoulders over the feet to one side and then to the other; a pair is one twist."""
    turn = smooth(_turned(figure, figure.foot_yaw), 7)
    ends = sorted([(top, side) for side, sign in SIGN.items() for top in peaks(sign * turn, 20.0, 6, TWIST)])
    found, index = [], 0
    while index < len(ends) - 1:
        (first, side), (second, other) = ends[index], ends[index + 1]
        paired = side != other and second - first < 36
        if paired:
            found.append(Event(max(0, first - 5), second + 6))
        index += 2 if paired else 1
    return found


@detector("picks_up")
def picks_up(figure: Figure) -> list[Event]:
    """Find deep bends in which a hand comes near the floor; the lower hand gives the side."""
    pitch = smooth(figure.lean()[:, 0], 5)
    found = []
    for top in peaks(pitch, 30.0, 8, DOWN):
        start, end = around(pitch, top)
        left, right = (float(figure.height(f"{side}_wrist")[start:end].min()) for side in SIGN)
        if min(left, right) < FLOOR:
            side = "both" if abs(left - right) < EVEN else "left" if left < right else "right"
            found.append(Event(start, end, side))
    return found


@detector("dances")
def dances(figure: Figure) -> list[Event]:
    """Find a pelvis that shifts from side to side over one place while bent arms move."""
    pelvis = figure.joints[:, 0]
    shift = smooth(pelvis - steady(pelvis, 16.0), 9)
    left = figure.seen(shift, steady(figure.foot_yaw, 10.0))[:, 2]
    ends = sorted(peaks(left, SWAY, 6) + peaks(-left, SWAY, 6))
    if len(ends) < 4:
        return []
    frames = slice(ends[0], ends[-1])
    travel = float(np.linalg.norm(np.ptp(steady(pelvis[:, [0, 2]], 12.0)[frames], axis=0)))
    speeds = [np.linalg.norm(rate(figure.in_chest(f"{side}_wrist", "spine3")), axis=-1) for side in SIGN]
    busy = min(float(np.median(speed[frames])) for speed in speeds) > 0.2
    bent = max(float(np.median(figure.bend(side, "arm")[frames])) for side in SIGN) < 140.0
    return [Event(max(0, ends[0] - 8), min(len(figure), ends[-1] + 8))] if travel < ROOM and busy and bent else []
