"""Animate what hands do with things that stand at hand: put something down, reach out for it, move it aside.

Hands go through places in the world, so that they rest on a table although the trunk leans and turns meanwhile.
"""

from collections.abc import Mapping

import numpy as np

from remogpt.data.procedural.body import assemble, chest_frame
from remogpt.data.procedural.curves import keyframes, window
from remogpt.data.procedural.gestures import Gesture, arms_of, reach
from remogpt.data.procedural.in_place import seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_ELBOW = (0.5, -1.0, -0.35)


def place(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Hold something before the belly, set it down at the height of a table, and let the empty hands fall."""
    main = arms_of(action.side)
    lift, keep = seconds(action, who, rng.uniform(0.55, 0.75)), rng.uniform(0.35, 0.7) / who.hurry
    go, stay = seconds(action, who, rng.uniform(0.75, 1.0)), rng.uniform(0.3, 0.55)
    fall = seconds(action, who, rng.uniform(0.7, 0.95))
    start = lift + keep
    made, t = Gesture.empty(start + go + stay + fall)
    azimuth, twist, farther = _way(action, main, rng)
    far, low = rng.uniform(0.46, 0.54), rng.uniform(-0.02, 0.13)
    wide = rng.uniform(0.09, 0.16) if len(main) == 2 else 0.0
    held = np.array([rng.uniform(-0.02, 0.02), rng.uniform(0.2, 0.32), rng.uniform(0.23, 0.29)])
    there = (far + farther) * np.array([np.sin(azimuth), 0.0, np.cos(azimuth)]) + [0.0, low, 0.0]
    arrive, leave = start + go, start + go + stay
    lean = np.radians(rng.uniform(13.0, 19.0) + 50.0 * (0.13 - low))
    # The trunk sets out before the hands, and comes back after they have let go.
    bent = window(t, start - 0.18, t[-1], go + 0.1, fall + 0.1)
    made.trunk[:, 0] += lean * bent - 0.05 * window(t, 0.1, start + 0.3 * go, lift, 0.5 * go)
    made.trunk[:, 1] += twist * bent
    made.trunk[:, 2] -= np.radians(rng.uniform(1.0, 5.0)) * np.sin(azimuth) * bent
    made.head[:, 0] += np.radians(rng.uniform(6.0, 15.0)) * window(t, 0.2, t[-1], 0.6, fall)
    made.head[:, 1] += rng.uniform(0.25, 0.5) * (azimuth - twist) * window(t, start - 0.3, t[-1], 0.6 * go, fall)
    over = rng.uniform(0.05, 0.1)
    across = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    ways = {}
    for arm in main:
        sign = _SIGN[arm]
        own = np.array([sign * (wide or 0.08), 0.0, 0.0])
        end = there + (sign * wide * across)
        above = 0.3 * (held + own) + 0.7 * end + [0.0, over, 0.0]
        ways[arm] = keyframes(
            [0.0, start, start + 0.62 * go, arrive, leave, t[-1]],
            np.stack([held + own, held + own, above, end, end, end + np.array([0.0, 0.06, -0.06])]), t,
        )  # fmt: skip
    _follow(made, ways, who)
    for arm in main:
        made.weight[:, arm] = window(t, 0.0, t[-1], lift, fall)
    return made.bend_first()


def reach_out(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Stretch the hands out to something at shoulder height or above; shoulders and trunk go along; come back."""
    main = arms_of(action.side)
    go, stay = seconds(action, who, rng.uniform(0.8, 1.05)), rng.uniform(0.45, 0.85) / who.hurry
    fall = seconds(action, who, rng.uniform(0.8, 1.05))
    made, t = Gesture.empty(go + stay + fall)
    azimuth, twist, _ = _way(action, main, rng)
    if len(main) == 1:  # the shoulder goes after the hand
        twist -= _SIGN[main[0]] * np.radians(rng.uniform(10.0, 20.0))
    leave = go + stay
    lean = np.radians(rng.uniform(17.0, 27.0))
    bent = window(t, 0.1, t[-1], go, fall - 0.05)
    made.trunk[:, 0] += lean * bent - 0.06 * window(t, 0.0, 0.5 * go, 0.2 * go, 0.25 * go)
    made.trunk[:, 1] += twist * bent
    made.trunk[:, 2] -= np.radians(rng.uniform(2.0, 7.0)) * np.sin(azimuth) * bent
    made.head[:, 0] -= np.radians(rng.uniform(4.0, 14.0)) * bent
    made.head[:, 1] += rng.uniform(0.6, 0.9) * (azimuth - twist) * window(t, 0.0, t[-1], 0.6 * go, fall)
    there = 0.9 * np.array([np.sin(azimuth), 0.0, np.cos(azimuth)]) + [0.0, rng.uniform(0.38, 0.58), 0.0]
    across = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    wide, grasp = rng.uniform(0.09, 0.15), rng.uniform(-0.03, 0.03, 3)
    ways = {}
    for arm in main:
        sign = _SIGN[arm]
        low = np.array([0.17 * sign, 0.02, 0.24])
        end = there + sign * wide * across if len(main) == 2 else there
        between = 0.5 * (low + end)
        ways[arm] = keyframes(
            [0.0, 0.35 * go, go, 0.5 * (go + leave), leave, leave + 0.55 * fall, t[-1]],
            np.stack([low, between, end, end + grasp, end, between, low]), t,
        )  # fmt: skip
    _follow(made, ways, who, rng.uniform(0.93, 0.975))
    for arm in (0, 1):
        made.weight[:, arm] = window(t, 0.0, t[-1], 0.8 * go, 0.9 * fall) if arm in main else 0.0
    return made


def move_aside(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Take hold of something on a table at one side, move it over to the other side, and let go."""
    main = arms_of(action.side)
    lift, grip = seconds(action, who, rng.uniform(0.75, 0.95)), rng.uniform(0.3, 0.45)
    go, stay = seconds(action, who, rng.uniform(0.8, 1.1)), rng.uniform(0.3, 0.45)
    fall = seconds(action, who, rng.uniform(0.75, 0.95))
    begin = lift + grip
    arrive = begin + go
    made, t = Gesture.empty(arrive + stay + fall)
    to_left = 1.0 if action.direction == "left" else -1.0
    ends = to_left * np.radians([-rng.uniform(40.0, 56.0), rng.uniform(40.0, 56.0)])
    marks = [0.0, lift, begin, arrive, arrive + stay, t[-1]]
    azimuth = keyframes(marks, ends[[0, 0, 0, 1, 1, 1]], t)
    share, radii, far = rng.uniform(0.55, 0.7), [], rng.uniform(0.46, 0.52)
    twists = np.zeros(2)
    for which, end in enumerate(ends):
        is_own = len(main) == 1 and (end > 0) == (main[0] == 0)
        twists[which] = end * (rng.uniform(0.35, 0.5) if is_own else share)
        radii.append(far + (0.05 if is_own else 0.0))
    early = [0.0, lift - 0.05, begin - 0.1, arrive - 0.1, arrive + stay, t[-1]]  # the trunk leads
    made.trunk[:, 1] += keyframes(early, [0.0, twists[0], twists[0], twists[1], twists[1], 0.0], t)
    low = rng.uniform(-0.02, 0.12)
    bent = window(t, 0.0, t[-1], lift, fall)
    made.trunk[:, 0] += np.radians(rng.uniform(13.0, 19.0) + 50.0 * (0.13 - low)) * bent
    made.trunk[:, 2] -= np.radians(rng.uniform(1.0, 5.0)) * np.sin(azimuth) * bent
    made.head[:, 0] += np.radians(rng.uniform(4.0, 12.0)) * bent
    made.head[:, 1] += rng.uniform(0.25, 0.5) * (azimuth - made.trunk[:, 1]) * bent
    radius = keyframes(marks, np.array(radii)[[0, 0, 0, 1, 1, 1]], t)
    over = rng.choice([0.0, rng.uniform(0.05, 0.11)]) * window(t, begin, arrive, 0.5 * go)
    wide = rng.uniform(0.08, 0.15) if len(main) == 2 else 0.0
    middle = np.stack([radius * np.sin(azimuth), low + over, radius * np.cos(azimuth)], axis=-1)
    across = np.stack([np.cos(azimuth), 0.0 * t, -np.sin(azimuth)], axis=-1)
    _follow(made, {arm: middle + _SIGN[arm] * wide * across for arm in main}, who)
    for arm in main:
        made.weight[:, arm] = window(t, 0.0, t[-1], lift, fall)
    return made.bend_first()


def _way(action: Action, main: tuple[int, ...], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return where the place is, how far the chest turns to it, radians to the left, and metres that it is farther."""
    if action.direction == "forward":
        return np.radians(rng.uniform(-8.0, 8.0)), np.radians(rng.uniform(-4.0, 4.0)), 0.0
    to_left = action.direction == "left"
    is_across = len(main) == 1 and to_left != (main[0] == 0)
    degrees = rng.uniform(*((48.0, 64.0) if is_across else (58.0, 76.0)))
    share = rng.uniform(*((0.55, 0.7) if is_across else (0.65, 0.8) if len(main) == 2 else (0.35, 0.55)))
    azimuth = np.radians(degrees if to_left else -degrees)
    return azimuth, share * azimuth, -0.025 if is_across else 0.05 if len(main) == 2 else 0.09


def _follow(made: Gesture, ways: Mapping[int, np.ndarray], who: Performer, most: float = 0.99) -> None:
    """Bend the arms so that wrists are at places (T, 3) in metres (left, up, ahead) from the pelvis of one who stands.

    The gesture's trunk must be set before: the chest carries the arms. `most` is the share of the arm's length that the
    wrist may be away from its shoulder.
    """
    track = Track.still(len(made.weight), who.stance)
    forward = np.maximum(made.trunk[:, 0], 0.0)
    # As the trunk of a gesture is rendered (`animate`).
    track.trunk += made.trunk + np.array([who.posture.lean, 0.0, 0.0])
    track.pelvis += np.stack([0.5 * forward + 0.3 * who.posture.lean, *(0.25 * made.trunk[:, 1:].T)], axis=-1)
    track.root[:, 2] -= 0.10 * forward
    turn, rest = chest_frame(track), np.array([0.0, who.body.pelvis_height - who.stance.knee_bend, 0.0])
    for _ in range(2):  # the shoulder itself goes after the hand
        joints = assemble(who.body, track, made.arms)
        for arm, places in ways.items():
            shoulder = joints[:, 16 + arm]
            far = places + rest - shoulder
            length = np.linalg.norm(who.body.offsets[[18 + arm, 20 + arm]], axis=-1).sum()
            far *= np.minimum(most * length / np.linalg.norm(far, axis=-1, keepdims=True), 1.0)
            near = np.einsum("tji,tj->ti", turn, shoulder + far - joints[:, 9])
            made.arms[:, arm] = reach(who.body, arm, near * [_SIGN[arm], 1.0, 1.0], _ELBOW)
