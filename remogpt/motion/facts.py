"""Check facts: statements about a motion that its joints prove or refute, without a timeline.

A fact is a name of the catalogue and its parameters, such as `Fact("waves", {"side": "left", "count": 3})`. Facts come
from a caption's meaning (a procedural script, a person); they are checked on any motion, real or generated. A motion
may have any length from 16 frames, any start heading and any place; its body is scaled to the common skeleton first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from remogpt.motion.body import Body
from remogpt.motion.predicates import PREDICATES, Predicate, relation
from remogpt.runtime.errors import RemogptError

RELATIONS = {"before": "order", "while": "composition"}
"""Relations between two facts, and their factors."""

_BY_PARAMETER = ("style", "speed", "count", "angle", "distance", "direction", "side")
"""Factors that are parameters: a fact tests the first of these that it has, or only the action if it has none."""


@dataclass(frozen=True)
class Fact:
    """A statement about a motion: a name of the catalogue with its parameters.

    `before` and `while` hold two facts, `first` and `second`, as dictionaries with `name` and `params`.
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
    """Return the frame intervals [start, end) that prove a fact (not a relation); empty if it does not hold."""
    return _predicate(fact.name).find(body, **fact.params)


def describe(fact: Fact) -> str:
    """Describe a fact in English: "waves with the left hand, 3 times"."""
    if fact.name in RELATIONS:
        first, second = (describe(Fact.from_json(fact.params[which])) for which in ("first", "second"))
        return f"{first} {fact.name} {second}"
    return _predicate(fact.name).say(**fact.params)


def _predicate(name: str) -> Predicate:
    if name not in PREDICATES:
        raise RemogptError(f"unknown fact {name!r}; known are {', '.join(sorted({*PREDICATES, *RELATIONS}))}")
    return PREDICATES[name]
