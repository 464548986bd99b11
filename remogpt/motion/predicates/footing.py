"""Find what feet do beside walking: stepping on the spot, jumping aside, staggering, skating."""

import numpy as np

from remogpt.motion.body import SIDES, Body, memo
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, stretches, swings, turning_points
from remogpt.motion.skeleton import FPS

LIFTED, KNEE_HIGH = 0.035, 0.36
"""Metres that a foot rises in a step on the spot: the whole foot at least; its ankle at most, else a knee is raised."""
STAYS = 0.18
"""Metres over the floor from where a foot leaves to where it lands in a step on the spot, at most."""
BEAT = (7, 26)
"""Frames from one step on the spot to the next: fewest, most."""
TREAD, RUN_BEAT = 0.04, 6
"""Metres by which one foot is higher than the other by turns, at least, in little steps on the spot; frames from one to
the next from which they are steps, and below which a run."""
BLUR = 0.003
"""Metres that the standing foot seems to be up where a recording blurs the feet, at least."""
ASIDE = (0.16, 1.1)
"""Metres that both feet go aside in a jump, at least and at most."""
REELS, TIPS = 3, 8.0
"""Fewest times that the trunk of who staggers tips one way or back, and degrees of each."""
WAY, LONGEST = 0.7, 80
"""Metres of a stagger, at least, and its frames, at most."""
GLIDE = 0.7
"""Metres a second of who skates, at least."""


def _pace(body: Body) -> np.ndarray:
    """(T,) metres a second over the floor."""
    return np.asarray(np.linalg.norm(body.velocity()[:, [0, 2]], axis=-1) * body.scale)


def in_flight(body: Body, start: int, end: int) -> float:
    """Return the share of frames [start, end) in which no foot is quite on the floor: 0 in steps, 0.25 in jogs."""
    return float((np.minimum(body.lift("left"), body.lift("right"))[start:end] > 0.012).mean())


@memo
def _spot_steps(body: Body) -> list[tuple[int, int, str]]:
    """Return every time a foot is lifted and set down where it was, while the other one stands: (start, end, side)."""
    found = []
    for side, standing in zip(SIDES, reversed(SIDES), strict=True):
        ball, ankle = body.at(f"{side}_foot"), body.height(f"{side}_ankle")
        for start, end in excursions(body.lift(side), LIFTED, 0.02, 2):
            first, last = max(start - 2, 0), min(end + 1, body.num_frames - 1)
            back = np.linalg.norm((ball[last] - ball[first])[[0, 2]]) < STAYS
            high = float(np.ptp(ankle[first : last + 1]))
            alone = float((body.lift(standing)[start:end] < 0.03).mean()) > 0.7
            if back and high < KNEE_HIGH and alone and 3 <= end - start <= 22:
                found.append((start, end, side))
    return sorted(found)


@memo
def treads(body: Body) -> tuple[Intervals, Intervals]:
    """Find little steps on the spot, and runs of such steps, where the feet are too blurred to tell one that stands.

    A depth camera lifts both feet a little all the time; which of them is higher still goes to and fro.
    """
    lead = np.asarray(body.lift("left") - body.lift("right"))
    rows: list[list[int]] = [[]]
    for point in turning_points(lead, TREAD):
        leads = abs(lead[point]) > 0.5 * TREAD
        if rows[-1] and not (leads and lead[point] * lead[rows[-1][-1]] < 0 and 4 <= point - rows[-1][-1] <= BEAT[1]):
            rows.append([])
        if leads:
            rows[-1].append(point)
    steps: Intervals = []
    runs: Intervals = []
    for row in rows:
        if len(row) < 4:
            continue
        start, end = row[0], row[-1] + 1
        is_run = float(np.median(np.diff(row))) < RUN_BEAT
        stands = float(np.median(np.minimum(body.lift("left"), body.lift("right"))[row]))
        if not is_run and stands < BLUR and in_flight(body, start, end) > 0.05:
            continue  # a run on the spot, with slower steps
        ways = {"pelvis": (4.0, 0.1), "left_foot": (2.0, STAYS), "right_foot": (2.0, STAYS)}
        stays = all(
            np.linalg.norm(np.ptp(body.at(joint, sigma)[start:end, [0, 2]], axis=0)) < most
            for joint, (sigma, most) in ways.items()
        )
        low = all(np.ptp(body.height(f"{side}_ankle")[start:end]) < KNEE_HIGH for side in SIDES)
        if stays and low and np.ptp(np.degrees(body.heading("hip", 5.0))[start:end]) < 12.0:
            (runs if is_run else steps).append((start, end))
    return steps, runs


@predicate("steps_on_spot", "steps on the spot")
def steps_on_spot(body: Body) -> Intervals:
    """Lift the feet by turns, four times at least, without a flight, without going and without turning round."""
    rows: list[list[tuple[int, int, str]]] = [[]]
    for step in _spot_steps(body):
        if rows[-1]:
            before = rows[-1][-1]
            beat = 0.5 * (step[0] + step[1] - before[0] - before[1])
            if before[2] == step[2] or not BEAT[0] <= beat <= BEAT[1]:
                rows.append([])
        rows[-1].append(step)
    pelvis, heading = body.at("pelvis", 4.0), np.degrees(body.heading("hip", 5.0))
    found = []
    for row in rows:
        if len(row) < 4:
            continue
        start, end = row[0][0], row[-1][1]
        flies = in_flight(body, start, end) > 0.08
        stays = np.linalg.norm(np.ptp(pelvis[start:end], axis=0)[[0, 2]]) < 0.35 and _pace(body)[start:end].max() < 0.5
        if not flies and stays and np.ptp(heading[start:end]) < 40.0:
            found.append((start, end))
    return found or treads(body)[0]


