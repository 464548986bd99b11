"""Make gestures: curves of arm angles with weights against the idle arm.

Angles as in `body.arm_directions`: flexion, abduction, elbow, forearm turn. Poses that must meet a point (hands on
hips, palms together, hand to mouth) are solved once by inverse kinematics in the chest's frame.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from remogpt.data.procedural.body import Body, arm_angles, shoulder_place
from remogpt.data.procedural.curves import FPS, ease, keyframes, two_bone, unit, window
from remogpt.data.procedural.in_place import seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action

_SIGN = (1.0, -1.0)


@dataclass
class Gesture:
    """T frames: `arms` (T, 2, 4) angles, `weight` (T, 2) of them against the idle arms, `trunk` (T, 3) and `head`
    (T, 2) additions."""

    arms: np.ndarray
    weight: np.ndarray
    trunk: np.ndarray
    head: np.ndarray

    order: np.ndarray
    """(T, 2, 4) powers of the weight for each angle: below 1 an angle comes early and leaves late."""

    @classmethod
    def idle(cls, frames: int) -> "Gesture":
        """Return an empty gesture of some frames."""
        return cls(
            np.zeros((frames, 2, 4)), np.zeros((frames, 2)), np.zeros((frames, 3)), np.zeros((frames, 2)),
            np.ones((frames, 2, 4)),
        )  # fmt: skip

    @classmethod
    def empty(cls, duration: float) -> tuple["Gesture", np.ndarray]:
        """Return an empty gesture of `duration` seconds, and its times."""
        frames = round(duration * FPS) + 1
        return cls.idle(frames), np.arange(frames) / FPS

    def bend_first(self) -> "Gesture":
        """Bend the elbows first and straighten them last, so hands rise along the body instead of in an arc."""
        self.order[:] = (1.5, 1.5, 0.35, 1.0)
        return self


Maker = Callable[[Action, Performer, np.random.Generator, float], Gesture]
"""Makes a gesture; the last argument is the shortest time in seconds to hold a pose, 0 for the natural time."""


def arms_of(side: str | None) -> tuple[int, ...]:
    """Indices of the arms that a side names."""
    return {"left": (0,), "right": (1,)}.get(side or "both", (0, 1))


def reach(body: Body, side: int, target: np.ndarray, elbow: tuple[float, float, float]) -> np.ndarray:
    """Arm angles (..., 4) that bring the wrist to `target`.

    Args:
        body: proportions. side: 0 left, 1 right.
        target: (..., 3) in the chest's frame from spine3, x pointing outwards on this side.
        elbow: where the elbow points, same frame.
    """
    mirror = np.array([_SIGN[side], 1.0, 1.0])
    lengths = np.linalg.norm(body.offsets[[18 + side, 20 + side]], axis=-1)
    goal = np.asarray(target, dtype=float) * mirror
    upper = unit(goal)
    for _ in range(3):  # the collar bone moves with the arm: three rounds settle within a millimetre
        start = shoulder_place(body, side, upper)
        middle, end = two_bone(start, goal, lengths[0], lengths[1], np.asarray(elbow) * mirror)
        upper = unit(middle - start)
    return arm_angles(unit(middle - start), unit(end - middle), _SIGN[side])


def aim(flexion: float, abduction: float, fore: np.ndarray, sign: float) -> np.ndarray:
    """Arm angles (T, 4) from an upper arm in degrees and forearm directions (T, 3), x pointing outwards."""
    a, b = np.radians(flexion), np.radians(abduction)
    upper = np.array([sign * np.sin(b), -np.cos(b) * np.cos(a), np.cos(b) * np.sin(a)])
    fore = unit(np.asarray(fore, dtype=float) * [sign, 1.0, 1.0])
    return arm_angles(np.broadcast_to(upper, fore.shape), fore, sign)


def wave(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hand up, forearm swings sideways."""
    count = action.count or 3
    period = seconds(action, who, rng.uniform(0.48, 0.72))
    rise = seconds(action, who, rng.uniform(0.55, 0.8)) ** 0.7
    gesture, t = Gesture.empty(2 * rise + count * period + 0.1)
    high = rng.random()
    size = np.radians(rng.uniform(30.0, 44.0)) * who.posture.reach
    middle = np.radians(rng.uniform(-4.0, 16.0))
    phase = 2 * np.pi * np.clip((t - rise) / period, 0.0, count)
    together = rng.random() < 0.5
    for arm in arms_of(action.side):
        sign = _SIGN[arm]
        swing = middle + size * np.sin(phase) * (1.0 if together or arm == 0 else -1.0)
        fore = np.stack([np.sin(swing), np.cos(swing), np.full_like(t, rng.uniform(0.05, 0.3))], axis=-1)
        flexion, abduction = rng.uniform(5, 45), 68 + 40 * high + rng.uniform(-4, 4)
        if rng.random() < 0.25:
            flexion, abduction = rng.uniform(72, 105), rng.uniform(22, 40)
        gesture.arms[:, arm] = aim(flexion, abduction, fore, sign)
        gesture.weight[:, arm] = window(t, 0.0, t[-1], rise)
        gesture.trunk[:, 2] += sign * 0.05 * window(t, 0.0, t[-1], rise)
        if rng.random() < 0.4:
            gesture.trunk[:, 2] += 0.04 * np.sin(phase) * window(t, rise, t[-1] - rise, 0.2)
    return gesture


