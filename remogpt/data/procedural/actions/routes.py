"""Animate walks along ways: there and back, slanting, zigzag, a figure of eight, with a stop, on stairs, on a spot."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from remogpt.data.procedural.curves import FPS, ease, window
from remogpt.data.procedural.gait import Path, walk
from remogpt.data.procedural.locomotion import Performer, follow, line, running_manner, step_length, walking_manner
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track, concatenate
from remogpt.data.procedural.vocabulary import WALK_SPEED

_TEMPO = {"slow": 0.8, "normal": 1.0, "fast": 1.2}


def _route(distance: float, turns: Sequence[tuple[float, float, float]]) -> Path:
    """Return a way of `distance` metres that turns: (degrees to the left, metres where the turn begins, its length)."""
    along = np.linspace(0.0, distance, 768)
    heading = np.zeros_like(along)
    for degrees, start, length in turns:
        heading += np.radians(degrees) * ease((along - start) / length)
    step = np.stack([np.sin(heading), np.cos(heading)], axis=-1) * (along[1] - along[0])
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(0.5 * (step[1:] + step[:-1]), axis=0)])
    return Path(points, heading)


def _walked(path: Path, distance: float, action: Action, who: Performer, rng: np.random.Generator) -> Track:
    speed = WALK_SPEED[action.speed] * who.posture.pace * who.hurry * 0.95
    manner = walking_manner(speed, who.posture, rng)
    return follow(path, distance, speed, manner, 0.93 * step_length(speed) * who.posture.stride, who, rng, (0.6, 0.7))


def pace(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk `distance` metres ahead, turn round, and back, `count` times."""
    leg, room = action.distance or 1.5, rng.uniform(0.30, 0.45)
    way = float(rng.choice([-180.0, 180.0]))
    turns = [(way, leg + k * (leg + room), room) for k in range(2 * (action.count or 1) - 1)]
    whole = leg + len(turns) * (leg + room)
    return _walked(_route(whole, turns), whole, action, who, rng)


