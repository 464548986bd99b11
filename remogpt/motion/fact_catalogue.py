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
from remogpt.motion.predicates import PREDICATES, Predicate, style

PREDICATES_VERSION = 6
"""Raised whenever a change of predicates or of `Body` changes what is found, which tests/motion/test_found_facts.py
tells: facts that are stored with another version are not used."""

LEFT_RIGHT = ("left", "right")
LEFT_RIGHT_BOTH = ("left", "right", "both")
FORWARD_SIDE = ("forward", "side")

GRID: dict[str, tuple[float, ...]] = {
    "count": tuple(range(1, 11)),
    "distance": tuple(0.5 * step for step in range(1, 25)),
    "angle": (45.0, 60.0, 90.0, 120.0, 180.0, 270.0, 360.0),
}
"""Values of parameters that are numbers; others are rounded to the nearest of these."""

_VALUES: dict[str, tuple[Any, ...]] = {
    **GRID,
    "speed": ("slow", "normal", "fast"),
    "style": style.STYLES,
    "moving": (False, True),
    "side": LEFT_RIGHT,
    "direction": LEFT_RIGHT,
}
"""Values of parameters, for predicates that say nothing else below."""

_OWN_VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
    "walks": {"direction": ("forward", "backward")},
    "steps": {"direction": ("forward", "backward", "left", "right")},
    "circles": {"direction": ("clockwise", "counterclockwise")},
    "jumps": {"direction": ("up", "forward", "backward", "left", "right")},
    "hops": {"direction": ("up", "forward")},
    "kicks": {"direction": ("forward", "side", "back")},
    "lifts_knee": {"side": LEFT_RIGHT_BOTH},
    "picks_up": {"side": LEFT_RIGHT_BOTH},
    "waves": {"side": LEFT_RIGHT_BOTH},
    "raises_hand": {"side": LEFT_RIGHT_BOTH, "direction": FORWARD_SIDE},
    "punches": {"side": LEFT_RIGHT_BOTH},
    "throws": {"direction": ("overhand", "underhand")},
    "points": {"direction": FORWARD_SIDE},
    "catches": {"side": LEFT_RIGHT_BOTH},
    "circles_arm": {"side": LEFT_RIGHT_BOTH, "direction": ("forward", "backward")},
    "curls": {"side": LEFT_RIGHT_BOTH},
    "pulls": {"side": LEFT_RIGHT_BOTH},
    "touches_head": {"side": LEFT_RIGHT_BOTH},
    "holds_arms_out": {"direction": FORWARD_SIDE},
    "crawls": {"direction": ("forward", "backward")},
    "lies": {"direction": ("back", "belly")},
    "gets_up_from_floor": {"direction": ("seat", "back", "belly")},
    "climbs": {"direction": ("up", "down")},
    "climbs_ladder": {"direction": ("up", "down")},
    "stops": {"direction": ("still", "again")},
    "swings_club": {"direction": ("low", "level")},
    "swims": {"direction": ("breast", "crawl")},
    "brings_elbow_to_knee": {"side": LEFT_RIGHT_BOTH},
    "touches_other_foot": {"side": LEFT_RIGHT_BOTH},
    "ducks": {"direction": ("down", "left", "right")},
    "puts_down": {"side": LEFT_RIGHT_BOTH, "direction": ("forward", "left", "right")},
    "reaches": {"side": LEFT_RIGHT_BOTH, "direction": ("forward", "left", "right")},
    "moves_aside": {"side": LEFT_RIGHT_BOTH},
    "leans": {"direction": ("forward", "backward")},
    "falls": {"direction": ("forward", "backward", "left", "right")},
    "is_pushed": {"direction": ("forward", "backward", "left", "right")},
}

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
        values = _OWN_VALUES.get(predicate.name, {}).get(key, _VALUES[key])
        choices.append([(key, value) for value in (values if key in predicate.required else (None, *values))])
    chosen = (dict(one) for one in product(*choices))
    return [Fact(predicate.name, {k: v for k, v in params.items() if v is not None}) for params in chosen]


@cache
def _numbers() -> dict[_Key, int]:
    return {_key(fact.name, fact.params): number for number, fact in enumerate(catalogue())}


def _key(name: str, params: Mapping[str, Any]) -> _Key:
    return name, tuple(sorted(params.items()))
