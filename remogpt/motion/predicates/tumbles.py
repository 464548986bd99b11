"""Find a body that turns over: forward rolls on the floor."""

import numpy as np

from remogpt.motion.body import Body, memo
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, stretches

ROUND = 240.0
"""Fewest degrees that the trunk turns from the neck on the floor until the body is up again."""
SEAT = 0.26
"""Largest height of the pelvis while the seat rolls over the floor, metres."""


@memo
def _pitched(body: Body) -> np.ndarray:
    """(T,) degrees that the trunk has turned forward about the hips' own axis since the first frame; runs past 360."""
    trunk, left = body.at("neck", 1.0) - body.at("pelvis", 1.0), body.at("left_hip", 1.0) - body.at("right_hip", 1.0)
    trunk, left = (v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6) for v in (trunk, left))
    steps = (np.cross(trunk[:-1], trunk[1:]) * left[:-1]).sum(axis=-1)
    return np.degrees(np.concatenate([[0.0], np.cumsum(np.arcsin(np.clip(steps, -1.0, 1.0)))]))


@predicate("rolls", "rolls forward on the floor")
def rolls(body: Body) -> Intervals:
    """Turn head first once round, the neck on the floor below the hips and then the seat on the floor."""
    turned, neck, pelvis = _pitched(body), body.height("neck", 1.0), body.height("pelvis", 1.0)
    found = []
    for start, end in stretches((neck < pelvis - 0.10) & (neck < 0.36), 2, 4):
        begin, stop = max(start - 40, 0), min(end + 50, body.num_frames)
        gained = turned[end - 1 : stop] - turned[begin:end].min()
        if gained.max() > ROUND and pelvis[end - 1 : stop].min() < SEAT:
            found.append((begin + int(turned[begin:end].argmin()), end + int(gained.argmax())))
    return found
