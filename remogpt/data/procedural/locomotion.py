"""Animate actions that travel or turn: each makes a path, its timing and a manner of stepping.

Every function returns a `Track` that starts at the origin facing +Z in the neutral stance and ends in it again,
unless `open_ends` asks for a clip that starts and ends within the movement.
"""

from dataclasses import dataclass, replace

import numpy as np

from remogpt.data.procedural.body import Body
from remogpt.data.procedural.curves import ease
from remogpt.data.procedural.gait import Manner, Path, walk
from remogpt.data.procedural.posture import Posture
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Stance, Track
from remogpt.data.procedural.vocabulary import RUN_SPEED, WALK_SPEED

_SPEED_RATIO = {"slow": 0.75, "normal": 1.0, "fast": 1.3}


@dataclass(frozen=True)
class Performer:
    """The person of one take; `hurry` divides every duration so that a long script fits its frames."""

    body: Body
    posture: Posture
    stance: Stance
    hurry: float = 1.0


def line(distance: float, direction: tuple[float, float]) -> Path:
    """Straight way; direction is (x, z) of unit length, the body keeps facing +Z."""
    u = np.linspace(0.0, 1.0, 64)[:, None]
    return Path(u * distance * np.asarray(direction), np.zeros(64))


def bend(distance: float, angle: float, start: float, end: float, edge: float = 0.18) -> Path:
    """Walk `distance` and turn by `angle` radians between the shares `start` and `end` of it.

    `edge` is the share of the turn in which it begins, and in which it ends.
    """
    u = np.linspace(0.0, 1.0, 512)
    width = max(end - start, 1e-3)
    v = np.clip((u - start) / width, 0.0, 1.0)
    rate = ease(v / edge) * ease((1.0 - v) / edge)
    heading = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]))])
    heading *= angle / heading[-1]
    steps = np.stack([np.sin(heading), np.cos(heading)], axis=-1)
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(0.5 * (steps[1:] + steps[:-1]), axis=0)])
    return Path(points * distance / (len(u) - 1), heading)


def walking_manner(speed: float, posture: Posture, rng: np.random.Generator) -> Manner:
    """How people walk at `speed` metres a second."""
    v = speed / 1.2
    return Manner(
        duty=float(np.clip(0.66 - 0.045 * v, 0.55, 0.66)),
        width=float(np.clip(rng.normal(0.13, 0.035), 0.06, 0.2)) + posture.widen,
        lift=0.055 * min(v, 1.2) ** 0.5,
        bob=0.017 * min(v, 1.5) * posture.bounce,
        sway=0.024 * posture.sway,
        pelvis_yaw=0.085 * v * posture.sway,
        pelvis_roll=0.06 * posture.sway,
        lean=0.02 + 0.04 * v,
        swing=0.36 * v * posture.swing,
        elbow=posture.walk_elbow * (0.6 + 0.4 * v) + 0.05 * v,
        toe_off=float(np.clip(0.45 + 0.4 * v, 0.5, 1.05)) * min(posture.stride, 1.0) ** 2 * posture.roll,
        heel_strike=float(np.clip(0.08 + 0.22 * v, 0.1, 0.38)) * min(posture.stride, 1.0) ** 2 * posture.roll,
        crouch=0.004 + 0.008 * v,
        behind=0.05,
        peak=0.4,
    )


def running_manner(speed: float, posture: Posture, rng: np.random.Generator) -> Manner:
    """How people run at `speed` metres a second."""
    v = speed / 2.8
    return Manner(
        duty=float(np.clip(0.40 - 0.05 * v, 0.3, 0.42)),
        width=float(np.clip(rng.normal(0.08, 0.03), 0.02, 0.14)) + 0.5 * posture.widen,
        lift=float(rng.uniform(0.20, 0.40)) * v,
        bob=0.045 * posture.bounce**0.5,
        sway=0.012 * posture.sway,
        pelvis_yaw=0.14 * posture.sway,
        pelvis_roll=0.07 * posture.sway,
        lean=float(rng.uniform(0.14, 0.38)) * v,
        swing=0.62 * v * posture.swing**0.6,
        elbow=float(rng.uniform(0.85, 1.45)),
        toe_off=1.0,
        heel_strike=0.08,
        crouch=0.06,
        behind=0.13,
        peak=0.30,
        sharp=1.5,
    )


def step_length(speed: float) -> float:
    return 0.33 + 0.30 * speed


def follow(
    path: Path, distance: float, speed: float, manner: Manner, step: float, who: Performer, rng: np.random.Generator,
    ramps: tuple[float, float],
) -> Track:  # fmt: skip
    duration = distance / speed + 0.5 * sum(ramps)
    steps = max(2, round(distance / step) + 1)
    track = walk(path, duration, ramps, steps, manner, who.posture, who.body, who.stance, int(rng.integers(2)))
    _lead(track)
    _weave(track, who.posture, rng)
    return track


def _lead(track: Track) -> None:
    """Head and chest look ahead of a turn by a quarter of a second."""
    ahead = np.concatenate([track.yaw[6:], np.repeat(track.yaw[-1:], min(6, track.frames))])[: track.frames]
    turn = np.clip(ahead - track.yaw, -0.9, 0.9)
    track.head[:, 1] += 0.55 * turn
    track.trunk[:, 1] += 0.28 * turn


def _weave(track: Track, posture: Posture, rng: np.random.Generator) -> None:
    """Sway the trunk sideways slowly; drunk people do it most. Feet stay where the gait put them."""
    t = np.arange(track.frames) / 20.0
    fade = ease(t / 0.6) * ease((t[-1] - t) / 0.6)
    curve = np.sin(2 * np.pi * (rng.uniform(0.3, 0.5) * t + rng.uniform())) * fade
    track.root[:, 0] += 0.5 * posture.wander * curve * np.cos(track.yaw)
    track.root[:, 2] -= 0.5 * posture.wander * curve * np.sin(track.yaw)
    track.trunk[:, 2] += 1.1 * posture.wander * curve


