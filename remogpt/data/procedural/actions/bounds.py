"""Animate ways of going with a flight in every bound: skip, gallop ahead, gallop sideways.

They are planned as times at which feet stand. The pelvis goes along a line, each foot stands under the middle of
the pelvis's way during its time, and between the times it swings. While no foot stands, the pelvis flies freely.
"""

from dataclasses import dataclass

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, smooth, window
from remogpt.data.procedural.in_place import blank, side_index
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_GRAVITY = 9.81
_TEMPO = {"slow": 0.88, "normal": 1.0, "fast": 1.12}


@dataclass(frozen=True)
class _Stand:
    """One foot on the floor from `start` to `end`, seconds, before it the swing that brought it there."""

    start: float
    end: float
    lift: float
    """Metres that the ankle rises in the swing."""
    ahead: float | None = None
    """Metres of the ankle ahead of the pelvis at the highest point of the swing; None: halfway between the stands."""
    push: float = 0.55
    """Radians that the toes point down when the foot leaves."""
    offset: float = -0.05
    """Metres of the ankle ahead of the middle of the pelvis's way while the foot stands."""


def _along(t: np.ndarray, distance: float, start: float, end: float, ramps: tuple[float, float]) -> np.ndarray:
    """(T,) metres that the pelvis has gone: steady speed between start and end, with ramps of some seconds."""
    fine = np.arange(0.0, t[-1] + 0.01, 0.005)
    speed = ease((fine - start) / ramps[0]) * ease((end - fine) / ramps[1])
    way = np.cumsum(speed)
    return np.asarray(np.interp(t, fine, distance * way / way[-1]))


def _heights(t: np.ndarray, flights: list[tuple[float, float]], high: float, limit: float, ends: tuple[float, float]
             ) -> np.ndarray:  # fmt: skip
    """(T,) height of the pelvis over standing: free flights, and between them dips of the legs, at most `limit` deep.

    Args:
        t: seconds. flights: take-off and landing, seconds. high: metres at both. ends: seconds of standing before and
            after.
    """  # fmt: skip
    height = np.zeros_like(t)
    last, speed = ends[0], 0.0
    for off, land in flights:
        up = 0.5 * _GRAVITY * (land - off)
        _dip(height, t, (last, off), (0.0 if speed == 0.0 else high, high), (-speed, up), limit)
        flying = (t > off) & (t <= land)
        height[flying] = high + up * (t[flying] - off) - 0.5 * _GRAVITY * (t[flying] - off) ** 2
        last, speed = land, up
    _dip(height, t, (last, ends[1]), (high, 0.0), (-speed, 0.0), limit)
    return height


def _dip(height: np.ndarray, t: np.ndarray, span: tuple[float, float], y: tuple[float, float],
         v: tuple[float, float], limit: float) -> None:  # fmt: skip
    """Write heights of a time on the floor: a cubic from height and speed to height and speed, softly limited below."""
    h = span[1] - span[0]
    now = (t > span[0]) & (t <= span[1])
    u = (t[now] - span[0]) / h
    curve = (2 * u**3 - 3 * u**2 + 1) * y[0] + (3 * u**2 - 2 * u**3) * y[1]
    curve += (u**3 - 2 * u**2 + u) * h * v[0] + (u**3 - u**2) * h * v[1]
    deep = np.maximum(-curve, 0.0)
    height[now] = np.where(curve < 0.0, -limit * np.tanh(deep / limit), curve)


