"""Find what hands do with things at hand: put something down, reach out for it, move it aside, pull a door open."""

from collections.abc import Callable

import numpy as np

from remogpt.motion.body import SIDES, Body, memo, other
from remogpt.motion.predicates.arms import alone, both, reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, covered, stretches, swings, trimmed
from remogpt.motion.skeleton import FPS

ASIDE = 20.0
"""Degrees from straight ahead, seen from the pelvis, beyond which a place is to the left or right."""
FAR, NEAR = 0.33, 0.06
"""Metres of level distance of a hand from the pelvis where things stand, and by how much it was nearer with them."""
BEFORE, AFTER = 40, 30
"""Frames in which a hand holds what it puts down, and in which it falls."""
SLID = 0.2
"""Smallest way to the side of a hand that moves something aside, without the ends of the way, metres."""
LEANT = 6.5
"""Degrees by which the trunk goes after a hand that reaches out or puts something down."""
DOOR_BACK, DOOR_OUT, DOOR_LEVEL = 0.15, 0.16, 0.135
"""Of a hand that pulls a door open, metres: its way back and its way outwards at least, and up or down at most."""


@memo
def _at(body: Body, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from the pelvis: forward, up, left, in the heading of the hips."""
    return body.offset(f"{side}_wrist", "pelvis")


def _azimuth(places: np.ndarray) -> float:
    """Return the degrees to the left at which the mean of places (T, 3) lies."""
    ahead, _, left = places.mean(axis=0)
    return float(np.degrees(np.arctan2(left, ahead)))


def _is_towards(azimuth: float, direction: str | None) -> bool:
    way = "left" if azimuth > ASIDE else "right" if azimuth < -ASIDE else "forward"
    return direction in (None, way)


@memo
def _hangs(body: Body, side: str) -> np.ndarray:
    """(T,) whether an arm hangs: the wrist well below its shoulder, and little aside of it."""
    hand = body.offset(f"{side}_wrist", f"{side}_shoulder")
    return (hand[:, 1] < -0.38) & (np.hypot(hand[:, 0], hand[:, 2]) < 0.30)


def _is_low(body: Body, side: str) -> np.ndarray:
    """(T,) whether a hand is well below its shoulder, as that of an arm that does nothing."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder")[:, 1] < -0.33


@memo
def _put_down(body: Body, side: str) -> Intervals:
    """Find a hand that rests at the height of a table, came from nearer with a bent elbow, and then falls."""
    hand, stretched = _at(body, side), reach(body, side)
    out = np.hypot(hand[:, 0], hand[:, 2])
    rests = (body.speed(f"{side}_wrist", 1.5) < 0.45) & (out > FAR) & (hand[:, 1] > -0.16) & (hand[:, 1] < 0.22)
    found = []
    for start, end in stretches(rests & (stretched > 0.74), 4, 6):
        there = start + np.flatnonzero(out[start:end] > out[start:end].max() - 0.05)  # idle hands may be slow as well
        start, end = int(there[0]), int(there[-1]) + 1
        first = max(start - BEFORE, 0)
        held = (stretched[first:start] < 0.9) & (hand[first:start, 0] > 0.12) & (hand[first:start, 1] > 0.02)
        held &= ~_is_low(body, side)[first:start]
        held &= out[first:start] < out[start:end].mean() - NEAR
        leant = _lean_towards(body, _azimuth(hand[start:end]))
        if leant[start:end].max() - leant[first : start + 1].min() < LEANT:
            continue
        fallen = np.flatnonzero(_hangs(body, side)[end : end + AFTER])
        if held.sum() < 5 or not len(fallen):
            continue
        way = slice(end, end + int(fallen[0]))
        if not (stretched[way] < 0.7).any() and hand[way, 1].max(initial=-1.0) < hand[end - 1, 1] + 0.12:
            found.append((max(first + int(np.flatnonzero(held)[-1]), start - 16), end))
    return found


