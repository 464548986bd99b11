"""Find hands that lie on the figure's own body: on the belly, and on the legs of a figure that bends over."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import SIGN, Figure, measured, rate
from remogpt.eval.detectors.poses import calm, held

ROUND, ABOUT = 0.21, 58.0
"""Metres from the line of the lower spine within which a wrist touches the belly; degrees from straight ahead."""
LIES = 14
"""Fewest frames for which a hand lies anywhere."""
AT_KNEE, OFF_THIGH = 0.34, 0.16
"""Metres of a wrist on a leg from the knee, and from the line of the thigh, at most."""


@measured
def _touches_belly(figure: Figure, side: str) -> np.ndarray:
    """(T,) whether a wrist is within a hand's thickness of the belly, seen as a round column about the spine."""
    foot, top = figure.at("pelvis", 7), figure.at("spine2", 7)
    column = top - foot
    length = np.maximum(np.linalg.norm(column, axis=-1), 1e-6)
    hand = figure.at(f"{side}_wrist", 7) - foot
    along = (hand * column).sum(-1) / length
    off = hand - (along / length)[:, None] * column
    across = figure.across("hip") / np.maximum(np.linalg.norm(figure.across("hip"), axis=-1, keepdims=True), 1e-6)
    aside = SIGN[side] * (off * across).sum(-1)
    ahead = (off * np.cross(across, column / length[:, None])).sum(-1)
    bearing = np.degrees(np.arctan2(aside, ahead))
    near = (np.linalg.norm(off, axis=-1) < ROUND) & (bearing < ABOUT) & (bearing > -80.0)
    return near & (along > -0.06) & (along < 0.32) & (figure.bend(side, "arm") < 150.0) & (calm(figure, side) < 0.55)


@detector("holds_belly")
def holds_belly(figure: Figure) -> list[Event]:
    """Find one hand or both at the round of the belly."""
    return held({side: _touches_belly(figure, side) for side in SIGN}, LIES, 4)


@detector("rests_hands_on_knees")
def rests_hands_on_knees(figure: Figure) -> list[Event]:
    """Find quiet hands a little above the knees of a figure on its feet whose neck is well ahead of its hips."""
    hips = 0.5 * (figure.at("left_hip", 7) + figure.at("right_hip", 7))
    over = figure.seen(figure.at("neck", 7) - hips)
    bowed = (over[:, 0] > 0.13) & (hips[:, 1] > 0.55)
    masks = {}
    for side in SIGN:
        hand, thigh = (figure.at(f"{side}_{joint}") - figure.at(f"{side}_knee") for joint in ("wrist", "hip"))
        size = np.linalg.norm(hand, axis=-1)
        cosine = (hand * thigh).sum(-1) / np.maximum(size * np.linalg.norm(thigh, axis=-1), 1e-6)
        angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        near = (size < 0.13) | ((size < AT_KNEE) & (size * np.sin(np.radians(angle)) < OFF_THIGH) & (angle < 90.0))
        slow = np.linalg.norm(rate(figure.at(f"{side}_wrist", 7)), axis=-1) < 0.3
        masks[side] = near & slow & bowed & (figure.at(f"{side}_wrist")[:, 1] < figure.height("pelvis", 7))
    return held(masks, LIES, 4)
