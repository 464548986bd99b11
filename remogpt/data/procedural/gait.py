"""Animate walking and running: a path in time, footholds along it, and the body above the feet.

One half-cycle is one step. Step k is made by alternating feet during the half-cycle [k, k + 1]; its foothold lies
where the pelvis will be at half-cycle k + 1.5, the middle of that foot's stance. So feet follow any path: straight,
curved, sideways, backwards, or turning on the spot.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from remogpt.data.procedural.body import Body, heel_offset
from remogpt.data.procedural.curves import FPS, apply, ease, heading_vector, rotation, smooth
from remogpt.data.procedural.posture import Posture
from remogpt.data.procedural.track import Stance, Track

_FINE = 200.0
"""Samples a second at which a path's timing is computed."""


@dataclass(frozen=True)
class Manner:
    """Parameters of a gait besides its path. Angles in radians, lengths in metres."""

    duty: float
    """Share of the cycle that a foot stands; below one half the body flies."""
    width: float
    """Metres between the lines of the feet."""
    lift: float
    bob: float
    sway: float
    pelvis_yaw: float
    pelvis_roll: float
    lean: float
    swing: float
    """Amplitude of the arm swing."""
    elbow: float
    """Added elbow flexion."""
    toe_off: float
    """Foot pitch when it leaves the floor."""
    heel_strike: float
    """Foot pitch (upwards) when it lands."""
    crouch: float = 0.0
    sharp: float = 1.0
    """How much the foot's height is bound to its peak."""
    behind: float = 0.03
    """Metres of the ankle behind the pelvis in mid-stance."""
    peak: float = 0.36
    """Share of the swing at which the foot is highest."""


