"""Find lifted legs: kicks, raised knees, balance on one leg."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector, in_turn
from remogpt.eval.detectors.figure import LEG_LENGTH, OTHER, SIGN, Figure, rate, smooth
from remogpt.eval.detectors.rhythm import peaks, spans

KICK_HEIGHT, KICK_TILT = 0.22, 33.0
"""Metres from the floor to the ankle, and degrees from hanging, of a thrown leg."""
STRETCHED = 0.86
"""Distance from hip to ankle of a thrown leg, over the leg's length."""
KNEE_TILT, KNEE_BENT = 66.0, 135.0
"""Degrees of a raised thigh from hanging, at least, and of its knee, at most; 180 is straight."""
IN_TURN = 30
"""Most frames between two knees raised in turn."""
BALANCED, STILL = 18, 0.25
"""Fewest frames on one leg; metres a second of the standing foot, at most."""


def tilt(line: np.ndarray) -> np.ndarray:
    """(T,) degrees between lines (T, 3) and straight down."""
    return np.degrees(np.arctan2(np.hypot(line[:, 0], line[:, 2]), -line[:, 1]))


@detector("kicks")
def kicks(figure: Figure) -> list[Event]:
    """Find peaks of the angle by which a stretched leg is thrown up; a leg thrown inwards is none."""
    found = []
    for side, sign in SIGN.items():
        leg = figure.seen(figure.at(f"{side}_ankle", 3) - figure.at(f"{side}_hip", 3), figure.yaw("hip"))
        outward = sign * leg[:, 2]
        leg[:, 2] = np.maximum(outward, 0.0)
        stretched = np.linalg.norm(leg, axis=-1) > STRETCHED * LEG_LENGTH
        thrown = stretched & (figure.height(f"{side}_ankle", 3) > KICK_HEIGHT)
        for top in peaks(smooth(np.where(thrown, tilt(leg), 0.0), 3), 25.0, 7, KICK_TILT):
            ahead = "forward" if leg[top, 0] > 0 else "back"
            direction = "side" if outward[top] > abs(leg[top, 0]) else ahead
            found.append(Event(max(0, top - 8), top + 9, side, direction))
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
            and figure.height(f"{side}_ankle")[top] > 0.25
        ]
    return in_turn(tops, 9, 10, IN_TURN)


@detector("balances")
def balances(figure: Figure) -> list[Event]:
    """Find a foot held up for long while the other stands still."""
    found = []
    for side in SIGN:
        high, ground = figure.height(f"{side}_ankle", 7), f"{OTHER[side]}_ankle"
        stands = (np.linalg.norm(rate(figure.at(ground, 9)), axis=-1) < STILL) & (figure.height(ground, 7) < 0.16)
        for start, end in spans((high > 0.2) & stands, BALANCED, 2):
            lifted = high[start:end] - 0.1
            if (lifted > 0.8 * lifted.max()).sum() >= 15:
                found.append(Event(start, end, side))
    return found
