"""Find work and signs of the hands: wiping, stirring, shaking, bouncing a ball, eating, telephoning, carrying, ..."""

from collections.abc import Callable

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import ARM_LENGTH, OTHER, SIGN, Figure, measured, rate
from remogpt.eval.detectors.poses import calm, held
from remogpt.eval.detectors.rhythm import peaks, spans

APART = 30
"""Most frames between two peaks of one rhythm."""
MANY_PEAKS = 3
"""Fewest peaks of a rhythm, tops and bottoms together."""


@measured
def _from_chest(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from the middle of the chest: ahead, up, outward, as the chest stands."""
    return figure.in_chest(f"{side}_wrist", "spine2", side)


def _level(figure: Figure, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from the pelvis as (ahead, up, left) of the heading, y upright."""
    return figure.seen(figure.at(f"{side}_wrist") - figure.at("pelvis", 9))


def _rhythms(
    curve: np.ndarray, size: float, mask: np.ndarray, fewest: int = MANY_PEAKS
) -> list[tuple[list[int], list[int]]]:
    """Return tops and bottoms of every rhythm of a curve, where a mask allows them."""
    found = []
    for start, end in spans(mask, 8, 4):
        part = curve[start:end]
        marks = [(frame, True) for frame in peaks(part, size)] + [(frame, False) for frame in peaks(-part, size)]
        row: list[tuple[int, bool]] = []
        for frame, top in [*sorted(marks), (10**6, True)]:
            if row and frame - row[-1][0] > APART:
                if len(row) >= fewest:
                    found.append(([start + f for f, up in row if up], [start + f for f, up in row if not up]))
                row = []
            row.append((frame, top))
    return found


def _spread(values: np.ndarray, marks: list[int]) -> np.ndarray:
    """Return the range of (T, 3) between the first and the last of some frames, without its outer tenths."""
    part = values[min(marks) : max(marks) + 1]
    return np.asarray(np.quantile(part, 0.9, axis=0) - np.quantile(part, 0.1, axis=0))


Test = Callable[[np.ndarray], bool]


def _one_handed(figure: Figure, axis: int, size: float, where: Callable[[str], np.ndarray], test: Test) -> list[Event]:
    """Find rhythms of one wrist along an axis of `_level` whose spread passes a test, while the other hand has none."""
    own = {}
    for side in SIGN:
        way = _level(figure, side)
        rows = _rhythms(way[:, axis], size, where(side))
        own[side] = [row for row in rows if test(_spread(way, row[0] + row[1]))]
    found = []
    for side in SIGN:
        for tops, bottoms in own[side]:
            start, end = min(tops + bottoms), max(tops + bottoms)
            rivals = [max(a + b) > start and min(a + b) < end for a, b in own[OTHER[side]]]
            if not any(rivals):
                found.append(Event(start, end, side, count=len(bottoms)))
    return found


@detector("wipes")
def wipes(figure: Figure) -> list[Event]:
    """Find one hand that goes to and fro sideways in front of the trunk."""

    def where(side: str) -> np.ndarray:
        ahead, up, _ = _from_chest(figure, side).T
        return np.asarray((ahead > 0.2) & (up < 0.45) & (up > -0.3))

    return _one_handed(figure, 2, 0.14, where, lambda spread: spread[2] > 1.25 * spread[0])


@detector("stirs")
def stirs(figure: Figure) -> list[Event]:
    """Find one hand that circles on a level before the belly."""

    def where(side: str) -> np.ndarray:
        ahead, up, _ = _from_chest(figure, side).T
        return np.asarray((ahead > 0.12) & (up < 0.16) & (up > -0.3) & (figure.bend(side, "arm") < 165.0))

    return _one_handed(figure, 0, 0.06, where, lambda spread: spread[1] < 0.75 * spread[0] and spread[2] > 0.07)


@detector("shakes_hand")
def shakes_hand(figure: Figure) -> list[Event]:
    """Find one forearm, held ahead, that beats up and down."""

    def where(side: str) -> np.ndarray:
        ahead, up, _ = _from_chest(figure, side).T
        return np.asarray((ahead > 0.27) & (up < 0.36) & (up > -0.25))

    return _one_handed(figure, 1, 0.06, where, lambda spread: spread[1] > 1.3 * max(spread[0], spread[2]))


@detector("dribbles")
def dribbles(figure: Figure) -> list[Event]:
    """Find one hand that pushes down beside the hip: it stays below the chest and out."""

    def where(side: str) -> np.ndarray:
        _, up, out = _from_chest(figure, side).T
        return np.asarray((up < 0.22) & (out > 0.08) & (_level(figure, side)[:, 0] > 0.08))

    return _one_handed(figure, 1, 0.1, where, lambda spread: spread[1] > max(0.8 * spread[0], spread[2]))


@detector("flaps")
def flaps(figure: Figure) -> list[Event]:
    """Find both elbows rising and falling together beside the chest."""
    elbows = {side: figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side) for side in SIGN}
    mask = np.minimum(elbows["left"][:, 2], elbows["right"][:, 2]) > 0.06
    mask &= np.abs(elbows["left"][:, 1] - elbows["right"][:, 1]) < 0.13
    rows = _rhythms(elbows["left"][:, 1] + elbows["right"][:, 1], 0.12, mask)
    return [Event(min(tops + lows), max(tops + lows), count=len(tops)) for tops, lows in rows]


