"""Both judges see brooms, babies, violins and friends in two arms, and none in what is done alike without them."""

from typing import Any

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct

SEEDS = range(4)
HELD = {"sweep": "sweeps", "cradle": "rocks_in_arms", "hug": "hugs"}


def made(name: str, seed: int, **said: Any) -> np.ndarray:
    """Return joints (T, 22, 3), metres, of a take of one action."""
    return animate(Script((Step((Action(name, **said),)),)), np.random.default_rng((seed, 2))).joints


def judged(facts: list[Fact], joints: np.ndarray) -> set[tuple[bool, ...]]:
    """Return the answers of both judges to some facts."""
    return {tuple(facts_correct(facts, joints)), tuple(facts_hold(facts, joints))}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", HELD)
def test_what_two_arms_hold_is_told_apart_with_either_hand_on_top(name: str, side: str) -> None:
    facts = [Fact(fact) for fact in HELD.values()]
    for seed in SEEDS:
        assert judged(facts, made(name, seed, side=side)) == {tuple(one == name for one in HELD)}


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_violin_is_bowed_with_one_hand_and_a_guitar_is_not_bowed(side: str) -> None:
    other = {"left": "right", "right": "left"}[side]
    facts = [Fact("bows_violin", {"side": side}), Fact("bows_violin", {"side": other})]
    for seed in SEEDS:
        assert judged(facts, made("violin", seed, side=side)) == {(True, False)}
        assert judged(facts, made("guitar", seed, side=side)) == {(False, False)}


@pytest.mark.parametrize(
    "other",
    [
        Action("cross_arms"), Action("carry"), Action("pray"), Action("clap", count=4), Action("talk"), Action("guard"),
        Action("swim", direction="breast", count=3), Action("arms_out", direction="side"), Action("stir", side="left"),
        Action("pour", side="right"), Action("steer"), Action("drum"), Action("rub_hands"), Action("twist", count=3),
        Action("swing_club", side="left", direction="low"), Action("wipe", side="left"), Action("sway", count=3),
        Action("stretch_arm", side="left"),
    ],
    ids=lambda action: action.name,
)  # fmt: skip
def test_arms_that_hold_nothing_neither_sweep_nor_rock_nor_bow_nor_hug(other: Action) -> None:
    facts = [Fact(fact) for fact in HELD.values()]
    facts += [Fact("bows_violin", {"side": side}) for side in ("left", "right")]
    for seed in SEEDS:
        joints = animate(Script((Step((other,)),)), np.random.default_rng(seed)).joints
        assert judged(facts, joints) == {(False,) * len(facts)}
