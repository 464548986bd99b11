"""Find what a figure does on the floor: crawling, lying, sitting, kneeling on both knees, getting up."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import SIGN, Figure, measured, steady
from remogpt.eval.detectors.rhythm import Span, spans

FLOOR = 0.22
"""Metres below which a joint counts as on the floor."""
STOOD = 0.78
"""Metres of the pelvis of a figure that stands, at least."""


def _top(figure: Figure, *joints: str) -> np.ndarray:
    """(T,) height of the highest of some joints."""
    return np.asarray(np.max([figure.height(joint, 5) for joint in joints], axis=0))


@measured
def _slope(figure: Figure) -> np.ndarray:
    """(T,) degrees that the line from the pelvis to the chest rises from level."""
    line = figure.at("spine3", 7) - figure.at("pelvis", 7)
    return np.degrees(np.arctan2(line[:, 1], np.hypot(line[:, 0], line[:, 2])))


@detector("crawls")
def crawls(figure: Figure) -> list[Event]:
    """Find times on hands and knees in which both knees step and the body gets on, head first or not."""
    knees = _top(figure, "left_knee", "right_knee")
    hands = np.min([figure.height(f"{side}_wrist") for side in SIGN], axis=0)
    fours = (knees < 0.26) & (hands < 0.24) & (figure.height("pelvis", 7) > 0.28) & (np.abs(_slope(figure)) < 42.0)
    found = []
    for start, end in spans(fours, 14, 6):
        way = steady(figure.mass_centre, 3.0)[start:end]
        moved = (way[-1] - way[0])[[0, 2]]
        head = (figure.at("head", 9) - figure.at("pelvis", 9))[start:end].mean(axis=0)[[0, 2]]
        size = float(np.linalg.norm(moved))
        turns = figure.at("left_knee")[start:end] - figure.at("right_knee")[start:end]
        lead = (turns[:, [0, 2]] @ moved) / max(size, 1e-6)
        if size > 0.3 and np.ptp(lead) > 0.12:
            found.append(Event(start, end, direction="forward" if moved @ head > 0 else "backward"))
    return found


@measured
def _flat(figure: Figure) -> list[tuple[int, int, str]]:
    """Return the times of lying, and on which side."""
    low = (_top(figure, "pelvis", "spine3") < 0.36) & (np.abs(_slope(figure)) < 28.0)
    found = []
    for start, end in spans(low & (figure.height("pelvis", 7) < 0.3), 9, 5):
        up = float(figure.chest[start:end, 0, 1].mean())
        found.append((start, end, "back" if up > 0 else "belly"))
    return found


@detector("lies")
def lies(figure: Figure) -> list[Event]:
    """Find trunks that lie level near the floor; the chest looks up or down."""
    return [Event(start, end, direction=way) for start, end, way in _flat(figure)]


@measured
def _on_seat(figure: Figure) -> list[Span]:
    return spans((figure.height("pelvis", 7) < 0.28) & (_slope(figure) > 42.0), 9, 5)


@detector("sits_on_floor")
def sits_on_floor(figure: Figure) -> list[Event]:
    """Find upright trunks whose pelvis is on the floor, after standing."""
    tall = figure.height("pelvis", 7) > STOOD
    return [Event(max(0, start - 16), end) for start, end in _on_seat(figure) if tall[:start].any()]


@detector("kneels_on_both")
def kneels_on_both(figure: Figure) -> list[Event]:
    """Find upright trunks over two knees on the floor."""
    down = _top(figure, "left_knee", "right_knee") < FLOOR
    high = figure.height("pelvis", 7)
    return [
        Event(start, end) for start, end in spans(down & (_slope(figure) > 48.0) & (high > 0.26) & (high < 0.7), 9, 4)
    ]


@detector("gets_up_from_floor")
def gets_up_from_floor(figure: Figure) -> list[Event]:
    """Find the way from the longest rest on the floor up to standing."""
    rests = [*_flat(figure), *((start, end, "seat") for start, end in _on_seat(figure))]
    if not rests:
        return []
    _, end, way = max(rests, key=lambda rest: (rest[2] != "seat", rest[1] - rest[0]))
    tall = np.flatnonzero(figure.height("pelvis", 7)[end:] > STOOD)
    return [Event(end, end + int(tall[0]) + 1, direction=way)] if len(tall) else []
