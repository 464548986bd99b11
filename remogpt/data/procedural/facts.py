"""List the facts of a script: what its captions claim, as statements that the joints can prove.

Every action gives a chain of facts that add one factor each: the action with its side, then direction, count, distance,
angle, speed. Steps give order facts, simultaneous actions give composition facts. A fact is omitted if another action
of the same script may disturb it (a count of jumps beside jumping jacks).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from remogpt.data.procedural.script import Action, Script
from remogpt.motion.facts import Fact

_Chain = list[dict[str, Any]]
"""Parameters of the facts of one action; the first are the weakest claim, used in order and composition facts."""


def _side(action: Action) -> _Chain:
    return [{"side": action.side}]


def _nothing(action: Action) -> _Chain:
    return [{}]


def _count(action: Action) -> _Chain:
    return [{}, {"count": action.count}]


def _side_count(action: Action) -> _Chain:
    return [{"side": action.side}, {"side": action.side, "count": action.count}]


def _side_direction(action: Action) -> _Chain:
    return [{"side": action.side}, {"side": action.side, "direction": action.direction}]


def _all_three(action: Action) -> _Chain:
    way = {"side": action.side, "direction": action.direction}
    return [{"side": action.side}, way, {**way, "count": action.count}]


def _direction(action: Action) -> _Chain:
    return [{"direction": action.direction}]


def _direction_count(action: Action) -> _Chain:
    return [{"direction": action.direction}, {"direction": action.direction, "count": action.count}]


def _walk(action: Action) -> _Chain:
    chain: _Chain = [{"direction": action.direction}]
    chain.append({"direction": action.direction, "distance": action.distance})
    paced = action.speed != "normal" and action.direction == "forward" and (action.distance or 0.0) >= 1.5
    if paced and action.style in (None, "normal"):
        chain.append({"direction": action.direction, "speed": action.speed})
    return chain


def _run(action: Action) -> _Chain:
    return [{}, {"distance": action.distance}]


def _turn(action: Action) -> _Chain:
    return [
        {"direction": action.direction},
        {"direction": action.direction, "moving": action.name != "turn"},
        {"direction": action.direction, "angle": action.angle},
    ]


def _sidestep(action: Action) -> _Chain:
    return [{"direction": action.direction}, {"direction": action.direction, "distance": action.distance}]


def _jump(action: Action) -> _Chain:
    return [{}, {"direction": action.direction}, {"count": action.count}]


def _hop(action: Action) -> _Chain:
    return [*_side_direction(action), {"side": action.side, "count": action.count}]


def _step(action: Action) -> _Chain:
    return [{"direction": action.direction}, {"direction": action.direction, "side": action.side}]


_RULES: dict[str, tuple[str, Callable[[Action], _Chain]]] = {
    "walk": ("walks", _walk),
    "run": ("runs", _run),
    "walk_curve": ("turns", _turn),
    "walk_turn": ("turns", _turn),
    "turn": ("turns", _turn),
    "circle": ("circles", _direction),
    "sidestep": ("sidesteps", _sidestep),
    "jump": ("jumps", _jump),
    "hop": ("hops", _hop),
    "squat": ("squats", _count),
    "sit": ("sits", _nothing),
    "stand_up": ("stands_up", _nothing),
    "kneel": ("kneels", _side),
    "lunge": ("lunges", _side_count),
    "kick": ("kicks", _all_three),
    "knee_raise": ("lifts_knee", _side_count),
    "balance": ("balances", _side),
    "jumping_jack": ("jumping_jacks", _count),
    "step": ("steps", _step),
    "dance": ("dances", _nothing),
    "pick_up": ("picks_up", _side),
    "wave": ("waves", _side_count),
    "raise": ("raises_hand", _side_direction),
    "stretch": ("raises_hand", lambda action: [{"side": "both"}]),
    "punch": ("punches", _side_count),
    "throw": ("throws", _side_direction),
    "clap": ("claps", _count),
    "bow": ("bows", _nothing),
    "side_bend": ("bends_sideways", _direction_count),
    "point": ("points", _side_direction),
    "salute": ("salutes", _side),
    "cross_arms": ("crosses_arms", _nothing),
    "hands_on_hips": ("hands_on_hips", _nothing),
    "push": ("pushes", _nothing),
    "swipe": ("swipes", lambda action: [{"side": action.side, "direction": action.direction}]),
    "drink": ("drinks", _side),
    "scratch_head": ("scratches_head", _side),
    "arm_circle": ("circles_arm", _all_three),
    "look": ("looks", _direction),
    "twist": ("twists", _count),
    "guard": ("guards", _nothing),
    "knock": ("knocks", _side_count),
    "catch": ("catches", _side),
    "swing": ("swings_arms", _direction),
}
"""Action -> predicate and chain; `stand` gives no fact, since half of all motions contain it."""

SHOWN_STYLES = ("sneaky", "elderly", "drunk", "limping_left", "limping_right")
"""Styles of walking that joints alone can prove."""

_LEANING = ("guard", "push", "punch", "stretch", "knock", "catch")
"""Gestures that lean the trunk."""

_TURNING_WALKS = ("walk_curve", "walk_turn", "circle")
_WALK = Action("walk", direction="forward", distance=2.0)

_LOCAL = ("distance", "angle", "count", "speed", "moving")
"""Parameters that another action of the same predicate in the script would disturb."""


_RIVALS = {
    "jumps": ("jumping_jack", "hop", "run"),
    "hops": ("jump", "jumping_jack", "run"),
    "lifts_knee": ("run", "kick", "sit", "stand_up", "lunge"),
    "kicks": ("knee_raise", "run", "lunge"),
    "squats": ("pick_up", "lunge", "kneel", "sit", "stand_up"),
    "lunges": ("kneel", "walk", "run", "walk_turn", "walk_curve", "circle"),
    "punches": ("push", "throw", "catch", "swipe", "knock", "point", "arm_circle"),
    "knocks": ("punch", "push", "catch", "wave", "clap"),
    "waves": ("scratch_head", "salute", "throw"),
    "walks": ("walk_curve", "walk_turn", "circle", "run", "step"),
    "runs": ("walk", "walk_curve", "walk_turn", "circle"),
    "sidesteps": ("step",),
    "turns": ("circle", "walk", "run", "step", "sidestep"),
    "twists": ("throw", "look", "swing", "run"),
}
"""Actions that disturb a predicate's counts, lengths or speeds."""


