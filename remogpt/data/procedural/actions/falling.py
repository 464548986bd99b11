"""Animate what a shove does: stumbling a few steps until the balance is back, and falling down to the floor.

Angles are radians; places are metres around the start, which faces +Z.
"""

import numpy as np

from remogpt.data.procedural.curves import ease, keyframes, smooth, window
from remogpt.data.procedural.in_place import blank, move_foot, seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
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
