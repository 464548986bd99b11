"""Find what a body does on the floor: crawl, lie, sit, kneel on both knees, and get up from there."""

import numpy as np

from remogpt.motion.body import Body, memo
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, stretches, swings

ON_FLOOR = 0.20
"""Largest height of a knee or a wrist that rests on the floor, metres."""
SEAT = 0.30
"""Largest height of the pelvis of who sits or lies on the floor, metres."""
UP = 0.80
"""Smallest height of the pelvis of who stands, metres."""
STAY = 10
"""Fewest frames of a posture."""


@memo
def _level(body: Body) -> np.ndarray:
    """(T,) metres that the neck is above the pelvis."""
    return np.asarray(body.height("neck", 2.0) - body.height("pelvis", 2.0))


@memo
def _knees_down(body: Body) -> np.ndarray:
    """(T,) whether both knees rest on the floor, under the hips or behind them."""
    return np.asarray(np.maximum(body.height("left_knee"), body.height("right_knee")) < ON_FLOOR)


@memo
def _on_all_fours(body: Body) -> np.ndarray:
    """(T,) whether knees and hands are on the floor and the pelvis is above the knees."""
    hands = np.maximum(body.height("left_wrist"), body.height("right_wrist"))
    raised = np.minimum(body.height("left_wrist"), body.height("right_wrist"))
    pelvis = body.height("pelvis", 2.0)
    return (raised < 0.22) & (hands < 0.34) & (pelvis > 0.30) & (pelvis < 0.66) & (np.abs(_level(body)) < 0.36)


@predicate("crawls", "crawls {direction}")
def crawls(body: Body, direction: str | None = None) -> Intervals:
    """Go on hands and knees, forward or backward, hands and knees moving in turn."""
    found = []
    for start, end in stretches(_on_all_fours(body), 14, 6):
        trunk = (body.at("neck", 4.0) - body.at("pelvis", 4.0))[start:end].mean(axis=0)
        ahead = trunk[[0, 2]] / max(float(np.linalg.norm(trunk[[0, 2]])), 1e-6)
        path = body.at("pelvis", 4.0)[start:end][:, [0, 2]] @ ahead
        moved = float(path[-1] - path[0])
        apart = (body.at("left_knee", 2.0) - body.at("right_knee", 2.0))[start:end][:, [0, 2]] @ ahead
        if abs(moved) > 0.35 and len(swings(apart, 0.10)) >= 2:
            way = "forward" if moved > 0 else "backward"
            if direction in (None, way):
                found.append((start, end))
    return found


@memo
def _lying(body: Body) -> Intervals:
    low = (body.height("pelvis", 2.0) < SEAT) & (np.abs(_level(body)) < 0.24)
    return stretches(low, STAY, 4)


@memo
def _faces_up(body: Body) -> np.ndarray:
    """(T,) height of the tip of a unit vector that points ahead of the chest."""
    up = body.at("neck", 2.0) - body.at("spine1", 2.0)
    left = body.at("left_shoulder", 2.0) - body.at("right_shoulder", 2.0)
    ahead = np.cross(left, up)
    return np.asarray(ahead[:, 1] / np.maximum(np.linalg.norm(ahead, axis=-1), 1e-6))


@predicate("lies", "lies on the floor on the {direction}")
def lies(body: Body, direction: str | None = None) -> Intervals:
    """Lie stretched on the floor: on the back or on the belly."""
    found = []
    for start, end in _lying(body):
        way = "back" if _faces_up(body)[start:end].mean() > 0 else "belly"
        if direction in (None, way):
            found.append((start, end))
    return found


@memo
def _seated_on_floor(body: Body) -> Intervals:
    low = (body.height("pelvis", 2.0) < SEAT) & (_level(body) > 0.34)
    return stretches(low, STAY, 4)


@predicate("sits_on_floor", "sits down on the floor")
def sits_on_floor(body: Body) -> Intervals:
    """Sit on the floor after standing."""
    stood = body.height("pelvis", 2.0) > UP
    return [(max(start - 20, 0), end) for start, end in _seated_on_floor(body) if stood[:start].any()]


@predicate("kneels_on_both", "kneels on both knees")
def kneels_on_both(body: Body) -> Intervals:
    """Rest on both knees with the trunk upright and the hips over the knees or the heels."""
    pelvis = body.height("pelvis", 2.0)
    upright = (_level(body) > 0.36) & (pelvis > 0.24) & (pelvis < 0.68)
    return stretches(_knees_down(body) & upright, STAY, 3)


@predicate("gets_up_from_floor", "gets up from the floor, from the {direction}")
def gets_up_from_floor(body: Body, direction: str | None = None) -> Intervals:
    """Stand up after sitting on the floor ("seat"), or lying there ("back", "belly")."""
    stands = body.height("pelvis", 2.0) > UP
    rests = [(start, end, "seat") for start, end in _seated_on_floor(body)]
    rests += [(start, end, "back") for start, end in lies(body, "back")]
    rests += [(start, end, "belly") for start, end in lies(body, "belly")]
    if not rests:
        return []
    _, end, way = max(rests, key=lambda rest: (rest[2] != "seat", rest[1] - rest[0]))
    up = np.flatnonzero(stands[end:])
    return [(end, end + int(up[0]) + 1)] if len(up) and direction in (None, way) else []
