"""Find what hands do with things at hand: putting something down, reaching out for it, moving it aside, opening it."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, both_or_one, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate, smooth
from remogpt.eval.detectors.rhythm import around, peaks, slides, spans

SET_DOWN = (0.58, 0.785)
"""Height of a hand that sets something on a table, over that of the neck, least and most."""
TURNED = 0.36
"""Sine of the angle from straight ahead beyond which a table stands to the left or right."""
FOLLOWED = 0.045
"""Metres by which the neck goes after hands that reach out, over the pelvis."""
OUT = 0.08
"""Metres by which a hand that sets something down goes away from the middle of the body."""
SWUNG, DRAWN = 36.0, 11.0
"""Degrees by which a hand on a door goes around the body outwards, and by which its elbow bends meanwhile, at least."""


@measured
def _from_feet(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) place of a wrist over the middle between the ankles: ahead, up and left, as the feet point."""
    middle = 0.5 * (figure.at("left_ankle", 9) + figure.at("right_ankle", 9))
    place = figure.seen(figure.at(f"{side}_wrist", 7) - middle, figure.foot_yaw)
    hips = figure.seen(figure.at("pelvis", 9) - middle, figure.foot_yaw)
    return np.asarray(place - hips * [1.0, 0.0, 1.0])


def _set_down(figure: Figure, side: str) -> list[Event]:
    """Find the moments before an arm drops in which its hand is low, away from the body, and slow."""
    place, neck = _from_feet(figure, side), figure.height("neck", 9)
    away, speed = np.hypot(place[:, 0], place[:, 2]), np.linalg.norm(rate(place), axis=-1)
    height = figure.height(f"{side}_wrist", 7) / np.median(neck)
    low = (height > SET_DOWN[0]) & (height < SET_DOWN[1]) & (away > 0.36) & (figure.bend(side, "arm") > 95.0)
    drop = smooth(np.degrees(_raised(figure, side)), 5)
    found = []
    for first, last in spans(low & (speed < 0.5) & (drop > 20.0), 4, 3):
        farthest = np.flatnonzero(away[first:last] > 0.92 * away[first:last].max())
        start, end = first + int(farthest[0]), first + int(farthest[-1]) + 1
        before = slice(max(0, start - 36), start)
        near = (figure.bend(side, "arm")[before] < 132.0) & (away[before] < away[start:end].max() - OUT)
        near &= (place[before, 0] > 0.14) & (height[before] > 0.66)
        after = slice(end, end + 30)
        empty = drop[after].min(initial=99.0) < 18.0 or drop[after].min(initial=99.0) < drop[start:end].mean() - 9.0
        again = figure.bend(side, "arm")[end : end + 8].min(initial=180.0) < 80.0
        if near.sum() >= 5 and empty and not again:
            turn = place[start:end].mean(axis=0)
            found.append(Event(max(0, start - 12), end, side, _way(turn)))
    return found


def _raised(figure: Figure, side: str) -> np.ndarray:
    """(T,) radians between the line from shoulder to wrist and the vertical."""
    arm = figure.at(f"{side}_wrist") - figure.at(f"{side}_shoulder")
    return np.asarray(np.arctan2(np.hypot(arm[:, 0], arm[:, 2]), -arm[:, 1]))


def _way(place: np.ndarray) -> str:
    """Say where a place (ahead, up, left) lies."""
    sine = place[2] / max(float(np.hypot(place[0], place[2])), 1e-6)
    return "left" if sine > TURNED else "right" if sine < -TURNED else "forward"


@detector("puts_down")
def puts_down(figure: Figure) -> list[Event]:
    """Find one hand or both that take something from before the belly to a place as high as a table, and leave it."""

    def last(event: Event) -> slice:
        return slice(event.end - 4, event.end)

    return _by_one_or_both(figure, _set_down, 0.4, (last, 38.0), lambda event, _: last(event))


def _by_one_or_both(
    figure: Figure, find: Callable[[Figure, str], list[Event]], overlap: float,
    idle: tuple[Callable[[Event], slice], float], there: Callable[[Event, Event], slice],
) -> list[Event]:  # fmt: skip
    """Join what both hands do at once into events of both, and keep of the others those whose other arm is idle.

    Args:
        find: what one hand does.
        overlap: of two hands' events from which they are one.
        idle: when the other arm is to be idle, and how many degrees from hanging it is then at most.
        there: when the places of both hands say the direction.
    """
    events = {side: find(figure, side) for side in SIGN}
    when, most = idle
    found = []
    for side in SIGN:
        for event in events[side]:
            pair = [one for one in events[OTHER[side]] if one.overlap(event) > overlap]
            if not pair and np.degrees(_raised(figure, OTHER[side])[when(event)]).mean() < most:
                found.append(event)
            for one in pair if side == "left" else ():
                place = sum(_from_feet(figure, name)[there(event, one)].mean(axis=0) for name in SIGN)
                found.append(Event(min(event.start, one.start), max(event.end, one.end), "both", _way(place)))
    return found


