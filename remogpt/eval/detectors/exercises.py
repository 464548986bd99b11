"""Find exercises of the trunk: toe touches, circles of hips and head, ducking, elbows at knees."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector, in_turn
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, rate, smooth
from remogpt.eval.detectors.lows import drop
from remogpt.eval.detectors.rhythm import around, peaks, spans

FOLD, AT_FEET, KNEES = 75.0, 0.5, 130.0
"""Forward lean of a toe touch, degrees, metres from wrists to ankles, and angle of knees that are nearly straight."""
CIRCLE = 0.004
"""Square metres that the pelvis sweeps in a round of the hips, at least."""
SNATCH, STEEP = 0.22, 0.15
"""Metres by which the head is away in a duck, and that it goes within some four frames, at least."""


@detector("touches_toes")
def touches_toes(figure: Figure) -> list[Event]:
    """Find peaks of a deep forward lean with straight knees and both wrists at the ankles."""
    pitch = smooth(figure.lean()[:, 0], 5)
    far = np.maximum(*(figure.gap(f"{side}_wrist", f"{side}_ankle") for side in SIGN))
    knees = np.minimum(*(figure.bend(side, "leg") for side in SIGN))
    found = []
    for top in peaks(pitch, 35.0, 8, FOLD):
        start, end = around(pitch, top)
        about = slice(max(0, top - 6), top + 7)
        stands = figure.height("pelvis")[top] > 0.65 and figure.gap("left_ankle", "right_ankle")[top] < 0.7
        if far[about].min() < AT_FEET and np.median(knees[about]) > KNEES and stands:
            found.append(Event(start, end))
    return found


@detector("touches_other_foot")
def touches_other_foot(figure: Figure) -> list[Event]:
    """Find deep leans with straight knees in which one wrist is down by the other side's ankle and one is up."""
    pitch = smooth(figure.lean()[:, 0], 5)
    knees = np.minimum(*(figure.bend(side, "leg") for side in SIGN))
    heights = {side: figure.height(f"{side}_wrist") for side in SIGN}
    moments: dict[str, list[int]] = {side: [] for side in SIGN}
    for top in peaks(pitch, 30.0, 8, 55.0):
        about = slice(max(0, top - 5), top + 6)
        side = min(SIGN, key=lambda one: float(heights[one][about].mean()))
        across = figure.gap(f"{side}_wrist", f"{OTHER[side]}_ankle")[about]
        along = figure.gap(f"{side}_wrist", f"{side}_ankle")[about]
        free = float((heights[OTHER[side]] - heights[side])[about].max())
        if across.min() < 0.4 and across.min() < along.min() - 0.03 and free > 0.3 and np.median(knees[about]) > KNEES:
            moments[side].append(top)
    return in_turn(moments, 10, 10, 80)


@detector("rolls_hips")
def rolls_hips(figure: Figure) -> list[Event]:
    """Find areas that the pelvis sweeps, always the same way around, while feet and head keep their places."""
    between = 0.5 * (figure.at("left_ankle", 7) + figure.at("right_ankle", 7))
    pelvis = (figure.at("pelvis", 9) - between)[:, [0, 2]]
    stood = (np.linalg.norm(rate(between), axis=-1) < 0.2) & (figure.height("pelvis") > 0.75)
    pelvis -= np.median(pelvis[stood], axis=0) if stood.any() else pelvis.mean(axis=0)
    swept = 0.5 * (pelvis[:-1, 0] * pelvis[1:, 1] - pelvis[:-1, 1] * pelvis[1:, 0])
    still = np.linalg.norm(rate(between), axis=-1)[1:] < 0.12
    found = []
    for sign in (1.0, -1.0):
        for start, end in spans((sign * swept > 0.00012) & still, 16, 4):
            way = pelvis[start : end + 1]
            middle = way.mean(axis=0)
            angle = np.unwrap(np.arctan2(*(way - middle).T))
            rounds = abs(float(angle[-1] - angle[0])) / (2.0 * np.pi)
            head = figure.at("head", 7)[start : end + 1][:, [0, 2]]
            calm = np.ptp(head, axis=0).max() < 1.1 * np.ptp(way, axis=0).max()
            if rounds > 1.2 and sign * swept[start:end].sum() > CIRCLE * rounds and calm:
                found.append(Event(start, end + 1, count=max(1, round(rounds))))
    return found


