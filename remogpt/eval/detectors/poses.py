"""Find poses that arms hold: raised, pointing, at the head, crossed, on the hips, on guard."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import ARM_LENGTH, OTHER, SIGN, Figure, rate
from remogpt.eval.detectors.rhythm import spans

RAISED, LEVEL = 0.05, 38.0
"""Metres of a raised wrist above the head joint; degrees of a pointing arm from level, at most."""
STRAIGHT = 0.85
"""Distance from shoulder to wrist of a straight arm, over the arm's length."""
AT_HEAD = 0.32
"""Metres from the head joint to a wrist at the head, at most."""
MOUTH, BROW = -0.075, 0.09
"""Metres of height less depth, from the neck: a hand below the first is at the mouth, above the second on the crown."""


def calm(figure: Figure, side: str) -> np.ndarray:
    """(T,) metres a second of a wrist as the chest sees it."""
    return np.asarray(np.linalg.norm(rate(figure.in_chest(f"{side}_wrist", "spine3", window=7)), axis=-1))


def held(masks: dict[str, np.ndarray], least: int, bridge: int) -> list[Event]:
    """Return the times in which one arm holds a pose and the other does not, and those in which both do."""
    found = []
    for side in SIGN:
        alone = spans(masks[side], least, bridge)
        found += [Event(start, end, side) for start, end in alone if masks[OTHER[side]][start:end].mean() < 0.4]
    return found + [Event(start, end, "both") for start, end in spans(masks["left"] & masks["right"], least, bridge)]


@detector("raises_hand")
def raises_hand(figure: Figure) -> list[Event]:
    """Find wrists above the head; the farther way of the elbow, ahead or outwards, is where the arm came up."""
    up = {side: figure.height(f"{side}_wrist") > figure.height("head") + RAISED for side in SIGN}
    found = []
    for event in held(up, 6, 4):
        sides = tuple(SIGN) if event.side == "both" else (str(event.side),)
        rise = slice(max(0, event.start - 14), event.start + 3)
        ways = sum(figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)[rise].max(axis=0) for side in sides)
        start, end = max(0, event.start - 12), min(len(figure), event.end + 10)
        found.append(Event(start, end, event.side, "forward" if ways[0] > ways[2] else "side"))
    return found


@detector("points")
def points(figure: Figure) -> list[Event]:
    """Find one straight arm held still and about level, ahead or to the side."""
    masks, offsets = {}, {}
    for side in SIGN:
        arm = figure.at(f"{side}_wrist") - figure.at(f"{side}_shoulder")
        rise = np.degrees(np.arctan2(arm[:, 1], np.hypot(arm[:, 0], arm[:, 2])))
        straight = np.linalg.norm(arm, axis=-1) > STRAIGHT * ARM_LENGTH
        masks[side] = straight & (np.abs(rise) < LEVEL) & (calm(figure, side) < 1.0)
        offsets[side] = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side)
    found = []
    for event in held(masks, 7, 4):
        if event.side != "both":
            ahead, _, outward = offsets[str(event.side)][event.start : event.end].mean(axis=0)
            found.append(Event(event.start, event.end, event.side, "forward" if ahead > outward else "side"))
    return found


def _at_head(figure: Figure, place: str) -> list[Event]:
    """Find one hand held at the head: at the mouth, at the brow or on the crown.

    The place is read along one line, which runs from in front of the chin up to the crown: height less depth.
    """
    masks = {}
    for side in SIGN:
        ahead, up, outward = figure.in_chest(f"{side}_wrist", "neck", side, 7).T
        near = (figure.gap(f"{side}_wrist", "head") < AT_HEAD) & (figure.bend(side, "arm") < 110.0)
        line = up - ahead
        masks[side] = (
            near
            & {
                "mouth": (line < MOUTH) & (line > -0.33) & (ahead > 0.1) & (outward < 0.16) & (up > -0.05),
                "brow": (line >= MOUTH) & (line < BROW) & (outward > 0.04),
                "crown": line >= BROW,
            }[place]
        )
    return [event for event in held(masks, 6, 4) if event.side != "both"]


@detector("salutes")
def salutes(figure: Figure) -> list[Event]:
    """Find one hand held at the brow."""
    return _at_head(figure, "brow")


@detector("drinks")
def drinks(figure: Figure) -> list[Event]:
    """Find one hand held in front of the mouth."""
    return _at_head(figure, "mouth")


@detector("scratches_head")
def scratches_head(figure: Figure) -> list[Event]:
    """Find one hand held on the crown. Its rubbing is too small to survive a tokenizer and is not asked for."""
    return _at_head(figure, "crown")


@detector("crosses_arms")
def crosses_arms(figure: Figure) -> list[Event]:
    """Find wrists that have passed each other in front of the chest, with bent and quiet arms."""
    left, right = (figure.in_chest(f"{side}_wrist", "spine3", side, 7) for side in SIGN)
    mask = left[:, 2] + right[:, 2] < -0.04
    for side, hand in (("left", left), ("right", right)):
        mask = mask & (hand[:, 0] > 0.05) & (np.abs(hand[:, 1]) < 0.28)
        mask = mask & (figure.bend(side, "arm") < 125.0) & (calm(figure, side) < 0.5)
    return [Event(start, end) for start, end in spans(mask, 10, 4)]


@detector("hands_on_hips")
def hands_on_hips(figure: Figure) -> list[Event]:
    """Find both wrists at the waist with the elbows out."""
    mask = np.ones(len(figure), dtype=bool)
    for side in SIGN:
        ahead, up, outward = figure.in_chest(f"{side}_wrist", "pelvis", side, 7).T
        elbow = figure.in_chest(f"{side}_elbow", f"{side}_wrist", side, 7)[:, 2]
        mask &= (np.abs(ahead) < 0.2) & (up > -0.06) & (up < 0.26) & (outward < 0.32)
        mask &= (elbow > 0.04) & (figure.bend(side, "arm") < 135.0)
    return [Event(start, end) for start, end in spans(mask, 10, 4)]


@detector("guards")
def guards(figure: Figure) -> list[Event]:
    """Find both fists held apart before the shoulders, elbows bent and low."""
    mask = figure.gap("left_wrist", "right_wrist") > 0.07
    for side in SIGN:
        ahead, up, _ = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side, 7).T
        elbow = figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side, 7)[:, 1]
        mask = mask & (ahead > 0.12) & (up > -0.13) & (up < 0.25) & (elbow < -0.05)
        mask = mask & (figure.bend(side, "arm") < 115.0) & (calm(figure, side) < 0.7)
    return [Event(start, end) for start, end in spans(mask, 12, 3)]
