"""Find what hands do at things or at the body: wipe, stir, shake, eat, hold a telephone, carry, pray, strum, ..."""

import numpy as np

from remogpt.motion.body import ARM_LENGTH, SIDES, Body, memo, other
from remogpt.motion.predicates.arms import alone, both, reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, covered, groups, stretches, swings

PAUSE, SLOWEST = 14, 40
"""Frames: longest pause between two strokes of one bout, longest stroke."""
WIPE, STIR, SHAKE, DRIBBLE = 0.13, 0.07, 0.06, 0.11
"""Smallest way of a wrist in one stroke, metres."""
LONG = 16
"""Fewest frames for which things are held."""


@memo
def _hand(body: Body, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from its shoulder: forward, up, left, in the heading of the shoulders."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder")


def _bouts(body: Body, curve: np.ndarray, stroke: float, where: np.ndarray, fewest: int) -> list[Intervals]:
    """Return the bouts of strokes of a curve (T,) that stay where they may be."""
    found: Intervals = []
    for start, end in stretches(where, min_frames=8, bridge=3):
        found += [(start + a, start + b) for a, b in swings(curve[start:end], stroke) if b - a <= SLOWEST]
    return [bout for bout in groups(found, PAUSE) if len(bout) >= fewest]


def _whole(bouts: list[Intervals]) -> Intervals:
    return [(bout[0][0], bout[-1][1]) for bout in bouts]


def _ways(hand: np.ndarray, bout: Intervals) -> np.ndarray:
    """Return how far a wrist strays forward, up and sideways: standard deviations over the inner strokes, metres."""
    return np.asarray(np.std(hand[bout[0][1] : bout[-1][0] + 1], axis=0))


def _turns(curve: np.ndarray, bout: Intervals, up: bool) -> int:
    """Count the highest (or lowest) points between the strokes of a bout."""
    return sum((curve[first[1]] > curve[first[0]]) == up for first in bout[:-1])


@memo
def _wiping(body: Body, side: str) -> Intervals:
    hand = _hand(body, side)
    where = (hand[:, 0] > 0.16) & (hand[:, 1] < 0.26) & (hand[:, 1] > -0.62)
    found = []
    for bout in _bouts(body, hand[:, 2], WIPE, where, 4):
        ahead, _, aside = _ways(hand, bout)
        if aside > 1.3 * ahead:
            found.append(bout)
    return _whole(found)


@predicate("wipes", "wipes with the {side} hand")
def wipes(body: Body, side: str) -> Intervals:
    """Move one hand to and fro sideways, again and again, in front of the body between face and waist."""
    return alone(body, _wiping(body, side), side, covered(_wiping(body, other(side)), body.num_frames))


@memo
def _stirring(body: Body, side: str) -> Intervals:
    hand = _hand(body, side)
    where = (hand[:, 0] > 0.08) & (hand[:, 1] < -0.14) & (hand[:, 1] > -0.48) & (reach(body, side) < 0.99)
    found = []
    for bout in _bouts(body, hand[:, 0], STIR, where, 4):
        ahead, up, aside = _ways(hand, bout)
        if aside > 0.025 and up < 0.8 * ahead:
            found.append(bout)
    return _whole(found)


@predicate("stirs", "stirs with the {side} hand")
def stirs(body: Body, side: str) -> Intervals:
    """Move one hand in small level circles before the belly."""
    return alone(body, _stirring(body, side), side, covered(_stirring(body, other(side)), body.num_frames))


@memo
def _beats(body: Body, side: str, low: bool) -> list[Intervals]:
    """Find bouts of strokes up and down: of a forearm in front, or (low) of a hand beside the hip."""
    hand = _hand(body, side)
    if low:
        where = (hand[:, 1] < -0.14) & (hand[:, 0] > 0.02)
        found = _bouts(body, hand[:, 1], DRIBBLE, where, 3)
    else:
        where = (hand[:, 0] > 0.24) & (hand[:, 1] < 0.10) & (hand[:, 1] > -0.46)
        found = _bouts(body, hand[:, 1], SHAKE, where, 3)
    chosen = []
    for bout in found:
        ahead, up, aside = _ways(hand, bout)
        if up > max(aside, (0.9 if low else 1.25) * ahead):
            chosen.append(bout)
    return chosen


def _bouts_of(curve: np.ndarray, found: list[Intervals], count: int | None, up: bool) -> Intervals:
    """Return bouts that turn `count` times at the top (or at the bottom); plus or minus one from five on."""
    slack = 0 if count is None or count < 5 else 1
    return _whole([bout for bout in found if count is None or abs(_turns(curve, bout, up) - count) <= slack])


