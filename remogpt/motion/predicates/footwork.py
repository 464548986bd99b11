"""Find what feet do beside steps: they go over an obstacle, rise on the toes, swing, tap."""

from itertools import pairwise

import numpy as np

from remogpt.motion.body import LEG_LENGTH, Body, memo, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, groups, stretches, turning_points
from remogpt.motion.skeleton import FPS

OVER_LIFT, OVER_WAY = 0.20, 0.30
"""Metres that ankle and foot rise over an obstacle, and that the ankle goes forward in the meantime."""
BETWEEN = 1.1
"""Most seconds between the two feet that go over an obstacle, and fewest to another high step."""

HEELS_UP, ON_TIPTOE = 0.04, 0.03
"""Metres that both heels rise, and by which a heel is up in a walk on the toes, at least."""
FLAT_ANKLE = (0.035, 0.07)
"""Metres that the ankle of a flat foot is above its ball, least and most."""
SWUNG = (13.0, 7.0)
"""Degrees that a leg swings ahead and behind, at least."""

TAP = (0.05, 0.17)
"""Height of the ball of a foot that is up between taps, metres: least and most."""


def _moved(body: Body, joint: str, start: int, end: int) -> np.ndarray:
    """Return (forward, up, left) metres that a joint goes from one frame to another, in the heading between them."""
    start, end = max(start, 0), min(end, body.num_frames - 1)
    place = body.at(joint, 1.0)
    forward, left = body.axes()
    middle, way = (start + end) // 2, place[end] - place[start]
    return np.array([way @ forward[middle], way[1], way @ left[middle]])


