"""Find lifted legs: kicks, raised knees, balance on one leg."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector, in_turn
from remogpt.eval.detectors.figure import LEG_LENGTH, OTHER, SIGN, Figure, rate, smooth
from remogpt.eval.detectors.rhythm import peaks, spans

KICK_HEIGHT, KICK_WAY, KICK_PACE = 0.22, 0.32, 0.9
"""Metres from floor to ankle of a thrown leg, and level from hip to ankle; metres a second of the pelvis, at most."""
KICK_BACK = 0.72
"""Distance from hip to ankle of a leg thrown back, over the leg's length; a heel that is only lifted is nearer."""
KNEE_TILT, KNEE_BENT = 60.0, 135.0
"""Degrees of a raised thigh from hanging, at least, and of its knee, at most; 180 is straight."""
IN_TURN = 30
"""Most frames between two knees raised in turn."""
BALANCED, STILL = 18, 0.35
"""Fewest frames on one leg; metres a second of the standing foot, at most."""


def tilt(line: np.ndarray) -> np.ndarray:
    """(T,) degrees between lines (T, 3) and straight down."""
    return np.degrees(np.arctan2(np.hypot(line[:, 0], line[:, 2]), -line[:, 1]))


@detector("kicks")
def kicks(figure: Figure) -> list[Event]:
    """Find a foot thrown away from its hip, beyond its knee, over a place on which the other foot stays."""
    calm = np.linalg.norm(rate(figure.at("pelvis", 9))[:, [0, 2]], axis=-1) < KICK_PACE
    found = []
    for side, sign in SIGN.items():
        ankle, knee = (
            figure.seen(figure.at(f"{side}_{joint}", 3) - figure.at(f"{side}_hip", 3), figure.yaw("hip"))
            for joint in ("ankle", "knee")
        )
        free = calm & (figure.height(f"{side}_ankle", 3) > KICK_HEIGHT)
        free &= figure.height(f"{OTHER[side]}_ankle", 3) < 0.2
        stretched = np.linalg.norm(ankle, axis=-1) > KICK_BACK * LEG_LENGTH
        ways = {"forward": (0, 1.0), "side": (2, sign), "back": (0, -1.0)}
        out = {way: factor * ankle[:, axis] for way, (axis, factor) in ways.items()}
        for way, (axis, factor) in ways.items():
            beyond = factor * (ankle[:, axis] - knee[:, axis]) > 0.05
            farthest = out[way] >= np.maximum.reduce(list(out.values()))
            thrown = free & beyond & farthest & (stretched | (way != "back"))
            for top in peaks(smooth(np.where(thrown, out[way], 0.0), 3), 0.2, 7, KICK_WAY):
                found.append(Event(max(0, top - 8), top + 9, side, way))
    return found


@detector("lifts_knee")
def lifts_knee(figure: Figure) -> list[Event]:
    """Find thighs raised to about level with a bent knee, while the other leg stands; both, if they take turns."""
    thighs = {side: tilt(figure.at(f"{side}_knee") - figure.at(f"{side}_hip")) for side in SIGN}
    tops = {}
    for side in SIGN:
        tops[side] = [
            top
            for top in peaks(smooth(thighs[side], 5), 35.0, 6, KNEE_TILT)
            if figure.bend(side, "leg")[top] < KNEE_BENT
            and thighs[OTHER[side]][top] < 45.0
            and figure.height(f"{side}_ankle")[top] > 0.2
        ]
    return in_turn(tops, 9, 10, IN_TURN)


@detector("balances")
def balances(figure: Figure) -> list[Event]:
    """Find a foot held up for long while the other stands still."""
    found = []
    for side in SIGN:
        high, ground = figure.height(f"{side}_ankle", 7), f"{OTHER[side]}_ankle"
        stands = (np.linalg.norm(rate(figure.at(ground, 9)), axis=-1) < STILL) & (figure.height(ground, 7) < 0.16)
        for start, end in spans((high > 0.17) & stands, BALANCED, 4):
            lifted = high[start:end] - 0.1
            if (lifted > 0.8 * lifted.max()).sum() >= 15:
                found.append(Event(start, end, side))
    return found
