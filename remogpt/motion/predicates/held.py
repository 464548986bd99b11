"""Find what two arms do with something or somebody they hold: a broom, a baby, a violin, a friend."""

import numpy as np

from remogpt.motion.body import SIDES, Body, memo, other
from remogpt.motion.predicates.arms import reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, groups, stretches, swings
from remogpt.motion.skeleton import FPS

SWEEP, SWEEP_LEAN = 0.11, 4.0
"""Of sweeping: metres that the lower hand goes to and fro, degrees that the trunk leans forward on average."""
ROCK = 0.08
"""Metres that both forearms go from side to side in rocking."""
BOW = 0.09
"""Metres that a bowing hand goes to and fro."""
OPEN, CLOSED = 0.80, 0.36
"""Metres between the wrists of arms that open for a hug, and of arms that hold somebody."""
HUG_WITHIN = round(2.6 * FPS)
"""Most frames from arms that are open to arms that hold."""


@memo
def _hand(body: Body, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from its shoulder: forward, up, left, in the heading of the shoulders."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder")


def _bouts(signal: np.ndarray, where: np.ndarray, way: float, fewest: int, frames: tuple[int, int]) -> Intervals:
    """Find rows of at least some swings to and fro by `way`, each of a length between two numbers of frames."""
    found = []
    for start, end in stretches(where, 20, 4):
        rows = [(start + a, start + b) for a, b in swings(signal[start:end], way)]
        rows = [one for one in rows if frames[0] <= one[1] - one[0] <= frames[1]]
        found += [(row[0][0], row[-1][1]) for row in groups(rows, 6) if len(row) >= fewest]
    return found


@predicate("sweeps", "sweeps the floor with both hands")
def sweeps(body: Body) -> Intervals:
    """Hold both hands on a long handle before the body, one high and one low, and swing it or push it to and fro."""
    gap, lean = body.gap("left_wrist", "right_wrist"), body.lean()[:, 0]
    found = []
    for low in SIDES:
        lower, upper = _hand(body, low), _hand(body, other(low))
        apart = body.height(f"{other(low)}_wrist") - body.height(f"{low}_wrist")
        where = (gap > 0.22) & (gap < 0.62) & (apart > 0.14) & (lower[:, 1] < -0.26) & (upper[:, 1] < 0.05)
        where &= (lower[:, 0] > -0.05) & (upper[:, 0] > 0.0) & (lower[:, 0] + upper[:, 0] > 0.02)
        place = body.offset(f"{low}_wrist", "pelvis")
        for axis in (0, 2):
            for start, end in _bouts(place[:, axis], where, SWEEP, 3, (6, 26)):
                inside = slice(start + 4, end - 3)  # without raising and lowering the hands
                level = np.ptp(place[inside, 1]) < 0.9 * np.ptp(place[inside, axis])
                rigid = gap[inside].std() < (0.11 if axis == 0 else 0.22) * gap[inside].mean()
                grips = lower[inside, 0].mean() > 0.05 and reach(body, low)[inside].mean() < 0.97  # no arm that hangs
                if level and rigid and grips and lean[inside].mean() > SWEEP_LEAN:
                    found.append((start, end))
    return sorted(found)


@predicate("rocks_in_arms", "rocks something in both arms from side to side")
def rocks_in_arms(body: Body) -> Intervals:
    """Keep both forearms level before the chest, one over the other, and go from side to side with them."""
    apart = body.offset("left_wrist", "right_wrist", "shoulder")
    where = (apart[:, 2] < 0.06) & (body.gap("left_wrist", "right_wrist") < 0.34)
    for side in SIDES:
        hand, fore = _hand(body, side), body.offset(f"{side}_wrist", f"{side}_elbow", "shoulder")
        where &= (np.abs(fore[:, 1]) < 0.20) & (hand[:, 1] < -0.04) & (hand[:, 1] > -0.46) & (hand[:, 0] > 0.10)
        where &= (reach(body, side) < 0.93) & (body.offset(f"{side}_elbow", f"{side}_shoulder")[:, 1] < -0.19)
    middle = 0.5 * (body.offset("left_wrist", "pelvis") + body.offset("right_wrist", "pelvis"))
    found = []
    for start, end in _bouts(middle[:, 2], where, ROCK, 3, (8, 30)):
        inside = slice(start, end + 1)
        aside, ahead, up = (np.ptp(middle[inside, axis]) for axis in (2, 0, 1))
        if np.ptp(apart[inside, 1]) < 0.16 and aside > 1.2 * max(ahead, up):
            found.append((start, end))
    return found


@predicate("bows_violin", "plays the violin and bows with the {side} hand")
def bows_violin(body: Body, side: str) -> Intervals:
    """Draw one hand to and fro before the chin while the other holds still at the height of its shoulder, bent."""
    idle = other(side)
    bow, neck = _hand(body, side), _hand(body, idle)
    out = body.outward(f"{idle}_wrist", "spine3", idle, "shoulder")
    where = (out > 0.20) & (neck[:, 0] > 0.12) & (np.abs(neck[:, 1]) < 0.20) & (reach(body, idle) < 0.86)
    where &= body.speed(f"{idle}_wrist", 2.0, "shoulder") < 0.45
    where &= (bow[:, 0] > 0.12) & (bow[:, 1] > -0.30) & (bow[:, 1] < 0.22)
    across = body.offset(f"{side}_wrist", "spine3", "shoulder")
    where &= body.outward(f"{side}_wrist", "spine3", side, "shoulder") < 0.46
    found = []
    for start, end in _bouts(across[:, 2], where, BOW, 4, (4, 24)):
        inside = slice(start, end + 1)
        if np.ptp(across[inside, 2]) > 0.9 * max(np.ptp(across[inside, 0]), np.ptp(across[inside, 1])):
            found.append((start, end))
    return found


@predicate("hugs", "opens both arms and closes them around somebody")
def hugs(body: Body) -> Intervals:
    """Open both arms before the body, then close them ahead of the chest, elbows apart, and hold."""
    gap, apart = body.gap("left_wrist", "right_wrist", 1.0), body.offset("left_wrist", "right_wrist", "shoulder")
    round_somebody = (apart[:, 2] < 0.14) & (gap < CLOSED) & (body.gap("left_elbow", "right_elbow") > 0.27)
    opened = gap > OPEN
    for side in SIDES:
        hand, elbow = _hand(body, side), body.offset(f"{side}_elbow", f"{side}_shoulder", "shoulder")
        ahead = body.offset(f"{side}_wrist", "spine3", "shoulder")[:, 0]
        round_somebody &= (ahead > 0.22) & (np.abs(hand[:, 1]) < 0.32) & (elbow[:, 0] > 0.0) & (elbow[:, 1] > -0.24)
        round_somebody &= body.speed(f"{side}_wrist", 2.0, "shoulder") < 0.6
        opened &= (hand[:, 1] > -0.36) & (hand[:, 1] < 0.26) & (hand[:, 0] > -0.02)
    found = []
    for start, end in stretches(round_somebody, 14, 3):
        before = np.flatnonzero(opened[max(start - HUG_WITHIN, 0) : start])
        if len(before):
            found.append((max(start - HUG_WITHIN, 0) + int(before[0]), end))
    return found
