"""Animate climbing a ladder, which stands upright before the person: opposite hand and foot, rung by rung."""

import numpy as np

from remogpt.data.procedural.curves import ease, keyframes, smooth
from remogpt.data.procedural.in_place import blank, seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_SPINE = (3, 6, 9)
"""Joints of the spine, the last one at the height of the arm pits."""
_IN_AIR = 0.88
"""Share of a step during which the foot is in the air."""


def ladder(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Climb `count` rungs up or down a ladder, facing it; down is the way up, played backwards."""
    rungs = action.count or 4
    up = _up(rungs, action, who, rng)
    if action.direction != "down":
        return up
    down = up.reverse()
    start = up.root[-1] * [1.0, 0.0, 1.0]
    start[1] = up.ankle[-1, 0, 1] - who.stance.ankles[0, 1]
    for points in down.places:
        points -= start
    return down


def _up(rungs: int, action: Action, who: Performer, rng: np.random.Generator) -> Track:
    rung, near = rng.uniform(0.26, 0.30), rng.uniform(0.06, 0.12)
    step = max(seconds(action, who, rng.uniform(0.62, 0.85)), 0.5)
    grip, leave = (seconds(action, who, rng.uniform(0.8, 1.1)) for _ in range(2))
    track, t = blank(grip + (rungs + 1) * step + leave, who)
    done = (t - grip) / step  # steps taken
    first = int(rng.integers(2))
    on_it = keyframes([0.0, grip, t[-1] - leave, t[-1]], [0.0, 1.0, 1.0, 0.0], t)
    _rise(track, done, rungs, rung, on_it, near, rng)
    ahead = near + rng.uniform(0.17, 0.22) + 0.55 * who.posture.lean  # farther for shoulders that lean ahead
    shoulder = who.body.pelvis_height + sum(who.body.offsets[joint, 1] for joint in _SPINE) + 0.08
    high, wide = shoulder + rng.uniform(-0.12, 0.06), rng.uniform(0.17, 0.22)
    for side in (0, 1):
        steps = _levels(rungs, side == first)
        _step_feet(track, done, side, steps, rung, near)
        _hold(track, t, done, 1 - side, steps, rung, (wide, high, ahead), (grip, leave))
        turn = sum(np.sin(np.pi * np.clip(done - number, 0.0, 1.0)) ** 2 for number, _, _ in steps)
        track.pelvis[:, 2] += _SIGN[side] * rng.uniform(0.03, 0.06) * turn
        track.trunk[:, 1] += _SIGN[side] * rng.uniform(0.04, 0.09) * turn
        track.root[:, 0] -= _SIGN[side] * rng.uniform(0.015, 0.03) * turn
        track.knee[:, side] += rng.uniform(0.25, 0.45) * on_it
    return track


def _levels(rungs: int, leads: bool) -> list[tuple[int, int, int]]:
    """Return the steps of a foot: number of the step, rung before it, and after it; the last step joins the feet."""
    found, level = [], 0
    for number in range(rungs + 1):
        if (number % 2 == 0) == leads:
            reached = min(number + 1, rungs)
            found.append((number, level, reached))
            level = reached
    return found


def _rise(
    track: Track, done: np.ndarray, rungs: int, rung: float, on_it: np.ndarray, near: float, rng: np.random.Generator
) -> None:
    """Lift the body: it comes to the height of a rung when the other foot leaves the rung below."""
    even = done - rng.uniform(0.16, 0.24) * np.sin(2.0 * np.pi * done) / (2.0 * np.pi)
    height = smooth(np.clip(even - 0.95, 0.0, rungs), 2.0)
    track.root[:, 1] += rung * height - 0.04 * on_it
    u = np.linspace(0.0, 1.0, track.frames)
    back = rng.uniform(0.06, 0.10)
    track.root[:, 2] += near * ease(done / 1.5 + 0.2) - back * on_it
    track.trunk[:, 0] += rng.uniform(0.04, 0.12) * on_it
    track.pelvis[:, 0] += rng.uniform(0.02, 0.06) * on_it
    track.head[:, 0] -= rng.uniform(0.15, 0.4) * on_it * (1.0 - 0.5 * u)


def _step_feet(
    track: Track, done: np.ndarray, side: int, steps: list[tuple[int, int, int]], rung: float, near: float
) -> None:
    """Move a foot from rung to rung; the first step goes ahead to the ladder too."""
    ankle = track.ankle[:, side]
    for order, (number, before, after) in enumerate(steps):
        u = np.clip((done - number) / _IN_AIR, 0.0, 1.0)
        air = np.sin(np.pi * u) ** 2
        ankle[:, 1] += rung * (after - before) * ease(u / 0.88) + 0.03 * air
        away = np.clip((u - 0.14) / 0.78, 0.0, 1.0)  # the foot has left its rung before it moves in depth
        ankle[:, 2] += (near * ease(away) if order == 0 else 0.0) - 0.07 * np.sin(np.pi * away) ** 2
        track.foot[:, side, 1] += 0.25 * np.sin(np.pi * away) ** 2
        track.planted[:, side] &= (u <= 0.0) | (u >= 1.0)


def _hold(
    track: Track, t: np.ndarray, done: np.ndarray, side: int, steps: list[tuple[int, int, int]], rung: float,
    place: tuple[float, float, float], pauses: tuple[float, float],
) -> None:  # fmt: skip
    """Keep a hand on its rung, at (outward, up, ahead) metres, and move it on with the opposite foot."""
    grip, leave = pauses
    hand = track.hands[:, side]
    hand[:, :3] = [_SIGN[side] * place[0], place[1], place[2]]
    for number, before, after in steps:
        u = np.clip((done - number) / (0.92 * _IN_AIR), 0.0, 1.0)
        hand[:, 1] += rung * (after - before) * ease(u)
        hand[:, 2] -= 0.05 * np.sin(np.pi * u) ** 2
    late = 0.12 * grip * side
    hand[:, 3] = ease((t - late) / (0.85 * grip)) * ease((t[-1] - t) / (0.85 * leave))
