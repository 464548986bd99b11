"""Animate what shifts the weight over planted feet: leaning forward or back for a while, and swaying from foot to foot.

Angles are radians; places are metres around the start, which faces +Z.
"""

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, smooth, smooth_noise, window
from remogpt.data.procedural.in_place import blank, seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_WRIST = 0.055
"""Distance of a wrist from what the hand rests on."""


def lean(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lean forward or back over planted feet, stay there for one to three seconds, and come upright again."""
    going, back = (seconds(action, who, rng.uniform(0.7, 1.2)) for _ in range(2))
    hold = max(rng.uniform(1.0, 2.3) * {"slow": 1.2, "fast": 0.9}.get(action.speed, 1.0) / who.hurry, 0.9)
    track, t = blank(0.15 + going + hold + back, who)
    there = window(t, 0.1, t[-1], going, back)
    # Nobody holds quite still, and the head comes a little after the trunk.
    there *= 1.0 + 0.025 * smooth_noise(rng, len(t), 1, 0.2, 0.6)[:, 0]
    late = window(t, 0.1 + 0.15 * going, t[-1], going, 0.9 * back)
    if action.direction == "backward":
        _lean_back(track, there, late, who, rng)
    else:
        draw = rng.random()
        rests = "knees" if draw < 0.2 else "table" if draw < 0.4 else ""
        _lean_forward(track, there, late, rests, who, rng)
        if rests:
            _rest_hands(track, t, there, rests, who, rng)
    return track


def _lean_forward(
    track: Track, there: np.ndarray, late: np.ndarray, rests: str, who: Performer, rng: np.random.Generator
) -> None:
    """Tilt from the ankles and from the hips; with the hands on the knees the seat goes back instead."""
    low, high = {"knees": (33.0, 40.0), "table": (24.0, 32.0)}.get(rests, (22.0, 34.0))
    deep = np.radians(rng.uniform(low, high)) - who.posture.lean
    deep = max(deep, np.radians(14.0))
    track.trunk[:, 0] += deep * there
    track.pelvis[:, 0] += rng.uniform(0.5, 0.75) * deep * there
    track.head[:, 0] += (rng.uniform(-0.6, 0.1) * deep) * late
    ahead = {"knees": (-0.10, -0.05), "table": (0.0, 0.06)}.get(rests, (0.02, 0.10))
    track.root[:, 2] += rng.uniform(*ahead) * there
    track.root[:, 1] -= rng.uniform(0.05, 0.09) * there if rests == "knees" else 0.0
    turned = rng.uniform(-0.12, 0.12)
    track.trunk[:, 1] += turned * there
    if not rests:
        # Hanging arms, arms drawn back for balance, or hands that come up in front a little.
        way = [(0.0, 0.0, 0.0), (-0.5, 0.12, 0.1), (0.15, 0.05, 0.55)][int(rng.integers(3))]
        for arm in (0, 1):
            track.arms[:, arm, :3] += late[:, None] * np.array(way) * rng.uniform(0.7, 1.2)


def _rest_hands(
    track: Track, t: np.ndarray, there: np.ndarray, rests: str, who: Performer, rng: np.random.Generator
) -> None:
    """Bring both hands onto the knees, or onto a table in front."""
    end = float(t[-1])
    thigh = who.body.leg_lengths[:, 0].mean()
    high = who.body.ankle_height.mean() + who.body.leg_lengths[:, 1].mean()
    reach = 0.33 * float(rng.uniform(0.9, 1.25))
    table = rng.uniform(0.80, 0.92) * who.body.pelvis_height + _WRIST
    for side in (0, 1):
        ankle = who.stance.ankles[side]
        if rests == "knees":
            place = np.array([ankle[0] + 0.02 * _SIGN[side], high + 0.17 * thigh, ankle[2] + 0.15])
        else:
            place = np.array([_SIGN[side] * rng.uniform(0.16, 0.24), table, reach + 0.12])
        early = rng.uniform(0.0, 0.12)
        track.hands[:, side, :3] = place
        track.hands[:, side, 3] = window(t, 0.15 + early, end - 0.1, 0.75, 0.6)
        track.arms[:, side, 2] += 0.35 * there


def _lean_back(track: Track, there: np.ndarray, late: np.ndarray, who: Performer, rng: np.random.Generator) -> None:
    """Tilt the trunk back over hips that go forward and knees that give, the head kept up or thrown back."""
    deep = np.radians(rng.uniform(17.0, 26.0)) + max(who.posture.lean, 0.0)
    track.trunk[:, 0] -= deep * there
    track.pelvis[:, 0] -= rng.uniform(0.45, 0.7) * deep * there
    track.head[:, 0] += (rng.uniform(-0.15, 0.7) * deep) * late
    track.root[:, 2] += rng.uniform(0.02, 0.08) * there
    track.root[:, 1] -= rng.uniform(0.01, 0.05) * there
    flexion, out, elbow = rng.uniform(-0.1, 0.3), rng.uniform(0.0, 0.35), rng.uniform(-0.1, 0.25)
    for arm in (0, 1):
        # The hanging arms are pitched with the trunk; they rather stay where gravity and balance want them.
        pose = np.array([0.2 * deep + flexion, out, elbow, 0.0]) * rng.uniform(0.8, 1.2)
        track.arms[:, arm] += late[:, None] * pose


def sway(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Shift the weight from foot to foot, `count` times in all, and come back to the middle."""
    count = action.count or 3
    beat = seconds(action, who, rng.uniform(0.85, 1.15))
    lead = 0.6 * beat
    track, t = blank(0.1 + lead + count * beat + 0.1, who)
    first = 1.0 if rng.random() < 0.5 else -1.0
    marks = [0.1, *(0.1 + lead + k * beat for k in range(count)), 0.1 + lead + (count - 1) * beat + 1.0 * beat]
    ways = [0.0, *(first * (-1.0) ** k * rng.uniform(0.9, 1.08) for k in range(count)), 0.0]
    wave = smooth(keyframes(marks, ways, t), 1.5)
    half = float(np.abs(np.diff(who.stance.ankles[:, 0]))[0]) / 2.0
    wide = np.clip(0.9 * half + rng.uniform(0.0, 0.05), 0.08, 0.17)
    track.root[:, 0] += wide * wave
    dip, style = rng.uniform(0.0, 0.02), rng.random()
    track.root[:, 1] -= dip * (1.0 - np.abs(wave)) * ease(np.abs(wave) / 0.2) + 0.006
    track.root[:, 1] += 0.006 * (1.0 - window(t, 0.0, t[-1], 0.3))
    # The hip of the standing leg comes up, and the trunk leans against the shift, or with it by a habit of swaying.
    hip = rng.uniform(0.03, 0.11)
    track.pelvis[:, 2] += hip * wave
    lean_by = rng.uniform(0.05, 0.13) if style < 0.5 else -rng.uniform(0.06, 0.15)
    track.trunk[:, 2] += lean_by * wave
    track.trunk[:, 1] += rng.uniform(-0.10, 0.10) * wave
    track.pelvis[:, 1] += rng.uniform(-0.06, 0.06) * wave
    _lift_heels(track, wave, who, rng)
    delayed = np.interp(t - 0.12, t, wave)
    swing, out = rng.uniform(0.02, 0.16), rng.uniform(0.0, 0.10)
    bend = rng.uniform(0.0, 0.25) * window(t, 0.0, t[-1], 0.5)
    for arm, sign in ((0, 1.0), (1, -1.0)):
        track.arms[:, arm, 1] += np.maximum(-sign * delayed, -0.3) * out + 0.03 * np.abs(delayed)
        track.arms[:, arm, 0] += swing * sign * delayed
        track.arms[:, arm, 2] += bend
    track.head[:, 1] += rng.uniform(-0.12, 0.12) * delayed
    return track


def _lift_heels(track: Track, wave: np.ndarray, who: Performer, rng: np.random.Generator) -> None:
    """Let the heel of the foot that carries less come up a little over its ball, which stays; half of all people do."""
    most = rng.uniform(0.10, 0.35) if rng.random() < 0.5 else 0.0
    for side, sign in ((0, 1.0), (1, -1.0)):
        free = ease((-sign * wave - 0.35) / 0.6)
        foot, yaw = who.body.foot_vectors[side], track.foot[:, side, 0]
        track.ankle[:, side] += apply(rotation(yaw, 0.0, 0.0), foot) - apply(rotation(yaw, most * free, 0.0), foot)
        track.foot[:, side, 1] += most * free
        track.knee[:, side] += 0.15 * free