@memo
def _high_steps(body: Body) -> list[tuple[int, int, str]]:
    """Find steps forward with a high foot while the other one stands: (start, end, side), in order."""
    found = []
    for side in ("left", "right"):
        high = body.lift(side)
        stands = body.at(f"{other(side)}_foot", 1.0)
        for start, end in excursions(high, OVER_LIFT, 0.05):
            slid = np.linalg.norm(stands[start:end] - stands[(start + end) // 2], axis=-1)
            way = _moved(body, f"{side}_ankle", start - 3, end + 3)
            if way[0] > OVER_WAY and abs(way[1]) < 0.1 and np.percentile(slid, 80) < 0.08 and end - start >= 0.3 * FPS:
                found.append((start, end, side))
    return sorted(found)


@predicate("steps_over", "steps over something with the {side} foot first")
def steps_over(body: Body, side: str | None = None) -> Intervals:
    """Take both feet high over something, one after the other, and no third one: who goes on so marches."""
    steps = _high_steps(body)
    found = []
    for bout in groups([step[:2] for step in steps], int(BETWEEN * FPS)):
        sides = [one[2] for one in steps if one[:2] in bout]
        upright = body.pelvis_ratio()[bout[0][0] : bout[-1][1]].min() > 0.78
        if len(sides) == 2 and sides[0] != sides[1] and side in (None, sides[0]) and upright:
            found.append((bout[0][0], bout[1][1]))
    return found


@memo
def _heel(body: Body, side: str) -> np.ndarray:
    """(T,) metres that a heel is up: how high the ankle is over the ball, and over the same of the flat foot."""
    ball = body.at(f"{side}_foot", 1.0)
    above = body.height(f"{side}_ankle") - body.height(f"{side}_foot")
    rests = (np.linalg.norm(np.gradient(ball, axis=0), axis=-1) * FPS < 0.2) & (ball[:, 1] < 0.045)
    flat = np.percentile(above[rests], 25) if rests.any() else FLAT_ANKLE[1]
    return above - float(np.clip(flat, *FLAT_ANKLE))


@memo
def _on_toes(body: Body) -> Intervals:
    # Any floor will do, the upper end of stairs too: both balls rest at one height.
    heels = [_heel(body, side) for side in ("left", "right")]
    low = np.abs(body.height("left_foot") - body.height("right_foot")) < 0.035
    for side in ("left", "right"):
        slides = np.linalg.norm(np.gradient(body.at(f"{side}_foot", 1.0), axis=0), axis=-1) * FPS
        low &= slides < 0.25
    lifted = np.where(low & (body.pelvis_ratio() > 0.92), np.minimum(*heels), 0.0)
    calm = np.linalg.norm(body.velocity()[:, [0, 2]], axis=-1) < 0.3
    found = excursions(np.where(calm, lifted, 0.0), HEELS_UP, 0.5 * HEELS_UP)
    return [one for one in found if one[1] - one[0] >= 6 and not _goes_on(body, one, np.minimum(*heels))]


def _goes_on(body: Body, interval: tuple[int, int], heels: np.ndarray) -> bool:
    """Return whether someone on the toes walks on them before or after an interval of standing still."""
    whole = [one for one in stretches(heels > 0.4 * HEELS_UP) if one[0] < interval[1] and interval[0] < one[1]]
    start, end = min(one[0] for one in (*whole, interval)), max(one[1] for one in (*whole, interval))
    path = body.at("pelvis", 2.0)[start:end, [0, 2]]
    return bool(np.linalg.norm(path - path[interval[0] - start], axis=-1).max() > 0.22)


@predicate("rises_on_toes", "rises on the toes of both feet")
def rises_on_toes(body: Body, count: int | None = None) -> Intervals:
    """Lift both heels while the balls of the feet stay on the floor, upright and on one place."""
    return counted(_on_toes(body), count)


@memo
def _leg_swings(body: Body, side: str) -> Intervals:
    """Find swings of a leg ahead: each from one moment behind (or from the lifting of the foot) to the next."""
    leg = body.offset(f"{side}_ankle", f"{side}_hip")
    angle = np.degrees(np.arctan2(leg[:, 0], -leg[:, 1]))
    straight = np.linalg.norm(leg, axis=-1) > 0.84 * LEG_LENGTH
    stands = body.at(f"{other(side)}_foot", 1.0)
    still = np.linalg.norm(np.gradient(stands, axis=0), axis=-1) * FPS < 0.3
    free = body.height(f"{side}_foot") > 0.03
    found: Intervals = []
    for start, end in stretches(still & free & straight, min_frames=20, bridge=3):
        points = turning_points(angle[start:end], 18.0)
        ahead = [start + one for one in points if angle[start + one] > SWUNG[0]]
        behind = [start + one for one in points if angle[start + one] < -SWUNG[1]]
        between = sum(any(a < one < b for one in behind) for a, b in pairwise(ahead))
        if len(ahead) >= 2 and between == len(ahead) - 1:
            found += [(max(one - 8, start), min(one + 9, end)) for one in ahead]
    return found


@predicate("swings_leg", "swings the {side} leg forward and back")
def swings_leg(body: Body, side: str, count: int | None = None) -> Intervals:
    """Swing a straight leg ahead and behind, at least twice, without setting it down; the other one stands."""
    return counted(_leg_swings(body, side), count)


@memo
def _taps(body: Body, side: str) -> Intervals:
    """Find the longest row of times at which a foot leaves the floor a little and comes back to the same place."""
    ball = body.at(f"{side}_foot")
    ankle = body.height(f"{side}_ankle")
    stands = np.linalg.norm(np.gradient(body.at(f"{other(side)}_foot", 1.0), axis=0), axis=-1) * FPS < 0.25
    stands &= body.height(f"{other(side)}_foot") < 0.06
    beats = []
    for start, end in excursions(ball[:, 1], TAP[0], 0.034):
        first, last = max(start - 2, 0), min(end + 1, body.num_frames - 1)
        back = np.linalg.norm((ball[last] - ball[first])[[0, 2]]) < 0.05
        low = ball[start:end, 1].max() < TAP[1] and ankle[start:end].max() < 0.24
        if back and low and stands[start:end].mean() > 0.8 and end - start <= 1.5 * FPS and start > 0:
            beats.append((start, end))
    return max(groups(beats, 2 * int(FPS)), key=len, default=[])


@predicate("taps_foot", "taps the floor with the {side} foot")
def taps_foot(body: Body, side: str, count: int | None = None) -> Intervals:
    """Lift a foot or its toes a little and set it down on the same place, at least twice, while the other stands."""
    beats = _taps(body, side)
    upright = all(body.pelvis_ratio()[start:end].min() > 0.9 for start, end in beats)
    if len(beats) < 2 or not upright:
        return []
    # Who lifts the feet by turns steps on the spot.
    others = [one for one in _taps(body, other(side)) if beats[0][1] <= one[0] and one[1] <= beats[-1][0]]
    return counted(beats, count) if not others else []


@predicate("walks_on_toes", "walks on the toes")
def walks_on_toes(body: Body) -> Intervals:
    """Go on at a walk with heels that never come down while their feet are on the floor."""
    velocity = np.linalg.norm(body.velocity()[:, [0, 2]], axis=-1)
    heels, low = [], []
    for side in ("left", "right"):
        heels.append(_heel(body, side))
        low.append(body.height(f"{side}_foot") < 0.045)
    down = np.maximum(*(np.where(on, 1.0 * (heel < ON_TIPTOE), 0.0) for heel, on in zip(heels, low, strict=True)))
    stands = low[0] | low[1]
    found = []
    for start, end in stretches((velocity > 0.25) & (velocity < 1.5) & (down < 0.5), min_frames=16, bridge=2):
        way = np.linalg.norm((body.at("pelvis", 2.0)[end - 1] - body.at("pelvis", 2.0)[start])[[0, 2]])
        both = all(on[start:end].mean() > 0.3 for on in low)
        upright = body.pelvis_ratio()[start:end].min() > 0.9
        if way > 0.5 and both and upright and stands[start:end].mean() > 0.9:
            found.append((start, end))
    return found
