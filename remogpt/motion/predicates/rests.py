"""Find hands that rest on the body itself: on the belly, or on the knees of who bends forward."""

import numpy as np

from remogpt.motion.body import SIDES, Body, memo, other
from remogpt.motion.predicates.arms import alone, both
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, stretches

HOLD = 16
"""Fewest frames for which a hand rests."""
DEEP = (0.03, 0.195)
"""Metres that a wrist on the belly is ahead of the spine, along the trunk's own axes; what is held is farther off."""
ASIDE = 0.135
"""Metres of a wrist on the belly from the middle, outwards; on the hips it is farther out."""
ON_LEG = 0.17
"""Metres of a wrist from the bone of the thigh on which its hand rests, at most."""
BENT = 15.0
"""Degrees by which the trunk of who props the hands on the knees leans forward, at least."""


@memo
def _trunk(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, 3) unit vectors forward, up and left of the lower trunk: up from the pelvis to the middle of the spine."""
    up = body.at("spine2", 1.5) - body.at("pelvis", 1.5)
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6)
    left = body.at("left_hip", 1.5) - body.at("right_hip", 1.5) + body.at("left_shoulder", 1.5)
    left = left - body.at("right_shoulder", 1.5)
    left = left - (left * up).sum(-1, keepdims=True) * up
    left = left / np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-6)
    return np.cross(left, up), up, left


@memo
def _on_belly(body: Body, side: str) -> np.ndarray:
    """(T,) whether a wrist is at the surface of the belly, before the lower spine."""
    forward, up, left = _trunk(body)
    hand = body.at(f"{side}_wrist") - body.at("spine1", 1.5)
    ahead, above, aside = ((hand * axis).sum(-1) for axis in (forward, up, left))
    out = aside if side == "left" else -aside
    mask = (ahead > DEEP[0]) & (ahead < DEEP[1]) & (above > -0.13) & (above < 0.19) & (out < ASIDE) & (out > -0.17)
    return mask & (body.speed(f"{side}_wrist", 2.0, "shoulder") < 0.5)


@predicate("holds_belly", "holds the {side} hand on the belly")
def holds_belly(body: Body, side: str) -> Intervals:
    """Rest one hand, or both, on the belly, or rub it; the wrists are as near to it as a hand is thick."""
    found = {name: stretches(_on_belly(body, name), HOLD, 3) for name in SIDES}
    if side == "both":
        return both(found["left"], found["right"])
    return alone(body, found[side], side, _on_belly(body, other(side)))


@memo
def _on_leg(body: Body, side: str) -> np.ndarray:
    """(T,) whether a wrist is at the lower two thirds of the thigh of its side."""
    knee, hip, hand = (body.at(f"{side}_{joint}") for joint in ("knee", "hip", "wrist"))
    bone = hip - knee
    share = ((hand - knee) * bone).sum(-1) / np.maximum((bone * bone).sum(-1), 1e-6)
    gap = np.linalg.norm(hand - knee - np.clip(share, 0.0, 1.0)[:, None] * bone, axis=-1)
    still = np.linalg.norm(np.gradient(body.at(f"{side}_wrist", 2.0), axis=0), axis=-1) < 0.015
    return (gap < ON_LEG) & (share > -0.15) & (share < 0.66) & still


@predicate("rests_hands_on_knees", "bends forward and rests the {side} hand on the leg")
def rests_hands_on_knees(body: Body, side: str) -> Intervals:
    """Prop one hand, or both, on the knees or thighs, bent forward on the feet, for a second at least."""
    bent = (body.lean()[:, 0] > BENT) & (body.height("pelvis", 1.5) > 0.62)
    on = {name: _on_leg(body, name) & bent for name in SIDES}
    found = {name: stretches(on[name], HOLD, 3) for name in SIDES}
    if side == "both":
        return both(found["left"], found["right"])
    return alone(body, found[side], side, on[other(side)])
