"""Both judges tell hands on the belly from a box held before it and hands on hips, and hands on knees from bows."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct

SEEDS = range(3)
SIDES = ("left", "right", "both")


def made(action: Action, seed: int) -> np.ndarray:
    """Return joints (T, 22, 3), metres, of a take of one action."""
    return animate(Script((Step((action,)),)), np.random.default_rng(seed)).joints


def judged(facts: list[Fact], joints: np.ndarray) -> set[tuple[bool, ...]]:
    """Return the answers of both judges to some facts."""
    return {tuple(facts_correct(facts, joints)), tuple(facts_hold(facts, joints))}


def on(name: str) -> list[Fact]:
    return [Fact(name, {"side": side}) for side in SIDES]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("name", "fact"), [("hold_belly", "holds_belly"), ("hands_on_knees", "rests_hands_on_knees")])
def test_the_hand_that_rests_is_told(name: str, fact: str, side: str) -> None:
    for seed in SEEDS:
        assert judged(on(fact), made(Action(name, side=side), seed)) == {tuple(side == one for one in SIDES)}


@pytest.mark.parametrize(
    "action",
    [Action("carry"), Action("hands_on_hips"), Action("cross_arms"), Action("check_watch", side="left")],
    ids=lambda action: action.name,
)
def test_hands_elsewhere_are_not_on_the_belly(action: Action) -> None:
    for seed in SEEDS:
        assert judged(on("holds_belly"), made(action, seed)) == {(False, False, False)}


@pytest.mark.parametrize(
    "action",
    [Action("bow"), Action("squat", count=1), Action("touch_toes", count=1), Action("sit")],
    ids=lambda action: action.name,
)
def test_who_bends_or_sits_props_no_hands_on_the_knees(action: Action) -> None:
    for seed in SEEDS:
        assert judged(on("rests_hands_on_knees"), made(action, seed)) == {(False, False, False)}
