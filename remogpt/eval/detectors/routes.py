"""Find ways over the floor: there and back, slanting, zigzag, eights, stops, stairs, ladders, running on the spot."""

import itertools

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate, smooth, steady
from remogpt.eval.detectors.footing import flies
from remogpt.eval.detectors.poses import calm, held
from remogpt.eval.detectors.rhythm import Span, peaks, slides, spans

GOES, STANDS = 0.3, 0.15
"""Metres a second of a figure that goes somewhere, at least, and of one that stands, at most."""
STAIR = 0.08
"""Metres between two stairs, at least."""
RUNG = 0.12
"""Metres between two holds of one hand on a ladder, at least."""


@measured
def _way(figure: Figure) -> np.ndarray:
    """(T, 2) x and z of the centre of mass, in true metres, without the sway of the steps."""
    return steady(figure.mass_centre[:, [0, 2]], 5.0) * figure.scale


@measured
def _speed(figure: Figure) -> np.ndarray:
    """(T,) metres a second over the floor."""
    return np.asarray(np.linalg.norm(rate(_way(figure)), axis=-1))


@measured
def _walks(figure: Figure) -> list[Span]:
    """Return the times of going somewhere, with short slow passages."""
    return spans(_speed(figure) > GOES, 14, 16)


def _course(figure: Figure, span: Span) -> np.ndarray:
    """(T,) degrees, the direction in which the figure goes, to the left positive; unwrapped."""
    speed = rate(_way(figure))[span[0] : span[1]]
    return np.degrees(np.unwrap(np.arctan2(speed[:, 0], speed[:, 1])))


def _straightness(way: np.ndarray) -> float:
    length = float(np.linalg.norm(np.diff(way, axis=0), axis=-1).sum())
    return float(np.linalg.norm(way[-1] - way[0])) / max(length, 1e-6)


