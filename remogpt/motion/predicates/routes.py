"""Find what a way is like: there and back, zigzag, slanting, eights, stops, stairs, ladders, on the spot."""

from itertools import pairwise

import numpy as np

from remogpt.motion.body import SIDES, Body, memo, other
from remogpt.motion.predicates.arms import alone, reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.footing import in_flight, treads
from remogpt.motion.predicates.intervals import Intervals, excursions, stretches, swings
from remogpt.motion.skeleton import FPS

TRAVEL, STILL = 0.35, 0.14
"""Metres a second over the floor of who goes, at least, and of who stands, at most."""
LEG = 0.6
"""Metres there or back, at least."""
STOP = 18
"""Fewest frames of a stop."""
STRAIGHT = 0.94
"""Straight distance over path length of a straight walk, at least."""
STEP_UP = 0.09
"""Metres by which a foot on the next stair is higher, at least."""
LADDER, STEEP = 0.45, 0.7
"""Metres that a body rises or sinks on a ladder, at least; and its way over the floor for a metre of it, at most."""


@memo
def _path(body: Body) -> np.ndarray:
    """(T, 2) way of the pelvis over the floor, x and z in true metres."""
    return np.asarray(body.at("pelvis", 4.0)[:, [0, 2]] * body.scale)


@memo
def _pace(body: Body) -> np.ndarray:
    """(T,) metres a second over the floor."""
    return np.asarray(np.linalg.norm(np.gradient(_path(body), axis=0), axis=-1) * FPS)


def _length(path: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=-1).sum())


@memo
def _trips(body: Body) -> Intervals:
    """Find stretches of going, short waits for a turn included."""
    return stretches(_pace(body) > TRAVEL, min_frames=12, bridge=14)


@memo
def _turned(body: Body) -> np.ndarray:
    """(T,) degrees that the hips have turned to the left."""
    return np.degrees(body.heading("hip", 5.0))