def _open(track: Track, lead: float, distance: float) -> Track:
    """Cut a straight movement to the frames in which the pelvis is between lead and lead + distance."""
    along = np.abs(track.root[:, 2])
    start = int(np.argmax(along >= lead - 1e-6))
    end = int(np.argmax(along >= lead + distance)) if along[-1] > lead + distance else track.frames - 1
    cut = track.copy_range(start, max(end, start + 2) + 1)
    shift = cut.root[0] * np.array([1.0, 0.0, 1.0])
    cut.root -= shift
    cut.ankle -= shift
    return cut


def straight(action: Action, who: Performer, rng: np.random.Generator, open_ends: tuple[bool, bool]) -> Track:
    """`walk` forward or backward and `run`."""
    posture, distance = who.posture, action.distance or 2.0
    running, backward = action.name == "run", action.direction == "backward"
    table = RUN_SPEED if running else WALK_SPEED
    speed = table[action.speed] * posture.pace * who.hurry * (0.72 if backward else 1.0)
    manner = running_manner(speed, posture, rng) if running else walking_manner(speed, posture, rng)
    step = (0.42 + 0.27 * speed if running else step_length(speed)) * posture.stride
    if backward:
        manner = replace(
            manner,
            toe_off=0.15,
            heel_strike=-0.3,
            lean=0.0,
            width=manner.width + 0.05,
            swing=0.6 * manner.swing,
            peak=0.5,
            behind=0.0,
        )
        step *= 0.8
    lead = 1.2 * step if not running else 1.6
    ramps = (0.9, 1.1) if running else (0.6, 0.8)
    before, after = (lead if end else 0.0 for end in open_ends)
    whole = distance + before + after
    path = line(whole, (0.0, -1.0 if backward else 1.0))
    track = follow(path, whole, speed, manner, step, who, rng, ramps)
    return _open(track, before, distance) if any(open_ends) else track


def curved(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """`walk_curve`, `circle` and `walk_turn`."""
    posture, distance = who.posture, action.distance or 3.0
    left = action.direction in ("left", "counterclockwise")
    angle = 2.0 * np.pi if action.name == "circle" else np.radians(action.angle or 90.0)
    speed = WALK_SPEED[action.speed] * posture.pace * who.hurry * 0.92
    if action.name == "walk_turn":
        share = min(0.6, 0.42 * angle / distance)
        middle = rng.uniform(0.42, 0.55)
        path = bend(distance, angle if left else -angle, middle - share / 2, middle + share / 2)
    else:
        path = bend(distance, angle if left else -angle, 0.0, 1.0, 0.06 if action.name == "circle" else 0.18)
    if action.name == "circle":
        u = np.linspace(0.0, 1.0, len(path.heading))[:, None]
        path = Path(path.points - u * path.points[-1], path.heading)  # close the circle
    manner = walking_manner(speed, posture, rng)
    step = step_length(speed) * posture.stride * (0.85 if action.name == "walk_turn" else 0.95)
    track = follow(path, distance, speed, manner, step, who, rng, (0.6, 0.6))
    if action.name != "walk_turn":
        track.trunk[:, 2] -= (
            (0.05 if left else -0.05)
            * ease(np.arange(track.frames) / 12.0)
            * ease(np.arange(track.frames)[::-1] / 12.0)
        )
    return track


def sidestep(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Move sideways; the leading foot opens, the other closes."""
    posture, distance = who.posture, action.distance or 1.0
    sign = 1.0 if action.direction == "left" else -1.0
    speed = 0.62 * _SPEED_RATIO[action.speed] * posture.pace * who.hurry
    pairs = max(1, round(distance / (0.42 * posture.stride)))
    half = distance / (2 * pairs)
    base = walking_manner(0.6, posture, rng)
    manner = replace(
        base,
        width=0.17 + half,
        toe_off=0.25,
        heel_strike=0.0,
        lift=0.05,
        lean=0.02,
        pelvis_yaw=0.0,
        pelvis_roll=0.03,
        swing=0.1 * posture.swing,
        peak=0.5,
        sway=0.0,
        behind=0.03,
    )
    path = line(distance, (sign, 0.0))
    first = 0 if sign > 0 else 1
    ramps = (0.4, 0.4)
    duration = distance / speed + 0.4
    return walk(path, duration, ramps, 2 * pairs, manner, posture, who.body, who.stance, first)


def turn(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Turn on the spot with small steps."""
    posture = who.posture
    angle = np.radians(action.angle or 90.0) * (1.0 if action.direction == "left" else -1.0)
    speed = np.radians(82.0) * _SPEED_RATIO[action.speed] / posture.tempo * who.hurry
    duration = abs(angle) / speed + 0.5
    steps = max(2, round(abs(angle) / np.radians(rng.uniform(36.0, 50.0))))
    drift = rng.normal(0.0, 0.03, 2)
    u = np.linspace(0.0, 1.0, 64)
    path = Path(ease(u)[:, None] * drift, angle * u)
    base = walking_manner(0.6, posture, rng)
    manner = replace(
        base,
        toe_off=0.35,
        heel_strike=0.0,
        lift=0.05,
        lean=0.0,
        pelvis_yaw=0.0,
        pelvis_roll=0.03,
        swing=0.12 * posture.swing,
        width=max(base.width, 0.15),
        sway=0.03,
        behind=0.03,
    )
    first = 0 if angle > 0 else 1
    track = walk(path, duration, (0.5, 0.5), steps, manner, posture, who.body, who.stance, first)
    _lead(track)
    return track
