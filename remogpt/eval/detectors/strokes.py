"""Find single strokes of the arms: punches, pushes, catches, throws, swipes, swings, pulls."""

from dataclasses import dataclass

import numpy as np

from remogpt.eval.detectors.event import Event, both_or_one, detector, in_turn
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate, smooth
from remogpt.eval.detectors.rhythm import peaks, slides

BEFORE = 14
"""Frames before and after an elbow's widest angle in which its smallest ones are looked for."""
GUARDED, OPENED = 108.0, 130.0
"""Degrees of an elbow that is ready to punch, at most, and that has punched, at least."""
READY = -0.27
"""Metres of a ready fist over the shoulders, at least."""
IN_TURN = 34
"""Most frames between two punches of a row."""
FLING, FLUNG = 2.0, 0.45
"""Metres a second and metres of a thrown hand's way forward."""
SWIPE, SWING = 0.38, 0.35
"""Metres of a hand's way sideways in a swipe, and of both hands' in a swing."""
HAUL, HAUL_SWAY = 0.12, 0.115
"""Metres by which an elbow goes back past the chest in a pull, and the head goes back over the pelvis."""


@measured
def fist(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from between the shoulders: forward and outward as the hips see it, and up."""
    between = 0.5 * (figure.at("left_shoulder", 9) + figure.at("right_shoulder", 9))
    offset: np.ndarray = figure.seen(figure.at(f"{side}_wrist", 3) - between, figure.yaw("hip", 15))
    return offset * [1.0, 1.0, SIGN[side]]


@dataclass(frozen=True)
class Opening:
    """The moment at which an elbow is opened widest: degrees then, and the smallest ones before and after."""

    frame: int
    angle: float
    before: float
    after: float
    start: int
    """Frame of the smallest angle before."""


@measured
def openings(figure: Figure, side: str, least: float) -> list[Opening]:
    """Return the moments at which an elbow opens by `least` degrees with the hand in front, between waist and head."""
    hand, bend = fist(figure, side), smooth(figure.bend(side, "arm"), 3)
    found = []
    for top in peaks(bend, least, 4):
        first = max(0, top - BEFORE)
        start = first + int(np.argmin(bend[first : top + 1]))
        if hand[top, 0] > 0.3 and -0.32 < hand[top, 1] < 0.28:
            after = float(bend[top : top + BEFORE + 1].min())
            found.append(Opening(top, float(bend[top]), float(bend[start]), after, start))
    return found


def _thrusts(figure: Figure, side: str) -> list[int]:
    """Return the frames at which a fist that was held up before the chest is farthest out."""
    hand = fist(figure, side)
    return [
        one.frame
        for one in openings(figure, side, 35.0)
        if one.angle > OPENED and one.before < GUARDED and hand[one.start, 1] > READY
        and hand[one.frame, 0] - hand[one.start, 0] > 0.08
    ]  # fmt: skip


@detector("punches")
def punches(figure: Figure) -> list[Event]:
    """Find fists shot forward from a bent arm, one at a time; both, if they take turns."""
    hits = {side: _thrusts(figure, side) for side in SIGN}
    alone = {side: [a for a in hits[side] if all(abs(a - b) > 3 for b in hits[OTHER[side]])] for side in SIGN}
    return in_turn(alone, 8, 6, IN_TURN)


@detector("pushes")
def pushes(figure: Figure) -> list[Event]:
    """Find both hands going out together from bent arms before the chest."""
    hands = [fist(figure, side) for side in SIGN]
    bends = [figure.bend(side, "arm") for side in SIGN]
    found = []
    for top in peaks(smooth(0.5 * (hands[0][:, 0] + hands[1][:, 0]), 5), 0.10, 6, 0.4):
        first = max(0, top - 16)
        starts = [first + int(np.argmin(bend[first : top + 1])) for bend in bends]
        ready = all(b[at] < GUARDED and h[at, 1] > READY for b, h, at in zip(bends, hands, starts, strict=True))
        out = all(h[top, 0] > 0.36 and -0.34 < h[top, 1] < 0.25 for h in hands)
        if ready and out and min(bend[top] for bend in bends) > 118.0:
            found.append(Event(max(0, top - 12), min(len(figure), top + 9)))
    return found


def _taken(figure: Figure, side: str) -> list[Event]:
    """Find a hand that reaches out from a hanging arm, then is drawn in to the chest and stays there."""
    hand, bend = fist(figure, side), figure.bend(side, "arm")
    found = []
    for top in peaks(smooth(hand[:, 0], 3), 0.11, 5, 0.4):
        if top + 12 >= len(figure) or bend[top] < OPENED or not -0.3 < hand[top, 1] < 0.25:
            continue
        after = slice(top + 7, top + 18)
        kept = np.median(bend[after]) < 112.0 and -0.4 < np.median(hand[after, 1]) < -0.02
        if kept and bend[max(0, top - BEFORE) : top + 1].min() > 115.0:
            found.append(Event(max(0, top - 8), top + 12, side))
    return found


@detector("catches")
def catches(figure: Figure) -> list[Event]:
    """Find one hand or both that reach out and draw in."""
    return both_or_one({side: _taken(figure, side) for side in SIGN})


@detector("throws")
def throws(figure: Figure) -> list[Event]:
    """Find hands flung forward: from behind and above (overhand), or from behind and below (underhand)."""
    found = []
    for side in SIGN:
        hand = fist(figure, side)
        for fastest in peaks(rate(smooth(hand[:, 0], 3)), 1.0, 6, FLING):
            first = max(0, fastest - 10)
            back = first + int(np.argmin(hand[first : fastest + 1, 0]))
            low = hand[back : fastest + 4, 1].min()
            over = hand[back, 1] > -0.15 and low > -0.3
            under = low < -0.35 and hand[back, 0] < -0.05
            if hand[fastest : fastest + 8, 0].max() - hand[back, 0] > FLUNG and (over or under):
                end = min(len(figure), fastest + 6)
                found.append(Event(back, end, side, "overhand" if over else "underhand"))
    return found


@detector("swipes")
def swipes(figure: Figure) -> list[Event]:
    """Find one hand that goes far sideways in front at about one height, while the other stays."""
    found = []
    for side, sign in SIGN.items():
        hand, idle = fist(figure, side), fist(figure, OTHER[side])[:, 2]
        left = sign * hand[:, 2]
        for start, end in slides(smooth(left, 3), 0.3):
            move, edge = left[end] - left[start], (end - start) // 4
            middle = slice(start + edge, end - edge + 1)
            level = np.ptp(hand[middle, 1]) < 0.6 * np.ptp(left[middle]) and hand[middle, 1].min() > -0.35
            alone = np.ptp(idle[start : end + 1]) < 0.5 * abs(move)
            if abs(move) > SWIPE and level and alone and hand[middle, 0].min() > 0.05:
                found.append(Event(start, end + 1, side, "left" if move > 0 else "right"))
    return found


@detector("swings_arms")
def swings_arms(figure: Figure) -> list[Event]:
    """Find both hands together sweeping from side to side; only the fastest sweep is the swing."""
    middle = smooth(0.5 * (fist(figure, "left")[:, 2] - fist(figure, "right")[:, 2]), 5)
    close = figure.gap("left_wrist", "right_wrist") < 0.4
    speed = np.abs(rate(middle))
    return [
        Event(start, end + 1, direction="left" if middle[end] > middle[start] else "right")
        for start, end in slides(middle, SWING)
        if close[start : end + 1].mean() > 0.6 and speed[start : end + 1].max() > 0.85 * speed.max()
    ]


def _hauls(figure: Figure, side: str) -> list[Event]:
    """Find an elbow that goes from in front of the chest to beside or behind it while the head sways back."""
    elbow = smooth(figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)[:, 0], 5)
    hand = fist(figure, side)
    head = figure.seen(figure.at("head", 7) - figure.at("pelvis", 7))[:, 0]
    found = []
    for start, end in slides(elbow, HAUL):
        if elbow[end] > elbow[start]:
            continue
        sway = head[max(0, start - 8) : start + 8].max() - head[start : end + 6].min()
        bent = figure.bend(side, "arm")[start : end + 3].min() < 112.0
        behind = head[start : end + 6].min() < np.median(head) - 0.04
        stands = np.ptp(figure.height("pelvis", 9)[start : end + 1]) < 0.08
        place = elbow[end] < 0.06 and hand[start, 0] > 0.3 and hand[end, 1] > -0.46
        if sway > HAUL_SWAY and behind and stands and bent and place:
            found.append(Event(start, end + 1, side))
    return found


@detector("pulls")
def pulls(figure: Figure) -> list[Event]:
    """Find one hand or both that haul something in."""
    events = both_or_one({side: _hauls(figure, side) for side in SIGN})
    paired = [event for event in events if event.side == "both"]
    return paired or events