def _alone_counted(body: Body, side: str, low: bool, count: int | None) -> Intervals:
    found = _bouts_of(_hand(body, side)[:, 1], _beats(body, side, low), count, up=False)
    return alone(body, found, side, covered(_whole(_beats(body, other(side), low)), body.num_frames))


@predicate("shakes_hand", "shakes the {side} hand up and down")
def shakes_hand(body: Body, side: str, count: int | None = None) -> Intervals:
    """Beat a forearm that points ahead up and down; one count is there and back."""
    return _alone_counted(body, side, False, count)


@predicate("dribbles", "bounces a ball with the {side} hand")
def dribbles(body: Body, side: str, count: int | None = None) -> Intervals:
    """Push one hand down beside the body below the waist, again and again."""
    return _alone_counted(body, side, True, count)


@predicate("flaps", "flaps both arms")
def flaps(body: Body, count: int | None = None) -> Intervals:
    """Raise and lower both elbows at the sides together, again and again; one count is up and down."""
    rise = {side: body.offset(f"{side}_elbow", f"{side}_shoulder", "shoulder") for side in SIDES}
    level = 0.5 * (rise["left"][:, 1] + rise["right"][:, 1])
    out = np.minimum(rise["left"][:, 2], -rise["right"][:, 2]) > 0.07
    same = np.abs(rise["left"][:, 1] - rise["right"][:, 1]) < 0.12
    return _bouts_of(level, _bouts(body, level, 0.07, out & same, 3), count, up=True)


@memo
def _at_mouth(body: Body, side: str) -> np.ndarray:
    wrist = body.offset(f"{side}_wrist", "head", "shoulder")
    near = np.linalg.norm(wrist, axis=-1) < 0.31
    return near & (wrist[:, 0] > 0.0) & (wrist[:, 1] < 0.10) & (wrist[:, 1] > -0.28)


@memo
def _bites(body: Body, side: str) -> Intervals:
    """Find visits of a hand at the mouth, between which it goes well below."""
    visits = stretches(_at_mouth(body, side), min_frames=2, bridge=3)
    low = _hand(body, side)[:, 1] < -0.13
    kept: Intervals = []
    for visit in visits:
        if not kept or low[kept[-1][1] : visit[0]].any():
            kept.append(visit)
        else:
            kept[-1] = (kept[-1][0], visit[1])
    return kept if len(kept) >= 2 else []


@predicate("eats", "eats with the {side} hand")
def eats(body: Body, side: str, count: int | None = None) -> Intervals:
    """Bring one hand to the mouth again and again from below; one count is one visit."""
    return counted(alone(body, _bites(body, side), side, _at_mouth(body, other(side))), count)


@memo
def _at_ear(body: Body, side: str) -> np.ndarray:
    wrist = body.offset(f"{side}_wrist", "head", "shoulder")
    out = body.outward(f"{side}_wrist", "head", side, "shoulder")
    elbow = _elbow_below(body, side)
    beside = (out > 0.07) & (out > np.abs(wrist[:, 0]) - 0.03) & (np.linalg.norm(wrist, axis=-1) < 0.27)
    return beside & (wrist[:, 1] < 0.06) & (wrist[:, 1] > -0.20) & (elbow > 0.08)


def _elbow_below(body: Body, side: str) -> np.ndarray:
    """(T,) metres that an elbow is below its wrist."""
    return body.height(f"{side}_wrist") - body.height(f"{side}_elbow")


@predicate("phones", "holds the {side} hand to the ear")
def phones(body: Body, side: str) -> Intervals:
    """Hold one hand beside the head at the height of the ear, for a second at least."""
    return alone(body, stretches(_at_ear(body, side), 20, 3), side, _at_ear(body, other(side)))


@memo
def _on_head(body: Body, side: str) -> np.ndarray:
    wrist = body.offset(f"{side}_wrist", "head", "shoulder")
    calm = body.speed(f"{side}_wrist", 1.5) < 0.6
    above = body.above(f"{side}_wrist", "head")
    return (np.linalg.norm(wrist, axis=-1) < 0.26) & (above > 0.0) & (above < 0.24) & calm


@predicate("touches_head", "holds the {side} hand on the head")
def touches_head(body: Body, side: str) -> Intervals:
    """Rest one hand, or both, on top of the head."""
    found = {name: stretches(_on_head(body, name), 12, 3) for name in SIDES}
    if side == "both":
        return both(found["left"], found["right"])
    return alone(body, found[side], side, _on_head(body, other(side)))


