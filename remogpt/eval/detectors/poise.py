"""Find what a figure does with its weight over its feet: leaning forward or back, and swaying from foot to foot."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import SIGN, Figure, measured, rate, steady
from remogpt.eval.detectors.rhythm import peaks, spans

TILT = 0.075
"""Metres by which the head is farther ahead of the seat (or behind it) than upright, in a lean at least."""
DEEP = 0.37
"""The same at most; who bows brings the head farther."""
STAYS = 13
"""Fewest frames of a lean that is held."""
SIDE = 0.037
"""Metres by which the centre of mass goes to each side of the middle in a sway, at least."""


@measured
def feet_rest(figure: Figure, most: float) -> np.ndarray:
    """(T,) whether the toes of both feet are slower than some metres a second, and near the floor."""
    toes = [figure.at(f"{side}_foot", 5) for side in SIGN]
    fast = np.max([np.linalg.norm(rate(toe), axis=-1) for toe in toes], axis=0)
    return np.asarray((fast < most) & (np.max([toe[:, 1] for toe in toes], axis=0) < 0.07))


def _moves(figure: Figure, side: str) -> np.ndarray:
    """(T,) metres a second of a wrist in the chest's axes."""
    return np.asarray(np.linalg.norm(rate(figure.in_chest(f"{side}_wrist", "spine3", None, 9)), axis=-1))


@detector("leans")
def leans(figure: Figure) -> list[Event]:
    """Find a chest that stays ahead of the hips or behind them, between times when it does not, the feet at rest."""
    hips = 0.5 * (figure.at("left_hip", 9) + figure.at("right_hip", 9))
    shoulders = 0.5 * (figure.at("left_shoulder", 9) + figure.at("right_shoulder", 9))
    ahead = figure.seen(shoulders - hips)[:, 0]
    calm = (np.abs(rate(ahead)) < 0.10) & feet_rest(figure, 0.25) & (figure.height("pelvis", 7) > 0.74)
    calm &= np.maximum(*(_moves(figure, side) for side in SIGN)) < 0.28
    found = []
    for start, end in spans(calm, STAYS, 3):
        near = np.concatenate([ahead[max(0, start - 50) : start], ahead[end : end + 50]])
        here = float(ahead[start:end].mean())
        for way, sign in (("forward", 1.0), ("backward", -1.0)):
            change = float((sign * (here - near)).max(initial=0.0))
            if TILT < change < DEEP and sign * here > 0.05:
                found.append(Event(start, end, direction=way))
    return found


@detector("sways")
def sways(figure: Figure) -> list[Event]:
    """Find a centre of mass that goes to one side and the other in turn while no foot leaves its place."""
    side = figure.seen(figure.mass_centre, steady(figure.foot_yaw, 20.0))[:, 2]
    found = []
    for start, end in spans(feet_rest(figure, 0.3) & (figure.height("pelvis", 7) > 0.78), 18, 4):
        curve = side[start:end] - 0.5 * (side[start:end].max() + side[start:end].min())
        least = 0.45 * float(np.abs(curve).max())
        ends = sorted((frame, way) for way in (1, -1) for frame in peaks(way * curve, 0.025, 5, least))
        kept = [one for one, before in zip(ends, [None, *ends], strict=False) if before is None or one[1] != before[1]]
        if len(kept) > 1 and np.abs(curve).max() > SIDE:
            found += [Event(max(0, start + frame - 8), start + frame + 7) for frame, _ in kept]
    return found