@detector("ducks")
def ducks(figure: Figure) -> list[Event]:
    """Find a head that is suddenly lower, or to one side, and soon back, over feet that stay."""
    head, low = figure.at("head", 5), drop(figure)
    lean = figure.lean()
    feet = np.maximum(*(figure.height(f"{side}_ankle") for side in SIGN))
    standing = float(np.quantile(feet, 0.2)) + 0.09
    hands = np.minimum(figure.height("left_wrist"), figure.height("right_wrist"))
    across = figure.seen(head - 0.5 * (figure.at("left_ankle", 9) + figure.at("right_ankle", 9)))[:, 2]
    ways = {"down": -head[:, 1], "left": across, "right": -across}
    found = []
    for direction, way in ways.items():
        aside = direction != "down"
        for top in peaks(way, 0.2, 8):
            start, end = around(way, top, 0.4)
            before = max(0, start - 6)
            went = way[top] - way[before : top + 1].min()
            steep = float(np.max(way[before + 4 : top + 1] - way[before : top - 3]))
            if went < SNATCH or steep < STEEP or end - start > 40:
                continue
            if feet[start:end].max() > standing or hands[start:end].min() < 0.36:
                continue
            sunk = low[top] - low[before]
            bent = lean[top] - lean[before]
            if aside:
                tilts = bent[1] * SIGN[direction] > 10.0 and sunk > 0.015
            else:
                tilts = bent[0] > 12.0 and 0.05 < sunk < 0.66 * went and abs(lean[top, 1]) < 24.0
            if tilts:
                found.append(Event(start, end, direction=direction))
    return found


@detector("brings_elbow_to_knee")
def brings_elbow_to_knee(figure: Figure) -> list[Event]:
    """Find moments in which an elbow is nearest to the other side's knee, the thigh up and the trunk turned to it."""
    moments: dict[str, list[int]] = {}
    turn = figure.yaw("shoulder", 7) - figure.yaw("hip", 7)
    turn = np.degrees(np.arctan2(np.sin(turn), np.cos(turn)))
    for side, sign in SIGN.items():
        knee = f"{OTHER[side]}_knee"
        near = peaks(-smooth(figure.gap(f"{side}_elbow", knee), 5), 0.15, 6, -0.33)
        thigh = figure.height(f"{OTHER[side]}_hip") - figure.height(knee)
        moments[side] = [
            top
            for top in near
            if thigh[max(0, top - 3) : top + 4].min() < 0.15
            and (-sign * turn)[max(0, top - 4) : top + 5].max() > 6.0
            and figure.height("pelvis")[top] > 0.7
        ]
    return in_turn(moments, 8, 8, 60)


@detector("rolls_head")
def rolls_head(figure: Figure) -> list[Event]:
    """Find rounds of the head about the chest's axis: it is ahead, aside, behind and on the other side in turn."""
    line = figure.in_chest("head", "neck", window=7)
    line /= np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 1e-6)
    place = line[:, [0, 2]]
    still = np.linalg.norm(rate(figure.at("neck", 9)), axis=-1) < 0.35
    found = []
    for start, end in spans((np.linalg.norm(rate(place), axis=-1) > 0.45) & still, 14, 3):
        way = place[start:end]
        span = np.ptp(way, axis=0)
        from_middle = way - 0.5 * (way.min(axis=0) + way.max(axis=0))
        swept = 0.5 * float(np.sum(from_middle[:-1, 0] * from_middle[1:, 1] - from_middle[:-1, 1] * from_middle[1:, 0]))
        rounds = abs(swept) / (0.235 * np.pi * float(span.prod()))  # areas of the ellipse that the head goes around
        if rounds > 0.6 and span.min() > 0.45:
            found.append(Event(start, end, count=max(1, round(rounds))))
    return found
