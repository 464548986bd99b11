"""Find what feet do beside walking: stepping on the spot, jumping aside, staggering, skating."""

from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, rate, steady
from remogpt.eval.detectors.leaps import leaps, sole
from remogpt.eval.detectors.rhythm import peaks, slides, spans

SLOWEST, QUICKEST = 25, 8
"""Frames from one foot's highest place to the other's in steps on the spot, at most and at least."""
REEL, FAR = 0.08, 0.65
"""Metres that the neck swings against the seat, in each reel of who staggers; metres that the figure goes, at least."""


def flies(figure: Figure, first: int, last: int) -> float:
    """Return the share of frames [first, last) in which the lower sole is clear of the floor."""
    return float((np.minimum(sole(figure, "left"), sole(figure, "right"))[first:last] > 0.02).mean())


@detector("steps_on_spot")
def steps_on_spot(figure: Figure) -> list[Event]:
    """Find feet whose soles rise in turn over the same places, one of them always down, under a body that stays."""
    centre = steady(figure.mass_centre, 4.0)[:, [0, 2]] * figure.scale
    stays = np.linalg.norm(rate(centre), axis=-1) < 0.4
    soles = {side: sole(figure, side) for side in SIGN}
    found = []
    for start, end in spans(stays, 25, 6):
        tops = {side: peaks(soles[side][start:end], 0.03, 6) for side in SIGN}
        row: list[tuple[int, str]] = []
        rows = [row]
        for frame, side in sorted((start + top, name) for name in SIGN for top in tops[name]):
            if row and not (side == OTHER[row[-1][1]] and QUICKEST <= frame - row[-1][0] <= SLOWEST):
                row = []
                rows.append(row)
            row.append((frame, side))
        found += [Event(one[0][0] - 4, one[-1][0] + 5) for one in rows if len(one) >= 4 and _on_spot(figure, one)]
    return found


def _on_spot(figure: Figure, row: list[tuple[int, str]]) -> bool:
    """Return whether the toes come back to their places in a row of steps, no higher than a shin, without flights."""
    first, last = row[0][0], row[-1][0] + 1
    high = max(figure.height(f"{side}_ankle", 3)[frame] for frame, side in row)
    turned = float(np.ptp(np.degrees(figure.facing[first:last])))
    ways = []
    for (before, _), (after, side) in pairwise(row):
        toe = figure.at(f"{OTHER[side]}_foot", 5)[:, [0, 2]]
        ways.append(float(np.linalg.norm(toe[after] - toe[before])))
    wide = np.linalg.norm(np.ptp(steady(figure.mass_centre, 4.0)[first:last][:, [0, 2]], axis=0))
    return bool(
        high < 0.46
        and flies(figure, first, last) < 0.1
        and turned < 45.0
        and float(np.median(ways)) < 0.15
        and wide < 0.32
    )


@detector("jumps_to_side")
def jumps_to_side(figure: Figure) -> list[Event]:
    """Find leaps from both feet to both feet that carry the centre of mass aside and leave the facing as it was."""
    found = []
    for leap in leaps(figure):
        first, last = max(0, leap.start - 4), min(len(figure) - 1, leap.end + 3)
        turned = abs(np.degrees(figure.facing[last] - figure.facing[first])) < 40.0
        apart = [figure.at(f"{side}_foot", 5)[last] - figure.at(f"{side}_foot", 5)[first] for side in SIGN]
        both = float(np.linalg.norm((apart[0] - apart[1])[[0, 2]])) < 0.26
        both &= bool(figure.gap("left_ankle", "right_ankle")[[first, last]].max() < 0.48)  # who gallops strides wide
        if len(leap.feet) == 2 and turned and both and abs(leap.left) > max(0.15, 1.4 * abs(leap.forward)):
            found.append(Event(leap.start, leap.end, direction="left" if leap.left > 0 else "right"))
    return found


def _tread(figure: Figure, start: int, end: int) -> int:
    """Count how often a foot comes to rest in frames [start, end) after a way."""
    count = 0
    for side in SIGN:
        toe = figure.at(f"{side}_foot", 5)[start:end, [0, 2]]
        pace = np.linalg.norm(rate(toe), axis=-1)
        count += sum(pace[a:b].max() > 0.7 for a, b in spans(pace > 0.3, 3))
    return count


@detector("staggers")
def staggers(figure: Figure) -> list[Event]:
    """Find short ways backward or aside on which the neck reels about the seat and both arms are spread."""
    velocity = figure.seen(rate(steady(figure.mass_centre, 3.5)))
    neck = figure.seen(figure.at("neck", 7) - figure.at("pelvis", 7))
    spread = np.min([figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)[:, 2] for side in SIGN], axis=0)
    ways = {"backward": -velocity[:, 0], "left": velocity[:, 2], "right": -velocity[:, 2]}
    found = []
    for name, along in ways.items():
        for start, end in spans((along > 0.15) & (along > 0.75 * np.hypot(velocity[:, 0], velocity[:, 2])), 8, 9):
            first, last = max(0, start - 7), min(len(figure), end + 9)
            far = figure.mass_centre[last - 1] - figure.mass_centre[first]
            reels = sum(len(slides(neck[first:last, axis], REEL)) for axis in (0, 2))
            rests = figure.height("pelvis", 7)[first:last].min() > 0.68 and end - start < 84
            opened = int((spread[first:last] > 0.12).sum()) >= 8 and flies(figure, first, last) < 0.12
            goes = np.hypot(far[0], far[2]) * figure.scale > FAR and 4 <= _tread(figure, first, last) <= 9
            if goes and reels >= 3 and rests and opened:
                found.append(Event(start, end, direction=name))
    return found


@detector("skates")
def skates(figure: Figure) -> list[Event]:
    """Find fast ways on which no sole comes to rest and none flies, with strides out to either side."""
    pace = figure.seen(rate(steady(figure.mass_centre, 3.0)))[:, 0]
    soles = {side: sole(figure, side) for side in SIGN}
    toes = {side: np.linalg.norm(rate(figure.at(f"{side}_ankle", 7))[:, [0, 2]], axis=-1) for side in SIGN}
    wide = np.abs(figure.seen(figure.at("left_ankle", 7) - figure.at("right_ankle", 7))[:, 2])
    found = []
    for start, end in spans(pace > 0.75, 24, 5):
        rests = np.max([(soles[side] < 0.05) & (toes[side] < 0.4) for side in SIGN], axis=0)[start:end]
        floor = np.minimum(soles["left"], soles["right"])[start:end]
        flown = float((floor > float(np.median(floor)) + 0.035).mean())
        strides = peaks(wide[start:end], 0.10, 6, 0.30)
        if float(rests.mean()) < 0.15 and flown < 0.12 and len(strides) >= 2:
            found.append(Event(start, end))
    return found
