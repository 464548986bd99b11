"""Predicates and second detectors of what feet do beside steps: with the right side and count, and not elsewhere."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct

OTHER = {"left": "right", "right": "left"}


def made(*actions: Action, seed: int = 0) -> np.ndarray:
    return animate(Script(tuple(Step((action,)) for action in actions)), np.random.default_rng(seed)).joints


def judged(joints: np.ndarray, *facts: Fact) -> tuple[list[bool], list[bool]]:
    return facts_correct(facts, joints), facts_hold(facts, joints)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("speed", ["slow", "fast"])
def test_the_foot_that_goes_first_over_an_obstacle_is_told(side: str, speed: str) -> None:
    facts = [Fact("steps_over"), Fact("steps_over", {"side": side}), Fact("steps_over", {"side": OTHER[side]})]
    for seed in range(3):
        joints = made(Action("step_over", side=side, speed=speed), seed=seed)
        assert judged(joints, *facts) == ([True, True, False],) * 2


@pytest.mark.parametrize(
    "action",
    [
        Action("walk", direction="forward", distance=3.0),
        Action("knee_raise", side="both", count=2),
        Action("knee_raise", side="both", count=5),
        Action("stairs", direction="up", count=3),
        Action("stumble", distance=2.5),
        Action("kick", side="left", direction="forward", count=2),
    ],
)
def test_other_high_feet_step_over_nothing(action: Action) -> None:
    assert judged(made(action), Fact("steps_over")) == ([False], [False])
