"""List the facts of a script, and the claims of its captions, as statements that the joints can prove.

Every action is a claim, which implies a chain of facts that add one factor each. Steps give order facts, simultaneous
actions give composition facts. A fact is omitted if another action of the same script may disturb it (a count of jumps
beside jumping jacks).
"""

from collections.abc import Sequence
from itertools import pairwise

from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.phrases import OPTIONAL
from remogpt.data.procedural.script import Action, Script
from remogpt.motion.facts import Fact, Steps, implied, related
from remogpt.motion.predicates import style

_RULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "walk": ("walks", ("direction", "distance", "speed")),
    "run": ("runs", ("distance",)),
    "walk_curve": ("turns", ("direction", "moving", "angle")),
    "walk_turn": ("turns", ("direction", "moving", "angle")),
    "turn": ("turns", ("direction", "moving", "angle")),
    "circle": ("circles", ("direction",)),
    "sidestep": ("sidesteps", ("direction", "distance")),
    "jump": ("jumps", ("direction", "count")),
    "hop": ("hops", ("side", "direction", "count")),
    "squat": ("squats", ("count",)),
    "sit": ("sits", ()),
    "stand_up": ("stands_up", ()),
    "kneel": ("kneels", ("side",)),
    "lunge": ("lunges", ("side", "count")),
    "kick": ("kicks", ("side", "direction", "count")),
    "knee_raise": ("lifts_knee", ("side", "count")),
    "balance": ("balances", ("side",)),
    "jumping_jack": ("jumping_jacks", ("count",)),
    "step": ("steps", ("direction", "side")),
    "dance": ("dances", ()),
    "pick_up": ("picks_up", ("side",)),
    "wave": ("waves", ("side", "count")),
    "raise": ("raises_hand", ("side", "direction")),
    "stretch": ("raises_hand", ("side",)),
    "punch": ("punches", ("side", "count")),
    "throw": ("throws", ("side", "direction")),
    "clap": ("claps", ("count",)),
    "bow": ("bows", ()),
    "side_bend": ("bends_sideways", ("direction", "count")),
    "point": ("points", ("side", "direction")),
    "salute": ("salutes", ("side",)),
    "cross_arms": ("crosses_arms", ()),
    "hands_on_hips": ("hands_on_hips", ()),
    "push": ("pushes", ()),
    "swipe": ("swipes", ("side", "direction")),
    "drink": ("drinks", ("side",)),
    "scratch_head": ("scratches_head", ("side",)),
    "arm_circle": ("circles_arm", ("side", "direction", "count")),
    "look": ("looks", ("direction",)),
    "twist": ("twists", ("count",)),
    "guard": ("guards", ()),
    "knock": ("knocks", ("side", "count")),
    "catch": ("catches", ("side",)),
    "swing": ("swings_arms", ("direction",)),
}
"""Action -> predicate and its parameters; `stand` gives no fact, since half of all motions contain it."""

SHOWN_STYLES = style.STYLES
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


def claims_of(script: Script, said: Sequence[frozenset[str]]) -> Steps:
    """Return what a caption of a script claims: for each step, one claim an action, with the factors that it names.

    Args:
        script: what the motion shows.
        said: for each action of the script, in order, the optional factors that the caption names; sides and directions
            are always named.
    """
    named = iter(said)
    steps = []
    for step in script.steps:
        claims: list[Fact] = []
        for action in step.actions:
            factors = next(named)
            claim = _claim(action)
            if claim is None:
                continue
            params = {key: value for key, value in claim.params.items() if key not in OPTIONAL or key in factors}
            claims.append(Fact(claim.name, params))
            if action.name == "walk" and "style" in factors and script.style in SHOWN_STYLES:
                claims.append(Fact("walks_like", {"style": script.style}))
        if claims:
            steps.append(tuple(claims))
    return tuple(steps)


def _claim(action: Action) -> Fact | None:
    """Return what an action claims, with all its factors."""
    rule = _rule(action.name)
    if rule is None:
        return None
    name, keys = rule
    values = {
        "side": action.side if action.name != "stretch" else "both",
        "direction": action.direction, "count": action.count, "distance": action.distance, "angle": action.angle,
        "speed": None if action.speed == "normal" else action.speed, "moving": action.name != "turn",
    }  # fmt: skip
    return Fact(name, {key: values[key] for key in keys if values[key] is not None})


def _rule(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the predicate that an action claims and its parameters; None for standing, which claims nothing."""
    if name in descriptions():
        predicate, *keys = descriptions()[name].claim
        return predicate, tuple(keys)
    return _RULES.get(name)


def _facts(action: Action) -> list[Fact]:
    if action.side == "both" and action.count == 1:
        return []
    claim = _claim(action)
    return [] if claim is None else [fact for fact in implied(claim) if not _is_unsteady(fact, action)]


def _is_unsteady(fact: Fact, action: Action) -> bool:
    """Return whether a fact is the speed of a walk without a steady pace: backward, short, or in a style."""
    if "speed" not in fact.params:
        return False
    return action.direction != "forward" or (action.distance or 0.0) < 1.5 or action.style not in (None, "normal")


def _is_disturbed(fact: Fact, script: Script) -> bool:
    if len(script.steps) > 1 and any(
        fact.name == one.claim[0] and fact.params.keys() & {*one.local} for one in descriptions().values()
    ):
        return True
    if not any(key in fact.params for key in _LOCAL):
        return False
    if _added_disturbs(fact, script):
        return True
    if "angle" not in fact.params and _has_rival(fact, script):
        return True
    rules = [_rule(action.name) for action in script.actions]
    return sum(rule is not None and rule[0] == fact.name for rule in rules) > 1


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
    named = any(action.name in _RIVALS.get(fact.name, ()) for action in script.actions)
    return named or _added_disturbs(fact, script)


def _added_disturbs(fact: Fact, script: Script) -> bool:
    """Return whether an action of the wide vocabulary disturbs a fact, by its description."""
    added = (descriptions().get(action.name) for action in script.actions)
    return any(one is not None and fact.name in one.disturbs for one in added)


def _orders(script: Script, steps: list[list[list[Fact]]]) -> list[Fact]:
    """Return order facts of neighbouring steps, if their predicates differ and each occurs once."""
    names = [chain[0].name for step in steps for chain in step if chain]
    found = []
    for step, following in pairwise(steps):
        first = next((chain[0] for chain in step if chain), None)
        second = next((chain[0] for chain in following if chain), None)
        if first and second and all(names.count(f.name) == 1 and not _has_rival(f, script) for f in (first, second)):
            found.append(related("before", first, second))
    return found


def _compositions(script: Script) -> list[Fact]:
    """Return composition facts of simultaneous actions; a gesture during a turning walk is paired with the walk."""
    found = []
    for step in script.steps:
        chains = [_facts(_WALK) if action.name in _TURNING_WALKS else _facts(action) for action in step.actions]
        found += [related("while", chains[0][0], chain[0]) for chain in chains[1:] if chains[0] and chain]
    return found
