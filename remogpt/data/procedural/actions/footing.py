"""Animate what feet do beside walking: stepping on the spot, jumping aside, staggering, skating.

Angles are radians; places are metres around the start, which faces +Z.
"""

from dataclasses import replace

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, smooth, window
from remogpt.data.procedural.gait import Path, walk
from remogpt.data.procedural.in_place import blank, move_foot
from remogpt.data.procedural.jumps import Leap, fly, leap_body
from remogpt.data.procedural.locomotion import Performer, walking_manner
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_TEMPO = {"slow": 0.85, "normal": 1.0, "fast": 1.15}
_WAYS = {"backward": (0.0, -1.0), "left": (1.0, 0.0), "right": (-1.0, 0.0)}
"""Directions of a stagger, as (x, z)."""
_EDGE = 0.015
"""Metres by which skates or wheels raise the feet; a gliding foot stands on no place of the floor."""


def step_in_place(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Walk on the spot: lift the feet by turns, always with one on the floor; arms hang, swing or march."""
    manner = walking_manner(0.9, who.posture, rng)
    high = rng.uniform(0.07, 0.22)
    arms = rng.choice([0.05, 0.3, 0.6], p=[0.2, 0.4, 0.4])
    manner = replace(
        manner, duty=rng.uniform(0.58, 0.64), width=max(manner.width, 0.15), lift=high / (0.45 * who.posture.lift),
        lean=rng.uniform(0.0, 0.05), behind=0.02, toe_off=rng.uniform(0.15, 0.35), heel_strike=0.0, bob=0.008,
        crouch=0.01, swing=arms * who.posture.swing**0.5, elbow=manner.elbow + arms, peak=0.45,
    )  # fmt: skip
    steps = int(rng.integers(6, 10))
    beat = rng.uniform(0.60, 0.72) / _TEMPO[action.speed] * min(who.posture.tempo, 1.15) / who.hurry**0.5
    drift = rng.normal(0.0, 0.03, 2)
    u = np.linspace(0.0, 1.0, 64)
    path = Path(ease(u)[:, None] * drift, 0.0 * u)
    return walk(
        path, steps * beat + 0.3, (0.3, 0.35), steps, manner, who.posture, who.body, who.stance, int(rng.integers(2))
    )


def side_jump(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Jump aside with both feet, `count` times, facing as before."""
    count, sign = action.count or 1, 1.0 if action.direction == "left" else -1.0
    each = sign * rng.uniform(0.28, 0.68 if count < 3 else 0.5)
    rise = rng.uniform(0.12, 0.22) + 0.06 * abs(each)
    crouch, tuck = rng.uniform(0.12, 0.22), rng.uniform(0.0, 0.08)
    leaps, start = [], 0.12
    slow = who.posture.tempo / who.hurry * (1.0 if count == 1 else rng.uniform(0.5, 0.9))
    for _ in range(count):
        leaps.append(Leap(start, rise, crouch, slow, 0.05 + who.posture.knee_bend))
        start = leaps[-1].end + 0.02
    track, t = blank(start + 0.15, who)
    lean, swing, out = rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.55)
    for k, leap in enumerate(leaps):
        leap_body(track, t, leap, 0.0, lean, swing)
        track.root[:, 0] += each * leap.progress(t)
        # The body leans the way it goes before the flight, and against it when it lands.
        tip = ease((t - leap.start) / (leap.off - leap.start)) - 1.7 * ease((t - leap.off) / (leap.land - leap.off))
        tip += 0.7 * ease((t - leap.land) / (leap.end - leap.land))
        track.trunk[:, 2] -= 0.30 * each * tip
        track.pelvis[:, 2] -= 0.15 * each * tip
        air = np.sin(np.pi * leap.air(t))
        track.arms[..., 1] += out * air[:, None]
        for foot in (0, 1):
            begin = who.stance.ankles[foot] + np.array([k * each, 0.0, 0.0])
            fly(track, t, leap, foot, begin, begin + np.array([each, 0.0, 0.0]), tuck, who)
    return track