@detector("eats")
def eats(figure: Figure) -> list[Event]:
    """Find one hand that visits the mouth at least twice, and goes down to the chest in between."""
    found = []
    for side in SIGN:
        ahead, up, _ = figure.in_chest(f"{side}_wrist", "neck", side).T
        near = (figure.gap(f"{side}_wrist", "head") < 0.33) & (ahead > 0.05)
        visits = [frame for frame in peaks(np.where(near, up, np.minimum(up, -0.3)), 0.16, 10) if near[frame]]
        quiet = figure.gap(f"{OTHER[side]}_wrist", "head") > 0.33
        for row in _rows(visits):
            if quiet[row[0] : row[-1] + 1].mean() > 0.6:
                found.append(Event(row[0] - 6, row[-1] + 6, side, count=len(row)))
    return found


def _rows(frames: list[int]) -> list[list[int]]:
    """Split visits into rows without a gap of three seconds, and keep those of two visits and more."""
    rows: list[list[int]] = []
    for frame in frames:
        if rows and frame - rows[-1][-1] <= 60:
            rows[-1].append(frame)
        else:
            rows.append([frame])
    return [row for row in rows if len(row) >= 2]


@detector("phones")
def phones(figure: Figure) -> list[Event]:
    """Find one hand held beside the head, its elbow well below."""
    masks = {}
    for side in SIGN:
        ahead, up, out = figure.in_chest(f"{side}_wrist", "head", side, 7).T
        below = figure.height(f"{side}_wrist") - figure.height(f"{side}_elbow")
        masks[side] = (out > 0.06) & (out > ahead - 0.04) & (np.abs(up + 0.06) < 0.14) & (below > 0.09)
        masks[side] &= figure.gap(f"{side}_wrist", "head") < 0.28
    return [event for event in held(masks, 20, 4) if event.side != "both"]


@detector("touches_head")
def touches_head(figure: Figure) -> list[Event]:
    """Find hands at rest on the crown, at least as high as the head joint."""
    masks = {}
    for side in SIGN:
        up = figure.in_chest(f"{side}_wrist", "head", side, 7)[:, 1]
        masks[side] = (figure.gap(f"{side}_wrist", "head") < 0.27) & (up > 0.0) & (calm(figure, side) < 0.7)
    return held(masks, 12, 4)


