"""Check facts: statements about a motion that its joints prove or refute, without a timeline.

A fact is a name of the catalogue and its parameters, such as `Fact("waves", {"side": "left", "count": 3})`. Facts come
from a caption's meaning (a procedural script, a person); they are checked on any motion, real or generated. A motion
may have any length from 16 frames, any start heading and any place; its body is scaled to the common skeleton first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

import numpy as np

from remogpt.motion.body import Body
from remogpt.motion.predicates import PREDICATES, Predicate, relation, style
from remogpt.motion.predicates.intervals import Intervals
from remogpt.motion.predicates.values import GRID, every_value, may_be
from remogpt.runtime.errors import RemogptError

RELATIONS = {"before": "order", "then": "order", "while": "composition"}
"""Relations between two facts, and their factors."""

_MANNERS = ("walks_like",)
"""Predicates that say how another action is done; they take no part in relations."""

_BY_PARAMETER = ("style", "speed", "count", "angle", "distance", "direction", "side")
"""Factors that are parameters: a fact tests the first of these that it has, or only the action if it has none."""


_CHAINS: dict[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(("waves", "punches", "knocks", "lunges", "lifts_knee"), (("side",), ("side", "count"))),
    **dict.fromkeys(("raises_hand", "points", "throws"), (("side",), ("side", "direction"))),
    **dict.fromkeys(("kicks", "circles_arm"), (("side",), ("side", "direction"), ("side", "direction", "count"))),
    **dict.fromkeys(("shakes_hand", "eats", "dribbles", "curls"), (("side",), ("side", "count"))),
    **dict.fromkeys(("swings_leg", "taps_foot"), (("side",), ("side", "count"))),
    **dict.fromkeys(("brings_elbow_to_knee", "touches_other_foot"), (("side",), ("side", "count"))),
    **dict.fromkeys(("claps", "squats", "jumping_jacks", "twists", "flaps", "paces"), ((), ("count",))),
    **dict.fromkeys(("rises_on_toes", "touches_toes", "rolls_hips", "rolls_head", "sways"), ((), ("count",))),
    **dict.fromkeys(("stops", "ducks", "falls", "is_pushed", "leans", "staggers"), ((), ("direction",))),
    "gallops": ((), ("side",)),
    "steps_over": ((), ("side",)),
    "gallops_sideways": ((), ("direction",)),
    "cartwheels": ((), ("direction",)),
    "jumps_to_side": ((), ("direction",), ("direction", "count")),
    "swings_club": (("side",), ("side", "direction")),
    "swims": ((), ("direction",), ("direction", "count")),
    "swipes": (("side", "direction"),),
    "puts_down": ((), ("side",), ("side", "direction")),
    "reaches": ((), ("side",), ("side", "direction")),
    "moves_aside": (("direction",), ("side", "direction")),
    "bends_sideways": (("direction",), ("direction", "count")),
    "walks": (("direction",), ("direction", "distance"), ("direction", "speed")),
    "runs": ((), ("distance",), ("speed",)),
    "sidesteps": (("direction",), ("direction", "distance")),
    "steps": (("direction",), ("direction", "side")),
    "turns": (("direction",), ("direction", "moving"), ("direction", "angle")),
    "jumps": ((), ("direction",), ("count",)),
    "hops": (("side",), ("side", "direction"), ("side", "count")),
}
"""Parameters of the facts that a claim implies, weakest first; a predicate that is not listed has one fact."""


_OPEN: dict[tuple[str, str], tuple[str, ...]] = {
    ("side", ""): ("left", "right"),
    ("direction", ""): ("left", "right"),
    ("direction", "walks"): ("forward", "backward"),
    ("direction", "steps"): ("forward", "backward", "left", "right"),
    ("direction", "circles"): ("clockwise", "counterclockwise"),
    ("style", ""): style.STYLES,
}
"""Values that a parameter may have where a fact leaves it open, by parameter and predicate."""


@dataclass(frozen=True)
class Fact:
    """A statement about a motion: a name of the catalogue with its parameters.

    Relations hold two facts, `first` and `second`, as dictionaries with `name` and `params`.
    """

    name: str
    params: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.name in RELATIONS:
            for which in ("first", "second"):
                Fact.from_json(self.params[which])
            return
        predicate = _predicate(self.name)
        unknown = sorted(set(self.params) - set(predicate.parameters))
        if unknown:
            known = ", ".join(predicate.parameters) or "no parameters"
            raise RemogptError(f"fact {self.name!r} takes {known}, got {', '.join(unknown)}")
        for parameter, value in self.params.items():
            if value is not None and not may_be(parameter, value):
                choices = ("a number above 0",) if parameter in GRID else map(str, every_value(parameter))
                raise RemogptError(f"fact {self.name!r}: {parameter} may be {' or '.join(choices)}, got {value!r}")

    @property
    def factor(self) -> str:
        """The factor that this fact tests, used to group reports. A fact with side and count tests the count."""
        if self.name in RELATIONS:
            return RELATIONS[self.name]
        return next((key for key in _BY_PARAMETER if self.params.get(key) is not None), "action")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {"name": self.name, "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Fact":
        """Rebuild a fact; raises RemogptError for names and parameters outside the catalogue."""
        return cls(str(data["name"]), dict(data.get("params", {})))


def implied(claim: Fact) -> list[Fact]:
    """List the facts that a claim implies, weakest first, each with one more factor where the predicate allows it.

    Left kicks forward, twice: kicks with the left leg; and forward; and forward, twice.
    """
    said = {key: value for key, value in claim.params.items() if value is not None}
    chain = _CHAINS.get(claim.name, (_predicate(claim.name).parameters,))
    found = [{key: said[key] for key in keys if key in said} for keys in chain]
    unique = {tuple(params.items()): params for params in found}
    return [Fact(claim.name, params) for params in unique.values()]


Steps = tuple[tuple[Fact, ...], ...]
"""What a caption claims: steps in order, each with the claims that it makes of one time."""


def claims_from_json(steps: Iterable[Iterable[dict[str, Any]]]) -> Steps:
    """Rebuild claims from lists of `Fact.to_json`."""
    return tuple(tuple(Fact.from_json(claim) for claim in step) for step in steps)


def facts_of_claims(steps: Steps) -> list[Fact]:
    """List what claims say: the facts that each implies, the order of neighbouring steps, and what happens together.

    Where somebody walks, turns and walks, neither comes `before` the other: each comes, `then` the other. A walk that
    is named twice in a row may be one.
    """
    facts = [fact for step in steps for claim in step for fact in implied(claim)]
    firsts = [[implied(claim)[0] for claim in step if claim.name not in _MANNERS] for step in steps]
    names = Counter(step[0].name for step in firsts if step)
    for step, following in pairwise(firsts):
        if step and following and (step[0] != following[0] or step[0].name != "walks"):
            is_repeated = names[step[0].name] > 1 or names[following[0].name] > 1
            facts.append(related("then" if is_repeated else "before", step[0], following[0]))
    for step in firsts:
        facts += [related("while", step[0], other) for other in step[1:]]
    return list({str(fact.to_json()): fact for fact in facts}.values())


def related(name: str, first: Fact, second: Fact) -> Fact:
    """Return the fact that two facts stand in a relation."""
    return Fact(name, {"first": first.to_json(), "second": second.to_json()})


def completions(fact: Fact) -> list[Fact]:
    """List a fact (not a relation) with each value of the parameters that it leaves open and its finder needs.

    "Waves" becomes "waves with the left hand" and "waves with the right hand"; most facts are complete: [fact].
    """
    options = {
        key: _OPEN[key, fact.name] if (key, fact.name) in _OPEN else _OPEN[key, ""]
        for key in _predicate(fact.name).required
        if fact.params.get(key) is None
    }
    return [
        Fact(fact.name, {**fact.params, **dict(zip(options, values, strict=True))})
        for values in product(*options.values())
    ]


def check(fact: Fact, joints: np.ndarray) -> bool:
    """Return whether a fact holds for joints (T, 22, 3), metres, y up, 20 fps."""
    return holds(fact, Body(joints))


def facts_correct(facts: Iterable[Fact], joints: np.ndarray) -> list[bool]:
    """Check several facts on the same joints (T, 22, 3); measures the body once."""
    body = Body(joints)
    return [holds(fact, body) for fact in facts]


def holds(fact: Fact, body: Body) -> bool:
    """Return whether a fact holds for a measured body."""
    if fact.name in RELATIONS:
        first, second = (Fact.from_json(fact.params[which]) for which in ("first", "second"))
        return relation(fact.name, events(first, body), events(second, body))
    return bool(events(fact, body))


def events(fact: Fact, body: Body) -> Sequence[tuple[int, int]]:
    """Return the frame intervals [start, end) that prove a fact (not a relation); empty if it does not hold.

    What a fact leaves open may be anything: "waves" is proven by either hand.
    """
    found = [_found(one, body) for one in completions(fact)]
    return found[0] if len(found) == 1 else sorted({interval for intervals in found for interval in intervals})


def _found(fact: Fact, body: Body) -> Intervals:
    """Return what proves a fact; nothing does where its predicate lacks one of its values ("points, both")."""
    if not all(value is None or may_be(key, value, fact.name) for key, value in fact.params.items()):
        return []
    return _predicate(fact.name).find(body, **fact.params)


def describe(fact: Fact) -> str:
    """Describe a fact in English: "waves with the left hand, 3 times"."""
    if fact.name in RELATIONS:
        first, second = (describe(Fact.from_json(fact.params[which])) for which in ("first", "second"))
        return f"{first} {fact.name} {second}"
    return _predicate(fact.name).say(**fact.params)


def _predicate(name: str) -> Predicate:
    found = PREDICATES.get(name)
    if found is None:
        known = sorted({*PREDICATES, *RELATIONS})
        raise RemogptError(f"unknown fact {name!r}; known are {', '.join(known)}")
    return found
