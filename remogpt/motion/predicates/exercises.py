"""Find exercises of the trunk: toe touches, circles of hips and head, ducking, elbows brought to knees."""

import numpy as np

from remogpt.motion.body import LEG_LENGTH, MEDIUM, SIDES, Body, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, in_turn, stretches
from remogpt.motion.skeleton import FPS

TOE_REACH, TOE_LEAN = 0.42, 70.0
"""Largest height of both wrists at the feet, metres, and smallest forward lean with it, degrees."""
FOOT_REACH = 0.42
"""Most metres from a wrist to the ball of the foot that it touches."""
STRAIGHT = 0.86
"""Least length of a straight leg from hip to ankle, as a share of its bones."""
HIP_CIRCLE, HIP_SPEED = 0.045, 0.12
"""Least radius of a circle of the hips, metres, and least speed of the pelvis in it, metres a second."""
DUCK_SPEED, DODGE_SPEED = 0.95, 1.1
"""Least speed of a head that ducks, downwards and sideways, metres a second."""
DUCK_DROP, DODGE_WAY = 0.24, 0.22
"""Least way of the head, metres."""
AT_KNEE = 0.33
"""Most metres between an elbow and the knee that it is brought to."""
HEAD_CIRCLE, HEAD_SPEED = 0.25, 0.4
"""Least radius of a circle of the head over the neck, and least speed in it a second, as shares of the neck."""
BACK_UP = 36
"""Most frames after a duck until the head is up again."""


def _straight(body: Body) -> np.ndarray:
    """(T,) length of the more bent leg from hip to ankle, as a share of its bones."""
    return np.minimum(*(body.gap(f"{side}_hip", f"{side}_ankle", 1.0) for side in SIDES)) / LEG_LENGTH


@predicate("touches_toes", "bends down and touches the toes with both hands")
def touches_toes(body: Body, count: int | None = None) -> Intervals:
    """Bring both hands to the feet over nearly straight legs that stand, and come up."""
    ankles = np.stack([body.height(f"{side}_ankle", MEDIUM) for side in SIDES])
    floor = ankles.min(axis=0) - 0.07  # the feet may stand on a step
    hands = np.maximum(*(body.height(f"{side}_wrist", 1.0) for side in SIDES)) - floor
    lean, straight = body.lean()[:, 0], _straight(body)
    near = np.maximum(*(body.gap(f"{side}_wrist", f"{side}_foot") for side in SIDES))
    found = []
    for start, end in excursions(-hands, -TOE_REACH, -0.6):
        lowest = start + int(np.argmin(hands[start:end]))
        deep = lean[lowest] > TOE_LEAN and straight[lowest] > STRAIGHT and near[lowest] < 0.5
        stands = np.ptp(ankles[:, lowest]) < 0.12 and body.height("pelvis")[lowest] - floor[lowest] > 0.65
        if deep and stands and end - start >= 5:
            found.append((start, end))
    return counted(found, count)


@predicate("touches_other_foot", "bends down and touches the other foot with the {side} hand")
def touches_other_foot(body: Body, side: str, count: int | None = None) -> Intervals:
    """Bring a hand to the other side's foot over nearly straight legs, the free hand up; both: in turn."""
    return counted(in_turn(lambda one: _crossings(body, one), side), count)


def _crossings(body: Body, side: str) -> Intervals:
    foot, hand = f"{other(side)}_foot", f"{side}_wrist"
    gap, straight, lean = body.gap(hand, foot), _straight(body), body.lean()[:, 0]
    closer = body.gap(hand, f"{side}_foot") - gap
    free = body.height(f"{other(side)}_wrist") - body.height(hand)
    found = []
    for start, end in excursions(-gap, -FOOT_REACH, -0.6):
        lowest = start + int(np.argmin(gap[start:end]))
        bent = lean[lowest] > 55.0 and straight[lowest] > STRAIGHT and body.height("pelvis")[lowest] > 0.65
        if bent and closer[lowest] > 0.04 and free[lowest] > 0.25:
            found.append((start, end))
    return found


@predicate("rolls_hips", "circles the hips")
def rolls_hips(body: Body, count: int | None = None) -> Intervals:
    """Take the pelvis around in circles over planted feet, the head moving less."""
    feet = 0.25 * sum(body.at(f"{side}_{joint}", MEDIUM) for side in SIDES for joint in ("ankle", "foot"))
    pelvis = (body.at("pelvis", 1.5) - feet)[:, [0, 2]]
    velocity = np.gradient(pelvis, axis=0) * FPS
    moves = np.linalg.norm(velocity, axis=-1) > HIP_SPEED
    planted = np.linalg.norm(np.gradient(np.asarray(feet), axis=0), axis=-1) * FPS < 0.1
    found: Intervals = []
    rounds = 0.0
    for start, end in stretches(moves & planted, 16, 2):
        turned = _turned(velocity[start:end])
        radius = np.linalg.norm(pelvis[start:end] - pelvis[start:end].mean(axis=0), axis=-1)
        head = (body.at("head", 1.5) - feet)[start:end][:, [0, 2]]
        still = np.linalg.norm(head - head.mean(axis=0), axis=-1).mean() < 0.9 * radius.mean()
        if turned > 1.3 and np.median(radius) > HIP_CIRCLE and still:
            found.append((start, end))
            rounds += turned - 0.5  # the ways out to the circle and back turn a quarter each
    return _of_rounds(found, rounds, count)


