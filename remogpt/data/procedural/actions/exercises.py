"""Animate exercises of the trunk on planted feet: touching the toes, circling the hips, ducking, crunches, the neck."""

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, window
from remogpt.data.procedural.gestures import reach
from remogpt.data.procedural.in_place import blank, pulses, seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_TRUNK = 0.46
"""Metres by which one radian of the whole trunk moves the neck."""


def _pose_arm(track: Track, arm: int, pose: np.ndarray, weight: np.ndarray, who: Performer) -> None:
    """Bring an arm into a pose (4,) or (T, 4) of the chest's frame by a weight (T,); after the trunk is animated."""
    track.arms[:, arm] += weight[:, None] * (pose - who.posture.arms[arm])
    # Idle arms hang down from a bent trunk; posed ones do not.
    track.arms[:, arm, 0] -= weight * 0.8 * (track.trunk[:, 0] + who.posture.lean)


def _stand_on(track: Track, bend: np.ndarray, straight: float, who: Performer) -> None:
    """Set the pelvis' height so that the legs get as long as a share of their full length where `bend` (T,) is 1.

    A pelvis that pitches forward takes the hips back and up, which the height must make up for.
    """
    pitch = track.pelvis[:, 0] + 0.3 * who.posture.lean
    heights = []
    for side in (0, 1):
        hip = apply(rotation(0.0, pitch, 0.0), who.body.offsets[1 + side])
        flat = track.root[:, [0, 2]] + hip[:, [0, 2]] - who.stance.ankles[side, [0, 2]]
        rest = who.body.pelvis_height - who.stance.knee_bend + hip[0, 1] - who.stance.ankles[side, 1]
        length = np.hypot(rest, np.linalg.norm(flat[0]))
        length = length + (straight * who.body.leg_lengths[side].sum() - length) * bend
        up = np.sqrt(np.maximum(length**2 - (flat**2).sum(-1), 0.01))
        heights.append(who.stance.ankles[side, 1] + up - hip[:, 1] - who.body.pelvis_height)
    track.root[:, 1] = np.minimum(*heights)


