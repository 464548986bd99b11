"""Animate what brings the body down to the floor: both knees, hands and knees, sitting, lying; and crawling there.

Times are shares of a phase's duration; places are metres around the start, which faces +Z.
"""

import numpy as np

from remogpt.data.procedural.curves import FPS, apply, ease, keyframes, rotation, window
from remogpt.data.procedural.in_place import blank, seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track, concatenate

_SIGN = (1.0, -1.0)
_KNEE, _WRIST = 0.06, 0.055
"""Heights of a knee and of a wrist that rest on the floor."""
_TUCKED, _FLAT = np.radians(100.0), np.radians(150.0)
"""Pitch of a foot that stands on its toes behind the knee, and of one whose back lies on the floor."""
_CRAWL_PACE = {"slow": 0.30, "normal": 0.42, "fast": 0.58}
"""Metres a second on hands and knees."""


def _ankle_height(who: Performer, side: int, pitch: np.ndarray | float) -> np.ndarray:
    """Height of an ankle whose ball or instep touches the floor."""
    ball = apply(rotation(0.0, pitch, 0.0), who.body.foot_vectors[side])[..., 1]
    return np.maximum(0.012 - ball, 0.045)


def _still(duration: float, who: Performer) -> tuple[Track, np.ndarray]:
    """Return a standing track and its times as shares of its duration."""
    track, t = blank(duration, who)
    return track, t / max(float(t[-1]), 1e-6)


def _fold_leg(
    track: Track, u: np.ndarray, side: int, start: float, end: float, knee: np.ndarray, who: Performer
) -> None:
    """Take a foot back onto its toes and lower the knee to its place between two shares of the time."""
    shin = who.body.leg_lengths[side, 1]
    back = knee + np.array([0.0, 0.0, -0.97 * shin])
    s = ease((u - start) / (0.8 * (end - start)))
    pitch = s * _TUCKED
    ankle = track.ankle[:, side] + s[:, None] * (back - track.ankle[:, side])
    lifted = _ankle_height(who, side, pitch) + 0.05 * np.sin(np.pi * s) ** 2
    ankle[:, 1] = np.where(s > 0.0, lifted, track.ankle[:, side, 1])
    track.ankle[:, side], track.foot[:, side, 1] = ankle, pitch
    track.foot[:, side, 0] *= 1.0 - 0.7 * s
    track.planted[:, side] = s <= 0.0
    track.knees[:, side, :3] = knee
    track.knees[:, side, 3] = ease((u - start - 0.35 * (end - start)) / (0.65 * (end - start)))


