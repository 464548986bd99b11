"""List the facts that captions may claim: every predicate with the values of its parameters, numbers on a grid.

These are the facts that a database keeps of its motions (see `found_facts`). Relations between two facts are not
listed: they follow from the intervals of their members.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

from remogpt.motion.facts import RELATIONS, Fact
from remogpt.motion.predicates import PREDICATES, Predicate
from remogpt.motion.predicates.values import GRID, values_of

PREDICATES_VERSION = 8
"""Raised whenever a change of predicates or of `Body` changes what is found, which tests/motion/test_found_facts.py
tells: facts that are stored with another version are not used."""

_Key = tuple[str, tuple[tuple[str, Any], ...]]


@cache
def catalogue() -> tuple[Fact, ...]:
    """Return all facts of the catalogue; each comes after those that say less."""
    return tuple(fact for predicate in PREDICATES.values() for fact in _facts_of(predicate))


@cache
def weaker() -> tuple[tuple[int, ...], ...]:
    """Return for each fact of the catalogue facts that say less: where one of them fails, the fact fails too.

    A fact with a count says more than the fact without it alone: five kicks, four of them back, hold "kicks back, 4
    times" and not "kicks, 4 times".
    """
    return tuple(tuple(_weaker_than(fact)) for fact in catalogue())


def _weaker_than(fact: Fact) -> Iterator[int]:
    for dropped in ["count"] if "count" in fact.params else list(fact.params):
        less = {key: value for key, value in fact.params.items() if key != dropped}
        if (number := _numbers().get(_key(fact.name, less))) is not None:
            yield number


@cache
def catalogue_hash() -> str:
    """Return the hash of the catalogue and of the version of the predicates; numbers of facts are valid with it."""
    described = json.dumps([PREDICATES_VERSION, *(fact.to_json() for fact in catalogue())])
    return hashlib.sha256(described.encode()).hexdigest()


def fact_number(fact: Fact) -> int | None:
    """Return the index in the catalogue of the fact closest to `fact`: its numbers are rounded to the grid.

    "walks forward 3.3 m" is taken for "3.5 m", "12 times" for "10 times". None for a relation, for a fact with another
    value, and for one that leaves open what its predicate needs (see `facts.completions`).
    """
    if fact.name in RELATIONS:
        return None
    said = {key: value for key, value in fact.params.items() if value is not None}
    rounded = {key: _nearest(value, GRID[key]) if key in GRID else value for key, value in said.items()}
    return _numbers().get(_key(fact.name, rounded))


def _nearest(value: float, grid: tuple[float, ...]) -> float:
    return min(grid, key=lambda known: abs(known - value))


def _facts_of(predicate: Predicate) -> list[Fact]:
    choices = []
    for key in predicate.parameters:
        values = values_of(predicate.name, key)
        choices.append([(key, value) for value in (values if key in predicate.required else (None, *values))])
    chosen = (dict(one) for one in product(*choices))
    return [Fact(predicate.name, {k: v for k, v in params.items() if v is not None}) for params in chosen]


@cache
def _numbers() -> dict[_Key, int]:
    return {_key(fact.name, fact.params): number for number, fact in enumerate(catalogue())}


def _key(name: str, params: Mapping[str, Any]) -> _Key:
    return name, tuple(sorted(params.items()))