@memo
def _side_jumps(body: Body, direction: str) -> Intervals:
    sign = 1.0 if direction == "left" else -1.0
    lifts = {side: body.lift(side) for side in SIDES}
    heading = np.degrees(body.heading("hip", 2.0))
    forward, left = body.axes()
    found = []
    for start, end in excursions(np.minimum(*lifts.values()), 0.045, 0.02, 2):
        first, last = max(start - 3, 0), min(end + 2, body.num_frames - 1)
        moved = [body.at(f"{side}_foot")[last] - body.at(f"{side}_foot")[first] for side in SIDES]
        aside, ahead = ([sign * float(one @ axis[first]) for one in moved] for axis in (left, forward))
        together = max(lifts[side][at] for side in SIDES for at in (first, last)) < 0.06
        same = abs(aside[0] - aside[1]) < 0.22 and abs(np.mean(ahead)) < 0.7 * np.mean(aside)
        way = ASIDE[0] < min(aside) and max(aside) < ASIDE[1]
        wide = max(float(body.gap("left_foot", "right_foot")[at]) for at in (first, last))  # else it is a gallop
        turned = abs(heading[last] - heading[first]) < 35.0
        if together and same and way and turned and wide < 0.5 and end - start <= FPS:
            found.append((start, end))
    return found


@predicate("jumps_to_side", "jumps to the {direction} with both feet")
def jumps_to_side(body: Body, direction: str | None = None, count: int | None = None) -> Intervals:
    """Leave the floor and land with both feet at a time, farther to the left or right, without turning."""
    ways = SIDES if direction is None else (direction,)
    return counted(sorted(found for way in ways for found in _side_jumps(body, way)), count)


def _foot_moves(body: Body, start: int, end: int) -> list[float]:
    """Return how far each foot goes over the floor each time it moves in frames [start, end), metres."""
    found = []
    for side in SIDES:
        ball = body.at(f"{side}_foot", 1.0)[start:end, [0, 2]]
        moves = np.linalg.norm(np.gradient(ball, axis=0), axis=-1) * FPS > 0.45
        found += [float(np.linalg.norm(ball[b - 1] - ball[a])) for a, b in stretches(moves, 3)]
    return [way for way in found if way > 0.08]


def _staggers(body: Body, direction: str) -> Intervals:
    velocity = body.velocity("pelvis", 3.0)
    along, across = (-velocity[:, 0], velocity[:, 2]) if direction == "backward" else (velocity[:, 2], velocity[:, 0])
    along = -along if direction == "right" else along
    lean, pelvis = body.lean(), body.at("pelvis", 2.0)
    out = np.min([body.outward(f"{side}_wrist", f"{side}_shoulder", side) for side in SIDES], axis=0) > 0.19
    found = []
    for start, end in stretches((along > 0.12) & (along > 0.8 * np.abs(across)), 10, 8):
        far = float(np.linalg.norm((pelvis[end - 1] - pelvis[start])[[0, 2]])) * body.scale
        first, last = max(start - 8, 0), min(end + 10, body.num_frames)
        tips = sum(len(swings(lean[first:last, axis], TIPS)) for axis in (0, 1))
        upright = body.pelvis_ratio()[first:last].min() > 0.64 and np.abs(lean[last - 1]).max() < 22.0
        moves = _foot_moves(body, first, last)
        goes = far > WAY and end - start < LONGEST and 4 <= len(moves) <= 9
        if goes and tips >= REELS and upright and out[first:last].sum() >= 8:
            found.append((start, end))
    return found


@predicate("staggers", "staggers {direction}")
def staggers(body: Body, direction: str | None = None) -> Intervals:
    """Go backward or aside in several steps for nearly a metre, the trunk tipping to and fro, the arms out."""
    ways = ("backward", *SIDES) if direction is None else (direction,)
    return sorted(found for way in ways for found in _staggers(body, way))


@predicate("skates", "skates forward")
def skates(body: Body) -> Intervals:
    """Go ahead on feet that slide over the floor, and never stop on it, as they push out to the sides by turns."""
    ahead = body.velocity("pelvis", 3.0)[:, 0]
    paces = [np.linalg.norm(np.gradient(body.at(f"{side}_foot", 1.0)[:, [0, 2]], axis=0), axis=-1) for side in SIDES]
    slides_on = np.minimum(*paces) * FPS > 0.35 * ahead
    low = np.minimum(body.height("left_foot"), body.height("right_foot"))
    apart = body.offset("left_ankle", "right_ankle", "hip", 2.0)[:, 2]
    found = []
    for start, end in stretches(ahead > GLIDE, 28, 4):
        on_floor = low[start:end] < np.quantile(low[start:end], 0.2) + 0.03
        strokes = swings(apart[start:end], 0.12)
        glides = slides_on[start:end].mean() > 0.75 and on_floor.mean() > 0.85
        if glides and len(strokes) >= 3 and apart[start:end].max() > 0.32:
            found.append((start, end))
    return found
