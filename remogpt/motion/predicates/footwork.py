"""Find what feet do beside steps: they go over an obstacle, rise on the toes, swing, tap."""

import numpy as np

from remogpt.motion.body import Body, memo, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, excursions, groups
from remogpt.motion.skeleton import FPS

OVER_LIFT, OVER_WAY = 0.20, 0.30
"""Metres that ankle and foot rise over an obstacle, and that the ankle goes forward in the meantime."""
BETWEEN = 1.1
"""Most seconds between the two feet that go over an obstacle, and fewest to another high step."""


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
