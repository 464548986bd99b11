"""Draw how a person stands and moves in one take: habits that no caption mentions, changed by the style.

Angles are radians, lengths metres.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Posture:
    """Habits of one take."""

    knee_bend: float
    """Metres by which the standing pelvis is below straight legs."""
    stance: float
    """Metres between the ankles when standing."""
    stagger: float
    """Metres by which the left foot stands ahead of the right one."""
    toe_out: float
    lean: float
    """Trunk pitch."""
    head_pitch: float
    arms: np.ndarray
    """(2, 4): flexion, abduction, elbow, forearm turn of the hanging left and right arm."""
    swing: float
    """Factor of the arm swing."""
    tempo: float
    """Factor of durations; larger is slower."""
    pace: float
    """Factor of locomotion speed."""
    stride: float
    """Factor of step length (cadence makes up for it)."""
    lift: float
    """Factor of the foot's height in a step."""
    bounce: float
    """Factor of the pelvis' rise and fall."""
    sway: float
    """Factor of hip sway and pelvis rotation."""
    reach: float
    """Factor of the size of gestures, about 1."""
    noise: float
    """Size of the slow random movements, radians."""
    drift: float
    """Metres of slow weight shifting."""
    wander: float
    """Metres of sideways weaving in a gait."""
    limp: int
    """-1 none, 0 the left leg is spared, 1 the right."""
    walk_elbow: float
    """Extra elbow flexion in a walk."""
    widen: float
    """Metres added to the step width of a gait."""
    arms_out: float = 0.0
    """Abduction of both arms in a gait, for balance."""
    roll: float = 1.0
    """Factor of the feet's pitch in a gait; small: they are set down and lifted flat."""


_STYLE_CHANGES: dict[str, dict[str, float]] = {
    "normal": {},
    "tired": {"lean": 0.22, "head_pitch": 0.38, "swing": 0.6, "tempo": 1.15, "pace": 0.84, "lift": 0.7,
        "knee_bend": 0.02, "stride": 0.9, "bounce": 0.8, "reach": 0.93},
    "happy": {"lean": -0.04, "head_pitch": -0.12, "swing": 1.5, "tempo": 0.9, "pace": 1.08, "lift": 1.3,
        "bounce": 2.0, "sway": 1.4, "elbow": 0.25},
    "angry": {"lean": 0.12, "head_pitch": 0.1, "swing": 1.35, "tempo": 0.85, "pace": 1.1, "lift": 1.1,
        "elbow": 0.45, "abduct": 0.14, "bounce": 1.2},
    "elderly": {"lean": 0.42, "head_pitch": -0.05, "swing": 0.45, "tempo": 1.25, "pace": 0.78, "lift": 0.6,
        "knee_bend": 0.05, "stride": 0.72, "elbow": 0.35, "widen": 0.05, "bounce": 0.7, "reach": 0.92},
    "sneaky": {"lean": 0.32, "head_pitch": -0.1, "swing": 0.35, "tempo": 1.15, "pace": 0.7, "lift": 2.3,
        "knee_bend": 0.11, "elbow": 0.9, "stride": 0.95, "bounce": 0.6, "flex": 0.2},
    "drunk": {"lean": 0.08, "head_pitch": 0.15, "swing": 0.9, "tempo": 1.12, "pace": 0.82, "noise": 0.07,
        "drift": 0.035, "wander": 0.16, "widen": 0.1, "abduct": 0.2, "sway": 1.5, "knee_bend": 0.015},
    "proud": {"lean": -0.12, "head_pitch": -0.16, "swing": 1.25, "pace": 1.0, "lift": 1.1, "abduct": 0.08,
        "bounce": 1.1},
    "careful": {"lean": 0.02, "head_pitch": 0.38, "swing": 0.2, "tempo": 1.15, "pace": 0.56, "stride": 0.62,
        "lift": 0.85, "bounce": 0.4, "sway": 0.6, "knee_bend": 0.008, "arms_out": 0.7, "roll": 0.3},
    "limping_left": {"pace": 0.82, "swing": 0.8, "stride": 0.88, "lean": 0.06, "tempo": 1.08},
    "limping_right": {"pace": 0.82, "swing": 0.8, "stride": 0.88, "lean": 0.06, "tempo": 1.08},
}  # fmt: skip
"""What a style adds (angles, metres) or multiplies (factors) on top of a neutral posture."""

_FACTORS = ("swing", "tempo", "pace", "stride", "lift", "bounce", "sway", "reach", "roll")


def sample_posture(style: str, rng: np.random.Generator) -> Posture:
    """Draw the habits of one take in the given style."""
    neutral = _neutral(rng)
    strength = rng.uniform(0.75, 1.15)
    changes = dict(_STYLE_CHANGES[style])
    arms = neutral.arms.copy()
    arms[:, 0] += strength * changes.pop("flex", 0.0)
    arms[:, 1] += strength * changes.pop("abduct", 0.0)
    arms[:, 2] += strength * changes.pop("elbow", 0.0)
    values: dict[str, float | np.ndarray | int] = {"arms": arms}
    for name, change in changes.items():
        old = getattr(neutral, name)
        values[name] = old * (1.0 + strength * (change - 1.0)) if name in _FACTORS else old + strength * change
    if style.startswith("limping"):
        values["limp"] = 0 if style.endswith("left") else 1
    return replace(neutral, **values)  # type: ignore[arg-type]


def _neutral(rng: np.random.Generator) -> Posture:
    one_arm = np.array(
        [rng.normal(0.05, 0.10), rng.uniform(0.08, 0.34), rng.uniform(0.12, 0.75), rng.uniform(-0.1, 0.5)]
    )
    other = one_arm + rng.normal(0.0, [0.05, 0.04, 0.09, 0.12])
    arms = np.clip(np.stack([one_arm, other]), [-0.25, 0.07, 0.06, -0.2], [0.4, 0.55, 1.1, 1.0])
    return Posture(
        knee_bend=float(rng.gamma(1.6, 0.006)),
        stance=float(np.clip(rng.normal(0.22, 0.06), 0.12, 0.42)),
        stagger=float(np.clip(rng.normal(0.0, 0.025), -0.07, 0.07)),
        toe_out=float(np.clip(rng.normal(0.16, 0.08), -0.02, 0.4)),
        lean=float(rng.normal(0.035, 0.05)),
        head_pitch=float(rng.normal(0.06, 0.11)),
        arms=arms,
        swing=float(np.exp(rng.normal(0.0, 0.25))),
        tempo=float(np.clip(np.exp(rng.normal(0.0, 0.09)), 0.8, 1.25)),
        pace=float(np.clip(rng.normal(1.0, 0.055), 0.88, 1.12)),
        stride=float(np.clip(rng.normal(1.0, 0.06), 0.88, 1.13)),
        lift=float(np.exp(rng.normal(0.0, 0.15))),
        bounce=float(np.exp(rng.normal(0.0, 0.25))),
        sway=float(np.exp(rng.normal(0.0, 0.25))),
        reach=float(np.clip(rng.normal(1.0, 0.04), 0.92, 1.1)),
        noise=float(rng.uniform(0.008, 0.03)),
        drift=float(rng.uniform(0.002, 0.012)),
        wander=float(rng.uniform(0.0, 0.03)),
        limp=-1,
        walk_elbow=float(rng.uniform(-0.05, 0.35)),
        widen=0.0,
    )
