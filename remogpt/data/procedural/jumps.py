"""Animate leg actions with a ballistic flight: jump, hop, jumping jack."""

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, window
from remogpt.data.procedural.in_place import blank, side_index
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_GRAVITY = 9.81


def _hermite(t: np.ndarray, start: float, end: float, y: tuple[float, float], v: tuple[float, float]) -> np.ndarray:
    """Cubic between two heights with given speeds."""
    h = end - start
    u = np.clip((t - start) / h, 0.0, 1.0)
    u2, u3 = u * u, u * u * u
    return (2 * u3 - 3 * u2 + 1) * y[0] + (u3 - 2 * u2 + u) * h * v[0] + (3 * u2 - 2 * u3) * y[1] + (u3 - u2) * h * v[1]


class Leap:
    """Timing and height of one leap: crouch from `start`, leave the floor at `off`, land at `land`, up at `end`."""

    def __init__(self, start: float, rise: float, crouch: float, slow: float, tiptoe: float) -> None:
        self.rise, self.crouch, self.tiptoe = rise, crouch, tiptoe
        self.speed = np.sqrt(2.0 * _GRAVITY * rise)
        self.start = start
        self.low = start + slow * (0.18 + 0.9 * crouch)
        self.off = self.low + max(0.12, 2.2 * (crouch + tiptoe) / self.speed)
        self.land = self.off + 2.0 * self.speed / _GRAVITY
        self.absorb = self.land + max(0.10, 2.2 * (0.85 * crouch + tiptoe) / self.speed)
        self.end = self.absorb + slow * (0.2 + 0.8 * crouch)

    def height(self, t: np.ndarray) -> np.ndarray:
        """Pelvis height relative to standing."""
        up = self.speed * (t - self.off) - 0.5 * _GRAVITY * (t - self.off) ** 2 + self.tiptoe
        phases = [
            (t < self.low, -self.crouch * ease((t - self.start) / (self.low - self.start))),
            (t < self.off, _hermite(t, self.low, self.off, (-self.crouch, self.tiptoe), (0.0, self.speed))),
            (t < self.land, up),
            (
                t < self.absorb,
                _hermite(t, self.land, self.absorb, (self.tiptoe, -0.85 * self.crouch), (-self.speed, 0.0)),
            ),
        ]
        rest = -0.85 * self.crouch * (1.0 - ease((t - self.absorb) / (self.end - self.absorb)))
        return np.select([mask for mask, _ in phases], [values for _, values in phases], rest)

    def progress(self, t: np.ndarray) -> np.ndarray:
        """Share of the leap's distance that the pelvis has made."""
        return keyframes(
            [self.start, self.low, self.off, self.land, self.absorb, self.end], [0, 0.02, 0.14, 0.86, 0.97, 1.0], t
        )

    def air(self, t: np.ndarray) -> np.ndarray:
        """Share of the flight, clipped to [0, 1]."""
        return np.clip((t - self.off) / (self.land - self.off), 0.0, 1.0)

    def point(self, t: np.ndarray) -> np.ndarray:
        """Pitch of the feet: heels rise before take-off, toes point, then the feet level out."""
        push = 0.45 * (self.off - self.low)
        times = [self.off - push, self.off, self.off + 0.35 * (self.land - self.off), self.land, self.absorb]
        return keyframes(times, [0.0, 0.75, 0.85, 0.30, 0.0], t)


def fly(track: Track, t: np.ndarray, leap: Leap, foot: int, begin: np.ndarray, finish: np.ndarray, tuck: float,
         who: Performer) -> None:  # fmt: skip
    """Animate one foot through a leap from one flat position to another."""
    flying = (t > leap.off) & (t < leap.land)
    after = t >= leap.land
    pitch = leap.point(t)
    yaw = who.stance.foot_yaw[foot]
    flat = rotation(yaw, 0.0, 0.0) @ who.body.foot_vectors[foot]
    around_ball = flat - apply(rotation(yaw, pitch, 0.0), who.body.foot_vectors[foot])
    u = leap.air(t)
    up = 4.0 * (leap.rise + tuck) * u * (1.0 - u)
    place = begin + u[:, None] * (finish - begin)
    now = (t >= leap.start) & (t <= leap.end + 1.0)
    ankle = place + around_ball
    ankle[:, 1] += up
    track.ankle[now, foot] = ankle[now]
    track.foot[now, foot, 1] = pitch[now]
    track.planted[now, foot] = True
    track.planted[flying, foot] = False
    track.ankle[after & ~now, foot] = finish


