"""Find what feet do beside steps: over an obstacle, on the toes, swings of a leg, taps of a foot."""

from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, rate, smooth
from remogpt.eval.detectors.rhythm import peaks

FOLDED, HUNG = 150.0, 0.13
"""Degrees of the knee of a leg that goes over an obstacle, at most; metres of its foot above the floor, at least."""
ON_WAY, IN_PACE = 0.25, 1.7
"""Metres that the centre of mass goes ahead over an obstacle; its speed, metres a second, at most."""


@detector("steps_over")
def steps_over(figure: Figure) -> list[Event]:
    """Find one fold of each leg, foot in the air, that bring first one foot and then the other one to the front."""
    centre = figure.mass_centre
    pace = np.linalg.norm(rate(smooth(centre, 9))[:, [0, 2]], axis=-1)
    tops = []
    for side in SIGN:
        ball, standing = figure.height(f"{side}_foot", 5), figure.height(f"{OTHER[side]}_foot", 5)
        ahead = figure.seen(figure.at(f"{side}_foot", 7) - figure.at(f"{OTHER[side]}_foot", 7))[:, 0]
        for top in peaks(ball, HUNG, 6, HUNG + 0.05):
            before, after = ahead[max(0, top - 14) : top + 1], ahead[top : top + 15]
            folded = figure.bend(side, "leg")[max(0, top - 5) : top + 6].min() < FOLDED
            if folded and standing[top] < 0.07 and after.max() - before.min() > 0.4 and after.max() > -0.12:
                tops.append((top, side))
    tops.sort()
    found = []
    for index, ((first, side), (second, follower)) in enumerate(pairwise(tops)):
        alone = (index == 0 or first - tops[index - 1][0] > 32) and (
            index + 2 >= len(tops) or tops[index + 2][0] - second > 32
        )
        way = figure.seen(centre[[second]] - centre[[first]], figure.facing[[first]])[0]
        calm = pace[first:second].max() < IN_PACE
        if side != follower and second - first < 50 and alone and way[0] > ON_WAY and abs(way[1]) < 0.15 and calm:
            found.append(Event(max(0, first - 8), second + 9, side))
    return found
