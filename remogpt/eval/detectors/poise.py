"""Find what a figure does with its weight: leaning, swaying from foot to foot, getting pushed, falling down."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import SIGN, Figure, measured, rate, smooth, steady
from remogpt.eval.detectors.rhythm import peaks, spans

TILT = 0.095
"""Metres by which the head is farther ahead of the seat (or behind it) than upright, in a lean at least."""
DEEP = 0.37
"""The same at most; who bows brings the head farther."""
STAYS = 17
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
    for side in SIGN:  # whose hands are raised or drawn in does something else
        reach = figure.at(f"{side}_wrist") - figure.at(f"{side}_shoulder")
        calm &= (reach[:, 1] < -0.25) & (np.linalg.norm(reach, axis=-1) > 0.30)
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


JERK, HOLDS = 0.17, 0.2
"""Change within a quarter of a second of the chest's upward vector, along the floor, in a blow; metres a second of the
centre of mass of a figure that stands."""


@detector("is_pushed")
def is_pushed(figure: Figure) -> list[Event]:
    """Find chests that are tipped in a moment while the figure stands, and steps the same way that end in standing."""
    mass = figure.mass_centre
    pace = np.linalg.norm(rate(smooth(mass, 7))[:, [0, 2]], axis=-1)
    up = figure.seen(figure.at("neck", 5) - figure.at("pelvis", 5))
    up = (up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6))[:, [0, 2]]
    toes = [figure.at(f"{side}_foot", 5) for side in SIGN]
    feet = 0.5 * (toes[0] + toes[1])
    tall = figure.height("pelvis", 7)
    found = []
    for start, end in spans(pace < HOLDS, 4):
        rests = [(a, b) for a, b in spans(pace < HOLDS, 5) if end + 6 < a < end + 50]
        last = min(end + 5, len(figure) - 1)
        first = max(start, last - 10)
        tipped = up[first : last + 1] - up[first]
        frame, axis = np.unravel_index(int(np.abs(tipped).argmax()), tipped.shape)
        sign = 1.0 if tipped[frame, axis] > 0.0 else -1.0
        if not rests or abs(tipped[frame, axis]) < JERK:
            continue
        stop = min(rests[0][0] + 4, len(figure) - 1)
        way = figure.seen(feet[stop : stop + 1] - feet[first], figure.facing[first : first + 1])[0, [0, 2]]
        late = float(np.abs(up[min(stop + 12, len(figure) - 1)] - up[first])[axis])
        flown = float(np.minimum(toes[0], toes[1])[first:stop, 1].max())
        ends = tall[first : stop + 1].min() > 0.66 and late < 0.22 and flown < 0.10
        if 0.08 < sign * way[axis] < 1.6 and abs(way[axis]) > abs(way[1 - axis]) and ends:
            name = (("backward", "forward"), ("right", "left"))[axis][int(sign > 0.0)]
            found.append(Event(first, stop, direction=name))
    return found


PLUNGE = -1.25
"""Metres a second of the centre of mass of a figure that falls, at the fastest; who lies down is slower."""


@detector("falls")
def falls(figure: Figure) -> list[Event]:
    """Find centres of mass that plunge from standing to the floor and stay there; the chest looks down, up or aside."""
    high = smooth(figure.mass_centre[:, 1], 5)
    found = []
    for start, end in spans(high < 0.34, 9, 4):
        above = np.flatnonzero(high[:start] > 0.78)
        if not len(above) or start - above[-1] > 26:
            continue
        first, lies = int(above[-1]), slice(start + (end - start) // 3, end)
        up, left = (float(figure.chest[lies, axis, 1].mean()) for axis in (0, 2))
        if float(rate(high)[first : start + 1].min()) < PLUNGE and max(abs(up), abs(left)) > 0.5:
            way = "backward" if up > 0.0 else "forward"
            if abs(left) > abs(up):
                way = "right" if left > 0.0 else "left"
            found.append(Event(max(0, first - 6), end, direction=way))
    return found
