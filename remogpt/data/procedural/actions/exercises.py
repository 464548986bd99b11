"""Animate exercises of the trunk on planted feet: touching the toes, circling the hips, ducking, crunches, the neck."""

import numpy as np

from remogpt.data.procedural.curves import apply, ease, keyframes, rotation, window
from remogpt.data.procedural.gestures import Gesture, reach
from remogpt.data.procedural.in_place import blank, move_foot, pulses, raise_knee, seconds, side_index
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
        flat = track.root[:, [0, 2]] + hip[:, [0, 2]] - track.ankle[:, side][:, [0, 2]]
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


def touch_foot(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Step the feet apart and touch a foot with the hand of the other side, the free arm up; both: in turn."""
    count, both = action.count or 1, action.side == "both"
    period, step = seconds(action, who, rng.uniform(1.5, 2.1)), seconds(action, who, 0.45)
    begin = 0.1 + 1.9 * step
    track, t = blank(2 * begin + count * period + 0.1, who)
    wide = rng.uniform(0.10, 0.2)
    for side in (0, 1):
        out = who.stance.ankles[side] + np.array([_SIGN[side] * wide, 0.0, 0.0])
        move_foot(track, t, side, 0.05 + 0.9 * step * side, 0.05 + step * (0.9 * side + 0.9), out, 0.05, who)
        a = begin + count * period + 0.9 * step * side
        move_foot(track, t, side, a, a + 0.9 * step, who.stance.ankles[side], 0.05, who)
    apart = window(t, 0.05, t[-1] - 0.05, 2.0 * step)
    first = int(rng.integers(2)) if both else side_index(action.side)
    folded, twist = rng.uniform(2.4, 2.65) - 0.7 * who.posture.lean, rng.uniform(0.5, 0.7)
    downs, sway = np.zeros((2, len(t))), 0.6 * step
    for k in range(count):
        downs[first if not both or k % 2 == 0 else 1 - first] += pulses(t, 1, period, begin + k * period, 0.2)
    down, turned = downs.sum(axis=0), downs[1] - downs[0]
    track.pelvis[:, 0] += rng.uniform(1.35, 1.5) * down
    track.pelvis[:, 1] += 0.3 * twist * turned
    track.trunk[:, 0] += folded * down
    track.trunk[:, 1] += twist * turned
    track.head[:, 0] -= rng.uniform(0.0, 0.4) * down
    hip = apply(rotation(0.0, track.pelvis[:, 0], 0.0), who.body.offsets[1])[:, 2]
    track.root[:, 2] -= rng.uniform(0.06, 0.12) * down + (hip - hip[0])
    for side in (0, 1):  # the weight goes to the foot that stays while the other one steps
        for a in (0.05 + 0.9 * step * side, begin + count * period + 0.9 * step * side):
            track.root[:, 0] -= 0.03 * _SIGN[side] * window(t, a - 0.1, a + step, sway)
    _stand_on(track, np.maximum(down, apart), rng.uniform(0.95, 0.985), who)
    high, ahead, up = rng.uniform(0.04, 0.12), rng.uniform(-0.05, 0.08), rng.uniform(0.8, 1.2)
    for arm in (0, 1):
        toe = track.ankle[:, 1 - arm] + who.body.foot_vectors[1 - arm]
        track.hands[:, arm, :3] = toe * np.array([1.0, 0.0, 1.0]) + np.array([0.0, high, ahead])
        track.hands[:, arm, 3] = ease((downs[arm] - 0.35) / 0.6)
        raised = np.array([-0.7, up, 0.15, 0.0])  # behind the chest, which is up
        _pose_arm(track, arm, raised, downs[1 - arm], who)
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


def elbow_to_knee(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Lift a knee and bring the elbow of the other side down to it, `count` times; both: in turn."""
    count, both = action.count or 1, action.side == "both"
    period, shift = seconds(action, who, rng.uniform(1.05, 1.4) if both else rng.uniform(1.2, 1.6)), 0.35
    track, t = blank(count * period + 2 * shift + 0.2, who)
    first = int(rng.integers(2)) if both else side_index(action.side)
    high, lean, turn = rng.uniform(0.16, 0.24), rng.uniform(0.8, 1.0), rng.uniform(0.42, 0.58)
    sway, bent = np.zeros(len(t)), np.zeros((2, len(t)))
    for k in range(count):
        elbow = first if not both or k % 2 == 0 else 1 - first
        knee, a = 1 - elbow, shift + k * period
        up = window(t, a, a + period, 0.47 * period)
        raise_knee(track, up, knee, high, who)
        track.knee[:, knee] -= 0.2 * up
        crunch = window(t, a - 0.05, a + period, 0.5 * period)
        bent[elbow] += crunch
        sway += window(t, a - 0.22, a + period + 0.22, 0.5 * period + 0.1) * who.stance.ankles[elbow, 0]
        track.trunk[:, 0] += lean * crunch
        track.trunk[:, 1] -= turn * _SIGN[elbow] * crunch
        track.pelvis[:, 0] += 0.3 * crunch
        track.pelvis[:, 1] -= 0.15 * _SIGN[elbow] * crunch
        track.root[:, 2] -= 0.02 * crunch
    most = abs(who.stance.ankles[:, 0]).max()
    track.root[:, 0] += np.clip(sway, -most, most) * 0.7
    ready = window(t, 0.0, t[-1], shift + 0.15)
    behind = rng.random() < 0.75
    place = (
        np.array([rng.uniform(0.08, 0.13), rng.uniform(0.33, 0.40), rng.uniform(-0.04, 0.04)])
        if behind
        else np.array([rng.uniform(0.10, 0.15), rng.uniform(0.14, 0.24), rng.uniform(0.12, 0.18)])
    )
    for arm in (0, 1):
        wide = reach(who.body, arm, place, (1.0, -0.2, 0.3) if behind else (0.6, -1.0, 0.0))
        # A hand behind the head slides forward to the cheek as the elbow comes down.
        cheek = place + np.array([0.02, -0.09, 0.05]) * behind
        folded = reach(who.body, arm, cheek, (0.1, -1.0, 0.2) if behind else (-0.2, -0.9, 0.6))
        _pose_arm(track, arm, wide + bent[arm][:, None] * (folded - wide), ready, who)
    return track


def roll_head(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Let the head go around on the neck, `count` times."""
    count = action.count or 1
    period, out = seconds(action, who, rng.uniform(1.6, 2.3)), rng.uniform(0.35, 0.55)
    gesture, t = Gesture.empty(count * period + 2 * out)
    there = window(t, 0.0, t[-1], out)
    u = np.clip((t - 0.7 * out) / (t[-1] - 1.4 * out), 0.0, 1.0)
    angle = 2.0 * np.pi * count * (u + 0.25 / count * (ease(u) - u)) * (1.0 if rng.random() < 0.5 else -1.0)
    angle += rng.uniform(0.0, 2.0 * np.pi)
    wide = rng.uniform(0.62, 0.8) * there
    # The head's rest direction and where it goes, as points over the neck: (left, forward) per unit of length.
    offset = who.body.offsets[15] / np.linalg.norm(who.body.offsets[15])
    rest = float(np.arctan2(offset[2], offset[1]))
    middle = (1.0 - there) * np.sin(rest) + there * rng.uniform(0.12, 0.25)
    left, ahead = wide * np.sin(angle), middle + rng.uniform(0.8, 1.0) * wide * np.cos(angle)
    tilt = np.arcsin(np.clip(np.hypot(left, ahead), 0.0, 0.97))
    gesture.head[:, 0] = tilt - rest
    gesture.head[:, 1] = np.unwrap(np.arctan2(left, ahead))
    gesture.head[:, 1] -= 2.0 * np.pi * np.round(gesture.head[0, 1] / (2.0 * np.pi))
    gesture.trunk[:, 2] -= rng.uniform(0.0, 0.06) * there * np.sin(angle)
    gesture.trunk[:, 0] += rng.uniform(0.0, 0.06) * there * np.cos(angle)
    return gesture