def _turned(velocity: np.ndarray) -> float:
    """Return how many times a velocity (T, 2) turns around."""
    angle = np.unwrap(np.arctan2(velocity[:, 0], velocity[:, 1]))
    return float(abs(angle[-1] - angle[0]) / (2.0 * np.pi))


def _of_rounds(found: Intervals, rounds: float, count: int | None) -> Intervals:
    """Return what was found if it has `count` rounds (plus or minus one from five on), else nothing."""
    if count is None or not found:
        return found
    return found if abs(rounds - count) <= (0.45 if count < 5 else 1.45) else []


@predicate("ducks", "ducks or dodges {direction}")
def ducks(body: Body, direction: str | None = None) -> Intervals:
    """Drop or jerk the head and the trunk within a moment, over planted feet, and come back."""
    if direction is None:
        return sorted(found for way in ("down", *SIDES) for found in ducks(body, way))
    feet = 0.5 * (body.at("left_foot", MEDIUM) + body.at("right_foot", MEDIUM))
    head, pelvis = body.at("head", 1.0), body.height("pelvis", 1.0)
    lean = body.lean()
    if direction == "down":
        way, least, speed = -head[:, 1], DUCK_DROP, DUCK_SPEED
    else:
        way = ((head - feet) * body.axes()[1]).sum(-1) * (1.0 if direction == "left" else -1.0)
        least, speed = DODGE_WAY, DODGE_SPEED
    fast = np.gradient(way) * FPS > speed
    hands = np.minimum(body.height("left_wrist"), body.height("right_wrist"))
    lifted = np.maximum(body.lift("left"), body.lift("right"))
    found: Intervals = []
    for first, last in stretches(fast, 2, 1):
        start = max(first - 4, 0)
        top = first + int(np.argmax(way[first : last + 8]))
        went = way[top] - way[start]
        back = np.flatnonzero(way[top : top + BACK_UP] < way[top] - 0.6 * went)
        if went < least or not len(back):
            continue
        end = top + int(back[0]) + 1
        if lifted[start : end + 4].max() > 0.08 or hands[start:end].min() < 0.4:
            continue
        sunk = pelvis[start] - pelvis[start:end].min()
        if direction == "down":
            tilts = abs(lean[top, 1]) < 20.0 and lean[top, 0] - lean[start, 0] > 15.0
            if tilts and 0.06 < sunk < 0.68 * went and sunk < 0.36:
                found.append((start, end))
        elif (lean[top, 1] - lean[start, 1]) * (1.0 if direction == "left" else -1.0) > 12.0 and sunk > 0.03:
            found.append((start, end))
    return found


@predicate("brings_elbow_to_knee", "brings the {side} elbow to the other knee")
def brings_elbow_to_knee(body: Body, side: str, count: int | None = None) -> Intervals:
    """Bring an elbow down to the lifted knee of the other side; both: left and right in turn, counted together."""
    return counted(in_turn(lambda one: _crunches(body, one), side), count)


def _crunches(body: Body, side: str) -> Intervals:
    knee, elbow = f"{other(side)}_knee", f"{side}_elbow"
    gap = body.gap(elbow, knee)
    raised = body.height(knee) - body.height("pelvis") > -0.15
    stands = body.height(f"{side}_ankle") < 0.2
    return [
        (start, end)
        for start, end in excursions(-gap, -AT_KNEE, -0.46)
        if (raised & stands)[start:end].any() and body.height("pelvis")[start:end].min() > 0.7
    ]


@predicate("rolls_head", "rolls the head around")
def rolls_head(body: Body, count: int | None = None) -> Intervals:
    """Take the head around on the neck in circles while the shoulders stay."""
    neck = body.offset("head", "neck", "shoulder", 1.5)
    flat = neck[:, [0, 2]] / np.maximum(np.linalg.norm(neck, axis=-1, keepdims=True), 1e-6)
    velocity = np.gradient(flat, axis=0) * FPS
    shoulders = 0.5 * (body.at("left_shoulder", MEDIUM) + body.at("right_shoulder", MEDIUM))
    still = np.linalg.norm(np.gradient(shoulders, axis=0), axis=-1) * FPS < 0.3
    found: Intervals = []
    rounds = 0.0
    for start, end in stretches((np.linalg.norm(velocity, axis=-1) > HEAD_SPEED) & still, 14, 2):
        turned = _turned(velocity[start:end])
        radius = np.linalg.norm(flat[start:end] - flat[start:end].mean(axis=0), axis=-1)
        if turned > 0.95 and np.median(radius) > HEAD_CIRCLE and np.ptp(flat[start:end], axis=0).min() > 0.4:
            found.append((start, end))
            rounds += turned - 0.5
    return _of_rounds(found, rounds, count)
