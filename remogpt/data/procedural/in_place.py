"""Animate leg actions on one spot with at least one foot on the floor: squat, sit, kneel, lunge, kick, knee raise, ...

Every function returns a `Track` that starts in the neutral stance; all but `sit` and `kneel` end in it.
"""

import numpy as np

from remogpt.data.procedural.curves import FPS, apply, ease, heading_vector, keyframes, rotation, window
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SLOWNESS = {"slow": 1.45, "normal": 1.0, "fast": 0.72}
_SIGN = (1.0, -1.0)


def seconds(action: Action, who: Performer, nominal: float) -> float:
    """Scale a nominal duration by the action's speed and the take's tempo and hurry."""
    return nominal * _SLOWNESS[action.speed] * who.posture.tempo / who.hurry


def side_index(side: str | None) -> int:
    """0 for left, 1 for right."""
    return 0 if side == "left" else 1


def blank(duration: float, who: Performer) -> tuple[Track, np.ndarray]:
    """Neutral track of `duration` seconds and its times."""
    frames = round(duration * FPS) + 1
    return Track.still(frames, who.stance), np.arange(frames) / FPS


def move_foot(
    track: Track,
    t: np.ndarray,
    side: int,
    start: float,
    end: float,
    to: np.ndarray,
    lift: float,
    who: Performer,
    yaw: float = 0.0,
) -> None:
    """Move one foot from its position to the flat ankle position `to`."""
    u = (t - start) / (end - start)
    air, after = (u > 0.0) & (u < 1.0), u >= 1.0
    begin = track.ankle[np.argmax(u > 0.0) if (u > 0.0).any() else -1, side].copy()
    old_yaw = float(track.foot[np.argmax(u > 0.0), side, 0])
    new_yaw = float(who.stance.foot_yaw[side] + yaw)
    s = ease(u)[:, None]
    ankle = begin + s * (to - begin)
    ankle[:, 1] += lift * np.sin(np.pi * np.clip(u, 0, 1)) ** 2
    pitch = 0.30 * np.sin(np.pi * np.clip(u / 0.7, 0, 1)) * min(1.0, lift / 0.05)
    moving = air | after
    track.ankle[moving, side] = ankle[moving]
    track.foot[moving, side, 0] = (old_yaw + s[:, 0] * (new_yaw - old_yaw))[moving]
    track.foot[air, side, 1] = pitch[air]
    ball = apply(rotation(track.foot[:, side, 0], track.foot[:, side, 1], 0.0), who.body.foot_vectors[side])[:, 1]
    track.ankle[air, side, 1] += np.maximum(0.012 - ball - track.ankle[:, side, 1], 0.0)[air]
    track.planted[air, side] = False


def pulses(t: np.ndarray, count: int, period: float, start: float, hold: float = 0.12) -> np.ndarray:
    """Go 0 -> 1 -> 0 `count` times; `hold` is the share of a period spent at 1."""
    times, values = [start], [0.0]
    for k in range(count):
        a = start + k * period
        times += [a + period * (0.5 - hold / 2), a + period * (0.5 + hold / 2), a + period]
        values += [1.0, 1.0, 0.0]
    return keyframes(times, values, t)


