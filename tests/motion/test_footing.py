"""Predicates and second detectors of steps on the spot, jumps aside, staggers and skating: with the right way."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct
from remogpt.motion.skeleton import JOINT_INDEX

OTHER = {"left": "right", "right": "left"}


def made(action: Action, seed: int = 0) -> np.ndarray:
    return animate(Script((Step((action,)),)), np.random.default_rng(seed)).joints


def judged(joints: np.ndarray, *facts: Fact) -> tuple[list[bool], list[bool]]:
    return facts_correct(facts, joints), facts_hold(facts, joints)


def test_who_steps_on_the_spot_neither_runs_nor_taps() -> None:
    facts = [Fact("steps_on_spot"), Fact("runs_in_place"), Fact("taps_foot", {"side": "left"})]
    for seed in range(4):
        for speed in ("slow", "normal", "fast"):
            steps, jogs = (made(Action(name, speed=speed), seed) for name in ("step_in_place", "jog_in_place"))
            assert judged(steps, *facts) == ([True, False, False],) * 2
            assert judged(jogs, *facts[:2]) == ([False, True],) * 2


@pytest.mark.parametrize(
    "action",
    [
        Action("walk", direction="forward", distance=3.0),
        Action("knee_raise", side="both", count=6),
        Action("tap_foot", side="left", count=4),
        Action("sway", count=4),
        Action("turn", direction="left", angle=360.0),
        Action("stairs", direction="up", count=4),
    ],
)
def test_other_feet_do_not_step_on_the_spot(action: Action) -> None:
    for seed in range(2):
        assert judged(made(action, seed), Fact("steps_on_spot")) == ([False], [False])


def blurred(seed: int, beat: int, lift: float = 0.05) -> np.ndarray:
    """Somebody who treads on the spot before a depth camera, which never quite sets a foot down."""
    joints = np.repeat(made(Action("stand"), seed)[:1], 60, axis=0).astype(np.float64)
    phase = np.sin(np.pi * np.arange(60) / beat)
    noise = np.random.default_rng(seed).normal(0.0, 0.002, (60, 4, 3))
    for foot, (side, sign) in enumerate((("left", 1.0), ("right", -1.0))):
        for part, joint in enumerate(("ankle", "foot")):
            place = joints[:, JOINT_INDEX[f"{side}_{joint}"]]
            place[:, 1] += lift * np.maximum(sign * phase, 0.0) + 0.025 * (np.arange(60) > 11)
            place += noise[:, 2 * foot + part]
    return joints


@pytest.mark.parametrize(("beat", "action"), [(9, "steps_on_spot"), (5, "runs_in_place")])
def test_little_steps_before_a_depth_camera_are_steps(beat: int, action: str) -> None:
    facts = [Fact("steps_on_spot"), Fact("runs_in_place"), Fact("walks")]
    for seed in range(3):
        assert facts_correct(facts, blurred(seed, beat)) == [fact.name == action for fact in facts]
        assert facts_correct(facts, blurred(seed, beat, lift=0.015)) == [False] * 3


@pytest.mark.parametrize("direction", ["left", "right"])
@pytest.mark.parametrize("count", [1, 3])
def test_jumps_aside_are_counted_on_their_side(direction: str, count: int) -> None:
    counted = [Fact("jumps_to_side", {"direction": direction, "count": number}) for number in (count, count + 1)]
    facts = [Fact("jumps_to_side"), *counted, Fact("jumps_to_side", {"direction": OTHER[direction]})]
    for seed in range(3):
        joints = made(Action("side_jump", direction=direction, count=count), seed)
        assert judged(joints, *facts) == ([True, True, False, False],) * 2


@pytest.mark.parametrize(
    "action",
    [
        Action("jump", direction="up", count=2),
        Action("jump", direction="forward", count=2, distance=1.2),
        Action("side_gallop", direction="left", distance=2.5),
        Action("jumping_jack", count=3),
        Action("sidestep", direction="right", distance=1.5),
    ],
)
def test_other_bounds_are_no_jumps_aside(action: Action) -> None:
    assert judged(made(action), Fact("jumps_to_side")) == ([False], [False])


@pytest.mark.parametrize("direction", ["backward", "left", "right"])
def test_who_staggers_is_not_pushed_and_who_is_pushed_does_not_stagger(direction: str) -> None:
    ways = [Fact("staggers", {"direction": way}) for way in ("backward", "left", "right")]
    expected = [one.params["direction"] == direction for one in ways]
    for seed in range(4):
        facts = [*ways, Fact("is_pushed")]
        assert judged(made(Action("stagger", direction=direction), seed), *facts) == ([*expected, False],) * 2
        assert judged(made(Action("pushed", direction=direction), seed), Fact("staggers")) == ([False],) * 2


@pytest.mark.parametrize(
    "action",
    [
        Action("walk", direction="forward", distance=3.5),
        Action("run", direction="forward", distance=6.0),
        Action("skip", distance=3.0),
        Action("gallop", side="left", distance=3.0),
    ],
)
def test_feet_that_come_to_rest_do_not_skate(action: Action) -> None:
    for seed in range(2):
        assert judged(made(action, seed), Fact("skates")) == ([False], [False])


def test_who_skates_glides_on_either_foot() -> None:
    for seed in range(4):
        joints = made(Action("skate", speed="normal"), seed)
        assert judged(joints, Fact("skates"), Fact("stumbles")) == ([True, False],) * 2
        feet = 20.0 * np.linalg.norm(np.diff(joints[:, [10, 11]][:, :, [0, 2]], axis=0), axis=-1)
        assert feet[40:60].min() > 0.4