@detector("covers_face")
def covers_face(figure: Figure) -> list[Event]:
    """Find both hands side by side before the face."""
    mask = figure.gap("left_wrist", "right_wrist") < 0.26
    for side in SIGN:
        ahead, up, _ = figure.in_chest(f"{side}_wrist", "head", side, 7).T
        mask &= (figure.gap(f"{side}_wrist", "head") < 0.28) & (ahead > 0.02) & (up < 0.1) & (up > -0.25)
    return [Event(start, end) for start, end in spans(mask, 12, 4)]


@detector("prays")
def prays(figure: Figure) -> list[Event]:
    """Find the wrists together before the chest, at rest."""
    mask = figure.gap("left_wrist", "right_wrist") < 0.17
    for side in SIGN:
        ahead, up, _ = _from_chest(figure, side).T
        mask &= (ahead > 0.12) & (up > -0.18) & (up < 0.42) & (calm(figure, side) < 0.5)
    return [Event(start, end) for start, end in spans(mask, 16, 4)]


@detector("holds_arms_out")
def holds_arms_out(figure: Figure) -> list[Event]:
    """Find both arms straight and level, both to the sides or both ahead."""
    masks = {"side": np.ones(len(figure), dtype=bool), "forward": np.ones(len(figure), dtype=bool)}
    for side in SIGN:
        ahead, _, out = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side).T
        drop = np.abs(figure.height(f"{side}_wrist") - figure.height(f"{side}_shoulder"))
        level = (figure.bend(side, "arm") > 138.0) & (drop < 0.30)
        masks["side"] &= level & (out > 0.6 * ARM_LENGTH)
        masks["forward"] &= level & (ahead > 0.6 * ARM_LENGTH)
    return [Event(start, end, direction=way) for way, mask in masks.items() for start, end in spans(mask, 14, 4)]


@detector("carries")
def carries(figure: Figure) -> list[Event]:
    """Find both hands level before the belly, as far apart as a box is wide, and still."""
    left, right = (_from_chest(figure, side) for side in SIGN)
    mask = np.abs(left[:, 1] - right[:, 1]) < 0.12
    for side, hand in (("left", left), ("right", right)):
        mask &= (hand[:, 0] > 0.2) & (hand[:, 1] < 0.18) & (hand[:, 1] > -0.26) & (calm(figure, side) < 0.35)
        mask &= figure.bend(side, "arm") < 150.0
    mask &= (figure.gap("left_wrist", "right_wrist") > 0.15) & (figure.gap("left_wrist", "right_wrist") < 0.5)
    return [Event(start, end) for start, end in spans(mask, 24, 4)]


@detector("gestures")
def gestures(figure: Figure) -> list[Event]:
    """Find both hands before the body that hardly ever rest, each with turns of its own."""
    mask = figure.gap("left_wrist", "right_wrist") > 0.14
    turns = {}
    for side in SIGN:
        ahead, up, _ = _from_chest(figure, side).T
        mask &= (ahead > 0.15) & (up < 0.4) & (up > -0.26)
        turns[side] = np.linalg.norm(rate(_from_chest(figure, side)), axis=-1)
    found = []
    for start, end in spans(mask, 28, 5):
        busy = min(float(np.median(turns[side][start:end])) for side in SIGN)
        marks = [len(peaks(_from_chest(figure, side)[start:end, 2], 0.04)) for side in SIGN]
        if busy > 0.3 and min(marks) >= 2:
            found.append(Event(start, end))
    return found


@detector("strums")
def strums(figure: Figure) -> list[Event]:
    """Find one hand that beats up and down before the belly while the other is held out to its side."""
    found = []
    for side in SIGN:
        hand, neck = _from_chest(figure, side), _from_chest(figure, OTHER[side])
        mask = (neck[:, 2] > 0.26) & (neck[:, 0] > 0.08) & (calm(figure, OTHER[side]) < 0.6)
        mask &= (hand[:, 2] < 0.22) & (hand[:, 0] > 0.08) & (hand[:, 1] < 0.34) & (hand[:, 1] > -0.26)
        for tops, lows in _rhythms(hand[:, 1], 0.06, mask):
            if len(tops) + len(lows) >= 5:
                found.append(Event(min(tops + lows), max(tops + lows), side))
    return found