def squat(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Go down on both legs and up, `count` times."""
    count = action.count or 1
    period = seconds(action, who, rng.uniform(1.5, 2.0))
    track, t = blank(count * period + 0.3, who)
    depth = rng.uniform(0.42, 0.55) * who.body.pelvis_height - who.posture.knee_bend
    bend = pulses(t, count, period, 0.1, rng.uniform(0.05, 0.2))
    track.root[:, 1] -= depth * bend
    track.root[:, 2] -= rng.uniform(0.06, 0.14) * bend
    lean = rng.uniform(0.35, 0.7)
    track.trunk[:, 0] += lean * bend
    track.pelvis[:, 0] += 0.6 * lean * bend
    track.head[:, 0] -= 0.5 * lean * bend
    track.knee += 0.25 * bend[:, None]
    if rng.random() < 0.6:
        track.arms += bend[:, None, None] * np.array([rng.uniform(0.7, 1.6) + 0.5 * lean, -0.05, -0.1, 0.0])
    return track


def sit(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Sit down on a seat of chair height behind the person, and stay."""
    going = seconds(action, who, rng.uniform(1.3, 1.8))
    track, t = blank(going + rng.uniform(0.7, 1.1), who)
    seat = rng.uniform(0.48, 0.54)
    down = ease((t - 0.1) / going)
    lean = np.sin(np.pi * np.clip((t - 0.05) / (going * 1.15), 0, 1)) ** 2
    track.root[:, 1] += (seat - who.body.pelvis_height + who.posture.knee_bend) * down
    track.root[:, 2] -= rng.uniform(0.34, 0.42) * ease((t - 0.05) / (0.9 * going))
    track.trunk[:, 0] += 0.62 * lean + rng.uniform(-0.1, 0.08) * down
    track.pelvis[:, 0] += 0.4 * lean - 0.1 * down
    track.head[:, 0] -= 0.35 * lean
    on_knees = np.array([rng.uniform(0.25, 0.5), -0.06, rng.uniform(0.5, 0.9), rng.uniform(0.0, 0.3)])
    track.arms += (down * 0.9 + 0.25 * lean)[:, None, None] * on_knees
    return track


def kneel(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Step forward with the other foot, lower the named knee to the floor, and stay."""
    knee, front = side_index(action.side), 1 - side_index(action.side)
    going = seconds(action, who, rng.uniform(1.6, 2.0))
    track, t = blank(going + rng.uniform(0.7, 1.1), who)
    thigh, shin = who.body.leg_lengths[knee]
    ahead = rng.uniform(0.36, 0.44)
    place = who.stance.ankles[front] + np.array([0.02 * _SIGN[front], 0.0, ahead])
    move_foot(track, t, front, 0.05, 0.45 * going, place, 0.07, who)
    down = ease((t - 0.25 * going) / (0.75 * going))
    low = thigh + 0.055 + (who.body.pelvis_height - who.body.leg_lengths.sum(1).min() - who.body.ankle_height.min())
    track.root[:, 1] += (low - who.body.pelvis_height + who.posture.knee_bend) * down
    track.root[:, 2] += keyframes([0.0, 0.5 * going, going], [0.0, 0.16, 0.10], t)
    back = who.stance.ankles[knee] + np.array([0.0, 0.0, 0.10 - shin * 0.93 + 0.02 - who.stance.ankles[knee, 2]])
    raise_heel = ease((t - 0.3 * going) / (0.5 * going))
    _drag_back(track, t, knee, back, going, raise_heel, who)
    track.trunk[:, 0] += 0.25 * np.sin(np.pi * np.clip(t / going, 0, 1)) ** 2 + 0.05 * down
    track.arms[:, front] += down[:, None] * np.array([0.45, -0.03, 0.5, 0.2])
    return track


def _drag_back(
    track: Track, t: np.ndarray, side: int, place: np.ndarray, going: float, heel: np.ndarray, who: Performer
) -> None:
    """Move the kneeling foot back on its toes while the knee comes down."""
    s = ease((t - 0.3 * going) / (0.55 * going))
    start = who.stance.ankles[side].copy()
    ankle = start + s[:, None] * (place - start)
    pitch = 1.1 * heel
    yaw = who.stance.foot_yaw[side] * (1 - s)
    foot = who.body.foot_vectors[side]
    ball = apply(rotation(yaw, pitch, 0.0), foot)
    ankle[:, 1] = 0.012 - ball[:, 1]
    track.ankle[:, side] = ankle
    track.foot[:, side, 0], track.foot[:, side, 1] = yaw, pitch
    track.planted[:, side] = s <= 0.0


def lunge(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Step far forward, sink, and push back, `count` times."""
    side, count = side_index(action.side), action.count or 1
    period = seconds(action, who, rng.uniform(1.9, 2.4))
    track, t = blank(count * period + 0.25, who)
    far = rng.uniform(0.68, 0.85)
    depth = rng.uniform(0.24, 0.34)
    for k in range(count):
        a = 0.1 + k * period
        place = who.stance.ankles[side] + np.array([0.0, 0.0, far])
        move_foot(track, t, side, a, a + 0.28 * period, place, 0.10, who)
        move_foot(track, t, side, a + 0.66 * period, a + 0.96 * period, who.stance.ankles[side], 0.09, who)
        down = keyframes([a, a + 0.28 * period, a + 0.42 * period, a + 0.55 * period, a + period], [0, 0.5, 1, 1, 0], t)
        track.root[:, 1] -= depth * down
        track.root[:, 2] += (
            0.52 * far * keyframes([a, a + 0.4 * period, a + 0.56 * period, a + period], [0, 1, 1, 0], t)
        )
        track.trunk[:, 0] += 0.14 * down
        track.arms[:, 1 - side, 0] += 0.35 * down
        track.arms[:, :, 2] += 0.35 * down[:, None]
    return track


def kick(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Chamber, extend, recoil, put down; the trunk and the arms keep the balance."""
    side, count = side_index(action.side), action.count or 1
    sign, hip = _SIGN[side], who.body.offsets[1 + side]
    period = seconds(action, who, rng.uniform(1.15, 1.5))
    shift = 0.28
    track, t = blank(count * period + 2 * shift + 0.15, who)
    leg = who.body.leg_lengths[side].sum()
    path, pitch, lean, roll, twist = _kick_keys(action.direction, sign, leg, rng)
    _lift_foot(track, t, side, count, period, shift, path, pitch, hip, who)
    strike = np.zeros(len(t))
    for k in range(count):
        a = shift + k * period
        strike += window(t, a + 0.05 * period, a + 0.9 * period, 0.38 * period, 0.45 * period)
    track.trunk[:, 0] += lean * strike
    track.trunk[:, 2] += roll * strike
    track.trunk[:, 1] += twist * strike
    track.pelvis[:, 0] += 0.7 * min(lean, 0.1) * strike + (0.45 * lean * strike if lean > 0 else 0.0)
    track.pelvis[:, 2] += 0.8 * roll * strike
    track.head[:, 0] -= 0.6 * lean * strike
    guard = rng.random() < 0.4
    for arm in (0, 1):
        same = arm == side
        pose = np.array([0.55, 0.0, 1.5, 0.5]) if guard else np.array([-0.35 if same else 0.55, 0.3, 0.35, 0.0])
        envelope = window(t, 0.0, t[-1], 0.4) if guard else strike
        track.arms[:, arm] += envelope[:, None] * pose * rng.uniform(0.7, 1.1)
    return track


def _kick_keys(
    direction: str | None, sign: float, leg: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[float], float, float, float]:
    """Ankle from the hip at chamber, peak and recoil (metres), foot pitch there, trunk pitch, roll and twist."""
    height = rng.uniform(0.0, 1.0)
    if direction == "forward":
        up = np.radians(55.0 + 40.0 * height)
        peak = 0.97 * leg * np.array([0.02 * sign, -np.cos(up), np.sin(up)])
        path = np.array([[0.02 * sign, -0.50, 0.05], peak, [0.02 * sign, -0.42, 0.22]])
        return path, [0.5, 0.25, 0.5], -0.10 - 0.22 * height, 0.0, sign * 0.12
    if direction == "side":
        up = np.radians(52.0 + 35.0 * height)
        peak = 0.97 * leg * np.array([sign * np.sin(up), -np.cos(up), 0.06])
        path = np.array([[0.08 * sign, -0.50, 0.12], peak, [0.14 * sign, -0.48, 0.1]])
        return path, [0.3, 0.1, 0.3], 0.0, sign * (0.22 + 0.3 * height), 0.0
    up = np.radians(40.0 + 26.0 * height)
    peak = 0.97 * leg * np.array([0.03 * sign, -np.cos(up), -np.sin(up)])
    path = np.array([[0.02 * sign, -0.58, 0.10], peak, [0.02 * sign, -0.62, -0.12]])
    return path, [0.3, 0.5, 0.5], 0.25 + 0.4 * height, 0.0, 0.0


def _lift_foot(
    track: Track, t: np.ndarray, side: int, count: int, period: float, shift: float, path: np.ndarray,
    pitch: list[float], hip: np.ndarray, who: Performer, touch: bool = True,
) -> None:  # fmt: skip
    """Shift the weight to the other leg, then take the foot through `path` (from the hip) `count` times."""
    support = who.stance.ankles[1 - side]
    weight = window(t, 0.0, t[-1], shift + 0.2)
    track.root[:, 0] += 0.72 * support[0] * weight
    track.root[:, 1] += 0.4 * who.posture.knee_bend * weight
    place = who.stance.ankles[side]
    hips = track.root + np.array([0.0, who.body.pelvis_height, 0.0]) + hip
    marks, spots, pitches = [0.0], [np.zeros(4)], [0.0]
    shares = (0.0, 0.36, 0.52, 0.70, 1.0)
    for k in range(count):
        a = shift + k * period
        for share, spot, angle in zip(shares[1:4], path, pitch, strict=True):
            marks.append(a + share * period)
            spots.append(np.append(spot, 1.0))
            pitches.append(angle)
        if touch or k == count - 1:
            marks += [a + 0.97 * period, a + period]
            spots += [np.zeros(4)] * 2
            pitches += [0.0, 0.0]
    marks.insert(1, shift)
    spots.insert(1, np.zeros(4))
    pitches.insert(1, 0.0)
    keyed = keyframes(marks, np.array(spots), t)
    free = keyed[:, 3:]
    moved = (1.0 - free) * place + free * hips + keyed[:, :3]
    track.ankle[:, side] = np.where(free > 1e-4, moved, place)
    track.foot[:, side, 1] = keyframes(marks, pitches, t)
    track.foot[:, side, 0] = who.stance.foot_yaw[side] * (1.0 - 0.6 * free[:, 0])
    track.planted[:, side] = free[:, 0] <= 1e-4
    ball = apply(rotation(track.foot[:, side, 0], track.foot[:, side, 1], 0.0), who.body.foot_vectors[side])[:, 1]
    track.ankle[:, side, 1] += np.maximum(0.010 - ball - track.ankle[:, side, 1], 0.0)


def knee_raise(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lift one knee, or both in turn (marching on the spot)."""
    count = action.count or 1
    both = action.side == "both"
    period = seconds(action, who, rng.uniform(0.62, 0.8) if both else rng.uniform(1.1, 1.4))
    shift = 0.25
    track, t = blank(count * period + 2 * shift + 0.1, who)
    high = rng.uniform(0.02, 0.14)
    first = int(rng.integers(2)) if both else side_index(action.side)
    sway = np.zeros(len(t))
    for k in range(count):
        side = first if not both or k % 2 == 0 else 1 - first
        a = shift + k * period
        up = window(t, a, a + period, 0.48 * period)
        raise_knee(track, up, side, high, who)
        lean = window(t, a - 0.22, a + period + 0.22, 0.5 * period + 0.1)
        sway += lean * who.stance.ankles[1 - side, 0]
        track.pelvis[:, 2] += 0.06 * _SIGN[side] * up
        swing = 0.5 * who.posture.swing**0.5 * up
        track.arms[:, 1 - side, 0] += swing
        track.arms[:, side, 0] -= 0.6 * swing
        track.arms[:, 1 - side, 2] += 0.9 * swing
    track.root[:, 0] += np.clip(sway, -abs(who.stance.ankles[:, 0]).max(), abs(who.stance.ankles[:, 0]).max()) * 0.6
    return track


def raise_knee(track: Track, up: np.ndarray, side: int, high: float, who: Performer) -> None:
    """Bring the thigh near level, shin hanging, where `up` is 1. `high` is how far the knee rises above level."""
    thigh, shin = who.body.leg_lengths[side]
    place = who.stance.ankles[side]
    hip = who.body.offsets[1 + side]
    level = np.sqrt(thigh**2 - high**2)
    lifted = hip + np.array(
        [0.0, who.body.pelvis_height - who.posture.knee_bend + high - shin * 0.97, 0.94 * level - 0.04]
    )
    air = up > 1e-4
    arc = np.sin(0.5 * np.pi * up)[:, None]
    ankle = place + np.concatenate([up[:, None], arc**1.0, up[:, None]], axis=1) * (lifted - place)
    track.ankle[air, side] = ankle[air]
    track.foot[air, side, 1] = (0.45 * np.sin(np.pi * np.minimum(up, 0.75)))[air]
    track.planted[air, side] = False
    ball = apply(rotation(track.foot[:, side, 0], track.foot[:, side, 1], 0.0), who.body.foot_vectors[side])[:, 1]
    track.ankle[:, side, 1] += np.maximum(0.010 - ball - track.ankle[:, side, 1], 0.0)


def balance(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Stand on one leg for a while, arms a little out."""
    side = side_index(action.side)
    track, t = blank(seconds(action, who, rng.uniform(3.2, 4.5)), who)
    up = window(t, 0.35, t[-1] - 0.3, 0.7)
    raise_knee(track, up, side, rng.uniform(-0.2, 0.03), who)
    weight = window(t, 0.0, t[-1], 0.6)
    track.root[:, 0] += 0.85 * who.stance.ankles[1 - side, 0] * weight
    wobble = np.sin(2 * np.pi * rng.uniform(0.4, 0.7) * t) * up
    track.trunk[:, 2] += 0.05 * wobble + 0.06 * _SIGN[side] * up
    out = rng.uniform(0.2, 1.1)
    track.arms[:, 0] += (up * (1 + 0.12 * wobble))[:, None] * np.array([0.1, out, 0.1, -0.2])
    track.arms[:, 1] += (up * (1 - 0.12 * wobble))[:, None] * np.array([0.1, out, 0.1, -0.2])
    return track


def step(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """One step; the other foot follows."""
    side = side_index(action.side)
    way = {"forward": (0.0, 1.0), "backward": (0.0, -1.0), "left": (1.0, 0.0), "right": (-1.0, 0.0)}[
        action.direction or "forward"
    ]
    length = rng.uniform(0.42, 0.62) * (0.8 if way[0] else 1.0)
    going = seconds(action, who, 1.5)
    track, t = blank(going + 0.3, who)
    move = heading_vector(0.0, way[0] * length, way[1] * length)
    move_foot(track, t, side, 0.12, 0.12 + 0.42 * going, who.stance.ankles[side] + move, 0.06, who)
    move_foot(track, t, 1 - side, 0.1 + 0.52 * going, 0.1 + 0.94 * going, who.stance.ankles[1 - side] + move, 0.05, who)
    track.root += ease((t - 0.1) / (0.9 * going))[:, None] * move
    other = who.stance.ankles[1 - side, 0]
    track.root[:, 0] += 0.35 * other * window(t, 0.0, 0.5 * going, 0.25 * going)
    track.root[:, 1] -= 0.015 * window(t, 0.0, going, 0.5 * going)
    swing = 0.2 * who.posture.swing * way[1] * window(t, 0.1, going, 0.4 * going)
    track.arms[:, 1 - side, 0] += swing
    track.arms[:, side, 0] -= swing
    return track


def dance(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Step from side to side to a beat while the arms swing in front and the hips turn."""
    beat = seconds(action, who, rng.uniform(0.62, 0.78))
    bars = int(rng.integers(3, 5)) * 2
    track, t = blank(bars * beat + 0.3, who)
    wide = rng.uniform(0.16, 0.28)
    for k in range(bars):
        side, a = k % 2, 0.1 + k * beat
        out = who.stance.ankles[side] + np.array([wide * _SIGN[side], 0.0, rng.uniform(0.0, 0.08)])
        move_foot(track, t, side, a, a + 0.42 * beat, out, 0.07, who)
        move_foot(track, t, side, a + 0.56 * beat, a + 0.98 * beat, who.stance.ankles[side], 0.05, who)
    there = window(t, 0.0, t[-1], 0.4)
    phase = np.pi * (t - 0.1) / beat
    track.root[:, 0] += there * 0.5 * wide * np.sin(phase)
    track.root[:, 1] -= there * (0.03 + 0.025 * np.cos(2 * phase))
    track.pelvis[:, 2] += there * 0.12 * np.sin(phase)
    track.pelvis[:, 1] += there * 0.2 * np.sin(phase)
    track.trunk[:, 1] -= there * rng.uniform(0.1, 0.35) * np.sin(phase)
    track.trunk[:, 2] += there * 0.08 * np.sin(phase)
    high, elbow = rng.uniform(0.3, 1.6), rng.uniform(0.8, 1.5)
    for arm in (0, 1):
        wave = np.sin(phase * rng.choice([1.0, 2.0]) + rng.uniform(-0.4, 0.4) + (np.pi if arm else 0.0))
        track.arms[:, arm] += there[:, None] * (
            np.array([high, 0.25, elbow, 0.1]) + wave[:, None] * np.array([0.35, 0.2, 0.35, 0.4])
        )
    return track


def pick_up(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Bend hips and knees until the hands come near the floor, take something, stand up."""
    going = seconds(action, who, rng.uniform(2.2, 2.9))
    track, t = blank(going + 0.2, who)
    down = keyframes([0.05, 0.42 * going, 0.55 * going, going], [0.0, 1.0, 1.0, 0.0], t)
    deep = rng.uniform(0.24, 0.44)
    lean = np.radians(118.0) - deep * 1.05
    track.root[:, 1] -= deep * down
    track.root[:, 2] -= 0.10 * down
    track.pelvis[:, 0] += 0.55 * lean * down
    track.trunk[:, 0] += lean * down
    track.head[:, 0] -= 0.35 * lean * down
    for arm in (0, 1):
        used = action.side == "both" or arm == side_index(action.side)
        pose = np.array([0.15, 0.0, -0.15, 0.1]) if used else np.array([-0.25, 0.1, rng.uniform(0.9, 1.3), 0.2])
        carry = window(t, 0.5 * going, going + 0.1, 0.3 * going) if used else 0.0 * t
        track.arms[:, arm] += down[:, None] * pose + (carry * (1 - down))[:, None] * np.array([0.25, 0.0, 0.9, 0.2])
    return track
