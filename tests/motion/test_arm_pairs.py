"""Both judges tell which way a club is swung, which stroke is swum, and rubbing hands from clapping or praying ones."""

from typing import Any

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct

SEEDS = range(3)


def made(name: str, seed: int, **said: Any) -> np.ndarray:
    """Return joints (T, 22, 3), metres, of a take of one action."""
    return animate(Script((Step((Action(name, **said),)),)), np.random.default_rng(seed)).joints


def judged(facts: list[Fact], joints: np.ndarray) -> set[tuple[bool, ...]]:
    """Return the answers of both judges to some facts."""
    return {tuple(facts_correct(facts, joints)), tuple(facts_hold(facts, joints))}


@pytest.mark.parametrize("direction", ["low", "level"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_club_is_swung_from_one_side_and_low_or_level(side: str, direction: str) -> None:
    to = {"left": "right", "right": "left"}[side]
    other = {"low": "level", "level": "low"}[direction]
    facts = [
        Fact("swings_club", {"side": side, "direction": direction}),
        Fact("swings_club", {"side": to}),
        Fact("swings_club", {"side": side, "direction": other}),
        Fact("swings_arms", {"direction": to}),
    ]
    for seed in SEEDS:
        joints = made("swing_club", seed, side=side, direction=direction)
        assert judged(facts[:3], joints) == {(True, False, False)}
        assert facts_correct(facts[3:], joints) == [True]


@pytest.mark.parametrize(
    "other",
    [
        Action("swing", direction="left"),
        Action("swipe", side="left", direction="right"),
        Action("twist", count=2),
        Action("throw_both"),
    ],
    ids=lambda action: action.name,
)
def test_other_swings_are_none_of_a_club(other: Action) -> None:
    for seed in SEEDS:
        joints = animate(Script((Step((other,)),)), np.random.default_rng(seed)).joints
        assert facts_correct([Fact("swings_club")], joints) == [False]


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("direction", ["breast", "crawl"])
def test_strokes_of_swimming_are_told_apart_and_counted(direction: str, count: int) -> None:
    other = {"breast": "crawl", "crawl": "breast"}[direction]
    facts = [
        Fact("swims", {"direction": direction, "count": count}),
        Fact("swims", {"direction": direction, "count": count + 1}),
        Fact("swims", {"direction": other}),
    ]
    for seed in SEEDS:
        fewer = facts if count < 4 else [facts[0], facts[2]]  # people miscount five by one
        wanted = (True, False, False) if count < 4 else (True, False)
        assert judged(fewer, made("swim", seed, direction=direction, count=count)) == {wanted}


def test_upright_circles_of_the_arms_are_no_swimming() -> None:
    for seed in SEEDS:
        circles = made("arm_circle", seed, side="both", direction="forward", count=3)
        assert judged([Fact("swims")], circles) == {(False,)}


def test_hands_that_rub_neither_clap_nor_pray_nor_stir() -> None:
    rubs = [Fact("rubs_hands")]
    for seed in SEEDS:
        assert judged(rubs, made("rub_hands", seed)) == {(True,)}
        assert judged(rubs, made("clap", seed, count=4)) == {(False,)}
        assert judged(rubs, made("pray", seed)) == {(False,)}
        assert judged(rubs, made("stir", seed, side="right")) == {(False,)}


def test_a_wheel_is_turned_slowly_and_drums_are_beaten_fast() -> None:
    facts = [Fact("steers"), Fact("drums")]
    for seed in SEEDS:
        assert judged(facts, made("steer", seed)) == {(True, False)}
        assert judged(facts, made("drum", seed)) == {(False, True)}


def test_keys_are_pressed_by_small_ways_in_turn_and_drums_beaten_by_large_ones() -> None:
    facts = [Fact("plays_keys"), Fact("drums")]
    for seed in SEEDS:
        assert judged(facts, made("piano", seed)) == {(True, False)}
        assert judged(facts, made("drum", seed)) == {(False, True)}
        for other in ("carry", "talk", "rub_hands", "steer"):
            assert judged(facts, made(other, seed)) == {(False, False)}, other


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_blow_is_warded_off_and_an_arm_stretched_on_one_side(side: str) -> None:
    other = {"left": "right", "right": "left"}[side]
    for name, action in (("blocks", "block"), ("stretches_arm", "stretch_arm")):
        facts = [Fact(name, {"side": side}), Fact(name, {"side": other})]
        for seed in SEEDS:
            assert judged(facts, made(action, seed, side=side)) == {(True, False)}
    for other_action in (Action("guard"), Action("salute", side=side), Action("raise", side=side, direction="forward")):
        joints = animate(Script((Step((other_action,)),)), np.random.default_rng(0)).joints
        assert facts_correct([Fact("blocks", {"side": side})], joints) == [False]
