"""Animate what one foot or both do beside walking: step over an obstacle, rise on the toes, swing a leg, tap a foot."""

from dataclasses import fields, replace

import numpy as np

from remogpt.data.procedural.body import heel_offset
from remogpt.data.procedural.curves import FPS, apply, ease, keyframes, rotation, smooth_noise, window
from remogpt.data.procedural.gait import walk
from remogpt.data.procedural.in_place import blank, move_foot, pulses, seconds, side_index
from remogpt.data.procedural.locomotion import Performer, follow, line, walking_manner
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track, concatenate

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


def rise_on_toes(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Rise on the balls of both feet and come down, `count` times; once: mostly to stay up for a while."""
    count = action.count or 1
    deep = np.radians(rng.uniform(42.0, 60.0))
    if count == 1:
        rise, stays = seconds(action, who, rng.uniform(0.5, 0.8)), seconds(action, who, rng.uniform(0.8, 2.8))
        track, t = blank(2.1 * rise + stays + 0.3, who)
        up = window(t, 0.15, 0.15 + 2.1 * rise + stays, rise, 1.1 * rise)
    else:
        period = seconds(action, who, rng.uniform(0.95, 1.5))
        track, t = blank(count * period + 0.35, who)
        up = pulses(t, count, period, 0.15, rng.uniform(0.05, 0.3))
    uneven = 1.0 + 0.05 * smooth_noise(rng, len(t), 1, 0.5, 1.2)[:, 0]
    pitch = deep * up * np.clip(uneven, 0.85, 1.12)
    climbed = np.zeros(len(t))
    for foot in (0, 1):
        ball, yaw = who.body.foot_vectors[foot], float(who.stance.foot_yaw[foot])
        heel_up = apply(rotation(yaw, 0.0, 0.0), ball) - apply(rotation(yaw, pitch, 0.0), ball)
        track.ankle[:, foot] += heel_up
        track.foot[:, foot, 1] = pitch
        climbed += 0.5 * heel_up[:, 1]
    # The knees straighten, and the weight comes over the balls of the feet.
    track.root[:, 1] += climbed + 0.8 * max(who.stance.knee_bend - 0.012, 0.0) * up
    track.root[:, 2] += rng.uniform(0.06, 0.09) * up
    wobble = up * smooth_noise(rng, len(t), 1, 0.5, 1.3)[:, 0]
    track.root[:, 0] += 0.006 * wobble
    track.trunk[:, 2] += 0.02 * wobble
    track.trunk[:, 0] += rng.uniform(-0.05, 0.03) * up
    track.head[:, 0] -= rng.uniform(-0.1, 0.3) * up
    out, ahead, elbow = rng.uniform(0.0, 0.55), rng.uniform(-0.2, 0.35), rng.uniform(0.0, 0.5)
    track.arms += up[:, None, None] * np.array([ahead, out, elbow, 0.0])
    track.arms[:, 0, 1] += 0.05 * wobble
    track.arms[:, 1, 1] -= 0.05 * wobble
    return track


def swing_leg(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Stand on one leg and swing the other one forward and back like a pendulum, `count` times."""
    side, count = side_index(action.side), action.count or 2
    period = seconds(action, who, rng.uniform(1.15, 1.5))
    shift, back_first = 0.35, rng.random() < 0.4
    ahead, behind = np.radians(rng.uniform(28.0, 48.0)), np.radians(rng.uniform(18.0, 31.0))
    marks, angles = [0.0, shift], [0.0, 0.0]
    start = shift + (0.45 * period if back_first else 0.0)
    if back_first:
        marks, angles = [0.0, shift, start], [0.0, 0.0, -behind]
    for k in range(count):
        first = start + k * period + (0.5 if back_first else 0.42) * period
        last = k == count - 1
        marks += [first, first + 0.5 * period]
        angles += [ahead * rng.uniform(0.9, 1.05), -behind * rng.uniform(0.85, 1.1) * (0.8 if last else 1.0)]
    end = marks[-1] + 0.4 * period
    marks, angles = [*marks, end], [*angles, 0.0]
    track, t = blank(end + 0.4, who)
    swing = keyframes(marks, angles, t)
    free = window(t, shift - 0.15, end + 0.1, 0.3)
    support = who.stance.ankles[1 - side]
    weight = window(t, 0.0, t[-1], shift + 0.15, 0.45)
    track.root[:, 0] += 0.8 * support[0] * weight
    track.root[:, 1] += 0.5 * who.posture.knee_bend * weight
    sign = _SIGN[side]
    track.pelvis[:, 0] -= 0.10 * swing
    track.pelvis[:, 1] -= sign * 0.12 * swing
    track.pelvis[:, 2] -= 0.06 * sign * free
    hip = apply(rotation(track.pelvis[:, 1], track.pelvis[:, 0], track.pelvis[:, 2]), who.body.offsets[1 + side])
    hips = track.root + np.array([0.0, who.body.pelvis_height, 0.0]) + hip
    length = who.body.leg_lengths[side].sum() * (0.975 - 0.055 * np.cos(swing / (ahead + behind) * np.pi) ** 2)
    hang = np.stack([0.03 * sign + 0.0 * t, -length * np.cos(swing), length * np.sin(swing)], axis=-1)
    place = who.stance.ankles[side]
    ankle = place + free[:, None] * (hips + hang - place)
    # Behind, the foot hangs from the ankle; ahead, the toes come up.
    pitch = free * np.where(swing < 0.0, -1.1 * swing, -0.35 * swing)
    track.foot[:, side, 1] = pitch
    track.ankle[:, side] = np.where(free[:, None] > 1e-4, ankle, place)
    track.planted[:, side] = free <= 1e-4
    ball = apply(rotation(track.foot[:, side, 0], pitch, 0.0), who.body.foot_vectors[side])[:, 1]
    track.ankle[:, side, 1] += np.maximum(0.012 + 0.02 * free - ball - track.ankle[:, side, 1], 0.0)
    track.trunk[:, 0] -= rng.uniform(0.12, 0.3) * swing
    track.trunk[:, 1] += sign * 0.14 * swing
    track.trunk[:, 2] -= sign * 0.03 * free
    _swinging_arms(track, side, swing, free, rng)
    return track


def _swinging_arms(track: Track, side: int, swing: np.ndarray, free: np.ndarray, rng: np.random.Generator) -> None:
    """Let the arms swing against the leg, hold them out for balance, or rest the hand of the standing side on a bar."""
    kind = rng.random()
    if kind < 0.4:
        size = rng.uniform(0.35, 0.8)
        track.arms[:, side, 0] -= size * swing
        track.arms[:, 1 - side, 0] += size * swing
        track.arms[:, :, 1] += rng.uniform(0.05, 0.25) * free[:, None]
        return
    out = np.array([0.1, rng.uniform(0.4, 1.1), 0.15, -0.1])
    on_bar = np.array([rng.uniform(0.1, 0.5), rng.uniform(0.35, 0.7), rng.uniform(0.3, 0.8), 0.0])
    track.arms[:, side] += free[:, None] * out
    track.arms[:, 1 - side] += free[:, None] * (out if kind < 0.75 else on_bar)


def tap_foot(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Tap the floor with one foot, `count` times: the heel stays and the toes go up and down, or the whole foot does.

    The whole foot taps in front, or beside the other one; between taps it hangs over the floor.
    """
    side, count = side_index(action.side), action.count or 3
    sign = _SIGN[side]
    period = seconds(action, who, rng.uniform(0.5, 0.8))
    shift, whole = seconds(action, who, rng.uniform(0.4, 0.55)), rng.random() < 0.35
    track, t = blank(2.0 * shift + count * period + 0.15, who)
    place, yaw = who.stance.ankles[side], float(who.stance.foot_yaw[side])
    to = place + np.array([sign * rng.uniform(0.0, 0.05), 0.0, rng.uniform(0.10, 0.22)])
    taps = _taps(t, count, period, shift, rng.uniform(0.42, 0.55))
    if whole:
        # The ball strikes the floor, the heel a little above it.
        out = window(t, 0.05, 2.0 * shift + count * period, shift)
        pitch = out * rng.uniform(0.15, 0.3)
        lift = out * taps * rng.uniform(0.075, 0.11)
        ball = apply(rotation(yaw, pitch, 0.0), who.body.foot_vectors[side])[:, 1]
        ankle = place + out[:, None] * (to - place)
        travel = 0.03 * np.sin(np.pi * out) ** 2
        ankle[:, 1] = 0.010 - ball + lift + travel
        track.planted[:, side] = False
        track.planted[(out <= 1e-4), side] = True
        track.ankle[:, side] = np.where(out[:, None] > 1e-4, ankle, place)
        track.foot[:, side, 1] = pitch
    else:
        if rng.random() < 0.6:
            move_foot(track, t, side, 0.03, 0.8 * shift, to, 0.04, who)
            ends = 2.0 * shift + count * period
            move_foot(track, t, side, ends - 0.75 * shift, ends + 0.05, place, 0.04, who)
        up = -np.radians(rng.uniform(24.0, 34.0)) * taps
        heel = heel_offset(who.body)[side]
        track.ankle[:, side] += apply(rotation(yaw, up, 0.0), heel) - apply(rotation(yaw, 0.0, 0.0), heel)
        track.foot[:, side, 1] += up
        track.planted[:, side] &= up >= -1e-4
    weight = window(t, 0.0, t[-1], shift)
    track.root[:, 0] += 0.6 * who.stance.ankles[1 - side, 0] * weight
    track.root[:, 1] -= 0.008 * weight
    track.pelvis[:, 2] -= 0.05 * sign * weight
    track.trunk[:, 2] -= 0.03 * sign * weight
    track.head[:, 0] += rng.uniform(-0.05, 0.3) * weight + rng.uniform(0.0, 0.05) * taps
    return track


def _taps(t: np.ndarray, count: int, period: float, start: float, down: float) -> np.ndarray:
    """(T,) from 0 to 1, how far a foot is up: `count` times up and smartly down, then a rest of a share of a period."""
    times, values = [start], [0.0]
    for k in range(count):
        a = start + k * period
        times += [a + 0.42 * period, a + (0.46 + 0.5 * down) * period, a + period]
        values += [1.0, 0.0, 0.0]
    return keyframes(times, values, t)


def walk_on_toes(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Rise on the toes, walk `distance` metres with short steps, the heels up all the way, and come down."""
    distance = action.distance or 2.0
    speed = rng.uniform(0.55, 0.8) * _TEMPO[action.speed] * who.posture.pace * who.hurry
    usual = walking_manner(0.7, who.posture, rng)
    manner = replace(
        usual, toe_off=rng.uniform(0.1, 0.3), heel_strike=0.0, lean=0.0, crouch=0.0, elbow=0.4 * usual.elbow, bob=0.006,
        behind=0.0, lift=rng.uniform(0.03, 0.06), swing=0.05 * who.posture.swing, duty=0.6,
    )  # fmt: skip
    stride = rng.uniform(0.34, 0.46) * min(who.posture.stride, 1.0)
    going = follow(line(distance, (0.0, 1.0)), distance, speed, manner, stride, who, rng, (0.6, 0.7))
    rise = seconds(action, who, rng.uniform(0.4, 0.6))
    # Some rise while they make the first step, and sink while they make the last one.
    early, late = round(rng.uniform(0.2, 1.0) * rise * FPS), round(rng.uniform(0.2, 1.0) * rise * FPS)
    track = concatenate([going.reverse().hold(early + 2), going, going.hold(late + 4)])
    t = np.arange(track.frames) / FPS
    up = window(t, 0.05, t[-1] - 0.05, rise)
    deep = np.radians(rng.uniform(36.0, 52.0))
    climbed = np.zeros(track.frames)
    for foot in (0, 1):
        vector, yaw, pitch = who.body.foot_vectors[foot], track.foot[:, foot, 0], track.foot[:, foot, 1]
        heel_up = apply(rotation(yaw, pitch, 0.0), vector) - apply(rotation(yaw, pitch + deep * up, 0.0), vector)
        flat = apply(rotation(yaw, 0.0, 0.0), vector) - apply(rotation(yaw, deep * up, 0.0), vector)
        climbed += 0.5 * flat[:, 1]
        track.ankle[:, foot] += heel_up
        track.foot[:, foot, 1] += deep * up
    track.root[:, 1] += climbed + 0.5 * max(who.stance.knee_bend - 0.012, 0.0) * up
    track.root[:, 2] += rng.uniform(0.05, 0.08) * up
    wobble = up * smooth_noise(rng, track.frames, 1, 0.5, 1.2)[:, 0]
    track.trunk[:, 2] += 0.025 * wobble
    out, ahead, elbow = rng.uniform(0.0, 0.9), rng.uniform(-0.1, 0.3), rng.uniform(0.0, 0.5)
    track.arms += up[:, None, None] * np.array([ahead, out, elbow, 0.0])
    track.head[:, 0] += rng.uniform(-0.1, 0.2) * up
    return track
