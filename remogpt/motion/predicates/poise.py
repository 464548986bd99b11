"""Find how a body keeps its balance or loses it: leaning, swaying from foot to foot, getting pushed, falling down."""

import numpy as np

from remogpt.motion.body import SIDES, Body, memo
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.ground import UP, lies
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, stretches
from remogpt.motion.skeleton import FPS

LEAN, MOST_LEAN = 9.0, 47.0
"""Degrees of the trunk against its upright posture: in a lean at least, and at most; a bow goes deeper."""
HELD = 15
"""Fewest frames that a lean is held."""
SHIFT = 0.10
"""Metres from one side to the other in a sway, at least."""
DROP = 24
"""Most frames from standing to lying of who falls."""
ON_SIDE = 0.18
"""Metres by which one shoulder of who lies on a side is lower than the other."""


@memo
def stands_still(body: Body, most: float = 0.16) -> np.ndarray:
    """(T,) whether the balls of both feet rest on their places: metres a second over the floor, at most."""
    speeds = [np.linalg.norm(np.gradient(body.at(f"{side}_foot", 1.5), axis=0), axis=-1) * FPS for side in SIDES]
    low = np.max([body.lift(side) for side in SIDES], axis=0) < 0.10
    return np.asarray((np.maximum(*speeds) < most) & low)


@memo
def _calm_hands(body: Body) -> np.ndarray:
    """(T,) whether neither hand does anything: both rest below the shoulders, at some distance of them."""
    low = np.max([body.height(f"{side}_wrist") - body.height(f"{side}_shoulder") for side in SIDES], axis=0) < -0.17
    far = np.min([body.gap(f"{side}_wrist", f"{side}_shoulder") for side in SIDES], axis=0) > 0.31
    return np.asarray(low & far & (np.max([body.speed(f"{side}_wrist", 2.5) for side in SIDES], axis=0) < 0.26))


@predicate("leans", "leans {direction} and stays there a while")
def leans(body: Body, direction: str | None = None) -> Intervals:
    """Tilt the trunk over planted feet and straight legs, keep it tilted with still hands, and come upright again."""
    trunk = body.offset("neck", "pelvis", "hip", 4.0)
    lean = np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1]))
    still = np.abs(np.gradient(lean)) * FPS < 15.0
    quiet = still & stands_still(body) & _calm_hands(body) & (body.pelvis_ratio() > 0.84)
    found = []
    for start, end in stretches(quiet, HELD, 2):
        near = lean[max(start - 44, 0) : end + 44]
        for way, sign in (("forward", 1.0), ("backward", -1.0)):
            # Who leans slowly is still all the while: the far end of the stretch is the lean.
            held = float(np.quantile(sign * lean[start:end], 0.7))
            tilt = held - float((sign * near).min())
            if direction in (None, way) and LEAN < tilt < MOST_LEAN and held > LEAN:
                found.append((start, end))
    return found


@memo
def _shifts(body: Body) -> tuple[np.ndarray, float]:
    """Return metres that the pelvis is to the left of the middle between the feet, (T,), and half of their distance."""
    left, right = (body.at(f"{side}_foot", 3.0) for side in SIDES)
    way = (left - right) * [1.0, 0.0, 1.0]
    apart = np.maximum(np.linalg.norm(way, axis=-1), 1e-6)
    offset = ((body.at("pelvis", 2.0) - 0.5 * (left + right)) * way).sum(-1) / apart
    return offset, float(np.median(apart)) / 2.0


