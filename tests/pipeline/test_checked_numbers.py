"""Numbers, directions and sides of written captions, checked on motions whose making is known."""

from functools import cache

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.pipeline.checked_numbers import with_checked_numbers


@cache
def joints_of(*actions: Action) -> np.ndarray:
    """Joints of these actions, one after another, as features give them back."""
    script = Script(tuple(Step((action,)) for action in actions))
    return features_to_joints(joints_to_features(animate(script, np.random.default_rng(0)).joints))


WALK = Action("walk", direction="forward", distance=6.0)
STEPS = Action("walk", direction="forward", distance=1.0)
KICK = Action("kick", side="left", direction="forward", count=3)
WAVE = Action("wave", side="right", count=3)
SWIPE = Action("swipe", side="right", direction="left")
TURN = Action("turn", direction="left", angle=180.0)


@pytest.mark.parametrize(
    ("actions", "written", "checked"),
    [
        ((WALK,), "a person walks forward for 6 meters.", "a person walks forward for 6 meters."),
        ((WALK,), "a man walks for approximately three meters.", "a man walks for approximately six meters."),
        ((WALK,), "a person walks 2 metres ahead", "a person walks 6 metres ahead"),
        ((WALK,), "a person walks two.5 metres ahead", "a person walks 6 metres ahead"),
        ((WALK,), "someone walks Six.0 metres. two. steps.", "someone walks 6.0 metres. two. steps."),
        ((WALK,), "a person walks backwards", "a person walks forwards"),
        ((KICK,), "a person kicks with the left leg three times", "a person kicks with the left leg three times"),
        ((KICK,), "a person kicks twice with the left leg", "a person kicks three times with the left leg"),
        ((KICK,), "a person does one kick with the left leg", "a person does three kicks with the left leg"),
        ((KICK,), "a person does 5 kicks", "a person does 3 kicks"),
        ((KICK,), "a person punches four times in total and kicks", "a person punches and kicks"),
        ((KICK,), "a person runs for about four meters", "a person runs"),
        (
            (KICK,),
            "a man waits, the left one bent, for 9 seconds",
            "a man waits, the left one bent, for 9 seconds",
        ),
        ((TURN,), "a person turns 90 degrees to the right", "a person turns 180 degrees to the left"),
        ((KICK,), "a man is kicking with his right foot", "a man is kicking with his left foot"),
        ((KICK,), "a man waves with his right hand", "a man waves with his right hand"),
        (
            (WAVE,),
            "a man raises his Left hand and waves his left arm",
            "a man raises his right hand and waves his right arm",
        ),
        ((WAVE,), "a man turns his left hand", "a man turns his left hand"),
        ((SWIPE,), "she swipes to the right with the left hand", "she swipes to the left with the right hand"),
        (
            (SWIPE,),
            "she moves her right arm horizontally to the right",
            "she moves her right arm horizontally to the left",
        ),
        ((KICK, TURN), "a man kicks five times, then turns left", "a man kicks three times, then turns left"),
        ((STEPS,), "a person walks 3 meters ahead", "a person walks 1 meter ahead"),
        ((STEPS,), "a person walks three metres ahead", "a person walks one metre ahead"),
    ],
)
def test_what_the_joints_refute_is_corrected_or_left_out(
    actions: tuple[Action, ...], written: str, checked: str
) -> None:
    assert with_checked_numbers(written, joints_of(*actions)) == checked


def test_a_moment_proves_nothing_and_refutes_nothing() -> None:
    assert with_checked_numbers("a person kicks twice", joints_of(KICK)[:10]) == "a person kicks twice"