@predicate("covers_face", "holds both hands before the face")
def covers_face(body: Body) -> Intervals:
    """Hold both hands close in front of the face."""
    mask = body.gap("left_wrist", "right_wrist") < 0.24
    for side in SIDES:
        wrist = body.offset(f"{side}_wrist", "head", "shoulder")
        mask &= (np.linalg.norm(wrist, axis=-1) < 0.27) & (wrist[:, 0] > 0.03)
        mask &= (wrist[:, 1] < 0.09) & (wrist[:, 1] > -0.24)
    return stretches(mask, 12, 3)


@predicate("prays", "holds both palms together before the chest")
def prays(body: Body) -> Intervals:
    """Hold the hands together in front of the chest, without parting them."""
    mask = body.gap("left_wrist", "right_wrist", 1.0) < 0.16
    for side in SIDES:
        wrist = body.offset(f"{side}_wrist", "spine3", "shoulder")
        mask &= (wrist[:, 0] > 0.10) & (np.abs(wrist[:, 1] - 0.08) < 0.26)
        mask &= body.speed(f"{side}_wrist", 1.5, "shoulder") < 0.5
    return stretches(mask, LONG, 3)


@predicate("holds_arms_out", "holds both arms straight out")
def holds_arms_out(body: Body, direction: str | None = None) -> Intervals:
    """Hold both arms stretched and level: to the sides, or forward."""
    level = {"side": np.ones(body.num_frames, dtype=bool), "forward": np.ones(body.num_frames, dtype=bool)}
    for side in SIDES:
        hand = _hand(body, side)
        out = body.outward(f"{side}_wrist", f"{side}_shoulder", side, "shoulder")
        straight = (reach(body, side) > 0.86) & (np.abs(hand[:, 1]) < 0.24)
        level["side"] &= straight & (out > 0.62 * ARM_LENGTH)
        level["forward"] &= straight & (hand[:, 0] > 0.62 * ARM_LENGTH)
    ways = [way for way in level if direction in (None, way)]
    return sorted(one for way in ways for one in stretches(level[way], 14, 3))


@predicate("carries", "holds something with both hands before the belly")
def carries(body: Body) -> Intervals:
    """Hold both hands level in front of the belly, apart and still."""
    mask = np.abs(body.gap("left_wrist", "right_wrist", 1.0) - 0.30) < 0.17
    for side in SIDES:
        hand, wrist = _hand(body, side), body.offset(f"{side}_wrist", "spine3", "shoulder")
        mask &= (wrist[:, 0] > 0.19) & (hand[:, 1] < -0.10) & (hand[:, 1] > -0.44) & (reach(body, side) < 0.93)
        mask &= body.speed(f"{side}_wrist", 2.0, "shoulder") < 0.32
    return stretches(mask, 24, 3)


@predicate("gestures", "gestures with both hands")
def gestures(body: Body) -> Intervals:
    """Move both hands in front of the body without rest, as people do who talk."""
    mask = body.gap("left_wrist", "right_wrist") > 0.12
    turns = np.zeros(body.num_frames)
    for side in SIDES:
        hand = _hand(body, side)
        mask &= (hand[:, 0] > 0.14) & (hand[:, 1] < 0.12) & (hand[:, 1] > -0.42)
        turns += np.minimum(body.speed(f"{side}_wrist", 1.0, "shoulder"), 1.5) / 2.0
    found = []
    for start, end in stretches(mask, 28, 4):
        ways = [sum(len(swings(_hand(body, side)[start:end, axis], 0.06)) for axis in (1, 2)) for side in SIDES]
        if min(ways) >= 6 and float(np.median(turns[start:end])) > 0.18:
            found.append((start, end))
    return found


@predicate("strums", "strums with the {side} hand")
def strums(body: Body, side: str) -> Intervals:
    """Beat one hand up and down before the belly while the other holds still, out to its own side."""
    hand, idle = body.offset(f"{side}_wrist", "spine3", "shoulder"), other(side)
    neck = body.offset(f"{idle}_wrist", "spine3", "shoulder")
    out = body.outward(f"{idle}_wrist", "spine3", idle, "shoulder")
    aside = body.outward(f"{side}_wrist", "spine3", side, "shoulder")
    held = (out > 0.24) & (neck[:, 0] > 0.08) & (np.abs(neck[:, 1]) < 0.30)
    where = held & (hand[:, 0] > 0.05) & (hand[:, 1] < 0.14) & (hand[:, 1] > -0.40) & (aside < 0.22)
    return _whole(_bouts(body, hand[:, 1], 0.06, where, 5))


