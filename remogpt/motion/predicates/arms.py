"""Find what arms hold or repeat: waves, raised hands, points, salutes, poses, claps, circles."""

import numpy as np

from remogpt.motion.body import ARM_LENGTH, SIDES, Body, memo, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import (
    Intervals,
    counted,
    covered,
    excursions,
    groups,
    stretches,
    swings,
    trimmed,
)

WAVE_BELOW_HEAD, WAVE_SWING = 0.17, 0.085
"""Metres: lowest wrist under the head joint while waving; smallest sideways swing of the wrist over the elbow."""
RAISED = 0.04
"""Height of a raised hand's wrist above the head joint, metres."""
EXTENDED = 0.84
"""Distance from shoulder to wrist of a stretched arm, over the arm's length."""
CLAP_GAP, CLAP_OPEN = 0.17, 0.20
"""Metres between the wrists when the palms meet, and when they have parted again."""
HOLD = 6
"""Fewest frames of a held pose."""


@memo
def raised(body: Body, side: str, above: float = RAISED) -> np.ndarray:
    """(T,) whether the wrist of a side is above the head joint."""
    return body.height(f"{side}_wrist") > body.height("head", 2.0) + above


@memo
def reach(body: Body, side: str) -> np.ndarray:
    """(T,) distance from shoulder to wrist over the arm's length."""
    return body.gap(f"{side}_shoulder", f"{side}_wrist") / ARM_LENGTH


def alone(body: Body, found: Intervals, side: str, mask_of_other: np.ndarray) -> Intervals:
    """Keep the intervals in which the other arm does not do the same."""
    return [(start, end) for start, end in found if mask_of_other[start:end].mean() < 0.5]


def both(left: Intervals, right: Intervals) -> Intervals:
    """Keep the intervals of the left arm of which the right arm shares at least half."""
    found = []
    for start, end in left:
        if any(min(end, b) - max(start, a) >= 0.5 * min(end - start, b - a) for a, b in right):
            found.append((start, end))
    return found


@memo
def _wave_strokes(body: Body, side: str) -> Intervals:
    """Sideways swings of a raised forearm; up is along the trunk, which may bow."""
    high = body.above(f"{side}_wrist", "head") > -WAVE_BELOW_HEAD
    sideways = body.offset(f"{side}_wrist", f"{side}_elbow", "shoulder")[:, 2]
    found = []
    for start, end in stretches(high, min_frames=8, bridge=2):
        found += [(start + a, start + b) for a, b in swings(sideways[start:end], WAVE_SWING)]
    return found


def _wave_count(body: Body, side: str, bout: Intervals) -> float:
    """Count strokes there and back, without the half strokes that lift and lower the arm."""
    sideways = body.offset(f"{side}_wrist", f"{side}_elbow", "shoulder")[:, 2]
    sizes = np.array([abs(sideways[end] - sideways[start]) for start, end in bout])
    whole = float(np.median(np.sort(sizes)[-3:]))
    return (int((sizes > 0.68 * whole).sum()) + 1) / 2.0


@memo
def _waving(body: Body, side: str, count: int | None) -> Intervals:
    found: Intervals = []
    for bout in groups(_wave_strokes(body, side), 6):
        slack = 0.5 if count is None or count < 5 else 1.0
        if len(bout) >= 3 and (count is None or abs(_wave_count(body, side, bout) - count) <= slack):
            found.append((bout[0][0], bout[-1][1]))
    return found


@predicate("waves", "waves with the {side} hand")
def waves(body: Body, side: str, count: int | None = None) -> Intervals:
    """Swing a raised forearm sideways; one count is there and back; a named single side excludes the other."""
    if side == "both":
        return both(_waving(body, "left", count), _waving(body, "right", count))
    return alone(body, _waving(body, side, count), side, covered(_waving(body, other(side), None), body.num_frames))


@predicate("raises_hand", "raises the {side} hand above the head")
def raises_hand(body: Body, side: str, direction: str | None = None) -> Intervals:
    """Bring a wrist above the head; `direction` says whether the arm comes up in front or at the side."""
    up = {name: raised(body, name) for name in SIDES}
    if side == "both":
        found = stretches(up["left"] & up["right"], HOLD, 4)
        return [one for one in found if direction in (None, _way_up(body, "left", one))]
    found = alone(body, stretches(up[side], HOLD, 4), side, up[other(side)])
    return [one for one in found if direction in (None, _way_up(body, side, one))]


