"""Physical measures on motions whose faults are put in by hand."""

import numpy as np
import pytest

from remogpt.eval import physical
from remogpt.motion.skeleton import PARENTS, TARGET_OFFSETS


@pytest.fixture
def standing():
    """A person who stands still on the floor, (40, 22, 3)."""
    pose = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            pose[joint] = pose[parent] + np.asarray(TARGET_OFFSETS)[joint]
    pose[:, 1] -= pose[:, 1].min()
    return np.repeat(pose[None], 40, axis=0)


def test_standing_still_is_flawless(standing):
    assert physical.measure(standing) == dict.fromkeys(physical.NAMES, 0.0)


def test_sliding_sinking_and_hovering_are_seen(standing):
    slide = standing + np.arange(40)[:, None, None] * np.array([0.05, 0.0, 0.0])
    assert physical.foot_skating(slide) == 1.0
    assert physical.foot_skating(slide + np.array([0.0, 0.2, 0.0])) == 0.0
    assert physical.penetration(standing - np.array([0.0, 0.03, 0.0])) == pytest.approx(30.0)
    assert physical.penetration(standing - np.array([0.0, 0.004, 0.0])) == 0.0
    assert physical.floating(standing + np.array([0.0, 0.1, 0.0])) == pytest.approx(100.0)


def test_jerk_and_bone_drift_have_their_units(standing):
    time = np.arange(40) / 20.0
    falling = standing.copy()
    falling[:, :, 1] += (time**3 / 6.0)[:, None]  # third derivative 1 m/s^3
    assert physical.jerk(falling) == pytest.approx(1.0, rel=1e-6)
    stretched = standing.copy()
    stretched[::2, 20] += np.array([0.0, -0.02, 0.0])  # one bone of 21 swings by 2 cm: 10 mm of deviation
    assert physical.bone_drift(stretched) == pytest.approx(10.0 / 21, rel=1e-6)


def test_summary_and_comparison_with_real_motion(standing):
    noisy = standing + np.random.default_rng(0).normal(scale=0.05, size=standing.shape)
    summary = physical.evaluate([standing, noisy])
    assert summary["jerk"]["p5"] < summary["jerk"]["mean"] < summary["jerk"]["p95"]
    assert physical.against_real([noisy], [standing, standing])["jerk"] == 1.0
    assert physical.against_real([standing], [standing])["jerk"] == 0.0


@pytest.mark.parametrize(
    ("joints", "message"),
    [
        (np.zeros((10, 263)), "are these features"),
        (np.zeros((3, 22, 3)), "at least 4 frames"),
        (np.full((5, 22, 3), np.nan), "NaN"),
    ],
)
def test_unusable_joints_are_refused_with_the_reason(joints, message):
    with pytest.raises(ValueError, match=message):
        physical.measure(joints)


def test_no_motions_are_refused():
    with pytest.raises(ValueError, match="no motions"):
        physical.evaluate([])
