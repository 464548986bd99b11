"""Find what brings the pelvis down: squats, seats, kneeling, lunges, and rising again."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import OTHER, SIGN, Figure, measured, rate, smooth
from remogpt.eval.detectors.rhythm import Span, around, peaks, spans

STANDING = 0.85
"""Metres from floor to pelvis, at least, of a figure that stands."""
SQUAT_DROP, LUNGE_DROP, REST_DROP, UP_AGAIN = 0.26, 0.17, 0.30, 0.12
"""Metres by which the pelvis is lower than standing: in a squat, in a lunge, at rest on a seat, when it stands."""
SPLIT = (0.38, 0.5)
"""Metres between the feet fore and aft: at most in a squat, at least in a lunge."""
UPRIGHT = 62.0
"""Largest forward lean of a squat, degrees; who leans more picks something up."""
KNEE_DOWN, KNEE_UP = 0.2, 0.3
"""Metres from the floor to a knee that kneels, at most, and to the other knee, at least."""
REST = 12
"""Fewest frames of a rest that is not at the start or the end of the motion."""


def drop(figure: Figure) -> np.ndarray:
    """(T,) metres that the pelvis is lower than when this figure stands."""
    height = figure.height("pelvis", 7)
    return max(float(np.quantile(height, 0.9)), STANDING) - height


def split(figure: Figure) -> np.ndarray:
    """(T,) metres that the left foot is ahead of the right one."""
    return figure.seen(figure.at("left_foot", 7) - figure.at("right_foot", 7))[:, 0]


@detector("squats")
def squats(figure: Figure) -> list[Event]:
    """Find deep dips of the pelvis between feet side by side, the trunk not bent over."""
    low, apart, pitch = drop(figure), np.abs(split(figure)), figure.lean()[:, 0]
    found = [(bottom, around(low, bottom)) for bottom in peaks(low, 0.2, 8, SQUAT_DROP)]
    return [
        Event(start, end)
        for bottom, (start, end) in found
        if apart[bottom] < SPLIT[0] and pitch[bottom] < UPRIGHT and end - start < 50
    ]


@measured
def rests(figure: Figure) -> list[Span]:
    """Return the spans in which the pelvis stays low; only those at an end of the motion may be short."""
    still = np.abs(rate(smooth(figure.height("pelvis", 7), 9))) < 0.15
    return [
        (start, end)
        for start, end in spans((drop(figure) > REST_DROP) & still, 7, 3)
        if end - start >= REST or start <= 2 or end >= len(figure) - 2
    ]


def kneeling(figure: Figure, side: str) -> np.ndarray:
    """(T,) whether a knee is on the floor."""
    return figure.height(f"{side}_knee", 7) < KNEE_DOWN


@detector("sits")
def sits(figure: Figure) -> list[Event]:
    """Find rests after standing with both knees off the floor; going down is what stands for them in time."""
    low = drop(figure)
    found = []
    for start, end in rests(figure):
        stood = np.flatnonzero(low[:start] < UP_AGAIN)
        on_knees = max(kneeling(figure, side)[start:end].mean() for side in SIGN) > 0.5
        if len(stood) and not on_knees:
            found.append(Event(int(stood[-1]), end, middle=0.5 * (int(stood[-1]) + start)))
    return found


@detector("stands_up")
def stands_up(figure: Figure) -> list[Event]:
    """Find the way from a rest up to standing."""
    low = drop(figure)
    rises = [(end, np.flatnonzero(low[end:] < UP_AGAIN)) for _, end in rests(figure)]
    return [Event(max(0, end - 4), end + int(stood[0])) for end, stood in rises if len(stood)]


@detector("kneels")
def kneels(figure: Figure) -> list[Event]:
    """Find times with one knee on the floor and the other up; their start stands for them."""
    found = []
    for side in SIGN:
        other_up = figure.height(f"{OTHER[side]}_knee", 7) > KNEE_UP
        held = kneeling(figure, side) & other_up & (drop(figure) > 0.25)
        found += [Event(start, end, side, middle=float(start)) for start, end in spans(held, 8, 3)]
    return found


@detector("lunges")
def lunges(figure: Figure) -> list[Event]:
    """Find dips of the pelvis between feet far apart fore and aft; the front foot gives the side."""
    low, ahead = drop(figure), split(figure)
    found = []
    for bottom in peaks(low, 0.12, 8, LUNGE_DROP):
        start, end = around(low, bottom)
        if abs(ahead[bottom]) > SPLIT[1]:
            found.append(Event(start, end, "left" if ahead[bottom] > 0 else "right"))
    return found
