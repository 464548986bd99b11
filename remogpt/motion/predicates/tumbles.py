"""Find a body that turns over: forward rolls on the floor, and cartwheels."""

import numpy as np

from remogpt.motion.body import Body, memo
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, stretches

ROUND = 240.0
"""Fewest degrees that the trunk turns: in a roll from the neck on the floor on, in a cartwheel from standing on."""
SEAT = 0.26
"""Largest height of the pelvis while the seat rolls over the floor, metres."""


@memo
def _pitched(body: Body) -> np.ndarray:
    """(T,) degrees that the trunk has turned forward about the hips' own axis since the first frame; runs past 360."""
    trunk, left = body.at("neck", 1.0) - body.at("pelvis", 1.0), body.at("left_hip", 1.0) - body.at("right_hip", 1.0)
    trunk, left = (v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6) for v in (trunk, left))
    steps = (np.cross(trunk[:-1], trunk[1:]) * left[:-1]).sum(axis=-1)
    return np.degrees(np.concatenate([[0.0], np.cumsum(np.arcsin(np.clip(steps, -1.0, 1.0)))]))


@memo
def _floor(body: Body) -> np.ndarray:
    """(T,) height of the floor there, metres: of the lowest foot within a second; stairs may lead to another floor."""
    feet = np.minimum(body.height("left_foot", 1.0), body.height("right_foot", 1.0))
    padded = np.pad(feet, 20, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 41).min(axis=-1) - 0.02)


@predicate("rolls", "rolls forward on the floor")
def rolls(body: Body) -> Intervals:
    """Turn head first once round, the neck on the floor below the hips and then the seat on the floor."""
    turned, floor = _pitched(body), _floor(body)
    neck, pelvis = body.height("neck", 1.0) - floor, body.height("pelvis", 1.0) - floor
    found = []
    for start, end in stretches((neck < pelvis - 0.10) & (neck < 0.36), 2, 4):
        begin, stop = max(start - 40, 0), min(end + 50, body.num_frames)
        gained = turned[end - 1 : stop] - turned[begin:end].min()
        if gained.max() > ROUND and pelvis[end - 1 : stop].min() < SEAT:
            found.append((begin + int(turned[begin:end].argmin()), end + int(gained.argmax())))
    return found


@memo
def _tilted(body: Body) -> np.ndarray:
    """(T,) degrees that the trunk has turned to its left about the axis that the belly faces; runs past 360."""
    trunk, across = body.at("neck", 1.0) - body.at("pelvis", 1.0), body.at("left_hip", 1.0) - body.at("right_hip", 1.0)
    trunk = trunk / np.maximum(np.linalg.norm(trunk, axis=-1, keepdims=True), 1e-6)
    ahead = np.cross(across, trunk)
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-6)
    steps = -(np.cross(trunk[:-1], trunk[1:]) * ahead[:-1]).sum(axis=-1)
    return np.degrees(np.concatenate([[0.0], np.cumsum(np.arcsin(np.clip(steps, -1.0, 1.0)))]))


@predicate("cartwheels", "does a cartwheel to the {direction}")
def cartwheels(body: Body, direction: str | None = None) -> Intervals:
    """Turn sideways once round with the feet over the hips and a hand on the floor, left: to the body's left."""
    tilted, pelvis = _tilted(body), body.height("pelvis", 1.0)
    hands = np.minimum(body.height("left_wrist"), body.height("right_wrist"))
    feet = np.minimum(body.height("left_ankle"), body.height("right_ankle"))
    found = []
    for start, end in stretches((feet > pelvis) & (body.height("neck", 1.0) < pelvis) & (hands < 0.25), 2, 4):
        begin, stop = max(start - 40, 0), min(end + 40, body.num_frames)
        way = 1.0 if tilted[stop - 1] > tilted[begin] else -1.0
        before, after = way * tilted[begin : start + 1], way * tilted[end - 1 : stop]
        side = "left" if way > 0 else "right"
        if after.max() - before.min() > ROUND and direction in (None, side):
            found.append((begin + int(before.argmin()), end + int(after.argmax())))
    return found