@predicate("puts_down", "puts something down with the {side} hand")
def puts_down(body: Body, side: str | None = None, direction: str | None = None) -> Intervals:
    """Bring what one hand or both hold to a place at the height of a table, rest there, and let the hands fall.

    `direction` says where the place is: ahead ("forward"), or to the left or the right of the body.
    """
    return _to_a_place(body, _put_down, side, direction, lambda start, end: slice(max(end - 4, start), end))


def _to_a_place(
    body: Body, find: Callable[[Body, str], Intervals], side: str | None, direction: str | None,
    there: Callable[[int, int], slice],
) -> Intervals:  # fmt: skip
    """Return what one hand does while the other is idle, or both do, towards a direction; `there`: when it arrives."""
    found = []
    for name in ("left", "right", "both"):
        if side in (None, name):
            hands = SIDES if name == "both" else (name,)
            for start, end in _with_hands(body, find, name):
                places = np.concatenate([_at(body, one)[there(start, end)] for one in hands])
                if _is_towards(_azimuth(places), direction):
                    found.append((start, end))
    return sorted(found)


def _with_hands(body: Body, find: Callable[[Body, str], Intervals], side: str) -> Intervals:
    found = {name: find(body, name) for name in SIDES}
    if side == "both":
        return both(found["left"], found["right"])
    busy = ~_is_low(body, other(side)) | covered(found[other(side)], body.num_frames)
    return alone(body, found[side], side, busy)


@memo
def _reached(body: Body, side: str) -> Intervals:
    """Find a hand that stops at shoulder height or above with its arm stretched, and hangs before and after."""
    hand, stretched, hangs = body.offset(f"{side}_wrist", f"{side}_shoulder"), reach(body, side), _is_low(body, side)
    level = (hand[:, 1] > -0.17) & (hand[:, 1] < 0.36) & (body.speed(f"{side}_wrist", 1.5) < 0.6)
    found = []
    for start, end in stretches(level & (stretched > 0.84), 4, 2):
        before, after = slice(max(start - 34, 0), start), slice(end, end + 34)
        back = np.flatnonzero(hangs[after])
        leant = _lean_towards(body, _azimuth(_at(body, side)[start:end]))
        rest = max(leant[before].min(initial=99.0), leant[after].min(initial=99.0))
        if len(back) and hangs[before].any() and leant[start:end].max() - rest > LEANT:
            way = slice(end, end + int(back[0]))
            drawn_in = ((stretched[way] < 0.66) & (hand[way, 1] > -0.36)).any()
            pushed = ((stretched < 0.7) & (hand[:, 1] > -0.3))[max(start - 14, 0) : start].any()
            sunk = np.ptp(body.height("pelvis", 2.0)[max(start - 16, 0) : end + 16]) > 0.12
            if not (drawn_in or pushed or sunk):
                found.append((max(start - 10, 0), min(end + 6, body.num_frames)))
    return found


def _lean_towards(body: Body, azimuth: float) -> np.ndarray:
    """(T,) degrees that the trunk leans towards an azimuth, degrees to the left of the heading of the hips."""
    turn = np.radians(azimuth)
    return np.asarray(body.lean() @ np.array([np.cos(turn), np.sin(turn)]))


@predicate("reaches", "reaches out with the {side} hand")
def reaches(body: Body, side: str | None = None, direction: str | None = None) -> Intervals:
    """Stretch one hand or both out at shoulder height or above, the trunk leaning after them, and come back.

    `direction` says where to: ahead ("forward"), or to the left or the right of the body.
    """
    return _to_a_place(body, _reached, side, direction, lambda start, end: slice(start + 10, max(end - 6, start + 11)))