def diagonal(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Turn half to one side in the first steps and walk on in a straight line."""
    distance = action.distance or 2.5
    angle = rng.uniform(36.0, 52.0) * (1.0 if action.direction == "left" else -1.0)
    return _walked(_route(distance, [(angle, 0.0, rng.uniform(0.35, 0.5))]), distance, action, who, rng)


def zigzag(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk ahead in legs that bend to the left and to the right in turn."""
    count = action.count or 3
    leg, room = rng.uniform(0.75, 1.0), rng.uniform(0.35, 0.6)
    wide = rng.uniform(70.0, 95.0)
    way = 1.0 if rng.random() < 0.5 else -1.0
    turns = [(0.5 * way * wide, 0.0, 0.4)]
    turns += [
        (way * wide * (-1.0 if k % 2 == 0 else 1.0), 0.3 + (k + 1) * leg - 0.5 * room, room) for k in range(count)
    ]
    whole = 0.3 + (count + 1) * leg
    return _walked(_route(whole, turns), whole, action, who, rng)


def figure_eight(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk one circle to the left and one to the right, or the other way round, and come back to the start."""
    half = 0.5 * (action.distance or 7.0)
    way = 1.0 if rng.random() < 0.5 else -1.0
    path = _loops(half, way)
    return _walked(path, 2.0 * half, action, who, rng)


def _loops(length: float, way: float) -> Path:
    """Return two round loops of a length each, first to the left where `way` is 1."""
    u = np.linspace(0.0, 1.0, 384)
    turned = 2.0 * np.pi * (u - 0.06 * np.sin(2.0 * np.pi * u) / (2.0 * np.pi))
    heading = np.concatenate([way * turned, way * (2.0 * np.pi - turned[1:])])
    step = np.stack([np.sin(heading), np.cos(heading)], axis=-1) * (length / (len(u) - 1))
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(0.5 * (step[1:] + step[:-1]), axis=0)])
    drift = np.linspace(0.0, 1.0, len(points))[:, None]
    return Path(points - drift * points[-1], heading)


def walk_stop(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk ahead, stop, and stand; or go on after a while."""
    distance, stay = action.distance or 2.0, round(rng.uniform(22.0, 34.0) / who.hurry)
    goes_on = action.direction == "again"
    first = 0.5 * distance if goes_on else distance
    track = _walked(line(first, (0.0, 1.0)), first, action, who, rng)
    pieces = [track, track.hold(stay)]
    if goes_on:
        origin = track.root[-1] * np.array([1.0, 0.0, 1.0])
        pieces.append(_walked(line(first, (0.0, 1.0)), first, action, who, rng).placed(origin, 0.0))
    return concatenate(pieces)


def jog_in_place(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Run on the spot."""
    manner = running_manner(2.6, who.posture, rng)
    manner = replace(
        manner, width=max(manner.width, 0.13), lift=rng.uniform(0.16, 0.34), lean=rng.uniform(0.0, 0.1), behind=0.02,
        toe_off=0.6, heel_strike=0.0, bob=0.03, crouch=0.035, swing=0.55 * manner.swing, peak=0.42, sharp=1.2,
    )  # fmt: skip
    steps = int(rng.integers(8, 14))
    duration = steps * rng.uniform(0.33, 0.40) / _TEMPO[action.speed] * who.posture.tempo / who.hurry + 0.3
    drift = rng.normal(0.0, 0.04, 2)
    u = np.linspace(0.0, 1.0, 64)
    path = Path(ease(u)[:, None] * drift, 0.0 * u)
    return walk(path, duration, (0.35, 0.4), steps, manner, who.posture, who.body, who.stance, int(rng.integers(2)))


def stairs(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk up or down `count` stairs, one foot on each."""
    count, approach = action.count or 4, int(rng.integers(1, 3))
    rise, tread = rng.uniform(0.15, 0.22), rng.uniform(0.27, 0.31)
    sign = 1.0 if action.direction == "up" else -1.0
    steps = count + approach + 1
    levels = sign * rise * np.clip(np.arange(steps) - approach + 1.0, 0.0, count)
    distance = tread * (count + approach)
    path = replace(line(distance, (0.0, 1.0)), levels=levels)
    speed = rng.uniform(0.44, 0.64) * _TEMPO[action.speed] * who.posture.pace * who.hurry
    manner = replace(
        walking_manner(0.8, who.posture, rng), duty=0.62, toe_off=0.5 if sign > 0 else 0.35,
        heel_strike=-0.1 if sign > 0 else -0.35, lift=0.05, lean=0.14 if sign > 0 else 0.03, bob=0.006, behind=0.02,
        peak=0.42, crouch=0.02,
    )  # fmt: skip
    duration = distance / speed + 0.5
    return walk(path, duration, (0.5, 0.5), steps, manner, who.posture, who.body, who.stance, int(rng.integers(2)))


def stumble(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk ahead, trip, catch the balance with the arms out, and walk on."""
    distance = action.distance or 2.5
    track = _walked(line(distance, (0.0, 1.0)), distance, action, who, rng)
    t = np.arange(track.frames) / FPS
    moment = rng.uniform(0.38, 0.55) * float(t[-1])
    fall, rise = rng.uniform(0.22, 0.32), rng.uniform(0.6, 0.9)
    tripped = window(t, moment, moment + fall + rise, fall, rise)
    caught = window(t, moment + 0.08, moment + 0.2 + fall + rise, fall + 0.05, rise)
    deep, side = rng.uniform(0.75, 1.05), float(rng.choice([-1.0, 1.0]))
    track.trunk[:, 0] += deep * tripped
    track.pelvis[:, 0] += 0.5 * deep * tripped
    track.trunk[:, 2] += side * 0.22 * caught
    track.trunk[:, 1] += side * 0.18 * caught
    track.head[:, 0] -= 0.5 * deep * tripped
    track.root[:, 1] -= rng.uniform(0.07, 0.12) * tripped
    track.root[:, 2] += 0.10 * tripped
    for arm, late in ((0, 0.0), (1, 0.06)):
        flung = window(t - late, moment + 0.05, moment + 0.15 + fall + rise, fall, rise)
        pose = np.array([rng.uniform(0.5, 1.0), rng.uniform(0.55, 0.95), rng.uniform(0.4, 0.8), 0.0])
        track.arms[:, arm] += flung[:, None] * pose
    return track
