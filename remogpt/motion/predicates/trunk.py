"""Find what the trunk does: bows, bends to the side, looks, twists, picks something up, dances."""

import numpy as np

from remogpt.motion.body import SIDES, Body, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, stretches, swings
from remogpt.motion.skeleton import FPS

BOW_LEAN, SIDE_LEAN, LOOK_TURN, TWIST_TURN = 28.0, 12.0, 11.0, 17.0
"""Degrees: forward lean of a bow, sideways lean, turn of the shoulders for a look, for a twist."""
FLOOR_REACH = 0.42
"""Largest wrist height of a hand at the floor, metres."""


@predicate("bows", "bows")
def bows(body: Body) -> Intervals:
    """Bend the trunk forward over straight legs, hands off the floor, and rise."""
    lean = body.lean()[:, 0]
    hands = np.minimum(body.height("left_wrist"), body.height("right_wrist"))
    found = []
    for start, end in excursions(lean, BOW_LEAN, 0.6 * BOW_LEAN):
        straight = body.pelvis_ratio()[start:end].min() > 0.82 or body.height("pelvis")[start] < 0.7
        if straight and hands[start:end].min() > FLOOR_REACH and end - start >= 8:
            found.append((start, end))
    return found


@predicate("bends_sideways", "bends the trunk to the {direction}")
def bends_sideways(body: Body, direction: str, count: int | None = None) -> Intervals:
    """Lean the trunk to one side."""
    lean = body.lean()[:, 1] * (1.0 if direction == "left" else -1.0)
    return counted([one for one in excursions(lean, SIDE_LEAN, 0.55 * SIDE_LEAN) if one[1] - one[0] >= 5], count)


@predicate("looks", "turns shoulders and head to the {direction}")
def looks(body: Body, direction: str) -> Intervals:
    """Turn the shoulders against the hips to one side, hold, and come back without swinging to the other side.

    The swing of the shoulders in a gait is smoothed away.
    """
    turn = body.shoulder_turn(5.0) * (1.0 if direction == "left" else -1.0)
    back = turn < -0.8 * LOOK_TURN
    return [
        (start, end) for start, end in excursions(turn, LOOK_TURN, 0.6 * LOOK_TURN)
        if end - start >= 7 and not back[max(start - 16, 0) : end + 16].any()
    ]  # fmt: skip


@predicate("twists", "twists the trunk from side to side")
def twists(body: Body, count: int | None = None) -> Intervals:
    """Turn the shoulders against the hips to both sides; one count is once to each side."""
    turn = body.shoulder_turn()
    wide = [
        (start, end) for start, end in swings(turn, 1.5 * TWIST_TURN)
        if min(turn[start], turn[end]) < -TWIST_TURN and max(turn[start], turn[end]) > TWIST_TURN
    ]  # fmt: skip
    pairs = [(wide[index][0], wide[min(index + 1, len(wide) - 1)][1]) for index in range(0, len(wide), 2)]
    return counted(pairs, count)


@predicate("picks_up", "reaches to the floor with the {side} hand")
def picks_up(body: Body, side: str) -> Intervals:
    """Bring a hand (or both) near the floor and come up."""
    height = {name: body.height(f"{name}_wrist", 1.0) for name in SIDES}
    if side == "both":
        return stretches(np.maximum(height["left"], height["right"]) < FLOOR_REACH + 0.05, 3, 6)
    lower = height[other(side)] - height[side]
    found = stretches(height[side] < FLOOR_REACH, 3, 6)
    return [(start, end) for start, end in found if lower[start:end].max() > 0.07]


@predicate("dances", "dances on the spot")
def dances(body: Body) -> Intervals:
    """Shift the weight from side to side with moving arms, without going anywhere."""
    pelvis = body.at("pelvis", 1.5)
    left = np.cumsum(body.velocity("pelvis", 1.5)[:, 2]) / FPS
    sway = swings(left, 0.07)
    arms = min(float(np.median(body.speed(f"{side}_wrist"))) for side in SIDES)
    away = float(np.ptp(pelvis[:, [0, 2]], axis=0).max())
    return [(sway[0][0], sway[-1][1])] if len(sway) >= 3 and arms > 0.25 and away < 1.2 else []
