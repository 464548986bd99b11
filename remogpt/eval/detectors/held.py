"""Find what two arms do with something or somebody they hold: a broom, a baby, a violin, a friend."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, smooth
from remogpt.eval.detectors.poses import calm
from remogpt.eval.detectors.rhythm import peaks, spans

STROKES = 3
"""Fewest turns of a handle, of a cradle or of a bow."""


@measured
def _from_waist(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from the pelvis: ahead, up, outward, as the hips and feet face."""
    offset: np.ndarray = figure.seen(figure.at(f"{side}_wrist") - figure.at("pelvis", 9), figure.yaw("hip", 15))
    return offset * [1.0, 1.0, SIGN[side]]


def _to_and_fro(
    curve: np.ndarray, start: int, end: int, prominence: float, apart: int, longest: int
) -> slice | None:  # fmt: skip
    """Return the frames from the first to the last turn of a curve in [start, end), if it turns back often enough.

    Args:
        curve: (T,) metres.
        start, end: frames between which it may turn back, either way.
        prominence: metres of a turn.
        apart, longest: fewest and most frames from one turn to the next.
    """
    part = curve[start:end]
    turns = sorted(peaks(part, prominence, apart) + peaks(-part, prominence, apart))
    if len(turns) < STROKES or np.diff(turns).max() > longest:
        return None
    return slice(start + turns[0], start + turns[-1] + 1)


def _is_aside(place: np.ndarray, times: float) -> bool:
    """Return whether places (T, 3) vary this many times as much to the sides as ahead or up."""
    ahead, up, aside = np.std(place, axis=0)
    return bool(aside > times * max(ahead, up))


@detector("sweeps")
def sweeps(figure: Figure) -> list[Event]:
    """Find hands that hold a slanting handle, one at the belt and one at the breast, which goes to and fro."""
    bent = figure.lean()[:, 0]
    found = []
    for side in SIGN:
        low, high = _from_waist(figure, side), _from_waist(figure, OTHER[side])
        handle = figure.at(f"{OTHER[side]}_wrist") - figure.at(f"{side}_wrist")
        length = np.linalg.norm(handle, axis=-1)
        steep = handle[:, 1] / np.maximum(length, 1e-6)
        mask = (length > 0.21) & (length < 0.66) & (steep > 0.36) & (bent > -2.0)
        mask &= (low[:, 0] > 0.10) & (high[:, 0] > 0.10) & (low[:, 1] < 0.28) & (high[:, 1] > 0.08)
        for start, end in spans(mask, 20, 5):
            for axis in (0, 2):
                inside = _to_and_fro(smooth(low[:, axis], 7), start, end, 0.08, 6, 28)
                if inside is None:
                    continue
                flat = np.std(low[inside, 1]) < 0.85 * np.std(low[inside, axis])
                if flat and bent[inside].mean() > 3.0 and np.std(length[inside]) < 0.25 * np.mean(length[inside]):
                    found.append(Event(inside.start, inside.stop))
    return found


@detector("rocks_in_arms")
def rocks_in_arms(figure: Figure) -> list[Event]:
    """Find folded forearms at the breast that sway to the left and right together."""
    mask = np.ones(len(figure), dtype=bool)
    for side in SIGN:
        hand = figure.in_chest(f"{side}_wrist", "spine3", side)
        mask &= (hand[:, 2] < 0.12) & (hand[:, 0] > 0.10) & (hand[:, 1] < 0.12) & (hand[:, 1] > -0.30)
        mask &= (figure.bend(side, "arm") > 45.0) & (figure.bend(side, "arm") < 134.0)
        mask &= np.abs(figure.height(f"{side}_wrist") - figure.height(f"{side}_elbow")) < 0.18
        mask &= figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)[:, 1] < -0.18
    mask &= figure.gap("left_wrist", "right_wrist") < 0.36
    mask &= figure.in_chest("left_wrist", "right_wrist")[:, 2] < 0.07
    load = smooth(0.5 * (_from_waist(figure, "left") + _from_waist(figure, "right") * [1, 1, -1]), 7)
    found = []
    for start, end in spans(mask, 24, 4):
        inside = _to_and_fro(load[:, 2], start, end, 0.07, 6, 31)
        if inside is not None and _is_aside(load[inside], 1.2):
            found.append(Event(inside.start, inside.stop))
    return found


@detector("bows_violin")
def bows_violin(figure: Figure) -> list[Event]:
    """Find one hand that saws before the chin while the other is held up, the elbow under it."""
    found = []
    for side in SIGN:
        neck = figure.in_chest(f"{OTHER[side]}_wrist", f"{OTHER[side]}_shoulder", OTHER[side])
        mask = (np.abs(neck[:, 1]) < 0.22) & (neck[:, 0] > 0.10) & (neck[:, 2] > -0.02) & (neck[:, 2] < 0.36)
        mask &= (figure.bend(OTHER[side], "arm") < 128.0) & (calm(figure, OTHER[side]) < 0.5)
        bow = figure.in_chest(f"{side}_wrist", "neck", side)
        mask &= (bow[:, 0] > 0.15) & (bow[:, 1] > -0.36) & (bow[:, 1] < 0.16) & (bow[:, 2] > -0.22) & (bow[:, 2] < 0.45)
        for start, end in spans(mask, 18, 4):
            inside = _to_and_fro(bow[:, 2], start, end, 0.07, 3, 25)
            if inside is not None and _is_aside(bow[inside], 0.9):
                found.append(Event(inside.start, inside.stop, side))
    return found


@detector("hugs")
def hugs(figure: Figure) -> list[Event]:
    """Find arms that are spread before the body and then stay closed in a ring ahead of the chest."""
    spread = np.ones(len(figure), dtype=bool)
    ring = figure.gap("left_wrist", "right_wrist") < 0.40
    for side in SIGN:
        hand = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side)
        elbow = figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)
        spread &= (hand[:, 2] > 0.23) & (hand[:, 0] > -0.06) & (np.abs(hand[:, 1] + 0.06) < 0.34)
        ring &= (hand[:, 0] > 0.16) & (hand[:, 2] < -0.08) & (np.abs(hand[:, 1]) < 0.34)
        ring &= (elbow[:, 0] > 0.02) & (elbow[:, 1] > -0.225) & (calm(figure, side) < 0.7)
    found = []
    for start, end in spans(ring, 18, 3):
        first = max(0, start - 48)
        opened = spans(spread[first:start], 3, 2)
        if opened:
            found.append(Event(first + opened[0][0], end))
    return found