def _feet(
    track: Track, t: np.ndarray, stands: list[list[_Stand]], width: float, who: Performer, aside: float = 0.0
) -> None:  # fmt: skip
    """Write both feet; the first stand and the last one are in the neutral stance.

    `aside` is 0 where the way leads ahead, 1 to the left, -1 to the right; `width` counts for ways ahead.
    """
    way = np.array([aside, 0.0, 0.0 if aside else 1.0])
    gone = track.root @ way
    for foot, own in enumerate(stands):
        yaw, sign = float(who.stance.foot_yaw[foot]), 1.0 if foot == 0 else -1.0
        ball = who.body.foot_vectors[foot]
        places = []
        for index, stand in enumerate(own):
            place = who.stance.ankles[foot].copy()
            if index == len(own) - 1:
                place += gone[-1] * way
            elif index:
                middle = np.interp([stand.start, stand.end], t, gone).mean()
                place[0] = 0.0 if aside else sign * 0.5 * width
                place += (middle + stand.offset - place @ way) * way
            places.append(place)
        flat = rotation(yaw, 0.0, 0.0) @ ball
        pitch, ankle = np.zeros(len(t)), np.tile(places[0], (len(t), 1))
        planted = np.ones(len(t), dtype=bool)
        for index, (stand, place) in enumerate(zip(own, places, strict=True)):
            on = (t >= stand.start) & (t <= stand.end)
            pitch[on] = stand.push * ease((t[on] - stand.end + 0.17) / 0.17) if np.isfinite(stand.end) else 0.0
            ankle[on] = place + flat - apply(rotation(yaw, pitch[on], 0.0), ball)
            if index + 1 == len(own):
                continue
            after = own[index + 1]
            air = (t > stand.end) & (t < after.start)
            u = (t[air] - stand.end) / (after.start - stand.end)
            peak = 0.5 * (stand.end + after.start)
            begin = place + flat - rotation(yaw, stand.push, 0.0) @ ball
            to = places[index + 1]
            first, last = float(begin @ way), float(to @ way)
            if after.ahead is None:
                along = first + (0.4 * u + 0.6 * ease(u)) * (last - first)
                height = begin[1] + u * (to[1] - begin[1]) + 4.0 * after.lift * u * (1.0 - u)
            else:
                over = float(np.interp(peak, t, gone)) + after.ahead
                times = [stand.end, peak, after.start]
                along = keyframes(times, [first, min(over, last - 0.01), last], t[air])
                height = keyframes(times, [begin[1], to[1] + after.lift, to[1]], t[air])
            across = begin + ease(u)[:, None] * (to - begin)
            ankle[air] = across + (along - across @ way)[:, None] * way
            ankle[air, 1] = height
            pitch[air] = stand.push * (1.0 - ease(u)) + 0.25 * np.sin(np.pi * u)
            toes = ankle[air, 1] + apply(rotation(yaw, pitch[air], 0.0), ball)[:, 1]
            ankle[air, 1] += np.maximum(0.012 - toes, 0.0)
            planted[air] = False
        track.ankle[:, foot], track.foot[:, foot, 1], track.planted[:, foot] = ankle, pitch, planted