def _reach(figure: Figure, side: str) -> list[Event]:
    """Find the moments in which a hand of a raised, open arm is farthest from the pelvis, and the neck has followed."""
    place, rise = _from_feet(figure, side), np.degrees(_raised(figure, side))
    away = smooth(np.hypot(place[:, 0], place[:, 2]), 5)
    neck = figure.seen(figure.at("neck", 9) - figure.at("pelvis", 9), figure.foot_yaw)
    found = []
    for top in peaks(away, 0.10, 10, 0.46):
        start, end = around(away, top, 0.75)
        turn = place[start:end].mean(axis=0) * [1.0, 0.0, 1.0]
        towards = neck @ (turn / max(float(np.linalg.norm(turn)), 1e-6))
        before, after = slice(max(0, start - 26), top + 1), slice(top, end + 26)
        rest = max(towards[before].min(), towards[after].min())
        hung = max(rise[before].min(), rise[after].min()) < 42.0
        open_arm = figure.bend(side, "arm")[top] > 122.0 and 66.0 < rise[top] < 138.0
        later = (figure.bend(side, "arm") < 96.0) & (rise > 40.0)
        slow = (np.linalg.norm(rate(place), axis=-1)[start:end] < 0.6).sum() >= 4
        if (
            slow
            and hung
            and open_arm
            and towards[start:end].max() - rest > FOLLOWED
            and later[top : end + 12].sum() < 4
        ):
            found.append(Event(max(0, start - 4), min(len(figure), end + 4), side, _way(turn)))
    return found


@detector("reaches")
def reaches(figure: Figure) -> list[Event]:
    """Find one hand or both stretched out far, with the neck leaning after them."""

    def middle(event: Event, one: Event) -> slice:
        frame = (max(event.start, one.start) + min(event.end, one.end)) // 2
        return slice(max(frame - 3, 0), frame + 3)

    return _by_one_or_both(figure, _reach, 0.5, (lambda event: slice(event.start, event.end), 42.0), middle)


def _shift(figure: Figure, side: str) -> list[Event]:
    """Find a hand that waits low on one side of the body, and next on the other, without leaving that height."""
    place, height = _from_feet(figure, side), figure.height(f"{side}_wrist", 7) / np.median(figure.height("neck", 9))
    speed = np.linalg.norm(rate(place), axis=-1)
    low = (height > SET_DOWN[0]) & (height < SET_DOWN[1] + 0.07) & (place[:, 0] > 0.1)
    neck = figure.seen(figure.at("neck", 9) - figure.at("pelvis", 9), figure.foot_yaw)[:, 0]
    low &= neck > np.quantile(neck, 0.05) + 0.025
    waits = spans(low & (speed < 0.34), 3, 2)
    turn = np.degrees(np.arctan2(place[:, 2], place[:, 0]))
    found = []
    for (_, end), (start, _) in pairwise(waits):
        change = turn[start] - turn[end - 1]
        swept = (
            abs(change) > 42.0 and turn[start] * turn[end - 1] < 0 and abs(place[start, 2] - place[end - 1, 2]) > 0.3
        )
        if swept and low[end:start].mean() > 0.9 and 4 < start - end < 50:
            found.append(Event(end - 1, start + 1, side, "left" if change > 0 else "right"))
    return found if len(found) < 3 else []


@detector("moves_aside")
def moves_aside(figure: Figure) -> list[Event]:
    """Find one hand or both that take something on a table over to the other side."""
    events = both_or_one({side: _shift(figure, side) for side in SIGN})
    return [
        one for one in events
        if one.side == "both"
        or np.degrees(_raised(figure, OTHER[str(one.side)])[one.start : one.end]).mean() < 42.0
    ]  # fmt: skip


@detector("opens_door")
def opens_door(figure: Figure) -> list[Event]:
    """Find one hand that goes around the body outwards at one height while it comes nearer, slow before and after."""
    found = []
    for side in SIGN:
        place, neck = _from_feet(figure, side), float(np.median(figure.height("neck", 9)))
        bearing = smooth(np.degrees(np.arctan2(SIGN[side] * place[:, 2], np.maximum(place[:, 0], 0.03))), 5)
        bend, speed = smooth(figure.bend(side, "arm"), 5), np.linalg.norm(rate(place), axis=-1)
        height = figure.height(f"{side}_wrist", 7)
        for start, end in slides(bearing, SWUNG):
            turn = bearing[start : end + 1]
            if bearing[end] < bearing[start]:  # the hand goes inwards
                continue
            first = start + int(np.flatnonzero(turn < turn[0] + 0.15 * np.ptp(turn))[-1])
            last = start + int(np.flatnonzero(turn > turn[-1] - 0.25 * np.ptp(turn))[0])
            if last <= first:
                continue
            way, rests = slice(first, last + 1), (slice(max(0, first - 8), first + 1), slice(last, last + 10))
            near = place[first, 0] - place[last, 0] > 0.12 and bend[first] - bend[way].min() > DRAWN
            level = np.ptp(height[way]) < 0.10 and 0.62 < height[way].mean() / neck < 0.92
            slow = max(float(speed[rest].min()) for rest in rests) < 0.45
            idle = np.degrees(_raised(figure, OTHER[side]))[way].mean() < 42.0
            # Who hauls at a rope leans back, and draws the hand to the hip.
            level = level and np.ptp(figure.lean()[first : last + 14, 0]) < 15.0
            level = level and (SIGN[side] * place[last : last + 10, 2]).max() > 0.27
            if place[first, 0] > 0.27 and near and level and slow and idle and last - first < 40:
                found.append(Event(max(0, first - 8), min(len(figure), last + 6), side))
    return found
