"""Both judges tell which hand pulls a door open, and doors from ropes, reaches and what is put down or moved aside."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct

SEEDS = range(3)
FACTS = [Fact("opens_door", {"side": side}) for side in ("left", "right")]


def judged(action: Action, seed: int) -> set[tuple[bool, ...]]:
    """Return the answers of both judges for a take of one action."""
    joints = animate(Script((Step((action,)),)), np.random.default_rng(seed)).joints
    return {tuple(facts_correct(FACTS, joints)), tuple(facts_hold(FACTS, joints))}


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_door_is_pulled_open_by_one_hand(side: str) -> None:
    for seed in SEEDS:
        assert judged(Action("open_door", side=side), seed) == {(side == "left", side == "right")}


@pytest.mark.parametrize(
    "action",
    [
        Action("pull", side="left"),
        Action("pull", side="right"),
        Action("reach", side="left", direction="forward"),
        Action("place", side="right", direction="forward"),
        Action("move_aside", side="left", direction="left"),
        Action("swipe", side="right", direction="right"),
        Action("point", side="left", direction="forward"),
        Action("wipe", side="right"),
    ],
    ids=lambda action: f"{action.name}-{action.side}",
)
def test_other_hands_open_no_door(action: Action) -> None:
    for seed in SEEDS:
        assert judged(action, seed) == {(False, False)}