@dataclass(frozen=True)
class Path:
    """Path of the pelvis, sampled at equal steps of progress u in [0, 1]."""

    points: np.ndarray
    """(S, 2) x and z."""
    heading: np.ndarray
    """(S,) yaw of the body."""
    levels: np.ndarray | None = None
    """(steps,) height of the floor under each step, metres; None: level ground."""

    def at(self, progress: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (..., 2) and heading (...) at progress in [0, 1]."""
        grid = np.linspace(0.0, 1.0, len(self.heading))
        u = np.clip(progress, 0.0, 1.0)
        point = np.stack([np.interp(u, grid, self.points[:, i]) for i in (0, 1)], axis=-1)
        return point, np.interp(u, grid, self.heading)


def walk(
    path: Path,
    duration: float,
    ramps: tuple[float, float],
    steps: int,
    manner: Manner,
    posture: Posture,
    body: Body,
    stance: Stance,
    first: int,
) -> Track:
    """Follow a path with an alternating gait, from stance to stance.

    Args:
        path: of the pelvis. duration: seconds. ramps: seconds of start and stop. steps: number.
        manner: of the gait. posture, body, stance: of the performer. first: foot of the first step, 0 left, 1 right.
    """  # fmt: skip
    fine = np.arange(int(duration * _FINE) + 1) / _FINE
    speed = ease((fine + 0.04) / (ramps[0] + 0.04)) * ease((duration - fine + 0.04) / (ramps[1] + 0.04))
    progress = _normalised(np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]))]))
    phase = steps * _normalised(np.cumsum(0.55 + 0.45 * speed) - (0.55 + 0.45 * speed[0]))
    t = np.arange(round(duration * FPS) + 1) / FPS
    p, u = np.interp(t, fine, phase), np.interp(t, fine, progress)
    track = Track.still(len(t), stance)
    point, track.yaw = path.at(u)
    track.root[:, [0, 2]] = point
    if path.levels is not None:
        track.root[:, 1] += _climb(p, path.levels)
    _body(track, p, np.interp(t, fine, speed), steps, manner, posture, first)
    _feet(track, p, lambda q: np.interp(np.interp(q, phase, fine), fine, progress), path, steps, manner, posture,
          body, stance, first)  # fmt: skip
    return track


def _climb(p: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(T,) height of the pelvis on stairs: it rises over the foot that has landed, and sinks before the foot lands."""
    late = 1.5 if levels[-1] > 0.0 else 0.95
    return smooth(np.interp(p, np.arange(len(levels)) + late, levels, left=0.0), 2.5)


def _normalised(rising: np.ndarray) -> np.ndarray:
    return rising / rising[-1]


def _body(
    track: Track, p: np.ndarray, speed: np.ndarray, steps: int, manner: Manner, posture: Posture, first: int
) -> None:
    """Pelvis, trunk and arms over half-cycles p."""
    sign = 1.0 if first == 0 else -1.0
    there = ease(p / 0.6) * ease((steps - p) / 0.6)
    moving = there * (0.35 + 0.65 * speed)
    cycle, middle = np.cos(np.pi * p), np.sin(np.pi * p)
    rise = -np.cos(2.0 * np.pi * p) * (1.0 if manner.duty > 0.5 else -1.0)
    track.root[:, 1] += there * (manner.bob * rise - manner.crouch)
    aside = -sign * manner.sway * middle * there
    if posture.limp >= 0:
        _limp(track, p, there, posture, first)
    track.root += heading_vector(track.yaw, aside, 0.0)
    track.pelvis[:, 1] = moving * sign * manner.pelvis_yaw * cycle
    track.pelvis[:, 2] = -moving * sign * manner.pelvis_roll * middle
    track.pelvis[:, 0] = 0.35 * moving * manner.lean
    track.trunk[:, 0] = moving * (manner.lean + 0.015 * np.cos(2.0 * np.pi * p))
    track.trunk[:, 1] = -0.9 * track.pelvis[:, 1]
    track.trunk[:, 2] += -0.5 * track.pelvis[:, 2]
    track.head[:, 0] = -0.6 * moving * manner.lean
    track.head[:, 1] = 0.8 * -track.trunk[:, 1]
    for side, way in ((0, sign), (1, -sign)):
        wave = way * np.cos(np.pi * (p - 0.08))
        track.arms[:, side, 0] = moving * (manner.swing * wave + 0.05 - 0.22 * manner.elbow)
        track.arms[:, side, 2] = moving * (manner.elbow + manner.swing * 0.45 * (wave + 0.6))
        track.arms[:, side, 3] = moving * (0.12 * manner.swing * wave - 0.12 * manner.elbow)
        if posture.arms_out:  # with straighter elbows; over the lifted foot an arm rises a little
            track.arms[:, side, 1] = there * posture.arms_out * (1.0 + 0.15 * way * middle)
            track.arms[:, side, 2:] -= 0.5 * posture.arms_out * there[:, None]


def _limp(track: Track, p: np.ndarray, there: np.ndarray, posture: Posture, first: int) -> None:
    """Sink and tilt while the spared leg carries the body, and hurry over it."""
    spared_swings_on_even = posture.limp == first
    carries = np.cos(np.pi * (p - (1.5 if spared_swings_on_even else 0.5))) * there
    track.root[:, 1] -= 0.03 * np.maximum(carries, 0.0)
    side = 1.0 if posture.limp == 0 else -1.0
    track.trunk[:, 2] -= side * 0.16 * np.maximum(carries, 0.0)
    track.trunk[:, 0] += 0.06 * np.maximum(carries, 0.0)


def _feet(
    track: Track, p: np.ndarray, progress_at: Callable[[float], np.ndarray], path: Path, steps: int,
    manner: Manner, posture: Posture, body: Body, stance: Stance, first: int,
) -> None:  # fmt: skip
    half = 1.0 - manner.duty
    for side in (0, 1):
        own = list(range((side - first) % 2, steps, 2))
        holds = [(-np.inf, (own[0] + 0.5 - half) if own else np.inf, _foothold(path, 0.0, side, None, body, stance))]
        for k in own:
            middle = k + 1.5
            place = float(progress_at(middle)) if k < steps - 2 else 1.0
            end = k + 2.5 - half if k + 2 < steps else np.inf
            ground, yaw = _foothold(path, place, side, manner if k < steps - 2 else None, body, stance)
            if path.levels is not None:
                ground[1] += path.levels[k]
            holds.append((min(k + 0.5 + half, steps), end, (ground, yaw)))
        holds[0] = (-np.inf, max(holds[0][1], 0.0), holds[0][2])
        _one_foot(track, p, side, holds, manner, posture, body)


def _foothold(
    path: Path, progress: float, side: int, manner: Manner | None, body: Body, stance: Stance
) -> tuple[np.ndarray, float]:
    """Flat ankle position (3,) and foot yaw; without a manner the foot stands in the neutral stance."""
    point, heading = path.at(np.asarray(progress))
    local = stance.ankles[side]
    x = local[0] if manner is None else np.sign(local[0]) * 0.5 * manner.width
    z = local[2] if manner is None else -manner.behind
    ground = heading_vector(heading, x, z) + np.array([point[0], body.ankle_height[side], point[1]])
    return ground, float(heading + stance.foot_yaw[side] * (1.0 if manner is None else 0.6))


def _one_foot(
    track: Track, p: np.ndarray, side: int, holds: list, manner: Manner, posture: Posture, body: Body
) -> None:
    """Write one foot: planted during its holds, swinging between them."""
    limp = 0.65 if posture.limp == side else 1.0
    for i, (start, end, (ground, yaw)) in enumerate(holds):
        on = (p >= start) & (p <= end)
        landed = i > 0
        leaves = np.isfinite(end)
        pitch = np.zeros(on.sum())
        if leaves:
            ramp = 0.62 * (1.0 - manner.duty + 0.35) if manner.duty > 0.5 else 0.3
            pitch += manner.toe_off * ease((p[on] - (end - ramp)) / ramp) ** 1.5
        if landed:
            pitch -= manner.heel_strike * (1.0 - ease((p[on] - start) / 0.22))
        track.foot[on, side, 0], track.foot[on, side, 1] = yaw, pitch
        track.ankle[on, side] = _rolled(body, side, ground, yaw, pitch)
        track.planted[on, side] = True
        if not leaves:
            continue
        lands, (next_ground, next_yaw) = holds[i + 1][0], holds[i + 1][2]
        air = (p > end) & (p < lands)
        u = (p[air] - end) / max(lands - end, 1e-6)
        begin = _rolled(body, side, ground, yaw, np.array([manner.toe_off]))[0]
        finish = _rolled(body, side, next_ground, next_yaw, np.array([-manner.heel_strike]))[0]
        far = float(np.linalg.norm(next_ground - ground))
        lift = manner.lift * posture.lift * limp * min(1.0, 0.45 + 0.9 * far)
        flat = body.ankle_height[side]
        levels = (float(ground[1] - flat), float(next_ground[1] - flat))
        _swing(track, air, side, u, begin, finish, (yaw, next_yaw), levels, lift, manner, body)


def _rolled(body: Body, side: int, ground: np.ndarray, yaw: float, pitch: np.ndarray) -> np.ndarray:
    """(M, 3) ankle of a planted foot: rolls over the ball for positive pitch, over the heel for negative."""
    flat, turn = rotation(yaw, 0.0, 0.0), rotation(yaw, pitch, 0.0)
    foot, heel = body.foot_vectors[side], heel_offset(body)[side]
    over_ball = ground + flat @ foot - turn @ foot
    over_heel = ground - flat @ heel + turn @ heel
    return np.where((pitch > 0.0)[:, None], over_ball, over_heel)


def _swing(
    track: Track, air: np.ndarray, side: int, u: np.ndarray, begin: np.ndarray, finish: np.ndarray,
    yaws: tuple[float, float], levels: tuple[float, float], lift: float, manner: Manner, body: Body,
) -> None:  # fmt: skip
    s = 0.35 * u * u * (3 - 2 * u) + 0.65 * ease(u)
    ankle = begin + s[:, None] * (finish - begin)
    rise = levels[1] - levels[0]
    if rise:  # up: first above the edge, then ahead; down: the other way round
        ankle[:, 1] += rise * ((ease(u / 0.6) if rise > 0.0 else ease((u - 0.4) / 0.6)) - s)
    bump = np.sin(np.pi * u ** (np.log(0.5) / np.log(manner.peak))) ** manner.sharp
    ankle[:, 1] += lift * bump
    pitch = manner.toe_off * (1.0 - ease(u / 0.75)) - manner.heel_strike * ease((u - 0.35) / 0.65)
    if manner.duty < 0.5:
        pitch += 0.5 * np.sin(np.pi * np.clip(u / 0.8, 0, 1))
    yaw = yaws[0] + s * (yaws[1] - yaws[0])
    ball = ankle[:, 1] + apply(rotation(yaw, pitch, 0.0), body.foot_vectors[side])[:, 1]
    clearance = min(levels) + 0.012 + 0.03 * np.sin(np.pi * u) ** 0.5
    ankle[:, 1] += np.maximum(clearance - ball, 0.0)
    track.ankle[air, side] = ankle
    track.foot[air, side, 0], track.foot[air, side, 1] = yaw, pitch
    track.planted[air, side] = False
