"""Find what a figure does upside down: forward rolls and cartwheels."""

import numpy as np
from scipy.ndimage import minimum_filter1d

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import SIGN, Figure
from remogpt.eval.detectors.rhythm import spans


@detector("rolls")
def rolls(figure: Figure) -> list[Event]:
    """Find hips over a low head, after a chest that looks down and before one that looks up from near the floor."""
    looks_up = figure.chest[:, 0, 1]
    ground = minimum_filter1d(figure.joints[..., 1].min(axis=1), 31)  # stairs may lead to another floor
    hips = 0.5 * (figure.height("left_hip") + figure.height("right_hip")) - ground
    head = figure.height("head") - ground
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


@detector("cartwheels")
def cartwheels(figure: Figure) -> list[Event]:
    """Find both ankles over the shoulders while the body travels along its shoulders' line; the first hand leads."""
    feet = np.minimum(figure.height("left_ankle"), figure.height("right_ankle"))
    shoulders = np.maximum(figure.height("left_shoulder"), figure.height("right_shoulder"))
    found = []
    for start, end in spans(feet - shoulders > 0.25, 2, 5):
        first, last = max(0, start - 34), min(len(figure), end + 34)
        stood = first + int(figure.height("head")[first : start + 1].argmax())
        up = end - 1 + int(figure.height("head")[end - 1 : last].argmax())
        line = figure.across("shoulder")[stood] * [1.0, 0.0, 1.0]
        moved = float((figure.mass_centre[up] - figure.mass_centre[stood]) @ line / max(np.linalg.norm(line), 1e-6))
        low = {side: np.flatnonzero(figure.height(f"{side}_wrist")[stood:up] < 0.2) for side in SIGN}
        if abs(moved) < 0.6 or not all(map(len, low.values())):
            continue
        lead = min(low, key=lambda side: int(low[side][0]))
        if SIGN[lead] * moved > 0:
            found.append(Event(stood, up + 1, direction=lead))
    return found
