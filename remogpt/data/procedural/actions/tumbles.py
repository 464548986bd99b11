"""Animate what turns the body over: a forward roll and a cartwheel.

Places are metres around the start, which faces +Z; angles are degrees in the tables and radians elsewhere.
"""

import numpy as np

from remogpt.data.procedural.body import assemble
from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, smooth, window
from remogpt.data.procedural.in_place import blank, move_foot, seconds, side_index
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_WRIST = 0.055
"""Height of a wrist over the palm that stands on the floor."""
_TOUCH, _SEAT, _SQUAT = 0.47, 0.70, 0.81
"""Shares of the time: the shoulders meet the floor, the seat has rolled over it, the feet carry the body."""
_FLESH = {0: 0.10, 1: 0.09, 2: 0.09, 3: 0.09, 6: 0.09, 9: 0.09, 12: 0.075, 15: 0.08, 16: 0.06, 17: 0.06}
"""Distance of joints of pelvis, spine, head and shoulders from the skin of the back, metres."""


def roll(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Roll forward over the tucked head and the round back, and stand up."""
    track, t = blank(seconds(action, who, rng.uniform(2.9, 3.5)), who)
    u = t / t[-1]
    curl = rng.uniform(-6.0, 6.0)
    at = (0.0, 0.26, 0.39, _TOUCH, 0.54, 0.61, _SEAT, 0.75, _SQUAT, 0.90, 1.0)
    pelvis = np.radians(keyframes(at, [0, 52, 98, 138, 190, 240, 298, 330, 385, 385, 360], u))
    round_back = [0, 42, 48, 66 + curl, 78 + curl, 84 + curl, 76 + curl, 66, 34, 22, 0]
    trunk = pelvis + np.radians(keyframes(at, round_back, u))
    chin = np.radians(keyframes(at, [0, -20, 25, 55, 55, 50, 40, 20, -25, -15, 0], u))
    # `render` adds the posture's lean; nobody keeps it while rolling.
    trunk -= who.posture.lean * window(u, 0.15, 0.95, 0.2, 0.15)
    whole = 2.0 * np.pi * (trunk > np.pi)
    track.pelvis[:, 0], track.trunk[:, 0] = pelvis - whole, trunk - whole
    # On the chest's pitch the head follows three quarters and the hanging arms lag: here both go all the way with it.
    track.head[:, 0] = chin + 0.25 * track.trunk[:, 0]
    _move_arms(track, u, at, rng)
    hand = rng.uniform(0.36, 0.44)
    _move_root(track, u, pelvis, trunk, hand, who)
    for side in (0, 1):
        _move_leg(track, u, at, side, pelvis, who)
        palm = np.array([_SIGN[side] * rng.uniform(0.20, 0.25), _WRIST, hand + rng.uniform(-0.02, 0.02)])
        clasp = track.knees[:, side, :3] + 0.3 * (track.ankle[:, side] - track.knees[:, side, :3])
        clasp[:, 0] += 0.07 * _SIGN[side]
        track.hands[:, side, :3] = palm + ease((u - _TOUCH) / 0.15)[:, None] * (clasp - palm)
        track.hands[:, side, 3] = window(u, 0.10, 0.86, 0.15, 0.13)
    return track


def _move_arms(track: Track, u: np.ndarray, at: tuple[float, ...], rng: np.random.Generator) -> None:
    """Reach for the floor ahead, then for the shins; `render` adds 0.8 of the trunk's pitch to the flexion."""
    flexion = keyframes(at, [0, 95, 120, 120, 95, 72, 66, 78, 70, 40, 0], u)
    elbow = keyframes(at, [0, 10, 20, 12, 40, 45, 35, 25, 20, 10, 0], u)
    follow = track.trunk[:, 0] * ease(u / 0.2) * ease((1.0 - u) / 0.12)
    for side in (0, 1):
        track.arms[:, side, 0] += np.radians(flexion) - 0.8 * follow
        track.arms[:, side, 1] += 0.1 * window(u, 0.1, 0.9, 0.2)
        track.arms[:, side, 2] += np.radians(elbow * rng.uniform(0.85, 1.15))


def _move_root(track: Track, u: np.ndarray, pelvis: np.ndarray, trunk: np.ndarray, hand: float, who: Performer) -> None:
    """Squat, push the hips over the hands, let the back roll on the floor without slip, and rise over the feet."""
    standing, squat = float(track.root[0, 1]), 0.43 - who.body.pelvis_height
    touching = (u >= _TOUCH) & (u <= _SEAT)
    part = track.copy_range(*(np.flatnonzero(touching)[[0, -1]] + [0, 1]))
    part.root[:], part.planted[:] = 0.0, False
    joints = assemble(who.body, part, part.arms)[:, list(_FLESH)]
    skin = np.array(list(_FLESH.values()))
    depth = skin - joints[..., 1]
    high = depth.max(axis=1)
    weight = np.exp((depth - high[:, None]) / 0.02)
    weight /= weight.sum(axis=1, keepdims=True)
    turned = np.gradient(0.5 * (pelvis + trunk)[touching])
    step = (weight * (skin * turned[:, None] - np.gradient(joints[..., 2], axis=0))).sum(axis=1)
    way = np.concatenate([[0.0], np.cumsum(0.5 * (step[1:] + step[:-1]))])
    start = hand + 0.12 - float((weight[0] * joints[0, :, 2]).sum())
    rolled, some = u[touching], slice(0, None, 3)
    times = [0.0, 0.26, 0.37, *rolled[some], _SQUAT, 0.87, 1.0]
    ahead = float(start + way[-1])
    feet = ahead + 0.36
    up = [standing, squat + 0.06, 0.72 - who.body.pelvis_height, *high[some], squat - 0.08, squat + 0.12, standing]
    on = [0.0, 0.02, 0.24, *(start + way)[some], feet - 0.14, feet - 0.08, feet]
    track.root[:, 1], track.root[:, 2] = smooth(keyframes(times, up, u), 0.8), smooth(keyframes(times, on, u), 0.8)
    track.root[[0, -1], 1], track.root[-1, 2] = standing, feet


def _move_leg(
    track: Track, u: np.ndarray, at: tuple[float, ...], side: int, pelvis: np.ndarray, who: Performer
) -> None:
    """Push off from the toes, fold the leg over the body, and set the foot down in front of the seat."""
    hip_bend = np.radians(keyframes(at, [60, 60, 55, 74, 98, 112, 120, 118, 116, 116, 116], u))
    knee_bend = np.radians(keyframes(at, [10, 10, 10, 18, 45, 88, 122, 124, 124, 124, 124], u))
    up = rotation(0.0, pelvis, 0.0)
    hip = track.root + np.array([0.0, who.body.pelvis_height, 0.0]) + apply(up, who.body.offsets[1 + side])
    spread = _SIGN[side] * 0.06
    thigh = apply(up, np.stack([np.full_like(u, spread), -np.cos(hip_bend), np.sin(hip_bend)], axis=-1))
    low = hip_bend - knee_bend
    shin = apply(up, np.stack([np.full_like(u, -0.5 * spread), -np.cos(low), np.sin(low)], axis=-1))
    knee = hip + who.body.leg_lengths[side, 0] * thigh
    ankle = knee + who.body.leg_lengths[side, 1] * shin
    off, land = _TOUCH - 0.05 + 0.015 * side, 0.745 + 0.012 * side
    free = ease((u - off) / 0.09) * ease((land - u) / 0.07)
    pointed = pelvis - low + np.radians(20.0)
    early, late = ease((u - 0.30) / (off - 0.30)), ease((land - u) / 0.10)
    pitch = np.where(u < 0.6, early * pointed, 2.0 * np.pi + late * (pointed - 2.0 * np.pi))
    yaw = track.foot[:, side, 0] * (1.0 - free)
    flat, ball = (apply(rotation(yaw, angle, 0.0), who.body.foot_vectors[side]) for angle in (0.0 * u, pitch))
    foot = track.ankle[:, side] + np.where(u[:, None] < 0.6, flat - ball, 0.0)
    foot[:, 2] += np.where(u > 0.6, track.root[-1, 2], 0.0)
    track.ankle[:, side] = foot + free[:, None] * (ankle - foot)
    clear = np.maximum(0.012 - np.minimum(ball[:, 1], 0.0), 0.03)
    track.ankle[free > 0.0, side, 1] = np.maximum(track.ankle[:, side, 1], clear)[free > 0.0]
    track.knees[:, side, :3], track.knees[:, side, 3] = knee, free
    track.planted[:, side] = free <= 0.0
    track.foot[:, side, 0], track.foot[:, side, 1] = yaw, np.where(u < land, pitch, 0.0)


def cartwheel(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Turn over sideways once round: hand, hand, foot, foot; the chest faces ahead all the way."""
    track, t = blank(seconds(action, who, rng.uniform(3.2, 3.8)), who)
    u = t / t[-1]
    lead = side_index(action.direction)
    way, trail, size = _SIGN[lead], 1 - lead, rng.uniform(0.95, 1.03)
    at = (0.0, 0.16, 0.30, 0.42, 0.50, 0.58, 0.66, 0.74, 0.83, 0.91, 1.0)
    pelvis = np.radians(keyframes(at, [0, -4, 22, 76, 126, 180, 233, 284, 334, 354, 360], u))
    trunk = np.radians(keyframes(at, [0, -8, 42, 106, 141, 180, 219, 254, 314, 348, 360], u))
    for turn, curve in ((pelvis, track.pelvis), (trunk, track.trunk)):
        curve[:, 2] = -way * (turn - 2.0 * np.pi * (trunk > np.pi))
    track.trunk[:, 0] -= who.posture.lean * window(u, 0.15, 0.95, 0.2, 0.15)
    track.head[:, 0] -= 0.35 * window(u, 0.25, 0.8, 0.2)
    hand = size * rng.uniform(1.00, 1.06) + np.array([0.0, 0.36])
    end = size * 2.35
    on = size * keyframes(at, [0.0, 0.06, 0.30, 0.62, 0.92, 1.24, 1.54, 1.80, 2.10, 2.28, 2.35], u)
    up = keyframes(at, [0.94, 0.94, 0.88, 0.83, 0.97, 1.07, 1.01, 0.86, 0.86, 0.93, 0.94], u)
    track.root[:, 0] = way * on
    track.root[:, 1] += up - 0.94
    down = {lead: (0.28, 0.42, 0.60, 0.70), trail: (0.40, 0.56, 0.74, 0.85)}
    for side in (lead, trail):
        start, touch, lift, free = down[side]
        track.hands[:, side, :3] = [way * hand[int(side == trail)], _WRIST, rng.uniform(0.0, 0.06)]
        track.hands[:, side, 3] = ease((u - start) / (touch - start)) * ease((free - u) / (free - lift))
        raised = window(u, 0.0, 0.98, 0.2, 0.2)
        track.arms[:, side, 0] += raised * np.radians(rng.uniform(160.0, 172.0))
        track.arms[:, side, 1] += raised * np.radians(rng.uniform(18.0, 28.0))
        track.arms[:, side, 2] += raised * 0.1
    _press(track, u, who)
    _reach(track, u, who)
    step = who.stance.ankles[lead] + [way * size * 0.40, 0.0, 0.0]
    move_foot(track, t, lead, 0.12 * t[-1], 0.29 * t[-1], step, 0.06, who)
    land = who.stance.ankles + np.array([way * end, 0.0, 0.0])
    first = land[trail] - [way * size * 0.30, 0.0, 0.0]
    track.ankle[u > 0.6, lead], track.ankle[u > 0.6, trail] = land[lead], first
    move_foot(track, t, trail, 0.87 * t[-1], 0.97 * t[-1], land[trail], 0.05, who)
    _swing(track, u, lead, (0.45, 0.835), keyframes(at, [5, 5, 40, 80, 72, 54, 48, 46, 28, 5, 5], u), who)
    _swing(track, u, trail, (0.33, 0.745), keyframes(at, [5, 5, 25, 46, 48, 49, 54, 60, 28, 5, 5], u), who)
    return track


def _press(track: Track, u: np.ndarray, who: Performer) -> None:
    """Keep the shoulders within an arm's length of the hands on the floor, and at it while upside down."""
    part = track.copy_range(0, track.frames)
    part.planted[:] = False
    joints = assemble(who.body, part, part.arms)
    room = np.full((track.frames, 2), 9.0)
    for side in (0, 1):
        arm = 0.985 * float(np.linalg.norm(who.body.offsets[[18 + side, 20 + side]], axis=-1).sum())
        away = joints[:, 16 + side] - track.hands[:, side, :3]
        high = np.sqrt(np.maximum(arm**2 - (away[:, [0, 2]] ** 2).sum(axis=-1), 0.01)) - away[:, 1]
        room[:, side] = np.where(track.hands[:, side, 3] > 0.9, high, 9.0)
    least = room.min(axis=1)
    moved = np.where(least < 9.0, least, 0.0) * window(u, 0.38, 0.78, 0.06)
    track.root[:, 1] += smooth(moved, 1.2)


def _reach(track: Track, u: np.ndarray, who: Performer) -> None:
    """Lead the wrists along straight ways from overhead to the floor and back; angles would whirl on the way."""
    part = track.copy_range(0, track.frames)
    part.planted[:] = False
    overhead = assemble(who.body, part, part.arms + who.posture.arms)[:, [20, 21]]
    weight = track.hands[..., 3:].copy()
    track.hands[..., :3] = overhead + weight * (track.hands[..., :3] - overhead)
    track.hands[..., 3] = window(u, 0.18, 0.96, 0.08)[:, None]


def _swing(
    track: Track, u: np.ndarray, side: int, times: tuple[float, float], spread: np.ndarray, who: Performer
) -> None:
    """Swing a nearly straight leg through the air, some degrees out from the body's line."""
    out = np.radians(spread)
    up = rotation(0.0, track.pelvis[:, 0], track.pelvis[:, 2])
    hip = track.root + np.array([0.0, who.body.pelvis_height, 0.0]) + apply(up, who.body.offsets[1 + side])
    thigh = apply(up, np.stack([_SIGN[side] * np.sin(out), -np.cos(out), np.full_like(u, 0.10)], axis=-1))
    shin = apply(up, np.stack([_SIGN[side] * np.sin(out), -np.cos(out), np.full_like(u, -0.10)], axis=-1))
    knee = hip + who.body.leg_lengths[side, 0] * thigh
    ankle = knee + who.body.leg_lengths[side, 1] * shin
    free = ease((u - times[0]) / 0.08) * ease((times[1] - u) / 0.08)
    track.ankle[:, side] += free[:, None] * (ankle - track.ankle[:, side])
    track.ankle[free > 0.0, side, 1] = np.maximum(track.ankle[:, side, 1], 0.10)[free > 0.0]
    track.knees[:, side, :3], track.knees[:, side, 3] = knee, free
    track.planted[:, side] &= free <= 0.0
    track.foot[:, side, 1] += free * np.radians(35.0) * np.minimum(np.cos(track.pelvis[:, 2]), 0.0)
