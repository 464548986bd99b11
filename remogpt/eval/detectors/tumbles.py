"""Find what a figure does upside down: forward rolls."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import Figure
from remogpt.eval.detectors.rhythm import spans


@detector("rolls")
def rolls(figure: Figure) -> list[Event]:
    """Find hips over a low head, after a chest that looks down and before one that looks up from near the floor."""
    looks_up = figure.chest[:, 0, 1]
    hips = 0.5 * (figure.height("left_hip") + figure.height("right_hip"))
    head = figure.height("head")
    found = []
    for start, end in spans((hips - head > 0.08) & (head < 0.40), 2, 4):
        first, last = max(0, start - 30), min(len(figure), end + 30)
        down = first + np.flatnonzero(looks_up[first:end] < -0.5)
        up = start + np.flatnonzero((looks_up[start:last] > 0.4) & (hips[start:last] < 0.42))
        if len(down) and len(up) and down[0] < up[0]:
            way = figure.mass_centre[up[-1]] - figure.mass_centre[down[0]]
            if np.hypot(way[0], way[2]) > 0.2:
                found.append(Event(int(down[0]), int(up[-1]) + 1))
    return found
