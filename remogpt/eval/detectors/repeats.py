"""Find what arms do again and again: waves, claps, circles, knocks. Strokes are counted between turning points."""

import numpy as np

from remogpt.eval.detectors.event import Event, both_or_one, detector, grouped
from remogpt.eval.detectors.figure import SIGN, Figure, smooth
from remogpt.eval.detectors.rhythm import peaks, slides, spans
from remogpt.eval.detectors.strokes import openings

WAVE_UP, WAVE_RISE = 0.12, 20.0
"""Metres of a waving wrist over its shoulder, and degrees of its forearm over level, along the trunk."""
STROKE, WHOLE = 12.0, 0.7
"""Degrees of the smallest swing of the forearm; share of the middle one from which on a swing counts."""
PALMS, PARTED = 0.24, 0.07
"""Metres between the wrists when the palms meet, at most, and by which they part in between."""
RADIUS = 0.25
"""Metres from shoulder to wrist, seen from the side, of an arm that circles."""
BENT_KNOCK = 96.0
"""Largest angle of the elbow before and after a knock, degrees."""


def _waving(figure: Figure, side: str) -> list[Event]:
    """Find swings of a raised forearm in the chest's frontal plane; two whole strokes, there and back, are one wave."""
    ahead, up, outward = figure.in_chest(f"{side}_wrist", f"{side}_elbow", side, 3).T
    tilt = np.degrees(np.arctan2(outward, up))
    rise = np.degrees(np.arctan2(up, np.hypot(ahead, outward)))
    raised = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side)[:, 1] > WAVE_UP
    found = []
    for start, end in spans(raised & (rise > WAVE_RISE), 8, 4):
        sizes = np.array([abs(tilt[start + b] - tilt[start + a]) for a, b in slides(tilt[start:end], STROKE)])
        if len(sizes) < 3 or np.median(sizes) < 20.0:
            continue
        # The arm is lifted to the middle of the first stroke: of n waves 2 n - 1 strokes are whole.
        whole = int((sizes > WHOLE * np.median(sizes)).sum())
        if whole >= 3:
            found.append(Event(start, end, side, count=(whole + 1) // 2))
    return found


@detector("waves")
def waves(figure: Figure) -> list[Event]:
    """Find forearms that swing sideways, one or both."""
    return both_or_one({side: _waving(figure, side) for side in SIGN})


@detector("claps")
def claps(figure: Figure) -> list[Event]:
    """Find moments at which the wrists come together in front of the chest, at least two in a row."""
    gap = smooth(figure.gap("left_wrist", "right_wrist"), 3)
    ahead = np.minimum(*(figure.in_chest(f"{side}_wrist", "spine3")[:, 0] for side in SIGN))
    apart = np.add(*(figure.in_chest(f"{side}_wrist", "spine3", side)[:, 2] for side in SIGN))
    met = [(top, "both") for top in peaks(-gap, PARTED, 4, -PALMS) if ahead[top] > 0.08 and apart[top] > -0.03]
    rows = [row for row in grouped(met, 24) if len(row) >= 2]
    return [Event(max(0, row[0][0] - 5), row[-1][0] + 6, count=len(row)) for row in rows]


@detector("circles_arm")
def circles_arm(figure: Figure) -> list[Event]:
    """Find arms that go round, seen from the side; up in front and down behind is backward."""
    found = {}
    for side in SIGN:
        ahead, up, _ = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side).T
        steps = np.diff(np.unwrap(np.arctan2(ahead, -up)))
        wide = np.hypot(ahead, up)[1:] > RADIUS
        rounds = np.concatenate([[0.0], np.cumsum(np.where(wide, steps, 0.0))]) / (2.0 * np.pi)
        found[side] = [
            Event(a, b, side, "backward" if rounds[b] > rounds[a] else "forward", round(abs(rounds[b] - rounds[a])))
            for a, b in slides(rounds, 0.5)
            if abs(rounds[b] - rounds[a]) > 0.8
        ]
    return both_or_one(found)


@detector("knocks")
def knocks(figure: Figure) -> list[Event]:
    """Find elbows that open by a little and close again, at least twice, with the hand before the shoulder."""
    found = []
    for side in SIGN:
        small = [one for one in openings(figure, side, 14.0) if 86.0 < one.angle < 136.0]
        beats = [(one.frame, side) for one in small if max(one.before, one.after) < BENT_KNOCK]
        rows = [row for row in grouped(beats, 16) if len(row) >= 2]
        found += [Event(max(0, row[0][0] - 4), row[-1][0] + 5, side, count=len(row)) for row in rows]
    return found
