"""Motions varied as other recordings would have them: the same motion, another look."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.facts import Fact, facts_correct
from remogpt.motion.varied import ARM_RANGE, varied, varied_joints

WALKS = Action("walk", direction="forward", distance=3.0)
WAVES = Action("wave", side="left", count=3)


def made(*actions: Action, seed: int = 0) -> np.ndarray:
    return animate(Script((Step(actions),)), np.random.default_rng(seed)).joints


def test_a_seed_draws_the_same_and_another_one_something_else() -> None:
    features = joints_to_features(made(WALKS))
    once, again, other = (varied(features, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(once, again) and not np.array_equal(once, other)
    assert once.shape == (len(features) - 1, 263) and once.dtype == features.dtype and np.isfinite(once).all()


def test_the_body_looks_another_way_and_goes_the_same_way() -> None:
    joints = made(WALKS)
    for seed in range(5):
        other = varied_joints(joints, np.random.default_rng(seed))
        assert other.shape == joints.shape and other[..., 1].min() == pytest.approx(0.0, abs=1e-9)
        gone = np.linalg.norm((other - joints)[:, 0, [0, 2]], axis=-1)
        assert gone.max() < 0.05, "metres, of the pelvis"
        pose = np.linalg.norm((other - other[:, :1]) - (joints - joints[:, :1]), axis=-1).mean()
        assert 0.02 < pose < 0.15


@pytest.mark.parametrize("action", [WALKS, WAVES, Action("kick", side="right", direction="forward", count=2)])
def test_what_is_done_and_on_which_side_holds_still(action: Action) -> None:
    right = {
        "walk": [Fact("walks", {"direction": "forward"})],
        "wave": [Fact("waves", {"side": "left"})],
        "kick": [Fact("kicks", {"side": "right"})],
    }[action.name]
    wrong = [Fact("waves", {"side": "right"}), Fact("kicks", {"side": "left"}), Fact("sits")]
    rng, held, mistaken = np.random.default_rng(0), 0, 0
    for seed in range(10):
        features = varied(joints_to_features(made(action, seed=seed)), rng)
        held += all(facts_correct(right, features_to_joints(features)))
        mistaken += any(facts_correct(wrong, features_to_joints(features)))
    assert held >= 9 and mistaken <= 1


def test_arms_move_less_or_more() -> None:
    joints = made(WAVES)
    ways = []
    for seed in range(20):
        other = varied_joints(joints, np.random.default_rng(seed))
        forearm = [moved[:, 20] - moved[:, 18] for moved in (joints, other)]
        ways.append(np.ptp(forearm[1], axis=0).max() / np.ptp(forearm[0], axis=0).max())
    assert min(ways) < 0.9 and np.median(ways) < 1.1 and ARM_RANGE[0] - 0.2 < min(ways)
