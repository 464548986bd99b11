"""Find movements through space: walks, runs, side steps, turns, circles."""

import numpy as np

from remogpt.motion.body import MEDIUM, Body, memo
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, stretches, swings, trimmed

MOVING = 0.22
"""Smallest speed of a travelling pelvis, metres a second."""
RUNNING = 1.95
"""Metres a second of steady movement from which going forward counts as running, if both feet leave the floor."""
FAST = 1.5
"""Smallest speed of a run between its start and its stop, metres a second."""
BOUNCE = 0.07
"""Metres that the pelvis of who runs goes up and down; 3 to 6 cm in brisk walks, 8 and more in runs."""
SPEED_LIMITS = {"slow": (0.0, 0.95), "normal": (0.85, 1.5), "fast": (1.35, 9.0)}
"""Metres a second of steady walking; neighbours overlap because takes vary by 10 %."""
RUN_SPEED_LIMITS = {"slow": (0.0, 2.6), "normal": (2.3, 3.2), "fast": (2.9, 9.0)}
MIN_TURN = 25.0
"""Degrees; smaller changes of heading are sway."""


@memo
def _going(body: Body, direction: str) -> Intervals:
    """Find the stretches in which the pelvis moves forward, backward, left or right in the hips' heading."""
    velocity = body.velocity()
    along, across = velocity[:, 0], velocity[:, 2]
    if direction in ("left", "right"):
        along, across = across, along
    sign = 1.0 if direction in ("forward", "left") else -1.0
    mask = (sign * along > MOVING) & (np.abs(along) > np.abs(across))
    return stretches(mask, min_frames=8, bridge=6)


@memo
def _length(body: Body, interval: tuple[int, int]) -> float:
    """Return the path length of an interval in metres, widened a little to include start and stop."""
    start, end = max(interval[0] - 6, 0), min(interval[1] + 6, body.num_frames)
    path = body.at("pelvis", 3.0)[start:end, [0, 2]]
    return float(np.linalg.norm(np.diff(path, axis=0), axis=-1).sum()) * body.scale


@memo
def steady_speed(body: Body, interval: tuple[int, int]) -> float:
    """Return the median speed in the middle of an interval, metres a second."""
    start, end = interval
    margin = (end - start) // 5
    velocity = body.velocity()[start + margin : end - margin]
    return float(np.median(np.hypot(velocity[:, 0], velocity[:, 2]))) * body.scale


def _flight(body: Body, interval: tuple[int, int]) -> float:
    """Return the share of an interval's frames in which no foot touches the floor."""
    start, end = interval
    lifted = np.minimum(body.lift("left"), body.lift("right"))[start:end]
    return float((lifted > 0.025).mean())


def _bounce(body: Body, interval: tuple[int, int]) -> float:
    """Return by how much the pelvis goes up and down, metres; the floor of a recording may slope."""
    start, end = interval
    times = np.arange(end - start)
    height = body.height("pelvis", 0.5)[start:end]
    height = height - np.polyval(np.polyfit(times, height, 1), times)
    return float(np.percentile(height, 95) - np.percentile(height, 5))


def _steps(body: Body, interval: tuple[int, int]) -> int:
    """Count how often the feet pass each other in an interval."""
    start, end = interval
    apart = body.offset("left_ankle", "right_ankle")[start:end]
    return max(len(swings(apart[:, 0], 0.15)), len(swings(apart[:, 2], 0.1)))


@memo
def _gaits(body: Body, direction: str, running: bool) -> Intervals:
    """Find stretches of walking or running, by speed and flight, with at least two steps."""
    candidates = _going(body, direction)
    if running:
        candidates = [stretch for interval in candidates for stretch in _fast_stretches(body, interval)]
    found = []
    for interval in candidates:
        speed = steady_speed(body, interval)
        flies = speed > 1.6 and _flight(body, interval) > 0.012 and _bounce(body, interval) > BOUNCE
        is_run = speed > RUNNING or flies
        if is_run == running and _length(body, interval) >= 0.7 and _steps(body, interval) >= 2:
            found.append(interval)
    return found


def _fast_stretches(body: Body, interval: tuple[int, int]) -> Intervals:
    """Find the fast stretches of a movement, with half a second of start and stop: a walk may go before a run."""
    start, end = interval
    fast = stretches(body.velocity()[start:end, 0] > FAST, min_frames=8, bridge=6)
    return [(start + max(a - 10, 0), min(start + b + 10, end)) for a, b in fast]


@predicate("walks", "walks {direction}")
def walks(body: Body, direction: str, distance: float | None = None, speed: str | None = None) -> Intervals:
    """Walk forward or backward; `distance` metres of path; `speed` slow, normal or fast."""
    return _select(body, _gaits(body, direction, running=False), distance, speed, SPEED_LIMITS)