def kneel_both(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Go down on one knee and then on the other, and stay upright on both."""
    down = _kneel(seconds(action, who, rng.uniform(1.7, 2.2)), who, rng)
    return concatenate([down, down.hold(round(rng.uniform(0.5, 0.9) * FPS))])


def _kneel(duration: float, who: Performer, rng: np.random.Generator) -> Track:
    track, u = _still(duration, who)
    first = int(rng.integers(2))
    ahead = rng.uniform(0.02, 0.10)
    knees = [np.array([_SIGN[side] * rng.uniform(0.09, 0.13), _KNEE, ahead]) for side in (0, 1)]
    _fold_leg(track, u, first, 0.06, 0.56, knees[first], who)
    _fold_leg(track, u, 1 - first, 0.50, 0.88, knees[1 - first], who)
    thigh = who.body.leg_lengths[:, 0].min()
    low = thigh + _KNEE - who.body.offsets[1, 1] - 0.004
    drop = who.body.pelvis_height - who.posture.knee_bend - low
    track.root[:, 1] -= drop * keyframes([0.0, 0.30, 0.55, 0.85, 1.0], [0.0, 0.42, 0.9, 0.97, 1.0], u)
    track.root[:, 2] += ahead * ease(u / 0.8)
    lean = rng.uniform(0.25, 0.45)
    track.trunk[:, 0] += lean * window(u, 0.0, 1.0, 0.4, 0.5)
    track.pelvis[:, 0] += 0.6 * lean * window(u, 0.0, 1.0, 0.4, 0.5)
    track.trunk[:, 2] += 0.08 * _SIGN[first] * window(u, 0.05, 0.75, 0.3)
    track.arms[:, 1 - first] += window(u, 0.1, 0.8, 0.3)[:, None] * np.array([0.45, 0.05, 0.5, 0.1])
    return track


def _on_all_fours(duration: float, action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Kneel down within some seconds, then lean forward until the hands stand on the floor."""
    down = _kneel(duration, who, rng)
    low = down.copy_range(down.frames - 1, down.frames).hold(round(seconds(action, who, rng.uniform(0.65, 0.9)) * FPS))
    u = np.linspace(0.0, 1.0, low.frames)
    s = ease(u)
    knee = low.knees[0, :, 2].mean()
    pitch = np.radians(rng.uniform(72.0, 80.0))
    low.root[:, 1] += s * (who.body.leg_lengths[:, 0].min() + _KNEE - who.body.pelvis_height - low.root[:, 1])
    low.root[:, 2] += s * (knee + 0.07 - low.root[:, 2])
    low.pelvis[:, 0] += s * pitch
    low.trunk[:, 0] += s * (pitch + 0.04)
    low.head[:, 0] -= s * rng.uniform(0.5, 0.8)
    for side in (0, 1):
        low.hands[:, side, :3] = [_SIGN[side] * rng.uniform(0.17, 0.22), _WRIST, knee + rng.uniform(0.54, 0.60)]
        low.hands[:, side, 3] = ease((u - 0.1) / 0.75)
        low.arms[:, side, 0] += 0.5 * s
    return concatenate([down, low])


def crawl(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Go down on hands and knees, crawl `distance` metres, opposite hand and knee together, and get up again."""
    down = _on_all_fours(seconds(action, who, rng.uniform(1.15, 1.5)), action, who, rng)
    way = (-1.0 if action.direction == "backward" else 1.0) * (action.distance or 1.0)
    moving = _crawling(down, way, action, who, rng)
    up = down.reverse()
    for points in up.places:
        points[..., 2] += way
    return concatenate([down, moving, up])


def _crawling(down: Track, way: float, action: Action, who: Performer, rng: np.random.Generator) -> Track:
    pace = _CRAWL_PACE[action.speed] / who.posture.tempo * who.hurry * (0.8 if way < 0 else 1.0)
    stride = rng.uniform(0.36, 0.46)
    cycles = max(1, round(abs(way) / stride))
    track = down.copy_range(down.frames - 1, down.frames).hold(round((abs(way) / pace + 0.2) * FPS))
    u = np.linspace(0.0, 1.0, track.frames)
    p = cycles * (0.75 * u + 0.25 * ease(u))
    track.root[:, 2] += way * ease(u) * 0.3 + way * u * 0.7
    first = int(rng.integers(2))
    for side in (0, 1):
        knee, air = _strides(p, cycles, 0.0 if side == first else 0.5)
        hand, hand_air = _strides(p, cycles, 0.55 if side == first else 0.05)
        track.knees[:, side, 2] += way * knee
        track.knees[:, side, 1] += 0.03 * air
        track.ankle[:, side, 2] += way * knee
        track.foot[:, side, 1] += (_FLAT - _TUCKED) * ease(u / 0.15) * ease((1.0 - u) / 0.15)
        track.ankle[:, side, 1] = _ankle_height(who, side, track.foot[:, side, 1]) + 0.02 * air
        track.hands[:, side, 2] += way * hand
        track.hands[:, side, 1] += 0.07 * hand_air
        track.pelvis[:, 2] += _SIGN[side] * 0.05 * air
        track.root[:, 0] -= _SIGN[side] * 0.02 * air
    thigh = who.body.leg_lengths[:, 0].mean()
    reach = np.abs(track.knees[..., 2] - (track.root[:, 2] - 0.07)[:, None]).min(axis=1)
    track.root[:, 1] -= thigh - np.sqrt(np.maximum(thigh**2 - np.minimum(reach, 0.2) ** 2, 0.01))
    track.trunk[:, 1] += 0.06 * np.sin(2.0 * np.pi * p) * ease(u / 0.1) * ease((1.0 - u) / 0.1)
    track.head[:, 1] += 0.05 * np.sin(np.pi * p)
    return track


def _strides(p: np.ndarray, cycles: int, phase: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the way that a limb has made, which moves early in its part of every cycle; and its lift."""
    u = np.stack([(p - k - phase) / 0.42 for k in range(cycles)])
    return ease(u).mean(axis=0), (np.sin(np.pi * np.clip(u, 0.0, 1.0)) ** 2).max(axis=0)


def sit_floor(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Sit down on the floor over a squat, one hand behind; legs crossed, stretched, or drawn up."""
    track, u = _still(seconds(action, who, rng.uniform(2.2, 2.8)), who)
    seat = np.array([0.0, 0.12, rng.uniform(-0.34, -0.26)])
    _sink(track, u, seat, who)
    way = int(rng.integers(3))
    ahead = (rng.uniform(0.20, 0.26), 0.78, rng.uniform(0.36, 0.46))[way]
    for side in (0, 1):
        x = _SIGN[side] * (0.06, 0.10, 0.12)[way] * (-1.0 if way == 0 else 1.0)
        z = seat[2] + ahead + (0.07 if way == 0 and side == 0 else 0.0)
        high = 0.115 if way == 0 else who.body.ankle_height[side]
        _slide_foot(track, u, side, 0.62, 0.95, np.array([x, high, z]), 0.0, who)
        if way == 0:
            track.knees[:, side, :3] = [_SIGN[side] * 0.36, 0.13, seat[2] + 0.20]
            track.knees[:, side, 3] = ease((u - 0.6) / 0.36)
    arm = int(rng.integers(2))
    track.hands[:, arm, :3] = [_SIGN[arm] * 0.30, _WRIST, seat[2] - 0.22]
    track.hands[:, arm, 3] = window(u, 0.30, 1.0, 0.3, 0.28)
    rest = np.array([rng.uniform(0.5, 0.8), 0.05, rng.uniform(0.5, 0.9), 0.2])
    track.arms += (ease((u - 0.4) / 0.6))[:, None, None] * rest
    return concatenate([track, track.hold(round(rng.uniform(0.6, 1.0) * FPS))])


def _sink(track: Track, u: np.ndarray, seat: np.ndarray, who: Performer) -> None:
    """Lower the pelvis backwards to a place on the floor over a squat."""
    standing = who.body.pelvis_height - who.posture.knee_bend
    track.root[:, 1] += (seat[1] - standing) * keyframes([0.0, 0.45, 0.75, 0.92], [0.0, 0.66, 0.97, 1.0], u)
    track.root[:, 2] += seat[2] * keyframes([0.0, 0.4, 0.78], [0.0, 0.45, 1.0], u)
    lean = window(u, 0.0, 1.0, 0.42, 0.5)
    track.trunk[:, 0] += 0.85 * lean
    track.pelvis[:, 0] += 0.45 * lean - 0.25 * ease((u - 0.6) / 0.4)
    track.head[:, 0] -= 0.4 * lean


def _slide_foot(
    track: Track, u: np.ndarray, side: int, start: float, end: float, place: np.ndarray, pitch: float, who: Performer
) -> None:
    """Move a foot near the floor to a place."""
    s = ease((u - start) / (end - start))
    begin = track.ankle[:, side].copy()
    track.ankle[:, side] = begin + s[:, None] * (place - begin)
    track.ankle[:, side, 1] += 0.03 * np.sqrt(np.maximum(np.sin(np.pi * s), 0.0))
    track.foot[:, side, 1] += s * pitch
    track.planted[:, side] &= s <= 0.0


def lie_down(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lie down on the back over sitting, or on the belly over hands and knees, and stay."""
    return _supine(action, who, rng) if action.direction == "back" else _prone(action, who, rng)


def _supine(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    track, u = _still(seconds(action, who, rng.uniform(3.0, 3.6)), who)
    seat = np.array([0.0, 0.11, rng.uniform(-0.32, -0.26)])
    early = np.minimum(u / 0.62, 1.0)
    _sink(track, early, seat, who)
    back = keyframes([0.52, 0.78, 1.0], [0.0, 0.6, 1.0], u)
    flat = np.radians(rng.uniform(84.0, 88.0))
    track.pelvis[:, 0] -= (flat - 0.25) * back
    track.trunk[:, 0] -= flat * back
    track.head[:, 0] += 0.35 * window(u, 0.5, 1.0, 0.25, 0.2) - 0.40 * back
    track.root[:, 2] -= 0.05 * back
    bent = rng.random() < 0.3
    for side in (0, 1):
        z = seat[2] + (rng.uniform(0.42, 0.5) if bent else 0.81)
        high = who.body.ankle_height[side] if bent else 0.06
        place = np.array([_SIGN[side] * rng.uniform(0.10, 0.16), high, z])
        _slide_foot(track, u, side, 0.5 + 0.06 * side, 0.92, place, 0.0 if bent else np.radians(-50.0), who)
        prop = window(u, 0.22, 0.86, 0.22, 0.2)
        track.hands[:, side, :3] = [_SIGN[side] * 0.30, _WRIST, seat[2] - 0.24]
        track.hands[:, side, 3] = prop
        # The idle arms hang towards the ground when the trunk leans; on the floor they lie beside it.
        track.arms[:, side, 0] += back * (0.8 * flat + 0.10)
        track.arms[:, side, 1] += back * rng.uniform(0.05, 0.3)
    return concatenate([track, track.hold(round(rng.uniform(0.7, 1.2) * FPS))])


def _prone(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    low = _on_all_fours(seconds(action, who, rng.uniform(1.3, 1.7)), action, who, rng)
    flat = low.copy_range(low.frames - 1, low.frames).hold(round(seconds(action, who, rng.uniform(1.1, 1.5)) * FPS))
    u = np.linspace(0.0, 1.0, flat.frames)
    s = ease(u)
    pelvis = float(flat.root[0, 1]) + who.body.pelvis_height
    flat.root[:, 1] += s * (0.13 - pelvis)
    flat.root[:, 2] += s * 0.22
    for name, angle in (("pelvis", 86.0), ("trunk", 88.0)):
        curve = getattr(flat, name)
        curve[:, 0] += s * (np.radians(angle) - curve[0, 0])
    flat.head[:, 0] += s * (0.25 - flat.head[0, 0])
    flat.head[:, 1] += s * rng.choice([-0.5, 0.5])
    for side in (0, 1):
        thigh, shin = who.body.leg_lengths[side]
        knee = np.array([_SIGN[side] * 0.11, 0.075, flat.root[-1, 2] - 0.07 - thigh])
        high = flat.root[:, 1] + who.body.pelvis_height - 0.075
        behind = flat.root[:, 2] - 0.08 - np.sqrt(np.maximum(thigh**2 - high**2, 0.0))
        flat.knees[:, side, 2] += ease(u / 0.25) * (behind - flat.knees[:, side, 2])
        flat.knees[:, side, 1] = 0.075
        place = knee + np.array([0.0, -0.02, -shin])
        flat.ankle[:, side] += s[:, None] * (place - flat.ankle[:, side])
        flat.foot[:, side, 1] += s * (_FLAT - flat.foot[:, side, 1])
        hand = flat.hands[0, side, :3].copy()
        flat.hands[:, side, :3] = hand + s[:, None] * [_SIGN[side] * 0.12, 0.0, 0.04]
    return concatenate([low, flat, flat.hold(round(rng.uniform(0.7, 1.1) * FPS))])


def get_up(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Rise from the floor: the way down, played backwards."""
    down = {"seat": sit_floor, "back": _supine, "belly": _prone}[action.direction or "seat"]
    return down(action, who, rng).reverse()
