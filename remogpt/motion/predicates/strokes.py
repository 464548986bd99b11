"""Single fast movements of the arms: punches, pushes, throws, swipes, knocks, catches, swings."""

import numpy as np

from remogpt.motion.body import ARM_LENGTH, SIDES, Body, other
from remogpt.motion.predicates.arms import reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, groups, swings

PUNCH_REACH, PUNCH_BACK = 0.78, 0.68
"""Shoulder to wrist over the arm's length: stretched out, and drawn back between two punches."""
PUNCH_SPEED = 0.9
"""Metres a second that the wrist goes forward at the fastest."""
SWIPE_WAY = 0.38
"""Metres that the wrist goes sideways in a swipe."""
KNOCK_STROKE = 0.035
"""Metres that the wrist goes forward in a knock."""


def _forward(body: Body, side: str) -> np.ndarray:
    """(T, 3) of the wrist from its shoulder: forward, up, left, by the heading of the hips."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder")


def _extensions(body: Body, side: str) -> Intervals:
    """Strokes of a fist: the arm stretches forward at shoulder height, fast, from a bent position, and comes back."""
    wrist, stretched = _forward(body, side), reach(body, side)
    level = (np.abs(wrist[:, 1]) < 0.30) & (wrist[:, 0] > 0.24)
    speed = np.gradient(wrist[:, 0]) * 20.0
    found = []
    for start, end in excursions(np.where(level, stretched, 0.0), PUNCH_REACH, PUNCH_BACK):
        before = slice(max(start - 8, 0), start + 3)
        if speed[max(start - 8, 0) : end].max() > PUNCH_SPEED and stretched[before].min() < PUNCH_REACH:
            found.append((max(start - 3, 0), end))
    return found


def _together(left: Intervals, right: Intervals) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs of strokes of both arms that begin within a fifth of a second of each other."""
    return [(a, b) for a in left for b in right if abs(a[0] - b[0]) <= 4]


@predicate("punches", "punches with the {side} hand")
def punches(body: Body, side: str, count: int | None = None) -> Intervals:
    """Shoot a fist forward; both: left and right in turn, counted together."""
    strokes = {name: _extensions(body, name) for name in SIDES}
    if _together(strokes["left"], strokes["right"]):
        return []
    if side == "both":
        found = sorted(strokes["left"] + strokes["right"]) if strokes["left"] and strokes["right"] else []
        return counted(found, count)
    return [] if strokes[other(side)] else counted(strokes[side], count)


@predicate("pushes", "pushes forward with both hands")
def pushes(body: Body) -> Intervals:
    """Stretch both arms forward together from in front of the chest."""
    return [(min(a[0], b[0]), max(a[1], b[1])) for a, b in _together(*(_extensions(body, side) for side in SIDES))]


@predicate("throws", "throws with the {side} hand, {direction}")
def throws(body: Body, side: str, direction: str | None = None) -> Intervals:
    """Bring a hand fast from behind to the front: from over the shoulder, or from below past the hip."""
    wrist = _forward(body, side)
    speed = np.gradient(wrist[:, 0]) * 20.0
    found = []
    for start, end in swings(wrist[:, 0], 0.38):
        if wrist[end, 0] <= wrist[start, 0] or speed[start : end + 1].max() < 1.6:
            continue
        low = wrist[start : end + 1, 1].min()
        over = wrist[start, 1] > 0.0 and low > -0.30
        under = wrist[start, 0] < -0.10 and wrist[start, 1] < -0.2
        if (over and direction != "underhand") or (under and direction != "overhand"):
            found.append((start, end + 1))
    return found


@predicate("swipes", "swipes the {side} hand to the {direction}")
def swipes(body: Body, side: str, direction: str) -> Intervals:
    """Move one hand sideways in front of the trunk, fast, while the other stays."""
    sign = 1.0 if direction == "left" else -1.0
    wrist = _forward(body, side)
    calm = body.speed(f"{other(side)}_wrist")
    found = []
    for start, end in swings(wrist[:, 2], SWIPE_WAY):
        moved = sign * (wrist[end, 2] - wrist[start, 2])
        level = np.abs(wrist[start : end + 1, 1]) < 0.38
        front = wrist[start : end + 1, 0] > 0.08
        if moved > 0 and (level & front).mean() > 0.5 and calm[start : end + 1].mean() < 0.7:
            found.append((start, end + 1))
    return found


@predicate("knocks", "knocks with the {side} hand")
def knocks(body: Body, side: str, count: int | None = None) -> Intervals:
    """Move a bent arm's hand forward and back by a little at chest to face height, again and again."""
    wrist = _forward(body, side)
    bent = (reach(body, side) < 0.97) & (wrist[:, 0] > 0.12) & (np.abs(wrist[:, 1]) < 0.32)
    found = []
    for start, end in swings(wrist[:, 0], KNOCK_STROKE):
        way = wrist[end, 0] - wrist[start, 0]
        if 0 < way < 0.3 and bent[start : end + 1].mean() > 0.7 and end - start < 14:
            found.append((start, end + 1))
    bouts = [bout for bout in groups(found, 14) if len(bout) >= 2]
    return max((counted(bout, count) for bout in bouts), key=len, default=[])


@predicate("catches", "catches with the {side} hand")
def catches(body: Body, side: str) -> Intervals:
    """Reach forward with an open hand, then draw it in to the chest; both hands or one."""
    taken = {name: _drawn_in(body, name) for name in SIDES}
    if side == "both":
        return [a for a in taken["left"] for b in taken["right"] if abs(a[1] - b[1]) <= 6]
    return [] if taken[other(side)] else taken[side]


def _drawn_in(body: Body, side: str) -> Intervals:
    wrist = _forward(body, side)
    found = []
    for start, end in swings(wrist[:, 0], 0.10):
        inward = wrist[end, 0] < wrist[start, 0] and wrist[end, 0] > 0.05
        high = wrist[start, 1] > -0.35 and wrist[end, 1] > -0.42
        if inward and high and reach(body, side)[start] > 0.6 and reach(body, side)[end] < reach(body, side)[start]:
            found.append((start, end + 1))
    return found


@predicate("swings_arms", "swings both arms to the {direction}")
def swings_arms(body: Body, direction: str) -> Intervals:
    """Sweep both hands together from one side of the trunk to the other."""
    sign = 1.0 if direction == "left" else -1.0
    hands = [body.offset(f"{side}_wrist", "pelvis") for side in SIDES]
    close = body.gap("left_wrist", "right_wrist", 1.0) < 0.75 * ARM_LENGTH
    middle = sign * 0.5 * (hands[0][:, 2] + hands[1][:, 2])
    found = []
    for start, end in swings(middle, 0.35):
        if middle[end] > middle[start] and close[start : end + 1].mean() > 0.6 and middle[start] < -0.05:
            found.append((start, end + 1))
    return found