def stagger(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lose the balance slowly, stagger a metre or more in uneven quick steps, swaying with the arms out, and stand."""
    way = np.array(_WAYS[action.direction or "backward"])
    first, steps = _staggered(way, rng, 1.0 / who.hurry**0.5)
    done = steps[-1][1]
    track, t = blank(done + rng.uniform(0.8, 1.1) / who.hurry**0.5, who)
    lift = rng.uniform(0.05, 0.10)
    for k, (foot, land, took, place) in enumerate(steps):
        ankle = who.stance.ankles[foot] + np.array([place[0], 0.0, place[1]])
        yaw = rng.uniform(-0.12, 0.12) if k < len(steps) - 2 else 0.0
        move_foot(track, t, foot, land - took, land, ankle, lift, who, yaw=yaw)
    places = {0: np.zeros(2), 1: np.zeros(2)}
    marks, keys = [0.15, first], [np.zeros(2), rng.uniform(0.03, 0.05) * way]
    for foot, land, _, place in steps:
        places[foot] = place
        marks.append(land - 0.05)
        keys.append(0.5 * (places[0] + places[1]) + 0.05 * way)
    marks += [done + 0.15, done + 0.55]
    keys += [keys[-1] + 0.02 * way, steps[-1][3]]
    moved = smooth(keyframes(marks, np.array(keys), t), 1.2)
    track.root[:, 0] += moved[:, 0]
    track.root[:, 2] += moved[:, 1]
    track.root[:, 1] -= rng.uniform(0.03, 0.07) * window(t, 0.2, done + 0.6, 0.6, 0.5)
    _reel(track, t, [first, *(step[1] for step in steps)], way, rng)
    return track


def _staggered(
    way: np.ndarray, rng: np.random.Generator, slow: float
) -> tuple[float, list[tuple[int, float, float, np.ndarray]]]:
    """Return when the first foot leaves, and the steps: foot, when it lands, how long it takes, how far (x, z)."""
    first = rng.uniform(0.55, 0.8)
    lands = first
    steps: list[tuple[int, float, float, np.ndarray]] = []
    if way[0]:  # the outer foot goes out, the other one follows, and at last closes
        number, foot = 4, 0 if way[0] > 0.0 else 1
        total = rng.uniform(0.92, 1.08)
        outs = np.cumsum(rng.uniform(0.75, 1.25, 2))
        outs *= total / outs[-1]
        far = [outs[0], outs[0] * rng.uniform(0.65, 0.9), outs[1], outs[1]]
    else:
        number, foot = int(rng.integers(4, 6)), int(rng.integers(2))
        ways = np.cumsum(rng.uniform(0.55, 1.45, number - 1))
        far = [*(ways * rng.uniform(1.0, 1.35) / ways[-1])]
        far.append(far[-1])
    for k in range(number):
        took = rng.uniform(0.24, 0.34) * slow
        lands += took + rng.uniform(0.0, 0.14) * slow
        across = rng.uniform(-0.10, 0.10) if k < number - 1 else 0.0
        place = far[k] * way + across * np.array([way[1], way[0]]) * (1.0 if way[1] else 0.8)
        if k == number - 1:
            place = steps[-1][3].copy()  # both feet end as they stood
        steps.append((foot, lands, took, place))
        foot = 1 - foot
    return first, steps


def _reel(track: Track, t: np.ndarray, beats: list[float], way: np.ndarray, rng: np.random.Generator) -> None:
    """Tip the trunk the way it goes and to either side with every step; the arms fly out and row."""
    done, number = beats[-1], len(beats)
    marks = [0.1, *beats, done + 0.6]
    sign = 1.0 if rng.random() < 0.5 else -1.0
    rolls = [sign * (-1.0) ** k * rng.uniform(0.16, 0.34) for k in range(number)]
    tips = [rng.uniform(0.12, 0.34) if k % 2 == 0 else rng.uniform(-0.06, 0.14) for k in range(number)]
    rolls[0] *= 0.4  # the balance goes slowly at first: nobody shoves
    tips[0] *= 0.5
    wave, tip = (keyframes(marks, [0.0, *values, 0.0], t) for values in (rolls, tips))
    if way[0]:  # a positive roll leans to the right
        track.trunk[:, 2] -= way[0] * (1.1 * tip + 0.5 * sign * wave)
        track.trunk[:, 0] += 0.10 * window(t, 0.2, done + 0.5, 0.5) + 0.75 * wave
        track.pelvis[:, 2] -= 0.3 * way[0] * tip
    else:
        track.trunk[:, 0] -= 1.1 * tip - 0.08 * window(t, 0.2, done + 0.5, 0.5)
        track.trunk[:, 2] += wave
        track.pelvis[:, 0] -= 0.35 * tip
        track.pelvis[:, 2] += 0.3 * wave
    track.trunk[:, 1] += 0.5 * np.interp(t - 0.1, t, wave)
    track.head[:, 0] += 0.35 * np.interp(t - 0.1, t, tip)
    track.head[:, 1] -= 0.5 * np.interp(t - 0.1, t, wave)
    for arm in (0, 1):
        fly = window(t, beats[0] - 0.4 + rng.uniform(0.0, 0.15), done + rng.uniform(0.4, 0.7), 0.45, 0.6)
        row = np.interp(t - rng.uniform(0.05, 0.15), t, wave) * (1.0 if arm == 0 else -1.0)
        out, ahead = rng.uniform(0.65, 1.1), rng.uniform(0.2, 0.6)
        track.arms[:, arm, 0] += fly * ahead + 1.2 * row
        track.arms[:, arm, 1] += fly * out + 0.8 * np.abs(row)
        track.arms[:, arm, 2] += fly * rng.uniform(0.3, 0.7)


def skate(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Skate ahead: glide on one foot while the other pushes out to its side, swings in behind, and takes over."""
    count = int(rng.integers(4, 7))
    beat = rng.uniform(0.72, 0.95) / _TEMPO[action.speed] * min(who.posture.tempo, 1.15) / who.hurry**0.5
    starts = 0.45 + beat * np.arange(count + 1)
    stops = starts[-1] + rng.uniform(0.75, 1.0)
    track, t = blank(stops + 0.4, who)
    speed = rng.uniform(1.5, 2.3) * _TEMPO[action.speed] * who.posture.pace**0.5
    fine = np.arange(0.0, t[-1] + 0.01, 0.005)
    quick = ease((fine - 0.35) / 1.3) * ease((stops - fine) / 1.0)
    quick *= 1.0 + 0.08 * np.cos(2.0 * np.pi * (fine - starts[0]) / beat - 2.0)
    gone = np.interp(t, fine, np.cumsum(speed * quick) * 0.005)
    first = int(rng.integers(2))
    going = window(t, 0.1, stops + 0.25, 0.6, 0.6)
    # +1 while the left foot glides, -1 while the right one does.
    middles = 0.5 * (starts[1:] + starts[:-1]) + 0.1 * beat
    turns = [(1.0 if (first + k) % 2 == 0 else -1.0) for k in range(count)]
    side = keyframes([0.2, *middles, stops - 0.1], [0.0, *turns, 0.0], t)
    weave = rng.uniform(0.09, 0.14)
    track.root[:, 2] += gone + 0.02 * going
    track.root[:, 0] += weave * side
    track.root[:, 1] += _EDGE * window(t, 0.05, stops + 0.35, 0.3, 0.3) - rng.uniform(0.10, 0.15) * going
    for foot in (0, 1):
        _blade(track, t, foot, gone, starts, stops, first, weave, who, rng)
    lean = rng.uniform(0.42, 0.75)
    track.trunk[:, 0] += lean * going
    track.pelvis[:, 0] += 0.45 * lean * going
    track.head[:, 0] -= 0.6 * lean * going
    late = np.interp(t - 0.05, t, side)
    track.trunk[:, 1] += rng.uniform(0.10, 0.22) * late
    track.trunk[:, 2] -= 0.08 * side
    track.pelvis[:, 2] -= 0.05 * side
    swing, elbow, out = rng.uniform(0.4, 0.75), rng.uniform(0.25, 0.65), rng.uniform(0.15, 0.35)
    for arm, sign in ((0, 1.0), (1, -1.0)):
        ahead = -sign * late  # the arm of the foot that pushes comes ahead, and across
        track.arms[:, arm, 0] += swing * ahead + 0.3 * going
        track.arms[:, arm, 1] += going * out - 0.25 * np.maximum(ahead, 0.0) + 0.25 * np.maximum(-ahead, 0.0)
        track.arms[:, arm, 2] += elbow * (going + 0.3 * ahead * going)
    return track


def _blade(
    track: Track, t: np.ndarray, foot: int, gone: np.ndarray, starts: np.ndarray, stops: float, first: int,
    weave: float, who: Performer, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Write one foot: under the body while it glides, then out and back while it pushes, then in through the air."""
    sign, place, yaw = (1.0 if foot == 0 else -1.0), who.stance.ankles[foot], float(who.stance.foot_yaw[foot])
    x0, z0 = sign * place[0], place[2]
    beat = float(starts[1] - starts[0])
    marks, keys = [0.25], [(x0, z0, 0.0, 0.0, 0.0)]  # outwards, ahead, up, toes out, toes down
    wide, back = rng.uniform(0.34, 0.42), rng.uniform(-0.22, -0.13)
    high, out = rng.uniform(0.06, 0.13), rng.uniform(0.35, 0.6)
    for k, start in enumerate(starts[:-1]):
        if (first + k) % 2 == foot:
            marks += [start, start + 0.55 * beat, start + 0.97 * beat]
            keys += [(0.01, 0.04, 0.0, 0.05, 0.0), (0.04 + 0.5 * weave, 0.02, 0.0, 0.1, 0.0)]
            keys.append((0.06 + 0.8 * weave, -0.02, 0.0, 0.2, 0.0))
        else:
            marks += [start + 0.42 * beat, start + 0.70 * beat]
            keys += [(wide, back, 0.0, out, 0.25), (0.5 * wide, back - 0.10, high, 0.5 * out, 0.5)]
    marks += [stops - 0.35]
    keys += [(x0, z0, 0.0, 0.0, 0.0)]
    outwards, ahead, up, turned, pitch = np.moveaxis(keyframes(marks, np.array(keys), t), -1, 0)
    off = window(t, 0.05, stops + 0.35, 0.3, 0.3)
    track.ankle[:, foot, 0] = sign * outwards
    track.ankle[:, foot, 1] = place[1] + up + _EDGE * off
    track.ankle[:, foot, 2] = gone + ahead
    track.foot[:, foot, 0] = yaw + sign * turned
    track.foot[:, foot, 1] = pitch
    ball = apply(rotation(track.foot[:, foot, 0], pitch, 0.0), who.body.foot_vectors[foot])[:, 1]
    lowest = 0.01 + _EDGE * off
    track.ankle[:, foot, 1] += np.maximum(lowest - ball - track.ankle[:, foot, 1], 0.0)
    track.planted[:, foot] = off <= 0.0