@predicate("paces", "walks back and forth")
def paces(body: Body, count: int | None = None) -> Intervals:
    """Go ahead, turn round and come back along the same line, facing the way; one count is there and back."""
    found = []
    for start, end in _trips(body):
        path = _path(body)[start:end]
        _, sizes, axes = np.linalg.svd(path - path.mean(axis=0), full_matrices=False)
        legs = swings(path @ axes[0], LEG)
        facing = [_turned(body)[start + (first + last) // 2] for first, last in legs]
        turned = [abs((now - before + 180.0) % 360.0 - 180.0) > 120.0 for before, now in pairwise(facing)]
        if turned and all(turned) and count in (None, len(legs) // 2) and sizes[1] < 0.5 * sizes[0]:
            found.append((start, end))
    return found


@predicate("walks_diagonally", "walks diagonally to the {direction}")
def walks_diagonally(body: Body, direction: str | None = None) -> Intervals:
    """Go in a straight line that slants to the left or right of where the body faced before."""
    found = []
    for start, end in _trips(body):
        path = _path(body)[start:end]
        moved = path[-1] - path[0]
        far = float(np.linalg.norm(moved))
        if far < 1.0 or far < STRAIGHT * _length(path):
            continue
        faced = np.radians(_turned(body)[max(start - 4, 0)])
        ahead, left = float(moved @ [np.sin(faced), np.cos(faced)]), float(moved @ [np.cos(faced), -np.sin(faced)])
        slant = np.degrees(np.arctan2(abs(left), ahead))
        if 24.0 < slant < 66.0 and direction in (None, "left" if left > 0 else "right"):
            found.append((start, end))
    return found


@predicate("zigzags", "walks in a zigzag")
def zigzags(body: Body) -> Intervals:
    """Bend to the left and to the right in turn while going, three times at least."""
    found = []
    for start, end in _trips(body):
        turned = _turned(body)[start:end]
        bends = [one for one in swings(turned, 38.0) if abs(turned[one[1]] - turned[one[0]]) < 160.0]
        path = _path(body)[start:end]
        far = float(np.linalg.norm(path[-1] - path[0]))
        if len(bends) >= 3 and far > 0.55 * _length(path):
            found.append((start, end))
    return found


@predicate("walks_figure_eight", "walks in a figure of eight")
def walks_figure_eight(body: Body) -> Intervals:
    """Walk nearly a full circle to one side and nearly one to the other, and come back to the start."""
    found = []
    for start, end in _trips(body):
        turned, path = _turned(body)[start:end], _path(body)[start:end]
        rounds = [turned[b] - turned[a] for a, b in swings(turned, 240.0)]
        far = float(np.linalg.norm(path - path[0], axis=-1).max())
        closed = float(np.linalg.norm(path[-1] - path[0])) < 0.95 * far
        if rounds and max(rounds) > 240.0 and min(rounds) < -240.0 and closed:
            found.append((start, end))
    return found


@memo
def _stops(body: Body) -> Intervals:
    """Find stops after a walk: the pelvis and both feet rest, the body upright."""
    feet = [np.linalg.norm(np.gradient(body.at(f"{side}_ankle", 2.0), axis=0), axis=-1) * FPS for side in SIDES]
    rest = (_pace(body) < STILL) & (np.maximum(*feet) < 0.25) & (body.pelvis_ratio() > 0.88)
    going = _pace(body) > TRAVEL
    return [(start, end) for start, end in stretches(rest, STOP, 2) if going[max(start - 40, 0) : start].sum() > 12]


@predicate("stops", "walks and stops")
def stops(body: Body, direction: str | None = None) -> Intervals:
    """Stop after walking and stand; `direction` says whether the body stays ("still") or goes on ("again")."""
    going = _pace(body) > TRAVEL
    found = []
    for start, end in _stops(body):
        way = "again" if going[end : end + 40].sum() > 12 else "still"
        if direction in (None, way):
            found.append((max(start - 20, 0), end))
    return found


@predicate("runs_in_place", "runs on the spot")
def runs_in_place(body: Body) -> Intervals:
    """Lift the feet in turn and fast, at least twice a second, without going anywhere, and fly from one to the other.

    Who steps or marches on the spot has a foot on the floor at any time.
    """
    lead = body.height("left_ankle", 1.0) - body.height("right_ankle", 1.0)
    here = _pace(body) < 0.5
    found = []
    for start, end in stretches(here, 30, 6):
        steps = [one for one in swings(lead[start:end], 0.09) if one[1] - one[0] <= 12]
        if len(steps) >= 5 and in_flight(body, start + steps[0][0], start + steps[-1][1]) > 0.08:
            found.append((start + steps[0][0], start + steps[-1][1]))
    blurred_steps, blurred_runs = treads(body)
    return blurred_runs or ([] if blurred_steps else found)


@predicate("climbs", "walks {direction} stairs")
def climbs(body: Body, direction: str | None = None) -> Intervals:
    """Set each foot on higher (or lower) floor than the last one, twice at least, while going ahead."""
    found = []
    for way in [one for one in ("up", "down") if direction in (None, one)]:
        levels = _levels(body)
        rows: list[list[tuple[int, int, float]]] = [[]]
        for before, now in pairwise(levels):
            rise = (now[2] - before[2]) * (1.0 if way == "up" else -1.0)
            if STEP_UP < rise < 0.5:
                rows[-1] = rows[-1] or [before]
                rows[-1].append(now)
            elif rows[-1]:
                rows.append([])
        spans = [(row[0][0], row[-1][1]) for row in rows if len(row) >= 3]
        found += [span for span in spans if _slope(body, *span) > STEEP]
    return sorted(found)


@memo
def _levels(body: Body) -> list[tuple[int, int, float]]:
    """Return every time a foot stands: (start, end, height of its ankle), in order of their starts."""
    stands = []
    for side in SIDES:
        ankle = body.at(f"{side}_ankle", 1.0)
        flat = np.linalg.norm(np.gradient(ankle[:, [0, 2]], axis=0), axis=-1) * FPS < 0.3
        level = np.abs(np.gradient(ankle[:, 1])) * FPS < 0.25
        stands += [(a, b, float(np.quantile(ankle[a:b, 1], 0.3))) for a, b in stretches(flat & level, 3, 2)]
    return sorted(stands)


def _slope(body: Body, start: int, end: int) -> float:
    """Return the way of the pelvis over the floor for each metre that it rises or sinks."""
    pelvis = body.at("pelvis", 2.0)
    moved = pelvis[end - 1] - pelvis[start]
    return float(np.hypot(moved[0], moved[2]) / max(abs(moved[1]), 1e-6))


@predicate("climbs_ladder", "climbs {direction} a ladder")
def climbs_ladder(body: Body, direction: str | None = None) -> Intervals:
    """Rise (or sink) with the feet, straight up, while the hands are before the head or the chest in turn."""
    pelvis = body.height("pelvis", 2.0)
    feet = np.minimum(body.height("left_ankle"), body.height("right_ankle"))
    hands = [body.offset(f"{side}_wrist", f"{side}_shoulder") for side in SIDES]
    gripping = np.min([(hand[:, 0] > 0.08) & (hand[:, 1] > -0.42) for hand in hands], axis=0) > 0
    high = np.max([hand[:, 1] for hand in hands], axis=0) > -0.27
    found = []
    for begin, close in stretches(gripping, 20, 6):
        for start, end in [(begin + a, begin + b) for a, b in swings(pelvis[begin:close], LADDER)]:
            rise = float(pelvis[end] - pelvis[start])
            carried = feet[min(end + 10, body.num_frames - 1)] - feet[max(start - 10, 0)]
            on_it = carried * np.sign(rise) > 0.7 * LADDER and high[start:end].mean() > 0.6
            if on_it and _slope(body, start, end) < STEEP and direction in (None, "up" if rise > 0 else "down"):
                found.append((start, end))
    return found


@predicate("holds_rail", "holds on with the {side} hand")
def holds_rail(body: Body, side: str) -> Intervals:
    """Hold one hand still ahead and out to its side at the height of the waist, while the other does not."""

    def held(name: str) -> np.ndarray:
        hand = body.offset(f"{name}_wrist", f"{name}_shoulder", "shoulder")
        out = body.outward(f"{name}_wrist", f"{name}_shoulder", name, "shoulder")
        place = (hand[:, 0] > 0.15) & (out > 0.02) & (hand[:, 1] < -0.08) & (hand[:, 1] > -0.42)
        return place & (reach(body, name) < 0.98) & (body.speed(f"{name}_wrist", 2.0, "shoulder") < 0.35)

    return alone(body, stretches(held(side), 22, 3), side, held(other(side)))


@predicate("stumbles", "stumbles while walking")
def stumbles(body: Body) -> Intervals:
    """Pitch forward all of a sudden while going, hands thrown up, and come upright again."""
    lean = body.lean()[:, 0]
    flung = np.max([body.above(f"{side}_wrist", f"{side}_shoulder") for side in SIDES], axis=0) > -0.38
    found = []
    for start, end in _trips(body):
        usual = float(np.median(lean[start:end]))
        for first, last in excursions(lean - usual, 20.0, 10.0):
            inside = start <= first and last <= end + 12
            if inside and 4 <= last - first <= 34 and flung[first : last + 4].any():
                found.append((first, last))
    return found
