"""Animate what a shove does: stumbling a few steps until the balance is back, and falling down to the floor.

Angles are radians; places are metres around the start, which faces +Z.
"""

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, smooth, window
from remogpt.data.procedural.in_place import blank, move_foot, seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_KNEE, _WRIST = 0.08, 0.055
"""Heights of a knee and of a wrist that rest on the floor."""
_TUCKED, _FLAT = np.radians(100.0), np.radians(150.0)
"""Pitch of a foot that stands on its toes behind the knee, and of one whose back lies on the floor."""
_WAYS = {"forward": (0.0, 1.0), "backward": (0.0, -1.0), "left": (1.0, 0.0), "right": (-1.0, 0.0)}
"""Directions of a shove's effect, as (x, z): who is pushed from behind goes forward."""


def pushed(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Get shoved: the chest is thrown in `direction`, one to three quick steps catch it, and the body comes upright."""
    way = np.array(_WAYS[action.direction or "forward"])
    aside = way[0] != 0.0
    number = int(rng.choice([1, 2, 3], p=[0.35, 0.4, 0.25])) if not aside else int(rng.choice([1, 2], p=[0.6, 0.4]))
    hit = rng.uniform(0.25, 0.5)
    beat = rng.uniform(0.24, 0.30) / who.hurry**0.5
    lands, places, feet = _recovery(hit, beat, number, way, rng)
    done = lands[-1]
    track, t = blank(done + seconds(action, who, rng.uniform(0.75, 1.1)), who)
    lift = rng.uniform(0.05, 0.10)
    for foot, land, (x, z), short in zip(feet, lands, places, [*[0.0] * (len(feet) - 1), 0.06], strict=True):
        ankle = who.stance.ankles[foot] + np.array([x, 0.0, z])
        move_foot(track, t, foot, land - beat - 0.04 - short, land + short, ankle, lift, who)
    total = np.array(places[-1])
    # The pelvis follows the chest: it hangs behind the steps at first, and runs a little over the last one.
    stops = [0.55 * np.array(places[k]) + 0.45 * np.array(places[k - 1] if k else (0.0, 0.0)) for k in range(number)]
    marks = [hit, hit + 0.14, *lands[:number], done + 0.1, done + 0.45]
    over = total + 0.04 * way
    keys = np.array([np.zeros(2), 0.06 * way, *stops, over, total])
    moved = keyframes(marks, keys, t)
    track.root[:, 0] += moved[:, 0]
    track.root[:, 2] += moved[:, 1]
    track.root[:, 1] -= rng.uniform(0.03, 0.08) * window(t, hit + 0.05, done + 0.6, 0.3, 0.5)
    _jerk(track, t, hit, done, action.direction or "forward", rng)
    return track


def _recovery(
    hit: float, beat: float, number: int, way: np.ndarray, rng: np.random.Generator
) -> tuple[list[float], list[tuple[float, float]], list[int]]:
    """Return when each step lands in seconds, how far it is from the foot's first place as (x, z), and whose it is."""
    length = rng.uniform(0.26, 0.42) * (0.85 if way[1] <= 0.0 else 1.0)
    lands = [hit + 0.10 + (k + 1) * beat for k in range(number)]
    if way[0] != 0.0:  # out with the foot on that side, the other one follows each time
        outer = 0 if way[0] > 0.0 else 1
        lands = [hit + 0.10 + (k + 1) * beat for k in range(2 * number)]
        far = [length * (1.0 + k // 2) for k in range(2 * number)]
        feet = [outer if k % 2 == 0 else 1 - outer for k in range(2 * number)]
    else:
        first = int(rng.integers(2))
        feet = [(first + k) % 2 for k in range(number + 1)]
        far = [length * (1.0 + 0.8 * k) for k in range(number)]
        far.append(far[-1])
        lands.append(lands[-1] + 1.35 * beat)
    return lands, [(float(way[0] * one), float(way[1] * one)) for one in far], feet


def _jerk(track: Track, t: np.ndarray, hit: float, done: float, direction: str, rng: np.random.Generator) -> None:
    """Throw the chest ahead of the hips; the head and the arms lag behind, then fly up and settle."""
    quick = rng.uniform(0.16, 0.22)
    deep = rng.uniform(0.42, 0.62)
    blow = keyframes([hit, hit + quick, hit + quick + 0.3, done, done + 0.5], [0.0, 1.0, 0.75, 0.3, 0.0], t)
    blow = smooth(blow, 0.6)
    lag = keyframes([hit, hit + 0.12, hit + 0.34, hit + 0.6], [0.0, 1.0, -0.4, 0.0], t)
    if direction == "forward":
        track.trunk[:, 0] += deep * blow
        track.pelvis[:, 0] += 0.35 * deep * blow
        track.head[:, 0] -= 0.35 * lag + 0.3 * deep * blow
    elif direction == "backward":
        counter = keyframes([hit + 0.3, done, done + 0.55], [0.0, rng.uniform(0.1, 0.3), 0.0], t)
        track.trunk[:, 0] += counter - 0.85 * deep * blow
        track.pelvis[:, 0] += 0.5 * counter - 0.4 * deep * blow
        track.head[:, 0] += 0.4 * lag + 0.35 * deep * blow
    else:
        sign = -1.0 if direction == "left" else 1.0  # a positive roll leans to the right
        track.trunk[:, 2] += 0.85 * sign * deep * blow
        track.pelvis[:, 2] += 0.3 * sign * deep * blow
        track.trunk[:, 0] += 0.10 * blow
        track.trunk[:, 1] += rng.uniform(-0.2, 0.2) * blow
        track.head[:, 1] += rng.uniform(-0.3, 0.3) * blow
    raised = rng.uniform(0.5, 1.0)
    for arm, sign in enumerate(_SIGN):
        late = rng.uniform(0.04, 0.12)
        fly = window(t, hit + late, done + rng.uniform(0.5, 0.8), rng.uniform(0.25, 0.35), 0.6)
        ahead = {"forward": rng.uniform(0.2, 0.8), "backward": rng.uniform(0.5, 1.1)}.get(direction, 0.3)
        outer = {"left": -sign, "right": sign}.get(direction, 0.0)
        out = rng.uniform(0.35, 0.7) * (1.0 + 0.4 * outer)
        pose = np.array([ahead, out, rng.uniform(0.4, 0.9), 0.0]) * raised
        track.arms[:, arm] += fly[:, None] * pose
        # The arms stay where they were while the chest is thrown.
        track.arms[:, arm, 0] += {"forward": -0.35, "backward": 0.35}.get(direction, 0.0) * np.maximum(lag, 0.0)


def fall(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lose the balance and drop to the floor in about a second: onto belly, back or hip, over knees, seat or hands."""
    drop = (rng.uniform(0.95, 1.25) if action.direction == "backward" else rng.uniform(0.85, 1.15)) / who.hurry**0.5
    lead, rest = rng.uniform(0.1, 0.3), rng.uniform(0.9, 1.4)
    track, t = blank(lead + drop + rest, who)
    u = (t - lead) / drop
    if action.direction == "backward":
        _fall_back(track, u, who, rng)
    elif action.direction in ("left", "right"):
        _fall_aside(track, u, 0 if action.direction == "left" else 1, who, rng)
    else:
        _fall_ahead(track, u, who, rng)
    return track


def _fall_ahead(track: Track, u: np.ndarray, who: Performer, rng: np.random.Generator) -> None:
    """Tip over the toes, hit the floor with both knees, then with the hands, and end on the belly."""
    knees_hit, hands_hit = rng.uniform(0.50, 0.58), rng.uniform(0.68, 0.76)
    thigh, shin = who.body.leg_lengths.mean(axis=0)
    pitch = keyframes([0.1, knees_hit, 1.0, 1.35], [0.0, _TUCKED, _TUCKED, _FLAT], u)
    for side in (0, 1):
        foot, yaw = who.body.foot_vectors[side], track.foot[:, side, 0].copy()
        ball = track.ankle[:, side] + apply(rotation(yaw, 0.0, 0.0), foot)
        track.foot[:, side, 0] *= 1.0 - 0.7 * ease(u / knees_hit)
        turned = apply(rotation(track.foot[:, side, 0], pitch, 0.0), foot)
        ankle = ball - turned
        ankle[:, 1] = np.maximum(0.016 - turned[:, 1], 0.05)
        track.ankle[:, side], track.foot[:, side, 1] = ankle, pitch
        track.planted[:, side] = u < 0.1
        track.knees[:, side, :3] = [_SIGN[side] * rng.uniform(0.10, 0.15), _KNEE, ankle[-1, 2] + 0.97 * shin]
        track.knees[:, side, 3] = ease((u - 0.5 * knees_hit) / (0.5 * knees_hit))
    knee = float(track.knees[-1, :, 2].mean())
    standing = who.body.pelvis_height + track.root[0, 1]
    bounce = 0.02 * np.sin(2.0 * np.pi * np.clip((u - 0.98) / 0.3, 0.0, 1.0)) * ease((1.3 - u) / 0.3)
    high = keyframes([0.0, 0.25, knees_hit, hands_hit, 0.96], [standing, 0.93 * standing, 0.47, 0.29, 0.13], u)
    track.root[:, 1] = high + np.maximum(bounce, 0.0) - who.body.pelvis_height
    # From where the knees are on the floor, the thighs turn about them.
    over = np.sqrt(np.maximum(thigh**2 - np.maximum(high - 0.04 - _KNEE, 0.0) ** 2, 0.0))
    free = keyframes([0.0, 0.25, knees_hit], [0.0, 0.15, knee + 0.13], u)
    s = ease((u - 0.8 * knees_hit) / (0.5 * knees_hit))
    track.root[:, 2] += free + s * (knee + np.minimum(over, thigh) - free)
    marks = [0.0, 0.25, knees_hit, hands_hit, 0.93, 1.12, 1.3]
    track.trunk[:, 0] += np.radians(keyframes(marks, [0, 28, 50, 70, 88, 85, 88], u)) - who.posture.lean * ease(u)
    track.pelvis[:, 0] += np.radians(keyframes(marks, [0, 14, 28, 60, 87, 84, 86], u))
    track.trunk[:, 1] += rng.uniform(-0.15, 0.15) * window(u, 0.1, 1.0, 0.4)
    track.head[:, 0] += keyframes([0.0, 0.5, 0.9, 1.3], [0.0, -0.55, -0.35, 0.15], u)
    track.head[:, 1] += rng.choice([-0.5, 0.5]) * ease((u - 0.7) / 0.6)
    end = float(track.root[-1, 2])
    for side in (0, 1):
        place = [_SIGN[side] * rng.uniform(0.24, 0.34), _WRIST, end + rng.uniform(0.38, 0.52)]
        track.hands[:, side, :3] = place
        track.hands[:, side, 3] = ease((u - 0.3) / (hands_hit - 0.3 + 0.04 * side))
        up = window(u, 0.02, hands_hit, 0.4, 0.35)
        track.arms[:, side] += up[:, None] * np.array([rng.uniform(0.6, 1.1), rng.uniform(0.1, 0.5), 0.5, 0.0])


def _fall_back(track: Track, u: np.ndarray, who: Performer, rng: np.random.Generator) -> None:
    """Tip over the heels, hit the floor with the seat and the hands, roll onto the back while the feet fly up."""
    seat_hit, back_hit = rng.uniform(0.55, 0.62), rng.uniform(0.86, 0.95)
    seat = np.array([0.12, rng.uniform(-0.52, -0.42)])
    standing = who.body.pelvis_height + track.root[0, 1]
    bounce = 0.018 * np.sin(np.pi * np.clip((u - seat_hit) / 0.16, 0.0, 1.0)) ** 2
    high = keyframes([0.0, 0.2, 0.4, seat_hit], [standing, 0.93 * standing, 0.66 * standing, seat[0]], u)
    track.root[:, 1] = high + bounce - who.body.pelvis_height
    track.root[:, 2] += keyframes([0.0, 0.22, seat_hit, back_hit], [0.0, -0.12, seat[1] + 0.03, seat[1]], u)
    marks = [0.0, 0.2, 0.42, seat_hit, back_hit, back_hit + 0.16, back_hit + 0.32]
    flat = rng.uniform(84.0, 88.0)
    track.trunk[:, 0] += np.radians(keyframes(marks, [0, -16, 4, 2, -flat, 4 - flat, -flat], u))
    track.trunk[:, 0] -= who.posture.lean * ease(u)
    track.pelvis[:, 0] += np.radians(keyframes(marks, [0, -10, 0, -20, 14 - flat, 14 - flat, 12 - flat], u))
    track.trunk[:, 1] += rng.uniform(-0.15, 0.15) * window(u, 0.1, 1.0, 0.4)
    chin = rng.uniform(0.35, 0.6)
    track.head[:, 0] += keyframes([0.0, 0.4, 0.8, back_hit + 0.1, back_hit + 0.5], [0.0, chin, chin, chin, -0.38], u)
    bent, fly = rng.random() < 0.35, rng.uniform(0.16, 0.34)
    arms_out = rng.uniform(0.1, 0.9)
    for side in (0, 1):
        leaves, lands = seat_hit - 0.12 + 0.03 * side, back_hit + 0.28 + rng.uniform(0.0, 0.12)
        s = ease((u - leaves) / (lands - leaves))
        ahead = seat[1] + (rng.uniform(0.46, 0.54) if bent else 0.88)
        place = [_SIGN[side] * rng.uniform(0.10, 0.18), who.body.ankle_height[side] if bent else 0.06, ahead]
        track.ankle[:, side] += s[:, None] * (np.array(place) - track.ankle[:, side])
        track.ankle[:, side, 1] += fly * np.sin(np.pi * s) ** 1.5
        track.foot[:, side, 1] += -np.radians(35.0) * window(u, 0.1, lands, 0.3, 0.25) * (s > 0.0)
        track.foot[:, side, 1] -= 0.0 if bent else s * np.radians(50.0)
        track.planted[:, side] = s <= 0.0
        track.hands[:, side, :3] = [_SIGN[side] * 0.32, _WRIST, seat[1] - 0.22]
        track.hands[:, side, 3] = window(u, 0.26, back_hit - 0.02, seat_hit - 0.26, 0.24)
        up = window(u, 0.0, seat_hit, 0.3, 0.3)
        track.arms[:, side] += up[:, None] * np.array([rng.uniform(0.9, 1.5), rng.uniform(0.2, 0.7), 0.5, 0.0])
        lying = ease((u - seat_hit) / (back_hit - seat_hit))
        # The idle arms hang towards the ground when the trunk leans; on the floor they lie beside it.
        track.arms[:, side, 0] += lying * (0.8 * np.radians(flat) + 0.08)
        track.arms[:, side, 1] += lying * arms_out


def _fall_aside(track: Track, u: np.ndarray, side: int, who: Performer, rng: np.random.Generator) -> None:
    """Tip over one foot, hit the floor with the hip and both hands, and end on that side, knees a little bent."""
    sign, other = _SIGN[side], 1 - side
    hip_hit, chest_hit = rng.uniform(0.58, 0.66), rng.uniform(0.84, 0.92)
    far = rng.uniform(0.60, 0.70)
    standing = who.body.pelvis_height + track.root[0, 1]
    bounce = 0.02 * np.sin(np.pi * np.clip((u - hip_hit) / 0.16, 0.0, 1.0)) ** 2
    high = keyframes([0.0, 0.22, 0.42, hip_hit], [standing, 0.95 * standing, 0.66 * standing, 0.15], u)
    track.root[:, 1] = high + bounce - who.body.pelvis_height
    track.root[:, 0] += sign * keyframes([0.0, 0.22, hip_hit, chest_hit], [0.0, 0.12, 0.93 * far, far], u)
    marks = [0.0, 0.22, hip_hit, chest_hit, chest_hit + 0.15, chest_hit + 0.32]
    track.trunk[:, 2] -= sign * np.radians(keyframes(marks, [0, 20, 46, 75, 69, 72], u))
    track.pelvis[:, 2] -= sign * np.radians(keyframes(marks, [0, 12, 48, 82, 79, 81], u))
    curl = rng.uniform(0.05, 0.3)
    track.trunk[:, 0] += curl * ease(u / hip_hit) - who.posture.lean * ease(u)
    track.head[:, 0] += rng.uniform(-0.1, 0.3) * ease(u)
    for foot, leaves in ((side, 0.36), (other, 0.22)):
        s = ease((u - leaves) / (chest_hit + 0.2 - leaves))
        top = foot == other
        apart = rng.uniform(0.70, 0.76) - (rng.uniform(0.0, 0.12) if top else 0.0)
        place = np.array([sign * (far - apart), 0.15 if top else 0.08, rng.uniform(0.0, 0.10)])
        track.ankle[:, foot] += s[:, None] * (place - track.ankle[:, foot])
        track.ankle[:, foot, 1] += (0.16 if top else 0.09) * np.sin(np.pi * s) ** (1.5 if top else 0.7)
        track.foot[:, foot, 1] += (0.25 if top else -0.4) * ease(s / 0.25)
        track.planted[:, foot] = s <= 0.0
        track.knees[:, foot, :3] = 0.5 * (track.root + track.ankle[:, foot])
        track.knees[:, foot, 1] = 0.17 if top else 0.075
        track.knees[:, foot, 2] += rng.uniform(0.16, 0.24)
        track.knees[:, foot, 3] = ease((u - 0.4) / (hip_hit - 0.4))
    fly = window(u, 0.0, hip_hit, 0.3, 0.3)[:, None]
    for arm in (0, 1):
        track.arms[:, arm] += fly * np.array([rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.8), 0.4, 0.0])
    # The arm below lies on the floor ahead of the chest; the other hand stands there.
    below = np.array([rng.uniform(1.2, 1.6), -0.24, rng.uniform(0.3, 1.1), 0.0]) - who.posture.arms[side]
    track.arms[:, side] += ease((u - 0.3) / 0.35)[:, None] * below
    track.hands[:, other, :3] = [sign * (far + 0.36), _WRIST, rng.uniform(0.28, 0.38)]
    track.hands[:, other, 3] = ease((u - 0.44) / 0.36)
