"""Find single fast movements of the arms: punches, pushes, throws, swipes, knocks, catches, swings, pulls."""

import numpy as np

from remogpt.motion.body import ARM_LENGTH, SIDES, Body, memo, other
from remogpt.motion.predicates.arms import reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, groups, swings, trimmed

STROKE, OUT, BENT = 0.09, 0.80, 0.93
"""Distance shoulder to wrist over the arm's length: smallest change of a stroke, its far end, its near end."""
SWIPE_WAY = 0.38
"""Smallest sideways way of the wrist in a swipe, metres."""
KNOCK_STROKE = 0.035
"""Smallest forward way of the wrist in a knock, metres."""
PULL, PULL_ROCK = 0.14, 9.0
"""Smallest change of the reach in a pull, over the arm's length, and degrees that the trunk leans back meanwhile."""


def _forward(body: Body, side: str) -> np.ndarray:
    """(T, 3) offset of the wrist from its shoulder: forward, up, left, in the heading of the hips."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder")


@memo
def _strokes(body: Body, side: str, outward: bool) -> Intervals:
    """Find swings of the distance from shoulder to wrist while the hand is in front at shoulder height.

    Height is measured along the vertical or along the trunk.
    """
    wrist, stretched = _forward(body, side), reach(body, side)
    along = body.above(f"{side}_wrist", f"{side}_shoulder")
    level = np.minimum(np.abs(wrist[:, 1]), np.abs(along))
    found = []
    for swing in swings(stretched, STROKE):
        start, end = trimmed(stretched, *swing, share=0.3)
        near, far = (start, swing[1]) if outward else (end, start)
        in_front = wrist[far, 0] > 0.22 and level[far] < 0.27 and max(wrist[near, 1], along[near]) > -0.36
        if stretched[far] > max(stretched[near], OUT) and in_front:
            found.append((start, end + 1))
    return found


@memo
def _extensions(body: Body, side: str) -> Intervals:
    """Find quick strokes of a hand from a bent arm to the front."""
    stretched = reach(body, side)
    found = []
    for start, end in _strokes(body, side, outward=True):
        halfway = 0.5 * (stretched[start] + stretched[end - 1])
        quick = int((stretched[start:end] > halfway).sum()) <= 8
        if quick and stretched[start] < BENT:
            found.append((max(start, end - 12), end))
    return found


def _together(left: Intervals, right: Intervals) -> Intervals:
    """Find strokes that both arms do within a fifth of a second."""
    return [(min(a[0], b[0]), max(a[1], b[1])) for a in left for b in right if abs(a[1] - b[1]) <= 4]


def _near(found: Intervals, others: Intervals, frames: int) -> bool:
    """Return whether any other interval lies within some frames of the bout."""
    if not found:
        return False
    return any(one[1] > found[0][0] - frames and one[0] < found[-1][1] + frames for one in others)


@predicate("punches", "punches with the {side} hand")
def punches(body: Body, side: str, count: int | None = None) -> Intervals:
    """Shoot a fist forward; both: left and right in turn, counted together."""
    strokes = {name: _extensions(body, name) for name in SIDES}
    pushed = _together(strokes["left"], strokes["right"])
    strokes = {name: [one for one in found if not _near([one], pushed, 0)] for name, found in strokes.items()}
    if side == "both":
        found = sorted(strokes["left"] + strokes["right"]) if strokes["left"] and strokes["right"] else []
        return counted(found, count)
    return [] if _near(strokes[side], strokes[other(side)], 14) else counted(strokes[side], count)


@predicate("pushes", "pushes forward with both hands")
def pushes(body: Body) -> Intervals:
    """Stretch both arms forward together from in front of the chest."""
    return _together(_extensions(body, "left"), _extensions(body, "right"))


@predicate("throws", "throws with the {side} hand, {direction}")
def throws(body: Body, side: str, direction: str | None = None) -> Intervals:
    """Bring a hand fast from behind to the front: from over the shoulder, or from below past the hip."""
    wrist = _forward(body, side)
    speed = np.gradient(wrist[:, 0]) * 20.0
    found = []
    for start, end in swings(wrist[:, 0], 0.27):
        if wrist[end, 0] <= wrist[start, 0] or speed[start : end + 1].max() < 1.4:
            continue
        low = wrist[start : end + 1, 1].min()
        over = wrist[start, 1] > 0.0 and low > -0.30
        under = wrist[start, 0] < -0.10 and wrist[start, 1] < 0.0 and low < -0.35
        if (over and direction != "underhand") or (under and direction != "overhand"):
            found.append(trimmed(wrist[:, 0], start, end))
    return found


@predicate("swipes", "swipes the {side} hand to the {direction}")
def swipes(body: Body, side: str, direction: str) -> Intervals:
    """Move one hand sideways in front of the trunk, fast, while the other stays."""
    sign = 1.0 if direction == "left" else -1.0
    wrist = _forward(body, side)
    idle = _forward(body, other(side))[:, 2]
    found = []
    for start, end in swings(wrist[:, 2], SWIPE_WAY):
        moved = sign * (wrist[end, 2] - wrist[start, 2])
        ends = wrist[list(trimmed(wrist[:, 2], start, end, 0.2))]
        raised = (np.abs(ends[:, 1]) < 0.33).all() and (ends[:, 0] > 0.05).all()
        if moved > 0 and raised and np.ptp(idle[start : end + 1]) < 0.5 * moved:
            found.append(trimmed(wrist[:, 2], start, end))
    return found


@predicate("knocks", "knocks with the {side} hand")
def knocks(body: Body, side: str, count: int | None = None) -> Intervals:
    """Move a bent arm's hand forward and back by a little at chest to face height, again and again."""
    wrist = _forward(body, side)
    ready = (reach(body, side) < 0.97) & (wrist[:, 0] > 0.15) & (np.abs(wrist[:, 1]) < 0.30)
    found = []
    for start, end in swings(wrist[:, 0], KNOCK_STROKE):
        if wrist[end, 0] > wrist[start, 0] and ready[max(end - 3, 0) : end + 4].all():
            found.append((max(start, end - 6), end + 1))
    bouts = [bout for bout in groups(found, 14) if len(bout) >= 2]
    return max((counted(bout, count) for bout in bouts), key=len, default=[])