def skip(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Step and hop on one foot with the other knee lifted, then on the other foot, for `distance` metres."""
    distance = action.distance or 2.5
    count = max(2, round(distance / rng.uniform(0.72, 0.86)))
    slow = 1.0 / _TEMPO[action.speed] / who.hurry**0.5
    fly = rng.uniform(0.19, 0.25)
    step, settle = slow * rng.uniform(0.22, 0.27), slow * rng.uniform(0.13, 0.17)
    first = int(rng.integers(2))
    lands = [0.5 + k * (step + fly + settle - 0.02) for k in range(count + 1)]
    hops = [(land + step, land + step + fly) for land in lands[:count]]
    done = lands[-1] + 0.5
    track, t = blank(done + 0.35, who)
    track.root[:, 2] = _along(t, distance, 0.12, done + 0.1, (0.55, 0.6))
    track.root[:, 1] += _heights(t, hops, 0.02 + 0.8 * who.posture.knee_bend, 0.07, (0.2, done + 0.25))
    lift, ahead = rng.uniform(0.30, 0.42), rng.uniform(0.08, 0.20)
    clear = rng.uniform(0.07, 0.10)
    stands: list[list[_Stand]] = [[], []]
    stands[first].append(_Stand(-np.inf, 0.18, 0.0, push=0.35))
    stands[1 - first].append(_Stand(-np.inf, lands[0] + 0.08, 0.0))
    for k, (land, (off, back)) in enumerate(zip(lands, hops, strict=False)):
        foot = (first + k) % 2
        # The first step has no hop before it, so its knee rises little.
        stands[foot].append(_Stand(land, off, lift if k else 0.10, ahead if k else None, offset=0.03))
        stands[foot].append(_Stand(back, back + settle, clear, offset=-0.09))
    foot = (first + count) % 2
    stands[foot].append(_Stand(lands[-1], np.inf, lift, ahead))
    stands[1 - foot].append(_Stand(done + 0.05, np.inf, 0.07))
    _feet(track, t, stands, rng.uniform(0.08, 0.15), who)
    _skipping_body(track, t, hops, first, rng)
    return track


def _skipping_body(
    track: Track, t: np.ndarray, hops: list[tuple[float, float]], first: int, rng: np.random.Generator
) -> None:
    """Swing the arms against the legs: in each hop the arm of the hopping side is ahead."""
    middles = [0.5 * (off + land) for off, land in hops]
    signs = [1.0 if (first + k) % 2 == 0 else -1.0 for k in range(len(hops))]
    wave = keyframes([0.1, *middles, middles[-1] + 0.75], [0.0, *signs, 0.0], t)
    going = window(t, 0.1, middles[-1] + 0.8, 0.5)
    swing, elbow = rng.uniform(0.35, 0.75), rng.uniform(0.4, 0.95)
    for arm, sign in ((0, 1.0), (1, -1.0)):
        track.arms[:, arm, 0] += swing * sign * wave + 0.1 * going
        track.arms[:, arm, 1] += rng.uniform(0.05, 0.25) * going
        track.arms[:, arm, 2] += elbow * going + 0.3 * np.maximum(sign * wave, 0.0)
    # The hip of the lifted knee comes ahead, and the shoulders turn against it.
    track.pelvis[:, 1] += rng.uniform(0.06, 0.14) * wave
    track.trunk[:, 1] -= rng.uniform(0.08, 0.16) * wave
    track.pelvis[:, 2] += 0.05 * wave
    track.root[:, 0] += smooth(0.02 * wave, 1.0)
    lean = rng.uniform(0.03, 0.12)
    track.trunk[:, 0] += lean * going
    track.head[:, 0] -= 0.5 * lean * going


def _rounds(
    start: float, step: float, fly: float, gather: float, count: int
) -> tuple[list[float], list[tuple[float, float]]]:
    """Return when the leading foot lands, `count` + 1 times, and take-off and landing of each flight, in seconds."""
    lands = [start + k * (step + fly + gather) for k in range(count + 1)]
    return lands, [(land + step, land + step + fly) for land in lands[:count]]


def _beat(t: np.ndarray, flights: list[tuple[float, float]], before: float, after: float) -> np.ndarray:
    """(T,) swing of each bound: back some seconds `before` a flight, ahead in its middle, none `after` the last."""
    beats = [one for off, land in flights for one in (off - before, 0.5 * (off + land))]
    times = [0.15, *beats, flights[-1][1] + after]
    return keyframes(times, [0.0, *([-0.5, 1.0] * len(flights)), 0.0], t)


def gallop(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lead with the foot of `side`, the other one chases it and lands behind it, both in the air between."""
    distance, lead = action.distance or 2.5, side_index(action.side)
    count = max(3, round(distance / rng.uniform(0.58, 0.70)))
    slow = 1.0 / _TEMPO[action.speed] / who.hurry**0.5
    fly = rng.uniform(0.18, 0.23)
    step, gather = slow * rng.uniform(0.20, 0.25), slow * rng.uniform(0.12, 0.16)
    lands, flights = _rounds(0.5, step, fly, gather, count)
    done = lands[-1] + 0.5
    track, t = blank(done + 0.35, who)
    track.root[:, 2] = _along(t, distance, 0.12, done + 0.1, (0.55, 0.6))
    track.root[:, 1] += _heights(t, flights, 0.02 + 0.8 * who.posture.knee_bend, 0.08, (0.2, done + 0.25))
    lift, ahead, low = rng.uniform(0.14, 0.26), rng.uniform(0.12, 0.22), rng.uniform(0.09, 0.14)
    stands: list[list[_Stand]] = [[], []]
    stands[lead].append(_Stand(-np.inf, 0.18, 0.0, push=0.35))
    stands[1 - lead].append(_Stand(-np.inf, lands[0] + 0.06, 0.0))
    for k, (off, back) in enumerate(flights):
        stands[lead].append(_Stand(lands[k], off, lift if k else 0.09, ahead if k else None, offset=0.10))
        stands[1 - lead].append(_Stand(back, lands[k + 1] + 0.06, low, offset=-0.17))
    stands[lead].append(_Stand(lands[-1], np.inf, lift, ahead))
    stands[1 - lead].append(_Stand(done + 0.05, np.inf, 0.06))
    _feet(track, t, stands, rng.uniform(0.12, 0.2), who)
    _galloping_body(track, t, flights, 1.0 if lead == 0 else -1.0, rng)
    return track


def _galloping_body(
    track: Track, t: np.ndarray, flights: list[tuple[float, float]], sign: float, rng: np.random.Generator
) -> None:
    """Turn the hip of the leading foot ahead and swing both arms with each bound, or hold them like reins."""
    end = flights[-1][1]
    going = window(t, 0.1, end + 0.75, 0.5)
    beat = _beat(t, flights, 0.16, 0.5)
    turned = rng.uniform(0.16, 0.32)
    track.pelvis[:, 1] -= sign * turned * going
    track.trunk[:, 1] -= sign * 0.7 * turned * going
    track.head[:, 1] += sign * 0.7 * turned * going
    reins = rng.random() < 0.3
    swing, elbow = (0.12, rng.uniform(1.1, 1.4)) if reins else (rng.uniform(0.2, 0.5), rng.uniform(0.5, 1.1))
    for arm, way in ((0, sign), (1, -sign)):
        track.arms[:, arm, 0] += swing * beat + (0.45 if reins else 0.12 * way) * going
        track.arms[:, arm, 1] += rng.uniform(0.05, 0.2) * going
        track.arms[:, arm, 2] += elbow * going + 0.2 * np.maximum(beat, 0.0)
    lean = rng.uniform(0.04, 0.14)
    track.trunk[:, 0] += lean * going - 0.04 * beat
    track.head[:, 0] -= 0.6 * lean * going


def side_gallop(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Gallop sideways: one foot reaches out, the other closes up to it through the air; the body faces ahead."""
    distance, lead = action.distance or 2.0, side_index(action.direction)
    sign = 1.0 if lead == 0 else -1.0
    count = max(3, round(distance / rng.uniform(0.50, 0.60)))
    slow = 1.0 / _TEMPO[action.speed] / who.hurry**0.5
    fly = rng.uniform(0.18, 0.22)
    step, gather = slow * rng.uniform(0.18, 0.23), slow * rng.uniform(0.12, 0.15)
    lands, flights = _rounds(0.45, step, fly, gather, count)
    done = lands[-1] + 0.45
    track, t = blank(done + 0.35, who)
    track.root[:, 0] = sign * _along(t, distance, 0.12, done + 0.1, (0.5, 0.6))
    low = rng.uniform(0.0, 0.03)
    crouched = low * window(t, 0.1, done + 0.2, 0.4)
    track.root[:, 1] += _heights(t, flights, 0.02 + 0.8 * who.posture.knee_bend, 0.08, (0.2, done + 0.25)) - crouched
    lift, close = rng.uniform(0.07, 0.12), rng.uniform(0.09, 0.13)
    stands: list[list[_Stand]] = [[], []]
    stands[lead].append(_Stand(-np.inf, 0.16, 0.0, push=0.25))
    stands[1 - lead].append(_Stand(-np.inf, lands[0] + 0.06, 0.0, push=0.35))
    for k, (off, back) in enumerate(flights):
        stands[lead].append(_Stand(lands[k], off, lift if k else 0.06, push=0.45, offset=0.20))
        stands[1 - lead].append(_Stand(back, lands[k + 1] + 0.06, close, push=0.35, offset=-0.16))
    stands[lead].append(_Stand(lands[-1], np.inf, lift))
    stands[1 - lead].append(_Stand(done, np.inf, 0.05))
    _feet(track, t, stands, 0.0, who, sign)
    end = flights[-1][1]
    going = window(t, 0.1, end + 0.7, 0.45)
    beat = _beat(t, flights, 0.15, 0.45)
    out, swing, elbow = rng.uniform(0.1, 0.5), rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.9)
    for arm in (0, 1):
        track.arms[:, arm, 0] += 0.15 * going
        track.arms[:, arm, 1] += out * going + swing * beat
        track.arms[:, arm, 2] += elbow * going
    lean = rng.uniform(0.03, 0.12)
    track.trunk[:, 0] += lean * going
    track.trunk[:, 2] -= sign * 0.04 * beat
    track.head[:, 0] -= 0.5 * lean * going
    track.head[:, 1] += sign * rng.uniform(0.0, 0.35) * going
    return track