@predicate("sways", "sways from side to side")
def sways(body: Body, count: int | None = None) -> Intervals:
    """Bring the pelvis over one foot and the other in turn, feet on their places; each way to a side counts."""
    offset, apart = _shifts(body)
    found: Intervals = []
    for start, end in stretches(stands_still(body, 0.25) & (body.pelvis_ratio() > 0.9), 20, 3):
        curve = offset[start:end]
        middle, half = 0.5 * (curve.max() + curve.min()), 0.5 * np.ptp(curve)
        if half < max(SHIFT / 2.0, 0.4 * apart):
            continue
        ways = sorted(
            (first, last, sign)
            for sign in (1.0, -1.0)
            for first, last in excursions(sign * (curve - middle), 0.55 * half, 0.25 * half, 3)
        )
        turns = [one for one, before in zip(ways, [None, *ways], strict=False) if before is None or one[2] != before[2]]
        if len(turns) >= 2 and max(last - first for first, last, _ in turns) < 64:
            found += [(start + first, start + last) for first, last, _ in turns]
    return counted(found, count)


@memo
def _lead(body: Body) -> np.ndarray:
    """(T, 2) metres that the neck is ahead of the middle between the feet, and to the left of it."""
    middle = 0.5 * (body.at("left_foot", 1.0) + body.at("right_foot", 1.0))
    offset = body.at("neck", 1.0) - middle
    forward, left = body.axes()
    return np.stack([(offset * forward).sum(-1), (offset * left).sum(-1)], axis=-1)


@predicate("is_pushed", "is pushed {direction}")
def is_pushed(body: Body, direction: str | None = None) -> Intervals:
    """Stand, be thrown over the feet all of a sudden, chest first, catch it by quick steps, and stand again.

    The direction is that of the motion: who is pushed from behind goes forward.
    """
    lead, still = _lead(body), stands_still(body, 0.3)
    feet = 0.5 * (body.at("left_foot", 1.0) + body.at("right_foot", 1.0))
    tilt, found = body.lean(), []
    frames = body.num_frames
    for begin, leaves in stretches(still, 5, 2):
        # The feet begin to move a few frames after the blow.
        last = min(leaves + 4, frames - 1)
        first = max(last - 10, begin)
        thrown = lead[last] - lead[first]
        axis = int(np.argmax(np.abs(thrown)))
        sign = 1.0 if thrown[axis] > 0.0 else -1.0
        way = (("backward", "forward"), ("right", "left"))[axis][int(sign > 0.0)]
        tilted = float((sign * (tilt[first : min(last + 5, frames), axis] - tilt[first, axis])).max())
        after = [(a, b) for a, b in stretches(still, 4, 1) if a > last]
        if not after or after[0][0] - leaves > 36 or direction not in (None, way):
            continue
        stop = after[0][0]
        moved = (feet[min(stop + 3, frames - 1)] - feet[first]) @ body.axes()[axis][first]
        flown = np.minimum(body.lift("left"), body.lift("right"))[first:stop].max() > 0.08
        upright = not flown and abs(tilt[min(stop + 16, frames - 1), axis] - tilt[first, axis]) < 14.0
        if sign * thrown[axis] > 0.10 and tilted > 10.0 and 0.10 < sign * moved < 1.5 and upright:
            found.append((first, stop))
    return found


@predicate("falls", "falls down {direction}")
def falls(body: Body, direction: str | None = None) -> Intervals:
    """Drop from standing to lying in a moment: forward onto the belly, backward onto the back, or onto one side.

    Who lies down goes slowly.
    """
    pelvis = body.height("pelvis", 1.0)
    left_lower = body.height("right_shoulder", 2.0) - body.height("left_shoulder", 2.0)
    found = []
    for start, end in lies(body):
        stood, sunk = np.flatnonzero(pelvis[:start] > UP), np.flatnonzero(pelvis[: start + 1] > 0.40)
        if not len(stood) or start - stood[-1] > DROP or sunk[-1] - stood[-1] > 0.6 * DROP:
            continue
        across = float(np.median(left_lower[start:end]))
        way = "backward" if (start, end) in lies(body, "back") else "forward"
        if abs(across) > ON_SIDE:
            way = "left" if across > 0.0 else "right"
        if direction in (None, way):
            found.append((max(int(stood[-1]) - 6, 0), end))
    return found
