"""Exercises of the trunk: predicates and second detectors tell them from what looks alike, with sides and counts."""

from typing import Any

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct


def held(facts: list[Fact], name: str, seed: int, **how: Any) -> list[tuple[bool, bool]]:
    """Ask both judges for facts of a motion of one action."""
    joints = animate(Script((Step((Action(name, **how),)),)), np.random.default_rng(seed)).joints
    return list(zip(facts_correct(facts, joints), facts_hold(facts, joints), strict=True))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "fact"), [("touch_toes", "touches_toes"), ("roll_hips", "rolls_hips"), ("roll_head", "rolls_head")]
)
def test_repetitions_are_counted(name: str, fact: str, seed: int) -> None:
    facts = [Fact(fact), *(Fact(fact, {"count": count}) for count in (1, 2, 3, 4))]
    assert held(facts, name, seed, count=3) == [(one, one) for one in (True, False, False, True, False)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("direction", ["down", "left", "right"])
def test_a_duck_has_a_direction(direction: str, seed: int) -> None:
    ways = ("down", "left", "right")
    found = held([Fact("ducks", {"direction": way}) for way in ways], "duck", seed, direction=direction)
    assert found == [(way == direction,) * 2 for way in ways]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", ["left", "right", "both"])
@pytest.mark.parametrize(
    ("name", "fact"), [("elbow_to_knee", "brings_elbow_to_knee"), ("touch_foot", "touches_other_foot")]
)
def test_an_arm_has_a_side(name: str, fact: str, side: str, seed: int) -> None:
    sides = ("left", "right", "both")
    facts = [Fact(fact, {"side": one, "count": 4}) for one in sides]
    assert held(facts, name, seed, side=side, count=4) == [(one == side,) * 2 for one in sides]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("fact", "name", "how"),
    [
        ("touches_toes", "pick_up", {"side": "both"}), ("touches_toes", "bow", {}),
        ("touches_toes", "touch_foot", {"side": "both", "count": 2}),
        ("touches_other_foot", "touch_toes", {"count": 2}), ("touches_other_foot", "pick_up", {"side": "left"}),
        ("rolls_hips", "dance", {}), ("rolls_hips", "side_bend", {"direction": "left", "count": 3}),
        ("ducks", "squat", {"count": 1, "speed": "fast"}), ("ducks", "bow", {}),
        ("ducks", "side_bend", {"direction": "right", "count": 1}),
        ("brings_elbow_to_knee", "knee_raise", {"side": "both", "count": 4}),
        ("rolls_head", "look", {"direction": "left"}), ("rolls_head", "twist", {"count": 2}),
    ],
)  # fmt: skip
def test_what_looks_alike_is_something_else(fact: str, name: str, how: dict[str, Any], seed: int) -> None:
    assert held([Fact(fact)], name, seed, **how) == [(False, False)]
