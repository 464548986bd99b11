"""Build facts that a procedural clip contradicts, from its script: each true fact with one parameter made wrong.

A wrong fact must be wrong in the eyes of a person too: none that another action of the script also shows
(`ALSO_SHOWN_BY`), and none that the script claims elsewhere.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from remogpt.data.procedural.facts import SHOWN_STYLES, facts_of
from remogpt.data.procedural.sample import atomic_actions
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion.facts import RELATIONS, Fact

ALSO_SHOWN_BY: dict[str, tuple[str, ...]] = {
    "walks": ("walk_curve", "walk_turn", "circle", "run", "step", "turn"),
    "runs": (),
    "sidesteps": ("step", "dance"),
    "steps": ("walk", "walk_curve", "walk_turn", "circle", "sidestep", "kneel", "lunge", "run", "dance", "turn"),
    "turns": ("walk_curve", "walk_turn", "circle"),
    "circles": ("walk_curve", "walk_turn"),
    "jumps": ("jumping_jack", "hop"),
    "squats": ("pick_up", "sit", "kneel", "lunge", "jump", "stand_up"),
    "sits": ("kneel", "stand_up"),
    "stands_up": ("sit", "kneel", "squat", "pick_up"),
    "kneels": ("lunge",),
    "lunges": ("kneel",),
    "kicks": ("knee_raise",),
    "lifts_knee": ("balance", "kick"),
    "balances": ("hop", "kick", "knee_raise"),
    "picks_up": ("squat", "bow", "kneel"),
    "dances": ("twist", "jumping_jack"),
    "waves": ("scratch_head", "arm_circle"),
    "raises_hand": ("wave", "jumping_jack", "stretch", "arm_circle", "throw", "scratch_head", "jump", "dance"),
    "points": ("push", "swipe", "catch"),
    "salutes": ("scratch_head", "drink"),
    "scratches_head": ("salute", "wave"),
    "drinks": ("salute", "guard"),
    "guards": ("punch", "clap", "push", "catch", "knock", "kick", "drink"),
    "circles_arm": ("throw",),
    "punches": ("push", "throw", "catch", "knock", "point", "swipe"),
    "pushes": ("catch", "punch"),
    "throws": ("arm_circle", "swing"),
    "swipes": ("throw", "swing"),
    "knocks": ("punch", "clap"),
    "catches": ("push", "punch", "knock"),
    "swings_arms": ("swipe", "throw", "dance"),
    "bows": ("pick_up", "squat", "kick", "sit", "stand_up", "jump"),
    "bends_sideways": ("kick",),
    "looks": ("twist", "throw", "swing", "punch", "guard", "turn", "walk_turn", "walk_curve", "circle", "swipe"),
    "twists": ("throw", "swing", "punch", "dance", "look"),
}
"""Fact -> other actions that a person might describe so; facts that are not here are shown by their action alone."""

_WAYS: dict[str, tuple[str, ...]] = {
    "walks": ("forward", "backward"), "steps": ("forward", "backward", "left", "right"),
    "circles": ("clockwise", "counterclockwise"), "jumps": ("up", "forward", "backward"), "hops": ("up", "forward"),
    "kicks": ("forward", "side", "back"), "points": ("forward", "side"), "raises_hand": ("forward", "side"),
    "throws": ("overhand", "underhand"), "circles_arm": ("forward", "backward"),
}  # fmt: skip
"""Directions of a fact; left and right for those that are not here."""
_ANGLES = (45.0, 60.0, 90.0, 120.0, 180.0, 360.0)


def contradictions(script: Script, facts: list[Fact], rng: np.random.Generator) -> list[Fact]:
    """Return facts that a clip contradicts: for each true fact at most one, with its factor's parameter made wrong."""
    wrong = [made for fact in facts if (made := _contradicted(fact, script, facts, rng)) is not None]
    wrong += _never_together(script, facts)
    known = {str(fact.to_json()) for fact in facts}
    return [fact for text, fact in {str(fact.to_json()): fact for fact in wrong}.items() if text not in known]


def _contradicted(fact: Fact, script: Script, facts: list[Fact], rng: np.random.Generator) -> Fact | None:
    if fact.name == "before":
        return replace(fact, params={"first": fact.params["second"], "second": fact.params["first"]})
    if fact.name in RELATIONS:
        return None
    if fact.factor == "action":
        return _absent(script, rng)
    made = replace(fact, params={**fact.params, **_changed(fact, rng)})
    return None if _shown(made, script, facts) else made


def _changed(fact: Fact, rng: np.random.Generator) -> dict[str, Any]:
    """Return the wrong value of the parameter that a fact tests."""
    params = fact.params
    if params.get("moving") is not None:
        return {"moving": not params["moving"]}
    old = params[fact.factor]
    if fact.factor == "side":
        others: tuple[Any, ...] = {"left": ("right",), "right": ("left",)}.get(old, ("left", "right"))
    elif fact.factor == "direction":
        others = _WAYS.get(fact.name, ("left", "right"))
    elif fact.factor == "count":
        size = 1 if old < 5 else 2
        others = tuple(value for value in (old - size, old + size) if value > 0)
    elif fact.factor == "distance":
        others = (round(0.5 * old, 2), round(1.8 * old, 2))
    elif fact.factor == "angle":
        others = tuple(value for value in _ANGLES if not 0.65 < value / old < 1.5)
    else:
        others = ("slow", "normal", "fast") if fact.factor == "speed" else SHOWN_STYLES
    wrong = [value for value in others if value != old]
    return {fact.factor: wrong[int(rng.integers(len(wrong)))]}


def _shown(made: Fact, script: Script, facts: list[Fact]) -> bool:
    """Return whether another action may show a wrong fact, or a true fact of the clip implies it."""
    if made.factor in ("side", "direction") and made.params.get("moving") is None:
        others = [action for action in script.actions if getattr(_weakest(action), "name", None) != made.name]
        if any(action.name in ALSO_SHOWN_BY.get(made.name, ()) for action in others):
            return True
    return any(fact.name == made.name and made.params.items() <= fact.params.items() for fact in facts)


def _absent(script: Script, rng: np.random.Generator) -> Fact | None:
    """Return a fact of an action that no action of the script shows."""
    actions = atomic_actions()
    for index in rng.permutation(len(actions)):
        fact = _weakest(actions[index])
        if fact is None or fact.factor != "action":
            continue
        if _shows(script, fact):
            continue
        return fact
    return None


def _shows(script: Script, fact: Fact) -> bool:
    if any(action.name in ALSO_SHOWN_BY.get(fact.name, ()) for action in script.actions):
        return True
    return any((own := _weakest(action)) is not None and own.name == fact.name for action in script.actions)


def _weakest(action: Action) -> Fact | None:
    return next(iter(facts_of(Script((Step((replace(action, style=None),)),)))), None)


def _never_together(script: Script, facts: list[Fact]) -> list[Fact]:
    """Return `while` of actions of neighbouring steps; a seat or a knee on the floor lasts, so none with these."""
    found = []
    for step, following in pairwise(script.steps):
        first, second = _weakest(step.actions[0]), _weakest(following.actions[0])
        low = {"sit", "kneel", "stand_up"} & {action.name for action in script.actions}
        if first is None or second is None or low or first.name == second.name:
            continue
        if _shows(Script((following,)), first) or _shows(Script((step,)), second):
            continue
        found.append(Fact("while", {"first": first.to_json(), "second": second.to_json()}))
    return found
