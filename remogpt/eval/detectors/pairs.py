"""Find what two arms do together or for each other: swing a club, swim, steer, rub, ward off, stretch, drum, play."""

from itertools import pairwise

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate, smooth, steady
from remogpt.eval.detectors.poses import calm
from remogpt.eval.detectors.rhythm import peaks, slides, spans

CLUB_TURN, CLUB_RATE = 55.0, 260.0
"""Degrees that both hands sweep around the body in the swing of a club, and degrees a second at the fastest."""


@measured
def _from_chest(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from the middle of the chest: ahead, up, outward, as the chest stands."""
    return figure.in_chest(f"{side}_wrist", "spine2", side)


def _middle(figure: Figure) -> np.ndarray:
    """(T, 3) place halfway between the wrists."""
    return 0.5 * (figure.at("left_wrist") + figure.at("right_wrist"))


@detector("swings_club")
def swings_club(figure: Figure) -> list[Event]:
    """Find joined hands that sweep around the body from over one shoulder to over the other, by way of a low point."""
    hands = _middle(figure)
    around = figure.seen(hands - figure.at("spine1", 9), figure.yaw("hip", 15))
    bearing = np.degrees(np.unwrap(np.arctan2(around[:, 2], np.maximum(around[:, 0], 0.05))))
    fast = np.abs(rate(smooth(bearing, 5)))
    over = hands[:, 1] - figure.height("neck", 9)
    joined = figure.gap("left_wrist", "right_wrist") < 0.32
    found = []
    for start, end in slides(smooth(bearing, 5), CLUB_TURN):
        peak = start + int(np.argmax(fast[start : end + 1]))
        if (
            fast[peak] < max(CLUB_RATE, 0.8 * fast[max(0, start - 16) : end + 16].max())
            or joined[start : end + 1].mean() < 0.7
        ):
            continue
        before, after = over[max(0, peak - 14) : peak].max(initial=-1.0), over[peak : peak + 14].max()
        deep = over[max(0, peak - 8) : peak + 8].min()
        if after > -0.12 and before > -0.28 and min(before, after) - deep > 0.12:
            low = float((hands[:, 1] - figure.height("pelvis", 9))[max(0, peak - 8) : peak + 8].min())
            way = "low" if low < 0.15 else "level"
            found.append(Event(start, end + 1, "right" if bearing[end] > bearing[start] else "left", way))
    return found


def _breast(figure: Figure) -> list[Event]:
    """Find rounds of both hands: forward close together, back wide apart."""
    left, right = (figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side) for side in SIGN)
    wide = smooth(left[:, 2] + right[:, 2], 5)
    deep = smooth(left[:, 0] + right[:, 0], 5)
    same = np.abs(left[:, 1] - right[:, 1]) < 0.22
    tops = [top for top in peaks(wide, 0.35, 6, 0.3) if same[max(0, top - 5) : top + 6].mean() > 0.7]
    forward = peaks(deep, 0.25, 6, 0.65)
    used = [top for top in tops if any(0 <= top - one <= 22 for one in forward)]
    if len(used) < 2:
        return []
    return [Event(max(0, top - 8), min(len(figure), top + 9), direction="breast") for top in used]


def _crawl(figure: Figure) -> list[Event]:
    """Find both hands that come over the head in turn, the trunk bent forward."""
    bent = steady(figure.lean()[:, 0], 5.0) > 11.0
    tops: dict[str, list[int]] = {}
    for side in SIGN:
        height = smooth(_from_chest(figure, side)[:, 1], 5)
        ahead = rate(smooth(figure.in_chest(f"{side}_wrist", f"{side}_shoulder")[:, 0], 5))
        high = [top for top in peaks(height, 0.4, 7) if bent[top]]
        quick = max((ahead[top] for top in high), default=0.0)
        tops[side] = [top for top in high if ahead[top] > max(0.3, 0.55 * quick)]
    marks = sorted((top, side) for side in SIGN for top in tops[side])
    turns = sum(a[1] != b[1] for a, b in pairwise(marks))
    if len(marks) < 3 or turns < len(marks) - 2:
        return []
    return [Event(marks[0][0], marks[-1][0] + 1, direction="crawl", count=round(len(marks) / 2))]


@detector("swims")
def swims(figure: Figure) -> list[Event]:
    """Find breast strokes and the crawl."""
    return _breast(figure) + _crawl(figure)


@detector("steers")
def steers(figure: Figure) -> list[Event]:
    """Find both hands that go around a point between them, ahead of the chest, and back."""
    left, right = (_from_chest(figure, side) for side in SIGN)
    gap = figure.gap("left_wrist", "right_wrist")
    mask = (np.minimum(left[:, 0], right[:, 0]) > 0.10) & (gap > 0.20) & (gap < 0.66)
    mask &= (np.maximum(left[:, 1], right[:, 1]) < 0.5) & (np.minimum(left[:, 1], right[:, 1]) > -0.42)
    tilt = smooth(left[:, 1] - right[:, 1], 7)
    found = []
    for start, end in spans(mask, 22, 4):
        part = [(start + a, start + b) for a, b in slides(tilt[start:end], 0.24)]
        slow = [(a, b) for a, b in part if b - a >= 6]
        if len(slow) < 2 or len(slow) < len(part) - 1:
            continue
        inside = slice(sum(slow[0]) // 2, sum(slow[-1]) // 2 + 1)  # without raising and lowering the hands
        flat = np.abs(tilt[inside]) < 0.08
        breadth = (left + right)[inside, 2]
        narrows = breadth[flat].mean() - np.quantile(breadth, 0.1) > 0.05 if flat.any() else False
        both_move = min(np.ptp(left[inside, 1]), np.ptp(right[inside, 1])) > 0.16
        centre = np.std(left[inside, 1] + right[inside, 1])  # which stays where it is
        rigid = np.quantile(gap[inside], 0.95) < 1.42 * np.quantile(gap[inside], 0.05)
        if both_move and narrows and rigid and centre < 0.3 * np.std(tilt[inside]):
            found.append(Event(inside.start, inside.stop))
    return found


@detector("rubs_hands")
def rubs_hands(figure: Figure) -> list[Event]:
    """Find hands that stay together and slide on each other, again and again."""
    middle = _middle(figure)
    forearms = [figure.in_chest(f"{side}_wrist", f"{side}_elbow", window=3) for side in SIGN]
    ahead = figure.in_chest("left_wrist", "right_wrist", window=3)[:, 0]
    mask = (figure.gap("left_wrist", "right_wrist") < 0.22) & (middle[:, 1] < figure.height("neck", 9))
    mask &= np.minimum(forearms[0][:, 0], forearms[1][:, 0]) > -0.02
    mask &= middle[:, 1] > figure.height("pelvis", 9) - 0.08
    found = []
    for start, end in spans(mask, 16, 4):
        marks = sorted(peaks(ahead[start:end], 0.05, 2) + peaks(-ahead[start:end], 0.05, 2))
        quick = [b - a for a, b in pairwise(marks)]
        busy = [np.abs(np.diff(figure.in_chest(f"{side}_wrist", "spine3")[start:end, 0])).mean() for side in SIGN]
        if len(marks) >= 4 and np.median(quick) <= 11 and min(busy) > 0.5 * max(busy):
            found.append(Event(start + marks[0], start + marks[-1] + 1))
    return found


@detector("blocks")
def blocks(figure: Figure) -> list[Event]:
    """Find a forearm thrown up across before the face, not for long."""
    masks = {}
    for side in SIGN:
        fore = figure.in_chest(f"{side}_wrist", f"{side}_elbow", side, 5)
        hand = figure.seen(figure.at(f"{side}_wrist") - figure.at("neck", 9), figure.yaw("shoulder"))
        masks[side] = (fore[:, 2] < -0.05) & (hand[:, 0] > 0.18) & (hand[:, 1] > 0.04) & (hand[:, 1] < 0.45)
        masks[side] &= figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)[:, 1] > -0.15
        masks[side] &= (np.abs(hand[:, 2]) < 0.28) & (SIGN[side] * hand[:, 2] < 0.16)
    found = []
    for side in SIGN:
        rising = rate(figure.height(f"{side}_wrist", 5))
        for start, end in spans(masks[side], 5, 3):
            thrown = rising[max(0, start - 9) : start + 3].max() > 1.4
            idle = figure.height("neck", 9) - figure.height(f"{OTHER[side]}_wrist")
            if end - start <= 34 and thrown and idle[start:end].mean() > 0.3:
                found.append(Event(start, end, side))
    return found


@detector("stretches_arm")
def stretches_arm(figure: Figure) -> list[Event]:
    """Find one straight arm across the chest that the other forearm holds."""
    found = []
    for side in SIGN:
        upper = figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)
        hand = _from_chest(figure, side)
        mask = (figure.bend(side, "arm") > 120.0) & (upper[:, 2] < -0.06) & (hand[:, 2] < -0.12)
        mask &= (np.abs(upper[:, 1]) < 0.16) & (figure.gap(f"{OTHER[side]}_wrist", f"{side}_elbow") < 0.24)
        mask &= (figure.bend(OTHER[side], "arm") < 125.0) & (calm(figure, side) < 0.6)
        found += [Event(start, end, side) for start, end in spans(mask, 18, 4)]
    return found


@detector("drums")
def drums(figure: Figure) -> list[Event]:
    """Find hands that strike downwards in turn, side by side before the belly."""
    strikes = []
    for side in SIGN:
        ahead, up, out = _from_chest(figure, side).T
        where = (ahead > 0.18) & (up < 0.42) & (up > -0.3) & (out > 0.02)
        strikes += [(frame, side) for frame in peaks(-up, 0.08, 4) if where[max(0, frame - 5) : frame + 6].all()]
    strikes.sort()
    rows: list[list[tuple[int, str]]] = []
    for strike in strikes:
        if rows and strike[0] - rows[-1][-1][0] <= 12 and strike[1] != rows[-1][-1][1]:
            rows[-1].append(strike)
        else:
            rows.append([strike])
    rows = [row for row in rows if len(row) >= 6 and all(_beats(figure, side, row[0][0], row[-1][0]) for side in SIGN)]
    return [Event(row[0][0], row[-1][0] + 1) for row in rows]


def _beats(figure: Figure, side: str, start: int, end: int) -> bool:
    """Return whether a hand goes up and down more than it goes in any other direction."""
    ahead, up, out = np.std(_from_chest(figure, side)[start : end + 1], axis=0)
    return bool(up > 1.3 * max(ahead, out))


@detector("plays_keys")
def plays_keys(figure: Figure) -> list[Event]:
    """Find level forearms whose hands dip by small ways again and again, the one while the other rises."""
    hands = {side: _from_chest(figure, side) for side in SIGN}
    gap = figure.gap("left_wrist", "right_wrist")
    mask = (gap > 0.17) & (gap < 0.72)
    for side in SIGN:
        fore = figure.at(f"{side}_wrist") - figure.at(f"{side}_elbow")
        mask &= (np.abs(fore[:, 1]) < 0.20) & (hands[side][:, 0] > 0.12) & (figure.bend(side, "arm") < 158.0)
        mask &= figure.height(f"{side}_wrist") < figure.height("neck", 9) - 0.22
    mask &= np.linalg.norm(rate(steady(figure.mass_centre, 4.0))[:, [0, 2]], axis=-1) < 0.25
    quick = {side: hands[side][:, 1] - steady(hands[side][:, 1], 4.0) for side in SIGN}
    found = []
    for start, end in spans(mask, 24, 4):
        dips = {side: [start + one for one in peaks(-quick[side][start:end], 0.018, 4)] for side in SIGN}
        marks = sorted((frame, side) for side in SIGN for frame in dips[side])
        rows: list[list[tuple[int, str]]] = []
        for mark in marks:
            if rows and mark[0] - rows[-1][-1][0] <= 14:
                rows[-1].append(mark)
            else:
                rows.append([mark])
        found += [Event(row[0][0], row[-1][0] + 1) for row in rows if _presses(row, quick, hands)]
    return found


def _presses(row: list[tuple[int, str]], quick: dict[str, np.ndarray], hands: dict[str, np.ndarray]) -> bool:
    """Return whether dips of both hands are those of keys: of both, by small ways, in turn."""
    sides = [side for _, side in row]
    inside = slice(row[0][0], row[-1][0] + 1)
    left, right = (quick[side][inside] for side in SIGN)
    turned = np.std(left - right) > 1.25 * np.std(left + right)
    small = max(np.std(left), np.std(right)) < 0.042
    stays = max(np.ptp(hands[side][inside, axis]) for side in SIGN for axis in (0, 1)) < 0.22
    return bool(min(map(sides.count, SIGN)) >= 3 and turned and small and stays)