@predicate("shrugs", "shrugs with open hands")
def shrugs(body: Body) -> Intervals:
    """Put both hands out to the sides at the height of the waist for a moment, elbows bent."""
    mask = np.ones(body.num_frames, dtype=bool)
    for side in SIDES:
        hand = _hand(body, side)
        out = body.outward(f"{side}_wrist", f"{side}_shoulder", side, "shoulder")
        mask &= (out > 0.15) & (hand[:, 1] < -0.08) & (hand[:, 1] > -0.40) & (hand[:, 0] > 0.02)
        mask &= (reach(body, side) < 0.94) & (body.gap(f"{side}_wrist", "pelvis") > 0.3)
    return [one for one in stretches(mask, 6, 2) if one[1] - one[0] <= 34]


@predicate("pours", "pours with the {side} hand")
def pours(body: Body, side: str) -> Intervals:
    """Hold one hand still before the chest with its elbow raised as high, the other hand lower before the belly."""
    hand, idle = _hand(body, side), _hand(body, other(side))
    out = body.outward(f"{side}_elbow", f"{side}_wrist", side, "shoulder")
    mask = (hand[:, 0] > 0.16) & (np.abs(hand[:, 1]) < 0.24) & (_elbow_below(body, side) < 0.11) & (out > 0.06)
    mask &= (idle[:, 0] > 0.12) & (idle[:, 1] < -0.14) & (body.speed(f"{side}_wrist", 2.0, "shoulder") < 0.45)
    mask &= body.height(f"{side}_wrist") > body.height(f"{other(side)}_wrist") + 0.06
    return stretches(mask, LONG, 3)


@predicate("checks_watch", "looks at the {side} wrist")
def checks_watch(body: Body, side: str) -> Intervals:
    """Hold one forearm level across the chest for a moment, while the other arm does not."""

    def held(name: str) -> np.ndarray:
        wrist = body.offset(f"{name}_wrist", "spine3", "shoulder")
        level = np.abs(_elbow_below(body, name)) < 0.16
        across = body.outward(f"{name}_wrist", f"{name}_elbow", name, "shoulder") < -0.10
        place = (wrist[:, 0] > 0.10) & (np.abs(wrist[:, 1] - 0.08) < 0.20) & (np.abs(wrist[:, 2]) < 0.18)
        return level & across & place & (body.speed(f"{name}_wrist", 2.0, "shoulder") < 0.5)

    return alone(body, stretches(held(side), 12, 3), side, held(other(side)))


@memo
def _curling(body: Body, side: str) -> list[Intervals]:
    hand = _hand(body, side)
    elbow = body.offset(f"{side}_elbow", f"{side}_shoulder", "shoulder")
    hangs = (elbow[:, 1] < -0.15) & (hand[:, 0] > -0.04)
    bouts = _bouts(body, hand[:, 1], 0.20, hangs, 2)
    return [bout for bout in bouts if max(hand[a:b, 1].max() for a, b in bout) > -0.22]


@predicate("curls", "curls the {side} arm")
def curls(body: Body, side: str, count: int | None = None) -> Intervals:
    """Bend and stretch an elbow while the upper arm hangs; one count is up and down, with a rest at the top or none."""
    found = {name: _bouts_of(_hand(body, name)[:, 1], _curling(body, name), count, up=True) for name in SIDES}
    if side == "both":
        return both(found["left"], found["right"])
    return alone(body, found[side], side, covered(_whole(_curling(body, other(side))), body.num_frames))


@predicate("throws_with_both", "throws with both hands")
def throws_with_both(body: Body) -> Intervals:
    """Bring both hands together from over the head fast to the front."""
    hands = [_hand(body, side) for side in SIDES]
    over = np.minimum(hands[0][:, 1], hands[1][:, 1]) > 0.17
    front = (np.minimum(hands[0][:, 0], hands[1][:, 0]) > 0.27) & (np.maximum(hands[0][:, 1], hands[1][:, 1]) < 0.16)
    near = body.gap("left_wrist", "right_wrist") < 0.50
    found = []
    for _, end in stretches(over & near, 3, 2):
        later = np.flatnonzero((front & near)[end : end + 9])
        if len(later):
            found.append((max(end - 8, 0), end + int(later[0]) + 1))
    return found