def jump(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Jump with both feet, `count` times; `distance` is the whole way."""
    count = action.count or 1
    way = {"up": 0.0, "forward": 1.0, "backward": -1.0}[action.direction or "up"]
    each = way * (action.distance or 0.0) / count
    rise = rng.uniform(0.14, 0.30) + 0.06 * abs(each)
    crouch = rng.uniform(0.16, 0.28)
    tuck = rng.uniform(0.0, 0.10)
    leaps, start = [], 0.12
    for _ in range(count):
        leaps.append(Leap(start, rise, crouch, who.posture.tempo / who.hurry, 0.05 + who.posture.knee_bend))
        start = leaps[-1].end + 0.02
    track, t = blank(start + 0.15, who)
    lean, swing = rng.uniform(0.25, 0.5), rng.uniform(0.6, 1.2)
    for k, leap in enumerate(leaps):
        leap_body(track, t, leap, each, lean, swing)
        for foot in (0, 1):
            begin = who.stance.ankles[foot] + np.array([0.0, 0.0, k * each])
            fly(track, t, leap, foot, begin, begin + np.array([0.0, 0.0, each]), tuck, who)
    return track


def leap_body(track: Track, t: np.ndarray, leap: Leap, distance: float, lean: float, swing: float) -> None:
    track.root[:, 1] += leap.height(t)
    track.root[:, 2] += distance * leap.progress(t)
    marks = [leap.start, leap.low, leap.off, leap.land, leap.absorb, leap.end]
    bent = keyframes(marks, [0.0, 1.0, 0.15, 0.25, 0.9, 0.0], t)
    track.trunk[:, 0] += lean * bent
    track.pelvis[:, 0] += 0.6 * lean * bent
    track.head[:, 0] -= 0.5 * lean * bent
    track.arms[..., 0] += keyframes(marks, [0.0, -0.75 * swing, 1.5 * swing, 0.9 * swing, 0.25, 0.0], t)[:, None]
    track.arms[..., 1] += keyframes(marks, [0.0, 0.05, 0.15, 0.25, 0.15, 0.0], t)[:, None]
    track.arms[..., 2] += keyframes(marks, [0.0, 0.15, 0.4, 0.3, 0.3, 0.0], t)[:, None]


def hop(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Hop on one foot, the other one lifted behind, `count` times."""
    side, count = side_index(action.side), action.count or 2
    other = 1 - side
    each = (action.distance or 0.0) / count if action.direction == "forward" else 0.0
    rise, crouch = rng.uniform(0.07, 0.13), rng.uniform(0.06, 0.10)
    shift = 0.4
    leaps, start = [], shift + 0.1
    for _ in range(count):
        leaps.append(Leap(start, rise, crouch, 0.6 * who.posture.tempo / who.hurry, 0.04 + who.posture.knee_bend))
        start = leaps[-1].end
    track, t = blank(start + shift + 0.2, who)
    weight = window(t, 0.0, t[-1], shift + 0.1)
    track.root[:, 0] += 0.9 * who.stance.ankles[side, 0] * weight
    for k, leap in enumerate(leaps):
        track.root[:, 1] += leap.height(t)
        track.root[:, 2] += each * leap.progress(t)
        begin = who.stance.ankles[side] + np.array([0.0, 0.0, k * each])
        fly(track, t, leap, side, begin, begin + np.array([0.0, 0.0, each]), 0.02, who)
        track.arms[..., 0] += 0.25 * np.sin(np.pi * leap.air(t))[:, None]
    _carry(track, t, other, shift, start, count * each, rng.uniform(0.22, 0.38), who)
    up = window(t, 0.1, t[-1], 0.5)
    track.arms[..., 1] += rng.uniform(0.1, 0.6) * up[:, None]
    track.arms[..., 2] += rng.uniform(0.1, 0.6) * up[:, None]
    track.trunk[:, 0] += 0.12 * up
    track.trunk[:, 2] -= 0.05 * up * (1.0 if side == 0 else -1.0)
    return track


def _carry(
    track: Track, t: np.ndarray, side: int, start: float, end: float, distance: float, height: float, who: Performer
) -> None:
    """Hold a lifted foot under and behind the hip while the other one hops, then put it down."""
    up = ease((t - 0.08) / start) * ease((end + 0.3 - t) / 0.35)
    place = who.stance.ankles[side]
    ahead = track.root[:, 2]
    ankle = np.tile(place, (len(t), 1))
    ankle[:, 2] += np.where(t < 0.5 * (start + end), ahead, np.minimum(ahead, distance)) - 0.18 * up
    ankle[:, 1] += height * up + np.maximum(track.root[:, 1], -0.08) * up
    air = up > 1e-4
    track.ankle[air, side] = ankle[air]
    track.ankle[~air & (t > end), side] = place + np.array([0.0, 0.0, distance])
    track.foot[:, side, 1] = 0.6 * up
    track.planted[:, side] = ~air
    ball = apply(rotation(track.foot[:, side, 0], track.foot[:, side, 1], 0.0), who.body.foot_vectors[side])[:, 1]
    track.ankle[:, side, 1] += np.maximum(0.010 - ball - track.ankle[:, side, 1], 0.0)


def jumping_jack(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Jump feet apart with the arms overhead and together again, `count` times."""
    count = action.count or 2
    slow = {"slow": 1.0, "normal": 0.6, "fast": 0.3}[action.speed] * who.posture.tempo / who.hurry
    rise, crouch = rng.uniform(0.05, 0.09), rng.uniform(0.05, 0.09)
    wide = rng.uniform(0.18, 0.28)
    leaps, start = [], 0.15
    for _ in range(2 * count):
        leaps.append(Leap(start, rise, crouch, slow, 0.03 + who.posture.knee_bend))
        start = leaps[-1].end
    track, t = blank(start + 0.25, who)
    apart = np.zeros(len(t))
    for k, leap in enumerate(leaps):
        out = k % 2 == 0
        track.root[:, 1] += leap.height(t)
        open_share = ease((t - leap.low) / (leap.absorb - leap.low))
        apart += open_share if out else -open_share
        for foot, sign in ((0, 1.0), (1, -1.0)):
            narrow = who.stance.ankles[foot]
            broad = narrow + np.array([sign * wide, 0.0, 0.0])
            fly(track, t, leap, foot, narrow if out else broad, broad if out else narrow, 0.0, who)
    track.root[:, 1] -= 0.035 * apart
    base = who.posture.arms
    over = np.array([0.05, np.radians(rng.uniform(160.0, 172.0)), rng.uniform(0.1, 0.35), -1.2])
    for arm in (0, 1):
        track.arms[:, arm] += apart[:, None] * (over - base[arm])
    return track