def _way_up(body: Body, side: str, interval: tuple[int, int]) -> str:
    """Return where the elbow moves farther out on its way up: "forward" or "side"."""
    hanging = np.flatnonzero(body.offset(f"{side}_wrist", f"{side}_shoulder")[: interval[0], 1] < -0.35)
    first = int(hanging[-1]) if len(hanging) else 0
    rise = slice(max(first, interval[0] - 30), interval[0] + 8)
    ahead = body.offset(f"{side}_elbow", f"{side}_shoulder")[rise, 0].max()
    out = body.outward(f"{side}_elbow", f"{side}_shoulder", side)[rise].max()
    return "forward" if ahead > out else "side"


@predicate("points", "points with the {side} hand")
def points(body: Body, side: str, direction: str | None = None) -> Intervals:
    """Hold a straight arm level, forward or to the side, while the other arm does not."""

    def level(name: str) -> np.ndarray:
        wrist = body.offset(f"{name}_wrist", f"{name}_shoulder")
        slow = body.speed(f"{name}_wrist", 1.5, "shoulder") < 1.1
        return (reach(body, name) > EXTENDED) & (np.abs(wrist[:, 1]) < 0.29) & slow

    idle = other(side)
    also = level(idle) & (np.abs(body.offset(f"{idle}_wrist", f"{idle}_shoulder")[:, 1]) < 0.18)
    found = []
    for start, end in alone(body, stretches(level(side), HOLD, 2), side, also):
        ahead = body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder")[start:end, 0].mean()
        out = body.outward(f"{side}_wrist", f"{side}_shoulder", side, "shoulder")[start:end].mean()
        if direction is None or direction == ("forward" if ahead > out else "side"):
            found.append((start, end))
    return found


@memo
def _hand_at(body: Body, side: str, place: str) -> np.ndarray:
    """(T,) whether a wrist is at the brow (elbow out), at the mouth (hand in front) or on top of the head."""
    wrist = body.offset(f"{side}_wrist", "head", "shoulder")
    out = body.outward(f"{side}_wrist", "head", side, "shoulder")
    near = np.linalg.norm(wrist, axis=-1) < 0.30
    elbow = body.outward(f"{side}_elbow", f"{side}_shoulder", side, "shoulder")
    if place == "mouth":
        return near & (wrist[:, 0] > 0.0) & (wrist[:, 1] < 0.10) & (wrist[:, 1] > -0.28) & (np.abs(out) < 0.20)
    if place == "brow":
        return near & (wrist[:, 1] > -0.12) & (wrist[:, 1] < 0.18) & (elbow > 0.08)
    return near & (wrist[:, 1] > -0.12)


def _pose(body: Body, side: str, place: str) -> Intervals:
    return alone(body, stretches(_hand_at(body, side, place), HOLD, 2), side, _hand_at(body, other(side), place))


@predicate("salutes", "salutes with the {side} hand")
def salutes(body: Body, side: str) -> Intervals:
    """Hold a hand at the brow with the elbow out to the side."""
    still = body.speed(f"{side}_wrist", 1.5)
    return [(start, end) for start, end in _pose(body, side, "brow") if np.percentile(still[start:end], 25) < 0.25]


@predicate("drinks", "brings the {side} hand to the mouth")
def drinks(body: Body, side: str) -> Intervals:
    """Hold a hand in front of the mouth."""
    return _pose(body, side, "mouth")


@predicate("scratches_head", "scratches the head with the {side} hand")
def scratches_head(body: Body, side: str) -> Intervals:
    """Hold a hand at the head and move it to and fro."""
    found = []
    for start, end in _pose(body, side, "top"):
        wrist = body.offset(f"{side}_wrist", "head", "shoulder")[start:end]
        if max(len(swings(wrist[:, axis], 0.02)) for axis in range(3)) >= 4:
            found.append((start, end))
    return found