def touch_toes(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Fold over nearly straight legs until both hands are at the feet, and rise, `count` times."""
    count = action.count or 1
    period = seconds(action, who, rng.uniform(1.9, 2.6))
    track, t = blank(count * period + 0.3, who)
    down = pulses(t, count, period, 0.1, rng.uniform(0.08, 0.3))
    # The trunk follows the hips on the way down, and comes up a little earlier than the arms.
    early = pulses(t + 0.04 * period, count, period, 0.1, 0.25)
    track.pelvis[:, 0] += rng.uniform(1.35, 1.6) * early
    track.trunk[:, 0] += (rng.uniform(2.4, 2.75) - 0.7 * who.posture.lean) * down
    track.head[:, 0] += rng.uniform(-0.5, 0.15) * down
    hip = apply(rotation(0.0, track.pelvis[:, 0], 0.0), who.body.offsets[1])[:, 2]
    track.root[:, 2] -= rng.uniform(0.07, 0.14) * down + (hip - hip[0])
    _stand_on(track, down, rng.uniform(0.95, 0.99), who)
    wide, high, ahead = rng.uniform(0.6, 1.4), rng.uniform(0.05, 0.15), rng.uniform(-0.06, 0.10)
    for arm in (0, 1):
        toe = who.stance.ankles[arm] + who.body.foot_vectors[arm]
        track.hands[:, arm, :3] = toe * np.array([wide, 0.0, 1.0]) + np.array([0.0, high, ahead])
        track.hands[:, arm, 3] = ease((down - 0.35) / 0.6)
        track.arms[:, arm, 0] += rng.uniform(0.1, 0.4) * down
    return track


def roll_hips(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Take the pelvis around in a circle `count` times over planted feet while the head stays."""
    count = action.count or 2
    period, out = seconds(action, who, rng.uniform(1.25, 1.8)), rng.uniform(0.3, 0.5)
    track, t = blank(count * period + 2 * out + 0.2, who)
    there = window(t, 0.05, t[-1] - 0.05, out)
    u = np.clip((t - 0.05 - 0.6 * out) / (t[-1] - 0.1 - 1.2 * out), 0.0, 1.0)
    angle = 2.0 * np.pi * count * (u + 0.25 / count * (ease(u) - u)) * (1.0 if rng.random() < 0.5 else -1.0)
    angle += rng.uniform(0.0, 2.0 * np.pi)
    wide = rng.uniform(0.085, 0.14)
    across, along = wide * there * np.cos(angle), rng.uniform(0.8, 1.0) * wide * there * np.sin(angle)
    track.root[:, 0] += across
    track.root[:, 2] += along
    stays = rng.uniform(0.85, 1.15) / _TRUNK  # how well the head keeps its place
    track.pelvis[:, 2] += 0.7 * stays * across
    track.pelvis[:, 0] -= 0.7 * stays * along
    track.pelvis[:, 1] += rng.uniform(0.0, 0.15) * there * np.sin(angle + 1.0)
    track.trunk[:, 2] += 1.05 * stays * across
    track.trunk[:, 0] -= 1.05 * stays * along
    track.head[:, 0] += 0.8 * stays * along
    _stand_on(track, there, rng.uniform(0.95, 0.98), who)
    track.knee += 0.1 * there[:, None]
    if rng.random() < 0.8:
        outward, high = rng.uniform(0.0, 0.03), rng.uniform(-0.27, -0.24)
        for arm in (0, 1):
            # The hips move against the chest, and the hands go with them.
            place = np.array([0.15 + outward, high, 0.02]) + 0.7 * np.stack(
                [_SIGN[arm] * across, np.zeros_like(t), along], axis=-1
            )
            _pose_arm(track, arm, reach(who.body, arm, place, (1.0, 0.0, -0.3)), window(t, 0.0, t[-1], 1.3 * out), who)
    else:
        for arm in (0, 1):
            pose = np.array([rng.uniform(0.1, 0.6), rng.uniform(0.25, 0.7), rng.uniform(0.2, 1.0), 0.1])
            _pose_arm(track, arm, pose, there, who)
    return track


_DUCK_RUSH = {"slow": 1.1, "normal": 1.0, "fast": 0.85}
"""Nobody ducks slowly; tempo and style of the take do not slow it either."""


def duck(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Drop head and trunk in a third of a second, under something or to one side, wait, and come up again."""
    fall = rng.uniform(0.26, 0.38) * _DUCK_RUSH[action.speed]
    stay, rise = rng.uniform(0.12, 0.5) / who.hurry, rng.uniform(0.5, 0.8) / who.hurry
    ready = 0.15
    track, t = blank(ready + fall + stay + rise + 0.25, who)
    marks = [0.05, ready, ready + fall, ready + fall + stay, ready + fall + stay + rise]
    gone = keyframes(marks, [0.0, -0.04, 1.0, rng.uniform(0.85, 1.0), 0.0], t)
    if action.direction == "down":
        low, lean, roll, aside = rng.uniform(0.15, 0.26), rng.uniform(0.85, 1.15), rng.uniform(-0.15, 0.15), 0.0
        lean -= 0.5 * who.posture.lean
    else:
        sign = 1.0 if action.direction == "left" else -1.0
        low, lean = rng.uniform(0.07, 0.14), rng.uniform(0.15, 0.4)
        roll, aside = -sign * rng.uniform(0.6, 0.8), sign * rng.uniform(0.09, 0.14)
    track.root[:, 0] += aside * gone
    track.root[:, 1] -= low * np.maximum(gone, 0.0)
    track.root[:, 2] -= 0.11 * lean * gone
    track.pelvis[:, 0] += 0.5 * lean * gone
    track.pelvis[:, 2] += 0.35 * roll * gone
    track.trunk[:, 0] += lean * gone
    track.trunk[:, 2] += roll * gone
    track.trunk[:, 1] += rng.uniform(-0.2, 0.2) * gone
    track.head[:, 0] += rng.uniform(-0.25, 0.3) * gone
    track.knee += 0.15 * np.maximum(gone, 0.0)[:, None]
    late = keyframes([mark + 0.03 for mark in marks], [0.0, 0.0, 1.0, 0.9, 0.0], t)
    way = rng.random()
    for arm in (0, 1):
        if way < 0.4:  # hands before the face or over the head
            place = np.array([rng.uniform(0.08, 0.14), rng.uniform(0.24, 0.42), rng.uniform(0.12, 0.22)])
            _pose_arm(track, arm, reach(who.body, arm, place, (0.7, -0.8, 0.4)), late, who)
        elif way < 0.75:  # bent arms
            track.arms[:, arm] += late[:, None] * np.array([rng.uniform(-0.1, 0.3), 0.25, rng.uniform(0.8, 1.5), 0.3])
        else:  # arms thrown out for balance
            track.arms[:, arm] += late[:, None] * np.array([-0.3, rng.uniform(0.3, 0.7), 0.5, 0.0])
    return track