@predicate("runs", "runs forward")
def runs(body: Body, distance: float | None = None, speed: str | None = None) -> Intervals:
    """Run forward."""
    return _select(body, _gaits(body, "forward", running=True), distance, speed, RUN_SPEED_LIMITS)


def is_about(length: float, distance: float) -> bool:
    """Return whether a path of this length, metres, may be called a distance."""
    return abs(length - distance) <= 0.25 + 0.15 * distance


def _select(
    body: Body,
    found: Intervals,
    distance: float | None,
    speed: str | None,
    limits: dict[str, tuple[float, float]],
) -> Intervals:
    if distance is not None:
        found = [one for one in found if is_about(_length(body, one), distance)]
    if speed is not None:
        low, high = limits[speed]
        found = [one for one in found if low <= steady_speed(body, one) <= high]
    return found


@predicate("sidesteps", "steps sideways to the {direction}")
def sidesteps(body: Body, direction: str, distance: float | None = None) -> Intervals:
    """Go sideways without turning."""
    found = [one for one in _going(body, direction) if _length(body, one) >= 0.3]
    return _select(body, found, distance, None, {})


@predicate("steps", "takes one step {direction}")
def steps(body: Body, direction: str, side: str | None = None) -> Intervals:
    """Move the pelvis by one step's length; `side` names the foot that goes first."""
    path = body.at("pelvis", MEDIUM)
    forward, left = body.axes()
    found = []
    for start, end in _going_slowly(body, direction):
        moved = path[end - 1] - path[start]
        axis = forward[start] if direction in ("forward", "backward") else left[start]
        sign = 1.0 if direction in ("forward", "left") else -1.0
        if 0.15 <= sign * float(moved @ axis) <= 0.85 and (side is None or _leads(body, start, end, axis * sign, side)):
            found.append((start, end))
    return found


def _going_slowly(body: Body, direction: str) -> Intervals:
    velocity = body.velocity("pelvis", 3.0)
    along = velocity[:, 0] if direction in ("forward", "backward") else velocity[:, 2]
    sign = 1.0 if direction in ("forward", "left") else -1.0
    return [(max(start - 5, 0), min(end + 5, body.num_frames)) for start, end in stretches(sign * along > 0.08, 5, 5)]


def _leads(body: Body, start: int, end: int, axis: np.ndarray, side: str) -> bool:
    """Return whether the foot of a side has covered half of its way before the other foot."""
    halfway = {}
    for foot in ("left", "right"):
        way = (body.at(f"{foot}_ankle", MEDIUM)[start:end] - body.at(f"{foot}_ankle", MEDIUM)[start]) @ axis
        halfway[foot] = int(np.argmax(way >= 0.5 * way[-1])) if way[-1] > 0.1 else end - start
    return halfway[side] < halfway["right" if side == "left" else "left"]


@memo
def turning(body: Body) -> list[tuple[int, int, float]]:
    """Return each sustained turn as (start, end, degrees to the left)."""
    heading = np.degrees(body.heading("hip", 5.0))
    found = []
    for start, end in swings(heading, MIN_TURN):
        first, last = trimmed(heading, start, end)
        found.append((first, last + 1, float(heading[end] - heading[start])))
    return found


@predicate("turns", "turns to the {direction}")
def turns(body: Body, direction: str, angle: float | None = None, moving: bool | None = None) -> Intervals:
    """Change the heading to the left or right by `angle` degrees; `moving`: while walking (True) or on the spot."""
    sign = 1.0 if direction == "left" else -1.0
    found = []
    for start, end, degrees in turning(body):
        if sign * degrees < MIN_TURN:
            continue
        if angle is not None and abs(sign * degrees - angle) > 12.0 + 0.15 * angle:
            continue
        if moving is None or moving == (_length(body, (start, end)) >= 0.6 + 0.1 * abs(degrees) / 90.0):
            found.append((start, end))
    return found


@predicate("circles", "walks in a full circle, {direction}")
def circles(body: Body, direction: str) -> Intervals:
    """Walk a full circle and come back near its start; clockwise means turning right."""
    sign = 1.0 if direction == "counterclockwise" else -1.0
    path = body.at("pelvis", 3.0)[:, [0, 2]]
    found = []
    for start, end, degrees in turning(body):
        start, end = max(start - 15, 0), min(end + 15, body.num_frames)
        far = float(np.linalg.norm(path[start:end] - path[start], axis=-1).max())
        closed = float(np.linalg.norm(path[end - 1] - path[start])) < 0.5 * far
        if sign * degrees >= 290.0 and _length(body, (start, end)) >= 2.5 and closed:
            found.append((start, end))
    return found
