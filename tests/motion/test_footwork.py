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


@pytest.mark.parametrize("count", [1, 3])
def test_rises_on_the_toes_are_counted(count: int) -> None:
    facts = [Fact("rises_on_toes"), *(Fact("rises_on_toes", {"count": number}) for number in (count, count + 1))]
    for seed in range(3):
        assert judged(made(Action("rise_on_toes", count=count), seed=seed), *facts) == ([True, True, False],) * 2


@pytest.mark.parametrize("side", ["left", "right"])
def test_swings_of_a_leg_are_counted_on_its_side(side: str) -> None:
    said = [{}, {"side": side}, {"side": side, "count": 3}, {"side": side, "count": 2}, {"side": OTHER[side]}]
    facts = [Fact("swings_leg", params) for params in said]
    for seed in range(3):
        joints = made(Action("swing_leg", side=side, count=3), seed=seed)
        assert judged(joints, *facts) == ([True, True, True, False, False],) * 2


@pytest.mark.parametrize(
    "action",
    [
        Action("jump", direction="up", count=2),
        Action("kick", side="left", direction="forward", count=3),
        Action("kick", side="left", direction="back", count=3),
        Action("balance", side="left"),
        Action("walk", direction="forward", distance=3.0),
        Action("squat", count=2),
    ],
)
def test_kicks_jumps_and_steps_are_neither_swings_nor_rises(action: Action) -> None:
    facts = [Fact("rises_on_toes"), Fact("swings_leg"), Fact("swings_leg", {"side": "left"})]
    assert judged(made(action), *facts) == ([False] * 3,) * 2


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("speed", ["slow", "fast"])
def test_taps_of_a_foot_are_counted_on_its_side(side: str, speed: str) -> None:
    said = [{}, {"side": side}, {"side": side, "count": 4}, {"side": side, "count": 3}, {"side": OTHER[side]}]
    facts = [Fact("taps_foot", params) for params in said]
    for seed in range(4):
        joints = made(Action("tap_foot", side=side, count=4, speed=speed), seed=seed)
        assert judged(joints, *facts) == ([True, True, True, False, False],) * 2


@pytest.mark.parametrize(
    "action",
    [
        Action("walk", direction="forward", distance=3.0),
        Action("jog_in_place", count=None),
        Action("rise_on_toes", count=3),
        Action("hop", side="left", direction="up", count=3),
        Action("knee_raise", side="left", count=3),
        Action("step", side="left", direction="left"),
    ],
)
def test_steps_and_hops_are_no_taps(action: Action) -> None:
    assert judged(made(action), Fact("taps_foot")) == ([False], [False])


@pytest.mark.parametrize("speed", ["slow", "normal", "fast"])
def test_a_walk_on_the_toes_is_told_from_a_walk_and_from_rising(speed: str) -> None:
    facts = [Fact("walks_on_toes"), Fact("rises_on_toes")]
    for seed in range(3):
        tiptoe = Action("walk_on_toes", distance=2.0, speed=speed)
        walk = Action("walk", direction="forward", distance=3.0, speed=speed)
        assert judged(made(tiptoe, seed=seed), *facts) == ([True, False],) * 2
        assert judged(made(walk, seed=seed), *facts) == ([False, False],) * 2
        assert judged(made(Action("rise_on_toes", count=1), seed=seed), *facts) == ([False, True],) * 2


@pytest.mark.parametrize("style", ["sneaky", "careful", "elderly"])
def test_a_stealthy_walk_is_not_on_the_toes(style: str) -> None:
    walk = Action("walk", direction="forward", distance=2.5, style=style)
    for seed in range(3):
        assert judged(made(walk, seed=seed), Fact("walks_on_toes")) == ([False], [False])
