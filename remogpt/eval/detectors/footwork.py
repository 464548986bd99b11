"""Find what feet do beside steps: over an obstacle, on the toes, swings of a leg, taps of a foot."""

from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, detector, grouped
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, rate, smooth
from remogpt.eval.detectors.rhythm import around, peaks, spans

FOLDED, HUNG = 150.0, 0.13
"""Degrees of the knee of a leg that goes over an obstacle, at most; metres of its foot above the floor, at least."""
ON_WAY, IN_PACE = 0.25, 1.7
"""Metres that the centre of mass goes ahead over an obstacle; its speed, metres a second, at most."""
STEEP = (20.0, 10.0)
"""Degrees by which feet on the toes are steeper than flat ones: at their highest, and from when on."""


@detector("steps_over")
def steps_over(figure: Figure) -> list[Event]:
    """Find one fold of each leg, foot in the air, that bring first one foot and then the other one to the front."""
    centre = figure.mass_centre
    pace = np.linalg.norm(rate(smooth(centre, 9))[:, [0, 2]], axis=-1)
    tops = []
    for side in SIGN:
        ball, standing = figure.height(f"{side}_foot", 5), figure.height(f"{OTHER[side]}_foot", 5)
        ahead = figure.seen(figure.at(f"{side}_foot", 7) - figure.at(f"{OTHER[side]}_foot", 7))[:, 0]
        for top in peaks(ball, HUNG, 6, HUNG + 0.05):
            before, after = ahead[max(0, top - 14) : top + 1], ahead[top : top + 15]
            folded = figure.bend(side, "leg")[max(0, top - 5) : top + 6].min() < FOLDED
            if folded and standing[top] < 0.07 and after.max() - before.min() > 0.4 and after.max() > -0.12:
                tops.append((top, side))
    tops.sort()
    found = []
    for index, ((first, side), (second, follower)) in enumerate(pairwise(tops)):
        alone = (index == 0 or first - tops[index - 1][0] > 32) and (
            index + 2 >= len(tops) or tops[index + 2][0] - second > 32
        )
        way = figure.seen(centre[[second]] - centre[[first]], figure.facing[[first]])[0]
        calm = pace[first:second].max() < IN_PACE
        if side != follower and second - first < 50 and alone and way[0] > ON_WAY and abs(way[1]) < 0.15 and calm:
            found.append(Event(max(0, first - 8), second + 9, side))
    return found


def _slope(figure: Figure, side: str) -> np.ndarray:
    """(T,) degrees that the line from ankle to ball of a foot points down."""
    foot = figure.at(f"{side}_foot") - figure.at(f"{side}_ankle")
    return np.asarray(np.degrees(np.arctan2(-foot[:, 1], np.hypot(foot[:, 0], foot[:, 2]))))


@detector("rises_on_toes")
def rises_on_toes(figure: Figure) -> list[Event]:
    """Find spans on one place with both feet steep on their balls and the head higher than over flat feet."""
    steep = np.minimum(*(_slope(figure, side) - np.quantile(_slope(figure, side), 0.15).clip(10, 38) for side in SIGN))
    balls = [figure.at(f"{side}_foot", 7) for side in SIGN]
    rests = np.maximum(*(np.linalg.norm(rate(ball), axis=-1) for ball in balls)) < 0.3
    head = figure.height("head", 7)
    flat = head[steep < 8.0]
    higher = head - (np.quantile(flat, 0.8) if len(flat) > 4 else head.min())
    upright = (figure.height("pelvis") > 0.85) & rests & (np.abs(balls[0][:, 1] - balls[1][:, 1]) < 0.03)
    drift = np.linalg.norm(rate(figure.at("pelvis", 11))[:, [0, 2]], axis=-1) < 0.4
    place = figure.at("pelvis", 9)[:, [0, 2]]
    found = []
    for start, end in spans((steep > STEEP[1]) & upright & drift, 5, 2):
        whole = [one for one in spans(steep > 0.6 * STEEP[1]) if one[0] < end and start < one[1]]
        near = place[min(one[0] for one in whole) : max(one[1] for one in whole)]
        stays = np.ptp(near, axis=0).max() < 0.25
        if steep[start:end].max() > STEEP[0] and higher[start:end].max() > 0.025 and stays:
            found.append(Event(start, end))
    return found


