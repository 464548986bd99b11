"""Vary scripts in one factor: a family is a clip of the training split with variants that differ from it in one thing.

A random batch hardly ever holds two clips that differ only in a count or in the order of their steps, so that a
contrastive loss cannot teach it; a family holds nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from remogpt.data.procedural.sample import fill_action, shorten
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabularies import CORE, Vocabulary, get_vocabulary
from remogpt.data.procedural.vocabulary import CAREFUL

Change = Callable[[Script, np.random.Generator, Vocabulary], Script | None]

_FARTHER = 1.6
"""Least ratio of two distances that count as different."""
_ODDS = {"count": 4.0, "order": 6.0, "distance": 4.0, "angle": 4.0, "speed": 2.0}
"""How much earlier a factor comes than side, direction and action, which also differ between random clips."""
_TRIES = 6


def vary(
    script: Script, rng: np.random.Generator, *, factors: tuple[str, ...] = (), vocabulary: str = CORE
) -> Iterator[tuple[str, Script]]:
    """Yield (factor, variant): each variant is the script with this one factor changed, fits 196 frames, and is new.

    Args:
        script: what the base clip shows.
        rng: of the choices.
        factors: the factors to try, in this order; default: all of `FACTORS` in a random order, rare ones first.
        vocabulary: name of the one that other actions come from.
    """
    seen, known = [script], get_vocabulary(vocabulary)
    odds = np.array([_ODDS.get(factor, 1.0) for factor in FACTORS])
    for factor in factors or map(str, rng.choice(FACTORS, len(FACTORS), replace=False, p=odds / odds.sum())):
        for _ in range(_TRIES):
            try:
                variant = _CHANGES[factor](script, rng, known)
            except ValueError:  # both actions of a step would need one body part
                continue
            if variant is not None and variant not in seen and shorten(variant) == variant:
                seen.append(variant)
                yield factor, variant
                break


def _value(name: str, script: Script, rng: np.random.Generator) -> Script | None:
    """Change one field of one action that has it."""
    places = [place for place, action in enumerate(script.actions) if _others(name, action)]
    if not places:
        return None
    place = places[rng.integers(len(places))]
    action = script.actions[place]
    values = _others(name, action)
    changed: dict[str, Any] = {name: values[rng.integers(len(values))]}
    if name == "direction" and action.name in ("jump", "hop"):
        changed["distance"] = None if changed[name] == "up" else action.distance or 1.0
    if name == "direction" and action.name == "step":
        return None  # its direction follows from its side, or the other way round
    return _replaced(script, place, replace(action, **changed))


def _others(name: str, action: Action) -> list[object]:
    """List the other values that a field of an action may have; those of a number are clearly different."""
    own, spec = getattr(action, name), action.spec
    if own is None:
        return []
    if name == "count" and spec.counts:
        low = max(spec.counts[0], 2 if action.side == "both" else 1)
        return [value for value in (own - 2, own - 1, own + 1, own + 2) if low <= value <= spec.counts[1]]
    if name == "distance" and spec.distances and action.count is None:
        values = [round(own * ratio, 1) for ratio in (0.4, 0.5, 1 / _FARTHER, _FARTHER, 2.0, 2.5)]
        return [value for value in values if spec.distances[0] <= value <= spec.distances[1]]
    if name == "speed":
        opposite = {"slow": ("fast",), "fast": ("slow",), "normal": ("slow", "fast")}[own]
        return [value for value in opposite if value in spec.speeds and (value, action.style) != ("fast", CAREFUL)]
    allowed = {"angle": spec.angles, "side": spec.sides, "direction": spec.directions}.get(name, ())
    return [value for value in allowed if value != own and not (value == "both" and action.count == 1)]


def _bound(known: Vocabulary) -> frozenset[str]:
    """Return the actions that need or leave a posture, so that their steps keep their places."""
    return known.postures | {"stand_up", "get_up"}


def _order(script: Script, rng: np.random.Generator, known: Vocabulary) -> Script | None:
    """Let two neighbouring steps change places."""
    if len(script.steps) < 2 or any(action.name in _bound(known) for action in script.actions):
        return None
    first = int(rng.integers(len(script.steps) - 1))
    steps = list(script.steps)
    steps[first], steps[first + 1] = steps[first + 1], steps[first]
    return Script(tuple(steps))


def _action(script: Script, rng: np.random.Generator, known: Vocabulary) -> Script | None:
    """Put another action of the same kind, legs or upper body, in the place of one."""
    place = int(rng.integers(len(script.actions)))
    old = script.actions[place]
    if old.name in _bound(known) or (
        old.spec.legs and script.style != "normal"
    ):  # few styles of walking fit other actions
        return None
    kind = known.legs if old.spec.legs else known.upper
    names = [name for name in kind if name not in (*_bound(known), old.name)]
    name = names[rng.integers(len(names))]
    spec = known.actions[name]
    side = old.side if old.side in spec.sides else _any(spec.sides, rng)
    direction = old.direction if old.direction in spec.directions else _any(spec.directions, rng)
    return _replaced(script, place, replace(fill_action(name, side, direction, rng), style=old.style))


def _any(values: tuple[str, ...], rng: np.random.Generator) -> str | None:
    return values[rng.integers(len(values))] if values else None


def _replaced(script: Script, place: int, action: Action) -> Script:
    actions = iter([*script.actions[:place], action, *script.actions[place + 1 :]])
    return Script(tuple(Step(tuple(next(actions) for _ in step.actions)) for step in script.steps))


def _of_field(name: str) -> Change:
    return lambda script, rng, _: _value(name, script, rng)


_CHANGES: dict[str, Change] = {
    **{name: _of_field(name) for name in ("count", "speed", "distance", "angle", "side", "direction")},
    "order": _order,
    "action": _action,
}
FACTORS = tuple(_CHANGES)
"""Factors that a variant may differ in."""