@detector("shrugs")
def shrugs(figure: Figure) -> list[Event]:
    """Find both hands out beside the waist for a moment, with bent elbows."""
    mask = np.ones(len(figure), dtype=bool)
    for side in SIGN:
        ahead, up, out = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side).T
        mask &= (out > 0.16) & (ahead > 0.02) & (up < -0.08) & (up > -0.4) & (figure.bend(side, "arm") < 148.0)
    return [Event(start, end) for start, end in spans(mask, 6, 2) if end - start <= 36]


@detector("pours")
def pours(figure: Figure) -> list[Event]:
    """Find one hand held before the chest, its elbow lifted, above the other hand."""
    found = []
    for side in SIGN:
        ahead, up, _ = _from_chest(figure, side).T
        lifted = figure.height(f"{side}_elbow") > figure.height(f"{side}_wrist") - 0.12
        other_low = figure.height(f"{OTHER[side]}_wrist") < figure.height(f"{side}_wrist") - 0.05
        mask = (ahead > 0.18) & (up > -0.06) & (up < 0.40) & lifted & other_low & (calm(figure, side) < 0.5)
        mask &= _from_chest(figure, OTHER[side])[:, 0] > 0.14
        mask &= figure.bend(side, "arm") < 140.0
        found += [Event(start, end, side) for start, end in spans(mask, 16, 4)]
    return found


@detector("checks_watch")
def checks_watch(figure: Figure) -> list[Event]:
    """Find one forearm held level across the middle of the chest."""
    masks = {}
    for side in SIGN:
        ahead, up, out = _from_chest(figure, side).T
        fore = figure.in_chest(f"{side}_wrist", f"{side}_elbow", side, 7)
        masks[side] = (fore[:, 2] < -0.09) & (np.abs(fore[:, 1]) < 0.17) & (ahead > 0.12) & (np.abs(out) < 0.19)
        masks[side] &= (up > -0.08) & (up < 0.36) & (calm(figure, side) < 0.55)
    return [event for event in held(masks, 12, 4) if event.side != "both"]


@detector("curls")
def curls(figure: Figure) -> list[Event]:
    """Find elbows that bend sharply and stretch again beside the trunk."""
    events: dict[str, list[Event]] = {}
    for side in SIGN:
        bend = figure.bend(side, "arm")
        upper = figure.in_chest(f"{side}_elbow", f"{side}_shoulder", side)[:, 1]
        rows = _rhythms(-bend, 40.0, (upper < -0.14) & (_from_chest(figure, side)[:, 0] > -0.05), 1)
        rows = [row for row in rows if row[0] and float(bend[row[0]].min()) < 85.0]
        events[side] = [Event(min(a + b), max(a + b), side, count=len(a)) for a, b in rows]
    pairs = [(a, b) for a in events["left"] for b in events["right"] if a.overlap(b) > 0.5]
    joined = [Event(min(a.start, b.start), max(a.end, b.end), "both", count=a.count) for a, b in pairs]
    used = {id(event) for pair in pairs for event in pair}
    return joined + [event for side in SIGN for event in events[side] if id(event) not in used]


@detector("throws_with_both")
def throws_with_both(figure: Figure) -> list[Event]:
    """Find both hands that come down from over the head to the front within half a second."""
    hands = [figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side) for side in SIGN]
    high = np.minimum(hands[0][:, 1], hands[1][:, 1]) > 0.15
    front = np.minimum(hands[0][:, 0], hands[1][:, 0]) > 0.26
    low = np.maximum(hands[0][:, 1], hands[1][:, 1]) < 0.2
    close = figure.gap("left_wrist", "right_wrist") < 0.52
    found = []
    for _, end in spans(high & close, 3, 2):
        hit = np.flatnonzero((front & low & close)[end : end + 10])
        if len(hit):
            found.append(Event(max(0, end - 6), end + int(hit[0]) + 1))
    return found