@detector("paces")
def paces(figure: Figure) -> list[Event]:
    """Find walks whose course turns round by about half a circle and comes back over the same ground."""
    found = []
    for start, end in _walks(figure):
        way, facing = _way(figure)[start:end], np.degrees(figure.facing[start:end])
        far = np.linalg.norm(way - way[0], axis=-1)
        top = int(np.argmax(far > 0.85 * far.max()))
        near = np.flatnonzero(far[top:] < 0.6 * far[top])
        turned = facing[top + int(near[0])] - facing[top // 2] if len(near) else 0.0
        turned = abs((turned + 180.0) % 360.0 - 180.0)
        back = far[top] - far[top:].min()
        wide = np.linalg.svd(way - way.mean(axis=0), compute_uv=False)
        if far[top] > 0.6 and back > 0.4 * far[top] and turned > 105.0 and wide[1] < 0.5 * wide[0]:
            legs = slides((way - way.mean(axis=0)) @ np.linalg.svd(way - way.mean(axis=0))[2][0], 0.5)
            found.append(Event(start, end, count=round(0.5 * len(legs))))
    return found


@detector("walks_diagonally")
def walks_diagonally(figure: Figure) -> list[Event]:
    """Find straight walks along a line between ahead and aside, as the figure stood before it set off."""
    found = []
    for start, end in _walks(figure):
        way = _way(figure)[start:end]
        moved, faced = way[-1] - way[0], figure.facing[max(0, start - 6)]
        slant = np.degrees(np.arctan2(moved[0], moved[1]) - faced)
        slant = (slant + 180.0) % 360.0 - 180.0
        if 22.0 < abs(slant) < 68.0 and _straightness(way) > 0.93 and np.linalg.norm(moved) > 0.9:
            found.append(Event(start, end, direction="left" if slant > 0 else "right"))
    return found


@detector("zigzags")
def zigzags(figure: Figure) -> list[Event]:
    """Find walks whose course swings from side to side at least three times, and which get on."""
    found = []
    for start, end in _walks(figure):
        course = _course(figure, (start, end))
        bends = [one for one in slides(smooth(course, 9), 32.0) if abs(course[one[1]] - course[one[0]]) < 170.0]
        if len(bends) >= 3 and _straightness(_way(figure)[start:end]) > 0.5:
            found.append(Event(start, end))
    return found


@detector("walks_figure_eight")
def walks_figure_eight(figure: Figure) -> list[Event]:
    """Find walks that go round to the left and round to the right, and end where they began."""
    found = []
    for start, end in _walks(figure):
        course, way = _course(figure, (start, end)), _way(figure)[start:end]
        rounds = [course[b] - course[a] for a, b in slides(course, 220.0)]
        ends = float(np.linalg.norm(way[-1] - way[0])) < 0.8 * float(np.ptp(way, axis=0).max())
        if rounds and min(rounds) < -220.0 and max(rounds) > 220.0 and ends:
            found.append(Event(start, end))
    return found


@detector("stops")
def stops(figure: Figure) -> list[Event]:
    """Find rests of nearly a second, standing, right after a walk; "again" where the figure then goes on."""
    feet = sum(np.linalg.norm(rate(figure.at(f"{side}_foot", 7)), axis=-1) for side in SIGN)
    rest = (_speed(figure) < STANDS) & (feet < 0.45) & (figure.height("pelvis", 9) > 0.78)
    goes = _speed(figure) > GOES
    found = []
    for start, end in spans(rest, 15, 3):
        if goes[max(0, start - 30) : start].sum() > 8:
            again = goes[end : end + 36].sum() > 8
            found.append(Event(max(0, start - 15), end, direction="again" if again else "still"))
    return found


@detector("runs_in_place")
def runs_in_place(figure: Figure) -> list[Event]:
    """Find feet that rise in turn at least twice a second, with flights, while the figure stays where it is."""
    found = []
    for start, end in spans(_speed(figure) < 0.5, 30, 8):
        tops = {side: peaks(figure.height(f"{side}_ankle", 3)[start:end], 0.07, 6) for side in SIGN}
        rows = sorted((frame, side) for side in SIGN for frame in tops[side])
        beats = [b[0] - a[0] for a, b in itertools.pairwise(rows) if b[1] == OTHER[a[1]]]
        fast = len(beats) >= 5 and float(np.median(beats)) < 12
        if fast and flies(figure, start + rows[0][0], start + rows[-1][0]) > 0.1:
            found.append(Event(start + rows[0][0], start + rows[-1][0]))
    return found


@detector("climbs")
def climbs(figure: Figure) -> list[Event]:
    """Find ways on which the lower foot gains (or loses) height again and again while the figure goes ahead."""
    low = np.minimum(figure.height("left_foot", 3), figure.height("right_foot", 3))
    ahead = figure.seen(rate(steady(figure.mass_centre, 4.0)))[:, 0]
    body = steady(figure.mass_centre[:, 1], 3.0)
    found = []
    for start, end in slides(body, 2.0 * STAIR):
        rise = float(body[end] - body[start])
        floor = float(np.median(low[end : end + 8]) - np.median(low[max(0, start - 8) : start + 1]))
        goes = float(np.mean(ahead[start:end])) > 0.12
        if goes and floor * np.sign(rise) > 0.6 * abs(rise) and abs(floor) > 2.0 * STAIR:
            found.append(Event(start, end, direction="up" if rise > 0 else "down"))
    return found


@measured
def _holds(figure: Figure) -> list[tuple[int, int, float, float]]:
    """Return the times in which a hand before the chest rests in the room: start, end, its height, and its gain.

    The gain is the height over that of the last hold of the same hand, 0 for its first hold.
    """
    found = []
    for side in SIGN:
        wrist = figure.at(f"{side}_wrist", 5)
        ahead, up, _ = figure.in_chest(f"{side}_wrist", "neck", side).T
        rests = (np.linalg.norm(rate(wrist), axis=-1) < 0.3) & (ahead > 0.05) & (up > -0.42)
        before: float | None = None
        for start, end in spans(rests, 4, 2):
            height = float(np.median(wrist[start:end, 1]))
            found.append((start, end, height, 0.0 if before is None else height - before))
            before = height
    return sorted(found)


@detector("climbs_ladder")
def climbs_ladder(figure: Figure) -> list[Event]:
    """Find rows of holds of the hands, each higher (or lower) than the same hand's last one."""
    found = []
    for way, sign in (("up", 1.0), ("down", -1.0)):
        rows: list[list[tuple[int, int]]] = [[]]
        for start, end, _, gain in _holds(figure):
            if sign * gain > RUNG:
                rows[-1].append((start, end))
            elif sign * gain < -0.06:
                rows.append([])
        for row in rows:
            if len(row) >= 3:
                start, end = row[0][0], row[-1][1]
                moved = figure.mass_centre[end - 1] - figure.mass_centre[start]
                if abs(moved[1]) > 0.25 and np.hypot(moved[0], moved[2]) < 0.75 * abs(moved[1]):
                    found.append(Event(start, end, direction=way))
    return found


@detector("holds_rail")
def holds_rail(figure: Figure) -> list[Event]:
    """Find one hand held out ahead of its hip, still."""
    masks = {}
    for side in SIGN:
        ahead, up, out = figure.in_chest(f"{side}_wrist", f"{side}_shoulder", side, 7).T
        masks[side] = (ahead > 0.16) & (out > 0.03) & (up < -0.07) & (up > -0.39) & (calm(figure, side) < 0.4)
        masks[side] &= figure.bend(side, "arm") < 174.0
    return [event for event in held(masks, 22, 4) if event.side != "both"]


@detector("stumbles")
def stumbles(figure: Figure) -> list[Event]:
    """Find a head that shoots ahead of the pelvis during a walk, and arms that fly apart."""
    ahead = figure.seen(figure.at("head", 5) - figure.at("pelvis", 5))[:, 0]
    spread = figure.gap("left_wrist", "right_wrist")
    found = []
    for start, end in _walks(figure):
        curve = ahead[start:end] - float(np.median(ahead[start:end]))
        for peak in peaks(curve, 0.16, 10, 0.16):
            near = slice(max(start, start + peak - 12), start + peak + 16)
            if spread[near].max() > float(np.median(spread[start:end])) + 0.10:
                found.append(Event(max(start, start + peak - 8), min(end, start + peak + 12)))
    return found
