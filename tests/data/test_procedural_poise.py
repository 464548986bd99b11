"""What keeps or loses the balance: leaning, swaying, getting pushed, falling; each is told from what looks like it."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import Take, animate
from remogpt.data.procedural.facts import facts_of
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion.body import Body
from remogpt.motion.facts import Fact, facts_correct
from remogpt.motion.predicates.poise import falls, is_pushed, leans
from remogpt.motion.skeleton import FPS

SEEDS = range(4)
AHEAD = {"forward": (2, 1.0), "backward": (2, -1.0), "left": (0, 1.0), "right": (0, -1.0)}
"""Axis and sign of a direction; the person faces +z."""


def take(*actions: Action, seed: int) -> Take:
    return animate(Script(tuple(Step((action,)) for action in actions)), np.random.default_rng(seed))


def found(joints: np.ndarray, *names: str) -> list[bool]:
    return facts_correct([Fact(name) for name in names], joints)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lean_is_no_bow_and_a_bow_no_lean(seed: int) -> None:
    back = take(Action("lean", direction="backward"), seed=seed).joints
    assert found(back, "leans", "bows") == [True, False]
    assert found(take(Action("bow"), seed=seed).joints, "bows", "leans") == [True, False]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lean_keeps_the_feet_and_lasts_one_to_four_seconds(seed: int) -> None:
    joints = take(Action("lean", direction="forward"), seed=seed).joints
    ((start, end),) = leans(Body(joints))
    assert 0.6 <= (end - start) / FPS <= 6.0
    assert np.ptp(joints[:, [10, 11]], axis=0).max() < 0.03


@pytest.mark.parametrize("count", [2, 3])
def test_sways_are_counted_and_a_dance_is_none(count: int) -> None:
    for seed in SEEDS:
        joints = take(Action("sway", count=count), seed=seed).joints
        facts = [Fact("sways", {"count": n}) for n in (count - 1, count, count + 1)]
        assert facts_correct(facts, joints) == [False, True, False]
        assert found(take(Action("dance"), seed=seed).joints, "sways") == [False]


@pytest.mark.parametrize("direction", AHEAD)
def test_who_is_pushed_is_thrown_the_way_that_the_parameter_names(direction: str) -> None:
    axis, sign = AHEAD[direction]
    for seed in SEEDS:
        joints = take(Action("pushed", direction=direction), seed=seed).joints
        moved = sign * (joints[-1, 0, axis] - joints[0, 0, axis])
        assert 0.12 < moved < 1.6
        assert [way for way in AHEAD if is_pushed(Body(joints), way)] == [direction]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_push_hits_who_stands_and_a_stumble_who_walks(seed: int) -> None:
    pushed = take(Action("pushed", direction="forward"), seed=seed).joints
    stumbles = take(Action("stumble", distance=2.6), seed=seed).joints
    step = take(Action("step", "left", "forward"), seed=seed).joints
    assert found(pushed, "is_pushed", "stumbles") == [True, False]
    assert found(stumbles, "is_pushed", "stumbles") == [False, True]
    assert found(step, "is_pushed") == [False]


@pytest.mark.parametrize(("way", "side"), [("forward", "belly"), ("backward", "back"), ("left", "back")])
def test_who_falls_is_down_in_a_second_and_takes_longer_to_get_up(way: str, side: str) -> None:
    for seed in SEEDS:
        script = Script((Step((Action("fall", direction=way),)), Step((Action("stand_up"),))))
        joints = animate(script, np.random.default_rng(seed)).joints
        assert all(facts_correct(facts_of(script), joints))
        assert [one for one in AHEAD if falls(Body(joints), one)] == [way]
        pelvis = joints[:, 0, 1]
        low = np.flatnonzero(pelvis < 0.3)
        down = low[0] - np.flatnonzero(pelvis[: low[0]] > 0.8)[-1]
        up = np.flatnonzero(pelvis[low[-1] :] > 0.8)[0]
        assert down < 0.8 * FPS and up > 1.4 * down
        assert joints[..., 1].min() > -0.02
        slow = take(Action("lie_down", direction=side), seed=seed).joints
        assert found(slow, "lies", "falls") == [True, False]