@predicate("crosses_arms", "crosses the arms in front of the chest")
def crosses_arms(body: Body) -> Intervals:
    """Hold both wrists in front of the chest, each towards the other side."""
    wrists = [body.outward(f"{side}_wrist", "spine3", side, "shoulder") for side in SIDES]
    depth = [body.offset(f"{side}_wrist", "spine3", "shoulder") for side in SIDES]
    front = np.min([one[:, 0] for one in depth], axis=0) > 0.05
    level = np.max([np.abs(one[:, 1]) for one in depth], axis=0) < 0.26
    crossed = (wrists[0] + wrists[1] < -0.02) & (np.maximum(*wrists) < 0.10)
    return stretches(crossed & front & level, HOLD + 4, 3)


@predicate("hands_on_hips", "holds the hands on the hips")
def hands_on_hips(body: Body) -> Intervals:
    """Hold both wrists beside the waist with bent arms, elbows out."""
    mask = np.ones(body.num_frames, dtype=bool)
    for side in SIDES:
        wrist = body.offset(f"{side}_wrist", "pelvis")
        out = body.outward(f"{side}_elbow", f"{side}_wrist", side, "shoulder")
        mask &= (np.abs(wrist[:, 1] - 0.10) < 0.17) & (reach(body, side) < 0.93) & (out > 0.05)
        mask &= body.gap(f"{side}_wrist", f"{side}_hip") < 0.34
    return stretches(mask, HOLD + 4, 3)


@predicate("guards", "holds both fists in front of the face")
def guards(body: Body) -> Intervals:
    """Hold both wrists in front of the chin with bent arms."""
    mask = body.gap("left_wrist", "right_wrist") > 0.06
    for side in SIDES:
        wrist = body.offset(f"{side}_wrist", "neck", "shoulder")
        level = np.minimum(np.abs(wrist[:, 1]), np.abs(body.above(f"{side}_wrist", "neck"))) < 0.26
        mask = mask & (wrist[:, 0] > 0.10) & level & (reach(body, side) < 0.86)
        mask &= body.speed(f"{side}_wrist", 1.5, "shoulder") < 0.6
    return stretches(mask, HOLD + 4, 3)


@predicate("claps", "claps")
def claps(body: Body, count: int | None = None) -> Intervals:
    """Bring the hands together in front of the trunk again and again."""
    gap = body.gap("left_wrist", "right_wrist", 0.5)
    height = 0.5 * (body.height("left_wrist") + body.height("right_wrist"))
    front = (height > body.height("pelvis")) & (height < body.height("head") + 0.05)
    found = [one for one in excursions(-gap, -CLAP_GAP, -CLAP_OPEN) if front[one[0] : one[1]].any()]
    bouts = [bout for bout in groups(found, 16) if len(bout) >= 2 and bout[-1][1] - bout[0][0] <= 24 * len(bout)]
    return max((counted(bout, count) for bout in bouts), key=len, default=[])


@memo
def _turned(body: Body, side: str) -> np.ndarray:
    """(T,) degrees that the arm has turned in the sagittal plane, forward positive, only while it is stretched."""
    wrist = body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder")
    angle = np.unwrap(np.arctan2(wrist[:, 0], -wrist[:, 1]))
    flat = np.hypot(wrist[:, 0], wrist[:, 1]) > 0.16
    change = np.where(flat, np.gradient(angle), 0.0)
    return -np.degrees(np.cumsum(change))


@predicate("circles_arm", "circles the {side} arm")
def circles_arm(body: Body, side: str, direction: str | None = None, count: int | None = None) -> Intervals:
    """Turn a stretched arm in the sagittal plane; forward: it comes down in front of the body."""
    sides = SIDES if side == "both" else (side,)
    if side != "both" and np.ptp(_turned(body, other(side))) > 400.0:
        return []
    result: Intervals = []
    for name in sides:
        turned = _turned(body, name)
        whole = [(a, b) for a, b in swings(turned, 120.0) if abs(turned[b] - turned[a]) > 360.0 * 1.3]
        total = sum(turned[b] - turned[a] for a, b in whole)
        rounds = [trimmed(turned, a, b) for a, b in whole]
        if not rounds or (direction is not None and (total > 0) != (direction == "forward")):
            return []
        if count is not None and abs(abs(total) / 360.0 - count) > 0.65 + 0.05 * count:
            return []
        result = rounds
    return result