def raise_arm(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Arm up in front or to the side until the wrist is above the head, stay, lower."""
    rise = seconds(action, who, rng.uniform(0.75, 1.1))
    stay = rng.uniform(0.5, 1.2)
    gesture, t = Gesture.empty(2 * rise + stay + 0.1)
    up = window(t, 0.0, t[-1], rise)
    bent = rng.random() < 0.35
    tops = (rng.uniform(152, 174), rng.uniform(148, 168))
    elbow = rng.uniform(0.08, 0.45)
    for arm in arms_of(action.side):
        wobble = rng.normal(0.0, 2.0)
        if bent:
            fore = np.array([[rng.uniform(-0.15, 0.15), 1.0, rng.uniform(0.0, 0.25)]]).repeat(len(t), axis=0)
            pose = (
                aim(94 + wobble, 12, fore, _SIGN[arm])
                if action.direction == "forward"
                else aim(8, 98 + wobble, fore, _SIGN[arm])
            )
        elif action.direction == "forward":
            pose = np.array([np.radians(tops[0] + wobble), 0.08, elbow, 0.1])
        else:
            pose = np.array([0.08, np.radians(tops[1] + wobble), elbow, -1.2])
        gesture.arms[:, arm] = pose
        gesture.weight[:, arm] = up
    if action.side != "both":
        gesture.trunk[:, 2] += _SIGN[arms_of(action.side)[0]] * 0.06 * up
    gesture.trunk[:, 0] -= 0.04 * up
    return gesture


def _held(pose_by_arm: dict[int, np.ndarray], rise: float, stay: float) -> tuple[Gesture, np.ndarray, np.ndarray]:
    gesture, t = Gesture.empty(2 * rise + stay + 0.1)
    up = window(t, 0.0, t[-1], rise)
    for arm, pose in pose_by_arm.items():
        gesture.arms[:, arm] = pose
        gesture.weight[:, arm] = up
    return gesture, t, up


def stretch(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Both hands overhead, trunk a little back."""
    elbow, apart = rng.uniform(0.05, 0.5), rng.uniform(-0.1, 0.3)
    pose = np.array([np.radians(rng.uniform(162, 178)), apart, elbow, 0.3])
    gesture, t, up = _held({0: pose, 1: pose}, seconds(action, who, 1.2), rng.uniform(0.9, 1.6))
    gesture.trunk[:, 0] -= rng.uniform(0.05, 0.18) * up
    gesture.trunk[:, 2] += rng.uniform(0.0, 0.12) * up * np.sin(2 * np.pi * 0.3 * t)
    gesture.head[:, 0] -= rng.uniform(0.0, 0.3) * up
    return gesture


def guard_pose(who: Performer, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """Fists before the chin, elbows low; the left one is a little ahead."""
    height, ahead = rng.uniform(0.16, 0.25), rng.uniform(0.24, 0.32)
    return {
        arm: reach(who.body, arm, np.array([0.10, height, ahead + (0.07 if arm == 0 else 0.0)]), (0.5, -1.0, -0.1))
        for arm in (0, 1)
    }


def guard(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hold a boxing guard and bob a little."""
    gesture, t, up = _held(guard_pose(who, rng), 0.6, max(hold - 1.3, rng.uniform(1.2, 2.2)))
    bob = np.sin(2 * np.pi * rng.uniform(0.9, 1.4) * t) * up
    gesture.arms[..., 0] += 0.06 * bob[:, None]
    gesture.trunk[:, 0] += 0.10 * up + 0.03 * bob
    gesture.trunk[:, 1] -= 0.25 * up
    gesture.head[:, 1] += 0.2 * up
    return gesture.bend_first()


def punch(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Punch from a guard; the shoulder follows."""
    count = action.count or 2
    period = seconds(action, who, rng.uniform(0.6, 0.85))
    lift = 0.45
    gesture, t, _ = _held(guard_pose(who, rng), lift, count * period + 0.1)
    first = int(rng.integers(2))
    order = [first if k % 2 == 0 else 1 - first for k in range(count)] if action.side == "both" else None
    height = rng.uniform(0.06, 0.24)
    for k in range(count):
        arm = order[k] if order else (0 if action.side == "left" else 1)
        a = lift + k * period
        out = keyframes([a, a + 0.40 * period, a + 0.48 * period, a + 0.95 * period], [0.0, 1.0, 1.0, 0.0], t)
        straight = reach(who.body, arm, np.array([0.06, height, 0.62]), (0.6, -1.0, 0.0))
        gesture.arms[:, arm] += out[:, None] * (straight - gesture.arms[:, arm])
        gesture.trunk[:, 1] -= _SIGN[arm] * rng.uniform(0.3, 0.5) * out
        gesture.head[:, 1] += _SIGN[arm] * 0.3 * out
        gesture.trunk[:, 0] += 0.07 * out
    return gesture.bend_first()


def clap(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Palms meet before the chest."""
    count = action.count or 3
    period = seconds(action, who, rng.uniform(0.42, 0.6))
    rise = 0.6
    gesture, t = Gesture.empty(2 * rise + count * period)
    phase = np.clip((t - rise) / period, 0.0, count)
    gap = 0.5 * (1.0 + np.cos(2 * np.pi * phase))
    height, ahead, wide = rng.uniform(-0.02, 0.2), rng.uniform(0.26, 0.36), rng.uniform(0.15, 0.24)
    for arm in (0, 1):
        target = np.stack([0.03 + wide * gap, np.full_like(t, height), np.full_like(t, ahead)], axis=-1)
        gesture.arms[:, arm] = reach(who.body, arm, target, (0.9, -1.0, -0.2))
        gesture.weight[:, arm] = window(t, 0.0, t[-1], rise)
    return gesture.bend_first()


def point(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Stretch one arm forward or sideways at shoulder height and keep it there."""
    arm = arms_of(action.side)[0]
    up = rng.uniform(76, 98)
    pose = (
        np.radians([up, 4, rng.uniform(2, 14), 0])
        if action.direction == "forward"
        else np.radians([4, up, rng.uniform(2, 14), -60])
    )
    gesture, _, weight = _held({arm: pose}, seconds(action, who, 0.7), rng.uniform(0.8, 1.5))
    turn = 0.35 if action.direction == "side" else 0.05
    gesture.head[:, 1] += _SIGN[arm] * turn * weight
    gesture.trunk[:, 1] += (0.4 * turn if action.direction == "side" else -0.12) * _SIGN[arm] * weight
    return gesture


def salute(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hand to the brow."""
    arm = arms_of(action.side)[0]
    pose = reach(who.body, arm, np.array([0.14, 0.375, 0.11]), (1.0, -0.25, 0.1))
    return _held({arm: pose}, seconds(action, who, 0.6), rng.uniform(0.8, 1.5))[0]


def cross_arms(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Fold the arms before the chest."""
    height = rng.uniform(-0.02, 0.06)
    over = rng.random() < 0.5
    poses = {
        arm: reach(who.body, arm, np.array([-0.08, height + (0.05 if (arm == 0) == over else 0.0),
                                             0.25 if (arm == 0) == over else 0.20]), (0.6, -1.0, 0.1))
        for arm in (0, 1)
    }  # fmt: skip
    gesture, _, weight = _held(poses, 0.8, max(hold - 1.7, rng.uniform(1.5, 2.5)))
    gesture.trunk[:, 0] -= 0.03 * weight
    return gesture.bend_first()


def hands_on_hips(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hands on the hips, elbows out."""
    pose = {
        arm: reach(
            who.body, arm, np.array([rng.uniform(0.15, 0.18), -0.265, rng.uniform(0.0, 0.06)]), (1.0, 0.0, -0.45)
        )
        for arm in (0, 1)
    }
    return _held(pose, 0.75, max(hold - 1.6, rng.uniform(1.5, 2.5)))[0]


def push(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Both palms from the chest to the front."""
    ready, out_for = seconds(action, who, 0.6), seconds(action, who, 0.8)
    height = rng.uniform(-0.02, 0.14)
    near = {arm: reach(who.body, arm, np.array([0.14, height, 0.18]), (0.8, -1.0, -0.3)) for arm in (0, 1)}
    gesture, t, up = _held(near, ready, out_for + 0.5)
    out = keyframes([ready, ready + 0.55 * out_for, ready + 0.55 * out_for + 0.3, t[-1]], [0.0, 1.0, 1.0, 0.3], t)
    for arm in (0, 1):
        far = reach(who.body, arm, np.array([0.13, height + 0.04, 0.60]), (0.8, -1.0, 0.0))
        gesture.arms[:, arm] += out[:, None] * (far - near[arm])
    gesture.trunk[:, 0] += 0.22 * out * up
    return gesture.bend_first()


def swipe(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Sweep the arm level from one side to the other."""
    arm = arms_of(action.side)[0]
    outward = (action.direction == "left") == (arm == 0)
    ready, sweep = seconds(action, who, 0.6), seconds(action, who, 0.75)
    gesture, t = Gesture.empty(2 * ready + sweep)
    across, out = np.array([-0.16, rng.uniform(-0.02, 0.1), 0.36]), np.array([0.55, rng.uniform(0.0, 0.15), 0.22])
    u = ease((t - ready) / sweep)
    u = u if outward else 1.0 - u
    angle = np.radians(-28.0 + 92.0 * u)
    far = np.linalg.norm(across) + u * (np.linalg.norm(out) - np.linalg.norm(across))
    target = np.stack([np.sin(angle) * far + 0.05, across[1] + u * (out[1] - across[1]), np.cos(angle) * far], axis=-1)
    gesture.arms[:, arm] = reach(who.body, arm, target, (0.7, -1.0, 0.0))
    gesture.weight[:, arm] = window(t, 0.0, t[-1], ready)
    gesture.trunk[:, 1] += _SIGN[arm] * 0.35 * (u - 0.5) * gesture.weight[:, arm]
    return gesture


def drink(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hand to the mouth, head a little back."""
    arm = arms_of(action.side)[0]
    pose = reach(who.body, arm, np.array([0.02, 0.29, 0.17]), (0.8, -1.0, 0.1))
    gesture, _, up = _held({arm: pose}, seconds(action, who, 0.9), rng.uniform(0.8, 1.5))
    gesture.head[:, 0] -= 0.28 * up**3
    return gesture.bend_first()


def scratch_head(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hand on the head, small rubbing."""
    arm = arms_of(action.side)[0]
    rise, stay = seconds(action, who, 0.85), rng.uniform(1.2, 2.0)
    gesture, t = Gesture.empty(2 * rise + stay)
    rub = 0.03 * np.sin(2 * np.pi * rng.uniform(1.8, 2.6) * t)
    target = np.array([0.10, 0.45, rng.uniform(-0.04, 0.04)]) + rub[:, None] * np.array([0.3, 1.0, 0.6])
    gesture.arms[:, arm] = reach(who.body, arm, target, (1.0, 0.1, 0.2))
    gesture.weight[:, arm] = window(t, 0.0, t[-1], rise)
    gesture.head[:, 0] += 0.12 * gesture.weight[:, arm]
    return gesture.bend_first()


def arm_circle(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Turn the straight arm about the shoulder; forward means up behind and down in front."""
    count = action.count or 2
    period = seconds(action, who, rng.uniform(1.0, 1.35))
    gesture, t = Gesture.empty(count * period + 0.8)
    share = keyframes(
        [0.4, 0.4 + 0.15 * period, 0.4 + (count - 0.15) * period, 0.4 + count * period],
        [0, 0.075, count - 0.075, count],
        t,
    )
    angle = 2 * np.pi * share * (-1.0 if action.direction == "forward" else 1.0)
    wide, elbow = rng.uniform(0.2, 0.4), rng.uniform(0.05, 0.3)
    # Whole turns are invisible on the joints: drop them before the idle arm is blended in again.
    angle = np.where(t > 0.4 + (count - 0.5) * period, angle - angle[-1], angle)
    for arm in arms_of(action.side):
        gesture.arms[:, arm] = np.stack([angle, 0 * t + wide, 0 * t + elbow, 0 * t], axis=-1)
        gesture.weight[:, arm] = window(t, 0.0, t[-1], 0.4)
    return gesture


def knock(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Forearm beats forward at shoulder height."""
    arm, count = arms_of(action.side)[0], action.count or 3
    period, rise = seconds(action, who, rng.uniform(0.32, 0.45)), 0.6
    gesture, t = Gesture.empty(2 * rise + count * period)
    phase = np.clip((t - rise) / period, 0.0, count)
    beat = 0.5 * (1.0 - np.cos(2 * np.pi * phase))
    target = np.stack([0.08 + 0.0 * t, 0.16 - 0.03 * beat, 0.28 + 0.13 * beat], axis=-1)
    gesture.arms[:, arm] = reach(who.body, arm, target, (0.6, -1.0, 0.1))
    gesture.weight[:, arm] = window(t, 0.0, t[-1], rise)
    gesture.trunk[:, 0] += 0.06 * gesture.weight[:, arm]
    return gesture.bend_first()


def catch(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Reach out quickly and draw the hands in to the chest."""
    out_for, hug = 0.55, rng.uniform(0.5, 0.9)
    gesture, t = Gesture.empty(out_for + 0.45 + hug + 0.7)
    height = rng.uniform(0.05, 0.35)
    draw = ease((t - out_for - 0.05) / 0.4)
    for arm in arms_of(action.side):
        inward = 0.10 if action.side == "both" else 0.06
        far, near = np.array([inward, height, 0.50]), np.array([inward, -0.06, 0.22])
        gesture.arms[:, arm] = reach(who.body, arm, far + draw[:, None] * (near - far), (0.8, -1.0, 0.0))
        gesture.weight[:, arm] = window(t, 0.0, t[-1], out_for, 0.7)
    give = window(t, 0.0, t[-1], out_for, 0.8)
    gesture.trunk[:, 0] += 0.12 * give * (1 - 1.3 * draw)
    return gesture.bend_first()


def throw(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Wind up, fling the arm forward with the trunk, follow through."""
    arm = arms_of(action.side)[0]
    sign, other = _SIGN[arm], 1 - arms_of(action.side)[0]
    go = seconds(action, who, 1.0)
    marks = [0.0, 0.75 * go, 0.95 * go, 1.15 * go, 1.45 * go, 2.2 * go]
    gesture, t = Gesture.empty(2.2 * go)
    if action.direction == "overhand":
        poses = np.radians(
            [
                [10, 20, 20, 0],
                [-25, 86, 95, -150],
                [35, 80, 75, -75],
                [88, 20, 14, 0],
                [35, -14, 25, 30],
                [10, 15, 20, 0],
            ]
        )
        turns = [0.0, -0.55, -0.1, 0.45, 0.5, 0.0]
    else:
        poses = np.radians(
            [[5, 15, 15, 0], [-52, 14, 12, 0], [-5, 10, 8, 0], [82, 6, 18, 0], [112, 4, 30, 10], [10, 15, 20, 0]]
        )
        turns = [0.0, -0.35, 0.0, 0.3, 0.35, 0.0]
    gesture.arms[:, arm] = keyframes(marks, poses, t)
    gesture.weight[:, arm] = window(t, 0.0, t[-1], 0.45 * go)
    gesture.trunk[:, 1] -= sign * keyframes(marks, turns, t)
    gesture.trunk[:, 0] += keyframes(marks, [0.0, -0.10, 0.02, 0.22, 0.32, 0.0], t)
    gesture.head[:, 1] += 0.8 * sign * keyframes(marks, turns, t)
    aimed = np.radians([60.0, 20.0, 25.0, 0.0])
    gesture.arms[:, other] = aimed
    gesture.weight[:, other] = 0.75 * keyframes(marks, [0.0, 1.0, 0.7, 0.15, 0.05, 0.0], t)
    return gesture


def swing(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Both hands together sweep from one side to the other, as with a bat or a sword."""
    to_left = action.direction == "left"
    ready, sweep = seconds(action, who, 0.9), seconds(action, who, 0.65)
    gesture, t = Gesture.empty(ready + sweep + 0.9)
    u = keyframes([0.0, ready, ready + sweep, t[-1]], [0.5, 0.0, 1.0, 0.8], t)
    way = 1.0 if to_left else -1.0
    angle = way * np.radians(-52.0 + 104.0 * u)
    height = rng.uniform(-0.08, 0.08) + (0.24 if rng.random() < 0.5 else 0.08) * (1 - u)
    for arm in (0, 1):
        sign = _SIGN[arm]
        x = np.sin(angle) * 0.40
        target = np.stack([sign * x + 0.03, height, np.cos(angle) * 0.36 + 0.06], axis=-1)
        gesture.arms[:, arm] = reach(who.body, arm, target, (0.7, -1.0, 0.0))
        gesture.weight[:, arm] = window(t, 0.0, t[-1], 0.7 * ready, 0.8)
    gesture.trunk[:, 1] += way * 1.2 * (u - 0.5) * window(t, 0.0, t[-1], 0.7 * ready, 0.8)
    gesture.head[:, 1] -= 0.5 * gesture.trunk[:, 1]
    return gesture


def trunk_action(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """`bow`, `side_bend`, `look` and `twist`: the trunk alone."""
    count = action.count or 1
    period = seconds(
        action, who, {"bow": 2.3, "side_bend": 2.0, "look": 2.2, "twist": 1.7}[action.name] * rng.uniform(0.9, 1.1)
    )
    gesture, t = Gesture.empty(count * period + 0.2)
    sign = 1.0 if action.direction == "left" else -1.0
    for k in range(count):
        a = 0.1 + k * period
        there = window(t, a, a + period, 0.4 * period)
        if action.name == "bow":
            gesture.trunk[:, 0] += rng.uniform(0.95, 1.25) * there
            gesture.head[:, 0] += rng.uniform(0.0, 0.25) * there
        elif action.name == "side_bend":
            gesture.trunk[:, 2] -= sign * rng.uniform(0.55, 0.8) * there
        elif action.name == "look":
            gesture.trunk[:, 1] += sign * rng.uniform(0.45, 0.65) * there
            gesture.head[:, 1] += sign * rng.uniform(0.4, 0.75) * there
        else:
            both = np.sin(2 * np.pi * np.clip((t - a) / period, 0, 1)) * window(t, a, a + period, 0.12 * period)
            gesture.trunk[:, 1] += rng.uniform(0.7, 0.95) * both
    return gesture


GESTURES: dict[str, Maker] = {
    "wave": wave, "raise": raise_arm, "punch": punch, "throw": throw, "clap": clap, "bow": trunk_action,
    "stretch": stretch, "side_bend": trunk_action, "point": point, "salute": salute, "cross_arms": cross_arms,
    "hands_on_hips": hands_on_hips, "push": push, "swipe": swipe, "drink": drink, "scratch_head": scratch_head,
    "arm_circle": arm_circle, "look": trunk_action, "twist": trunk_action, "guard": guard, "knock": knock,
    "catch": catch, "swing": swing,
}  # fmt: skip
"""Maker of every upper-body action."""
