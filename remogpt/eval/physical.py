"""Physical quality of joints: foot skating, sliding of standing feet, penetration, floating, jerk, bone-length drift.

Conventions: joints (T, J, 3) in metres, y up with the floor at 0, of HumanML3D's body (22, 20 fps) or KIT-ML's (21,
12.5 fps). Every value is one number per motion; lower
is better, but real motion is not 0, so report a value beside real data's percentiles (`against_real`).

Source: PhysDiff (ICCV 2023) for penetration and floating; GMD (ICCV 2023) for the skating ratio (a toe within 5 cm of
the floor that moves more than 2.5 cm between frames); differs: a motion's floor is its own zero, never re-estimated.

A cleanup that pins feet (`remogpt.motion.cleanup`) finds resting feet by their speed. `standing_feet` finds them by
height alone, so that what it missed counts too; `foot_skating` and jerk are of neither's making.
"""

from collections.abc import Sequence

import numpy as np

from remogpt.eval.interval import mean_interval
from remogpt.motion.feature_body import HUMANML3D, KIT, FeatureBody
from remogpt.runtime.errors import RemogptError

Array = np.ndarray
SKATING_HEIGHT = 0.05
"""Metres above the floor under which a toe counts as standing."""
SKATING_STEP = 0.025
"""Metres of horizontal movement in a frame from which a standing toe counts as sliding."""
TOLERANCE = 0.005
"""Metres of penetration or floating that are let pass, as in PhysDiff."""
STANDING_HEIGHT = 0.05
"""Metres above the 5th percentile of its own heights under which an ankle or a toe is down."""
NAMES = ("foot_skating", "foot_slide", "penetration", "floating", "jerk", "bone_drift")


_BODIES = {body.num_joints: body for body in (HUMANML3D, KIT)}


def validate(joints: Array) -> Array:
    """Check (T, J, 3) finite joints with at least 4 frames and return float64."""
    joints = np.asarray(joints)
    if joints.ndim != 3 or joints.shape[2] != 3 or joints.shape[1] not in _BODIES:
        raise RemogptError(
            f"joints must be (T, 22, 3) in metres, or (T, 21, 3) of KIT-ML's body, came {joints.shape}; are these "
            "features?"
        )
    if len(joints) < 4:
        raise RemogptError(f"physical measures need at least 4 frames, came {len(joints)}.")
    if not np.isfinite(joints).all():
        raise RemogptError("joints hold NaN or infinity; was the motion decoded from damaged features?")
    return joints.astype(np.float64)


def _body(joints: Array) -> FeatureBody:
    return _BODIES[joints.shape[1]]


def _feet(joints: Array) -> Array:
    """Return (2, 2) joints: left and right ankle, left and right toe."""
    body = _body(joints)
    return np.array([body.left_foot, body.right_foot]).T


def foot_skating(joints: Array) -> float:
    """Return the share of frames in which a toe slides over the floor."""
    toes = validate(joints)[:, _feet(joints)[1]]
    low = (toes[:-1, :, 1] < SKATING_HEIGHT) & (toes[1:, :, 1] < SKATING_HEIGHT)
    step = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1)
    return float((low & (step > SKATING_STEP)).any(axis=1).mean())


def standing_feet(joints: Array) -> Array:
    """Return in which frames each foot stands, (T, 2): ankle and toe are down, for two frames at least."""
    joints = validate(joints)
    heights = joints[:, _feet(joints), 1]  # (T, ankle or toe, side)
    down = (heights < np.percentile(heights, 5, axis=0) + STANDING_HEIGHT).all(axis=1)
    both = down[1:] & down[:-1]
    standing = np.zeros_like(down)
    standing[1:] |= both
    standing[:-1] |= both
    return standing


def foot_slide(joints: Array) -> float:
    """Return the median speed over the floor of standing feet, the mean of ankle and toe, in cm/s; 0 where none is."""
    joints, standing = validate(joints), standing_feet(joints)
    steps = np.linalg.norm(np.diff(joints[:, _feet(joints)][..., [0, 2]], axis=0), axis=-1).mean(axis=1)
    speeds = 100.0 * _body(joints).fps * steps[standing[1:] & standing[:-1]]
    return float(np.median(speeds)) if len(speeds) else 0.0


def penetration(joints: Array) -> float:
    """Return the mean depth of the lowest joint under the floor, in mm, beyond the tolerance."""
    lowest = validate(joints)[..., 1].min(axis=1)
    return float(1000.0 * np.where(lowest < -TOLERANCE, -lowest, 0.0).mean())


def floating(joints: Array) -> float:
    """Return the mean height of the lowest joint over the floor, in mm, beyond the tolerance; jumps count too."""
    lowest = validate(joints)[..., 1].min(axis=1)
    return float(1000.0 * np.where(lowest > TOLERANCE, lowest, 0.0).mean())


def jerk(joints: Array) -> float:
    """Return the mean size of the third derivative of all joints, in m/s^3."""
    return float(np.linalg.norm(np.diff(validate(joints), 3, axis=0), axis=-1).mean() * _body(joints).fps ** 3)


def bone_drift(joints: Array) -> float:
    """Return the standard deviation of bone lengths over time, mean over bones, in mm."""
    joints = validate(joints)
    children = np.arange(1, joints.shape[1])
    lengths = np.linalg.norm(joints[:, children] - joints[:, np.asarray(_body(joints).parents)[children]], axis=-1)
    return float(1000.0 * lengths.std(axis=0).mean())


def measure(joints: Array) -> dict[str, float]:
    """Return every physical measure of one motion."""
    functions = (foot_skating, foot_slide, penetration, floating, jerk, bone_drift)
    return {name: function(joints) for name, function in zip(NAMES, functions, strict=True)}


def evaluate(motions: Sequence[Array]) -> dict[str, dict[str, float]]:
    """Return mean, 95 % interval and percentiles of every measure over motions."""
    if not len(motions):
        raise RemogptError("no motions to measure.")
    table = [measure(joints) for joints in motions]
    result = {}
    for name in NAMES:
        values = np.array([row[name] for row in table])
        result[name] = {
            **mean_interval(values),
            **{f"p{level}": float(np.percentile(values, level)) for level in (5, 50, 95)},
        }
    return result


def against_real(motions: Sequence[Array], real: Sequence[Array]) -> dict[str, float]:
    """Return the share of motions worse in a measure than 95 % of real motions; 0.05 is as good as real."""
    tables = [[measure(joints) for joints in rows] for rows in (motions, real)]
    own, limits = ({name: np.array([row[name] for row in table]) for name in NAMES} for table in tables)
    return {name: float((own[name] > np.percentile(limits[name], 95)).mean()) for name in NAMES}