@detector("swings_leg")
def swings_leg(figure: Figure) -> list[Event]:
    """Find a foot that passes the standing one in the air again and again, both ways, with a knee nearly straight."""
    found = []
    for side in SIGN:
        foot, stand = f"{side}_foot", f"{OTHER[side]}_ankle"
        way = figure.seen(figure.at(foot) - figure.at(f"{OTHER[side]}_foot"), figure.yaw("hip", 21))[:, 0]
        rests = np.linalg.norm(rate(figure.at(stand, 9)), axis=-1) < 0.3
        free = (figure.height(foot) > 0.022) & rests & (figure.bend(side, "leg") > 112.0)
        for start, end in spans(free, 20, 3):
            part = smooth(way[start:end], 5)
            tops = [top for top in peaks(part, 0.2, 8, 0.2) if figure.bend(side, "leg")[start + top] > 140.0]
            backs = [part[a:b].min() for a, b in pairwise(tops)]
            if len(tops) >= 2 and max(backs) < -0.03:
                found.append(Event(start, end, side, count=len(tops)))
    return found


def _small_lifts(figure: Figure, side: str) -> list[int]:
    """Return the frames at which a ball of the foot is highest between two lows at one place, the other foot quiet."""
    ball, other = figure.at(f"{side}_foot", 3), figure.at(f"{OTHER[side]}_foot", 9)
    quiet = np.linalg.norm(rate(figure.at("pelvis", 11)), axis=-1) < 0.35
    quiet &= (figure.height("pelvis", 7) > 0.82) & (np.linalg.norm(rate(other), axis=-1) < 0.3) & (other[:, 1] < 0.045)
    tops = []
    for top in peaks(ball[:, 1], 0.025, 4, 0.035):
        start, end = around(ball[:, 1], top, 0.3)
        same = np.hypot(*(ball[min(end, len(ball) - 1)] - ball[max(start - 1, 0)])[[0, 2]]) < 0.055
        small = ball[top, 1] < 0.16 and np.ptp(ball[start:end, [0, 2]], axis=0).max() < 0.12
        small = small and figure.height(f"{side}_ankle")[top] < 0.24
        if same and small and end - start < 34 and quiet[max(0, top - 2) : top + 3].all():
            tops.append(top)
    return tops


@detector("taps_foot")
def taps_foot(figure: Figure) -> list[Event]:
    """Find rows of small lifts of one foot, none of the other one in between."""
    lifts = {side: _small_lifts(figure, side) for side in SIGN}
    found = []
    for side in SIGN:
        for row in grouped([(top, side) for top in lifts[side]], 42):
            first, last = row[0][0], row[-1][0]
            if len(row) >= 2 and not any(first < top < last for top in lifts[OTHER[side]]):
                found.append(Event(max(0, first - 5), last + 6, side, count=len(row)))
    return found


@detector("walks_on_toes")
def walks_on_toes(figure: Figure) -> list[Event]:
    """Find feet that pass each other, each of them steep on its ball wherever it rests on the floor."""
    rests, steep = {}, {}
    for side in SIGN:
        ball = figure.at(f"{side}_foot", 7)
        rests[side] = (np.linalg.norm(rate(ball), axis=-1) < 0.3) & (ball[:, 1] < 0.04)
        slope = _slope(figure, side)
        steep[side] = slope - np.quantile(slope, 0.1).clip(10, 32)
    pace = np.linalg.norm(rate(figure.at("pelvis", 15))[:, [0, 2]], axis=-1)
    upright = figure.height("pelvis") > 0.85
    found = []
    for start, end in spans((pace > 0.22) & (pace < 1.5) & upright, 16, 3):
        on = [rests[side][start:end] for side in SIGN]
        high = [steep[side][start:end][held] for side, held in zip(SIGN, on, strict=True)]
        if min(held.sum() for held in on) > 7 and min(float(np.quantile(one, 0.25)) for one in high) > STEEP[0] - 6.0:
            found.append(Event(start, end))
    return found
