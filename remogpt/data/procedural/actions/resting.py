"""Animate hands that rest on the legs: bent forward over planted feet, propped on the knees or thighs.

Angles are radians; places are metres around the start, which faces +Z.
"""

import numpy as np

from remogpt.data.procedural.body import assemble
from remogpt.data.procedural.curves import smooth_noise, unit, window
from remogpt.data.procedural.in_place import blank, seconds, side_index
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

_SIGN = (1.0, -1.0)
_OVER = 0.075
"""Metres of a wrist over the bone of the leg on which its hand rests."""


def hands_on_knees(action: Action, who: Performer, rng: np.random.Generator) -> Track:
    """Bend forward over planted feet, prop one hand or both on the legs, breathe, and come up."""
    both = action.side == "both"
    main = (0, 1) if both else (side_index(action.side),)
    going, back = (seconds(action, who, rng.uniform(0.8, 1.15)) for _ in range(2))
    hold = max(rng.uniform(1.5, 2.8) / who.hurry, 1.1)
    track, t = blank(0.15 + going + hold + back, who)
    there = window(t, 0.1, t[-1], going, back)
    high = rng.uniform(0.0, 1.0)  # where the hands rest: 0 just above the knees, 1 in the middle of the thighs
    deep = np.radians(rng.uniform(58.0, 64.0) - 13.0 * high) - who.posture.lean
    track.trunk[:, 0] += deep * there
    track.pelvis[:, 0] += rng.uniform(0.55, 0.7) * deep * there
    track.head[:, 0] += rng.uniform(-0.75, 0.05) * window(t, 0.2, t[-1], going, 0.9 * back)
    track.root[:, 2] -= rng.uniform(0.08, 0.13) * there
    track.root[:, 1] -= rng.uniform(0.10, 0.15) * there
    if not both:  # the weight and the trunk go to the side of the hand
        sign = _SIGN[main[0]]
        track.root[:, 0] += sign * rng.uniform(0.0, 0.03) * there
        track.trunk[:, 2] -= sign * rng.uniform(0.04, 0.11) * there
        track.trunk[:, 1] -= sign * rng.uniform(0.0, 0.12) * there
    _breathe(track, t, there, rng)
    _prop(track, t, there, main, high, who, rng)
    return track


def _breathe(track: Track, t: np.ndarray, there: np.ndarray, rng: np.random.Generator) -> None:
    """Heave the trunk, as who is out of breath; of others it hardly moves."""
    strong = rng.uniform(0.03, 0.05) if rng.random() < 0.5 else rng.uniform(0.005, 0.012)
    breath = strong * np.sin(2.0 * np.pi * t * rng.uniform(0.55, 0.85)) * there**3
    track.trunk[:, 0] -= breath
    track.head[:, 0] -= 0.8 * breath
    track.root[:, 1] += 0.12 * breath
    track.trunk[:, 1] += 0.03 * smooth_noise(rng, len(t), 1, 0.2, 0.6)[:, 0] * there


def _prop(
    track: Track, t: np.ndarray, there: np.ndarray, main: tuple[int, ...], high: float,
    who: Performer, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Bring the hands onto the legs, wherever these are, and bend farther forward if the arms are too short.

    A shoulder goes some way with a hand that reaches down, hence the arm may seem too short by a little.
    """
    share = 0.12 + 0.34 * high + rng.uniform(-0.03, 0.03, 2)
    inward = rng.uniform(-0.1, 0.25, 2)
    for arm in main:
        track.hands[:, arm, 3] = window(t, 0.15 + rng.uniform(0.0, 0.12), t[-1] - 0.1, 0.75, 0.6)
        track.arms[:, arm, 2] += 0.35 * window(t, 0.1, t[-1], 0.7, 0.6)
    for _ in range(8):
        joints = assemble(who.body, track, track.arms)
        missing = 0.0
        for arm in main:
            hip, knee = joints[:, 1 + arm], joints[:, 4 + arm]
            thigh = unit(hip - knee)
            over = np.array([-_SIGN[arm] * inward[arm], 0.4, 1.0])
            over = unit(over - (thigh * over).sum(-1, keepdims=True) * thigh)
            track.hands[:, arm, :3] = knee + share[arm] * (hip - knee) + _OVER * over
            far = np.linalg.norm(track.hands[:, arm, :3] - joints[:, 16 + arm], axis=-1)[there > 0.95].mean()
            missing = max(missing, far - 1.06 * np.linalg.norm(who.body.offsets[[18 + arm, 20 + arm]], axis=-1).sum())
        track.trunk[:, 0] += np.radians(2.5) * there * (missing > 0.0)
        track.root[:, 1] -= 0.01 * there * (missing > 0.0)