@predicate("catches", "catches with the {side} hand")
def catches(body: Body, side: str) -> Intervals:
    """Reach forward with an open hand, then draw it in to the chest and keep it there; both hands or one."""
    taken = {name: _drawn_in(body, name) for name in SIDES}
    if side == "both":
        return [a for a in taken["left"] for b in taken["right"] if abs(a[1] - b[1]) <= 6]
    return [] if _near(taken[side], taken[other(side)], 8) else taken[side]


@memo
def _drawn_in(body: Body, side: str) -> Intervals:
    stretched, height = reach(body, side), _forward(body, side)[:, 1]
    found = []
    for start, end in _strokes(body, side, outward=False):
        stays = slice(end, min(end + 6, body.num_frames))
        calm = stretched[stays].max(initial=0.0) < stretched[end - 1] + 0.06 and height[stays].min(initial=0.0) > -0.42
        if end - start <= 17 and calm:
            found.append((start, end))
    return found


@predicate("swings_arms", "swings both arms to the {direction}")
def swings_arms(body: Body, direction: str) -> Intervals:
    """Sweep both hands together from one side of the trunk to the other."""
    sign = 1.0 if direction == "left" else -1.0
    hands = [body.offset(f"{side}_wrist", "pelvis") for side in SIDES]
    close = body.gap("left_wrist", "right_wrist", 1.0) < 0.75 * ARM_LENGTH
    middle = sign * 0.5 * (hands[0][:, 2] + hands[1][:, 2])
    pace = np.abs(np.gradient(middle))
    found = []
    for start, end in swings(middle, 0.35):
        fastest = pace[start : end + 1].max() > 0.8 * pace.max()
        if fastest and middle[end] > middle[start] and close[start : end + 1].mean() > 0.6 and middle[start] < -0.05:
            found.append(trimmed(middle, start, end))
    return found


@predicate("pulls", "pulls with the {side} hand")
def pulls(body: Body, side: str) -> Intervals:
    """Draw a stretched hand back beside the trunk while the trunk goes from leaning forward to leaning back."""
    drawn = {name: _drawn_back(body, name) for name in SIDES}
    if side == "both":
        return [(min(a[0], b[0]), max(a[1], b[1])) for a in drawn["left"] for b in drawn["right"] if _near([a], [b], 0)]
    return [] if _near(drawn[side], drawn[other(side)], 0) else drawn[side]


@memo
def _drawn_back(body: Body, side: str) -> Intervals:
    wrist, lean, stretched = _forward(body, side), body.lean()[:, 0], reach(body, side)
    level = np.maximum(wrist[:, 1], body.above(f"{side}_wrist", f"{side}_shoulder"))
    usual, found = float(np.median(lean)), []
    for start, near in swings(stretched, PULL):
        far = trimmed(stretched, start, near, 0.1)[0]
        leant = float(lean[far : near + 6].min())
        rocked = lean[max(far - 9, 0) : near].max() - leant
        in_place = level[[far, near]].min() > -0.42 and wrist[far, 0] > 0.25
        back = stretched[far] > max(stretched[near], OUT) and wrist[far, 0] - wrist[near, 0] > 0.1
        upright = np.abs(lean[far : near + 1]).max() < 40.0
        if rocked > PULL_ROCK and leant < usual - 5.0 and in_place and back and upright and near - far >= 3:
            found.append((far, near + 1))
    return found