def facts_of(script: Script) -> list[Fact]:
    """List the facts that a script's captions claim."""
    steps = [[_facts(action) for action in step.actions] for step in script.steps]
    facts = [fact for step in steps for chain in step for fact in chain if not _is_disturbed(fact, script)]
    unique = list({str(fact.to_json()): fact for fact in facts}.values())
    return unique + _styles(script) + _orders(script, steps) + _compositions(script)


def _facts(action: Action) -> list[Fact]:
    if action.name not in _RULES:
        return []
    if action.side == "both" and action.count == 1:
        return []
    name, chain = _RULES[action.name]
    return [Fact(name, params) for params in chain(action)]


def _is_disturbed(fact: Fact, script: Script) -> bool:
    if not any(key in fact.params for key in _LOCAL):
        return False
    if "angle" not in fact.params and _has_rival(fact, script):
        return True
    return sum(_RULES.get(action.name, ("", None))[0] == fact.name for action in script.actions) > 1


def _styles(script: Script) -> list[Fact]:
    """Return the style fact of a straight walk, if the joints show the style and no other action bends the trunk."""
    long = [
        step.legs and step.legs.name == "walk" and step.legs.direction == "forward" and (step.legs.distance or 0) >= 2.0
        for step in script.steps
    ]
    bent = any(action.spec.torso or action.name in _LEANING for action in script.actions)
    return (
        [Fact("walks_like", {"style": script.style})] if any(long) and not bent and script.style in SHOWN_STYLES else []
    )


def _has_rival(fact: Fact, script: Script) -> bool:
    return any(action.name in _RIVALS.get(fact.name, ()) for action in script.actions)


def _orders(script: Script, steps: list[list[list[Fact]]]) -> list[Fact]:
    """Return order facts of neighbouring steps, if their predicates differ and each occurs once."""
    names = [chain[0].name for step in steps for chain in step if chain]
    found = []
    for step, following in pairwise(steps):
        first = next((chain[0] for chain in step if chain), None)
        second = next((chain[0] for chain in following if chain), None)
        if first and second and all(names.count(f.name) == 1 and not _has_rival(f, script) for f in (first, second)):
            found.append(_relation("before", first, second))
    return found


def _compositions(script: Script) -> list[Fact]:
    """Return composition facts of simultaneous actions; a gesture during a turning walk is paired with the walk."""
    found = []
    for step in script.steps:
        chains = [_facts(_WALK) if action.name in _TURNING_WALKS else _facts(action) for action in step.actions]
        found += [_relation("while", chains[0][0], chain[0]) for chain in chains[1:] if chains[0] and chain]
    return found


def _relation(name: str, first: Fact, second: Fact) -> Fact:
    return Fact(name, {"first": first.to_json(), "second": second.to_json()})
