"""Animate what one foot or both do beside walking: step over an obstacle, rise on the toes, swing a leg, tap a foot."""

from dataclasses import fields, replace

import numpy as np

from remogpt.data.procedural.curves import FPS, apply, ease, keyframes, rotation, smooth_noise, window
from remogpt.data.procedural.gait import walk
from remogpt.data.procedural.in_place import side_index
from remogpt.data.procedural.locomotion import Performer, line, walking_manner
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_TEMPO = {"slow": 0.8, "normal": 1.0, "fast": 1.2}


def step_over(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk up to an obstacle, take the foot of `side` over it, then the other one as high, and walk on.

    Some takes begin in front of the obstacle, some end behind it.
    """
    lead = side_index(action.side)
    before, after = int(rng.choice(4, p=[0.25, 0.15, 0.35, 0.25])), int(rng.choice(4, p=[0.2, 0.25, 0.35, 0.2]))
    steps = before + 2 + after
    first = lead if before % 2 == 0 else 1 - lead
    stride = rng.uniform(0.56, 0.66) * min(who.posture.stride, 1.05) ** 0.5
    distance = stride * (steps - 1.0)
    # The gait is as slow everywhere as over the obstacle, and hurried up afterwards before and behind it.
    slow = rng.uniform(0.5, 0.66) * _TEMPO[action.speed] * who.posture.pace * who.hurry
    manner = replace(walking_manner(0.8, who.posture, rng), duty=0.6, swing=0.25 * who.posture.swing)
    ramps = (1.0 if before else 0.5, 1.7 if after else 0.9)
    duration = distance / slow + 0.5 * sum(ramps)
    path = line(distance, (0.0, 1.0))
    track = walk(path, duration, ramps, steps, manner, who.posture, who.body, who.stance, first)
    spans = [_swing_of(track, foot, (step - (foot - first) % 2) // 2) for foot, step in
             ((lead, before), (1 - lead, before + 1))]  # fmt: skip
    edges = np.array([spans[0][0] - 2, spans[1][1] + 2]) / FPS
    track, edges = _hurried(track, edges, rng.uniform(1.5, 1.9))
    spans = [_swing_of(track, foot, (step - (foot - first) % 2) // 2) for foot, step in
             ((lead, before), (1 - lead, before + 1))]  # fmt: skip
    high = rng.uniform(0.27, 0.46)
    outward = rng.uniform(0.0, 0.10)
    for order, (foot, span) in enumerate(zip((lead, 1 - lead), spans, strict=True)):
        _carry_over(track, foot, span, high + rng.uniform(-0.02, 0.03), outward, order == 1, who)
    _over_body(track, lead, spans, edges, rng)
    return track


def _swing_of(track: Track, foot: int, number: int) -> tuple[int, int]:
    """Return the frames [start, end) of a foot's swing, counted from 0."""
    mask = np.concatenate([[False], ~track.planted[:, foot], [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(mask) == 1), np.flatnonzero(np.diff(mask) == -1)
    return int(starts[number]), int(ends[number])


def _hurried(track: Track, edges: np.ndarray, factor: float) -> tuple[Track, np.ndarray]:
    """Play a track faster by a factor, but not between two times (2,), seconds; return those times of the result."""
    fine = np.arange(0.0, (track.frames - 1) / FPS + 1e-9, 0.005)
    inside = ease((fine - edges[0] + 0.35) / 0.4) * ease((edges[1] + 0.35 - fine) / 0.4)
    rate = factor + (1.0 - factor) * inside
    now = np.concatenate([[0.0], np.cumsum(0.0025 * (1.0 / rate[1:] + 1.0 / rate[:-1]))])
    frames = round(now[-1] * FPS) + 1
    then = np.interp(np.linspace(0.0, now[-1], frames), now, fine) * FPS
    low = np.minimum(np.floor(then).astype(int), track.frames - 2)
    share = then - low
    played = {}
    for field in fields(Track):
        values = getattr(track, field.name)
        if values.dtype == bool:
            played[field.name] = values[low] & values[low + 1]
        else:
            part = share.reshape(-1, *[1] * (values.ndim - 1))
            played[field.name] = (1.0 - part) * values[low] + part * values[low + 1]
    return Track(**played), np.interp(edges, fine, now)


def _carry_over(
    track: Track, foot: int, span: tuple[int, int], high: float, outward: float, second: bool, who: Performer
) -> None:
    """Replace a swing: the ankle goes up by `high` metres, over, and down; the second foot first lifts its heel."""
    start, end = span
    u = (np.arange(start, end) + 1.0 - start) / (end - start + 1.0)
    begin, finish = track.ankle[start - 1, foot].copy(), track.ankle[min(end, track.frames - 1), foot].copy()
    pitches = track.foot[start - 1, foot, 1], track.foot[min(end, track.frames - 1), foot, 1]
    marks = [0.0, 0.28, 0.52, 0.74, 1.0]
    rise = np.array([0.0, 0.72, 1.0, 0.70, 0.0])
    ankle = begin + (0.75 * ease(u) + 0.25 * u)[:, None] * (finish - begin)
    ankle[:, 1] = begin[1] + u * (finish[1] - begin[1]) + high * keyframes(marks, rise, u)
    ankle[:, 0] += _SIGN[foot] * outward * np.sin(np.pi * u) ** 2
    down = [pitches[0], 0.75, 0.45, 0.05, pitches[1]] if second else [pitches[0], 0.5, 0.1, -0.05, pitches[1]]
    pitch = keyframes(marks, down, u)
    yaw = track.foot[start:end, foot, 0]
    ball = apply(rotation(yaw, pitch, 0.0), who.body.foot_vectors[foot])[:, 1]
    ankle[:, 1] += np.maximum(0.012 - ball - ankle[:, 1], 0.0)
    track.ankle[start:end, foot], track.foot[start:end, foot, 1] = ankle, pitch
    if second:
        track.knee[start:end, foot] += 3.0 * outward * np.sin(np.pi * u) ** 2


def _over_body(
    track: Track, lead: int, spans: list[tuple[int, int]], edges: np.ndarray, rng: np.random.Generator
) -> None:
    """Shift the weight over the standing foot, look down at the obstacle, and hold the arms out for balance."""
    t = np.arange(track.frames) / FPS
    sways = rng.uniform(0.03, 0.06)
    for foot, (start, end) in zip((lead, 1 - lead), spans, strict=True):
        up = window(t, start / FPS - 0.25, end / FPS + 0.2, 0.5 * (end - start) / FPS + 0.15)
        track.root[:, 0] -= _SIGN[foot] * sways * up
        track.root[:, 1] += 0.012 * up
        track.pelvis[:, 2] += 0.09 * _SIGN[foot] * up
        track.trunk[:, 2] += 0.05 * _SIGN[foot] * up
        track.trunk[:, 0] += rng.uniform(0.0, 0.12) * up
        track.arms[:, 1 - foot, 0] += 0.25 * up
    there = window(t, edges[0] - 0.4, edges[1] + 0.2, 0.6)
    out, elbow = rng.uniform(0.0, 0.7), rng.uniform(0.1, 0.6)
    uneven = 1.0 + 0.15 * smooth_noise(rng, track.frames, 2, 0.4, 0.9)
    track.arms[:, :, 1] += out * there[:, None] * uneven
    track.arms[:, :, 2] += elbow * there[:, None]
    track.trunk[:, 0] += rng.uniform(0.02, 0.12) * there
    looks = window(t, max(edges[0] - 0.9, 0.0), edges[1] - 0.1, 0.6)
    track.head[:, 0] += rng.uniform(0.15, 0.45) * looks