@memo
def _moved(body: Body, side: str) -> list[tuple[int, int, str]]:
    """Find a hand, or both ("both"), resting at one side at the height of a table, then going over to the other side.

    The trunk leans over the table all the while, which tells the way over from the ways up and down.
    """
    sides = SIDES if side == "both" else (side,)
    hand = np.mean([_at(body, one) for one in sides], axis=0)
    slow = np.linalg.norm(np.gradient(hand, axis=0), axis=-1) * FPS < 0.5
    lean = body.lean()[:, 0]
    level = (hand[:, 0] > 0.06) & (np.hypot(hand[:, 0], hand[:, 2]) > 0.28) & (lean > np.percentile(lean, 5) + 5.0)
    for one in sides:
        level &= (_at(body, one)[:, 1] > -0.17) & (_at(body, one)[:, 1] < 0.28)
    found = []
    ways = [
        (first + a, first + b) for first, last in stretches(level, 10, 2) for a, b in swings(hand[first:last, 2], 0.25)
    ]
    for way in ways:
        start, end = trimmed(hand[:, 2], *way, 0.2)
        changes = [_at(body, one)[end, 2] - _at(body, one)[start, 2] for one in sides]
        crosses = hand[start, 2] * hand[end, 2] < 0 and min(abs(hand[start, 2]), abs(hand[end, 2])) > 0.01
        rests = [(slow & level)[max(a, 0) : b].sum() >= 3 for a, b in ((start - 12, start + 1), (end, end + 13))]
        over = abs(hand[end, 2] - hand[start, 2]) > SLID and min(map(abs, changes)) > 0.6 * SLID
        if side != "both":
            idle = _at(body, other(side))[:, 2]
            over = over and abs(idle[end] - idle[start]) < 0.65 * abs(changes[0])
        if over and crosses and all(rests) and end - start >= 3:
            found.append((start, end + 1, "left" if changes[0] > 0 else "right"))
    return found if len(found) == 1 else []  # who goes to and fro wipes


@predicate("moves_aside", "moves something aside with the {side} hand")
def moves_aside(body: Body, side: str | None = None, direction: str | None = None) -> Intervals:
    """Take one hand or both, at the height of a table, from a rest on one side to a rest on the other, once."""
    found: Intervals = []
    for name in ("left", "right", "both"):
        if side in (None, name):
            ways = [(start, end) for start, end, way in _moved(body, name) if direction in (None, way)]
            found += ways if name == "both" else alone(body, ways, name, ~_is_low(body, other(name)))
    return sorted(found)


@memo
def _opened(body: Body, side: str) -> Intervals:
    """Find a hand that waits far ahead at the height of the belly and then goes level back and outwards to a rest."""
    hand, stretched = _at(body, side), reach(body, side)
    out = body.outward(f"{side}_wrist", "pelvis", side)
    slow = body.speed(f"{side}_wrist", 1.5) < 0.42
    height = (hand[:, 1] > -0.12) & (hand[:, 1] < 0.34)
    grips = stretches(slow & height & (hand[:, 0] > 0.30) & (out < 0.26) & (stretched > 0.72), 3, 2)
    ends = stretches(slow & height & (hand[:, 0] < 0.36) & (out > 0.28) & (stretched < 0.95), 2, 2)
    lean, found = body.lean()[:, 0], []
    for start, grip in grips:
        for first, end in ((a, b) for a, b in ends if 3 <= a - grip <= 40):
            way = slice(grip - 1, first + 1)
            back, aside = hand[grip - 1, 0] - hand[first:end, 0].min(), out[first:end].max() - out[grip - 1]
            level = np.ptp(hand[way, 1]) < DOOR_LEVEL
            bent = stretched[start:grip].max() - stretched[grip:end].min() > 0.06
            if back > DOOR_BACK and aside > DOOR_OUT and level and bent and np.ptp(lean[grip - 1 : end]) < 17.0:
                found.append((start, end))
                break
    return found


@predicate("opens_door", "pulls a door open with the {side} hand")
def opens_door(body: Body, side: str) -> Intervals:
    """Take one hand from a rest far ahead, at the height of a handle, level towards the body and aside, to a rest."""
    return alone(body, _opened(body, side), side, ~_is_low(body, other(side)))
