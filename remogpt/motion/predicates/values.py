"""The values that parameters of facts may have, by parameter and predicate."""

from functools import cache
from typing import Any

from remogpt.motion.predicates import style

LEFT_RIGHT = ("left", "right")
LEFT_RIGHT_BOTH = ("left", "right", "both")
FORWARD_SIDE = ("forward", "side")

GRID: dict[str, tuple[float, ...]] = {
    "count": tuple(range(1, 11)),
    "distance": tuple(0.5 * step for step in range(1, 25)),
    "angle": (45.0, 60.0, 90.0, 120.0, 180.0, 270.0, 360.0),
}
"""Values of parameters that are numbers; others are rounded to the nearest of these."""

VALUES: dict[str, tuple[Any, ...]] = {
    **GRID,
    "speed": ("slow", "normal", "fast"),
    "style": style.STYLES,
    "moving": (False, True),
    "side": LEFT_RIGHT,
    "direction": LEFT_RIGHT,
}
"""Values of parameters, for predicates that say nothing else below."""

OWN_VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
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
    "holds_belly": {"side": LEFT_RIGHT_BOTH},
    "rests_hands_on_knees": {"side": LEFT_RIGHT_BOTH},
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
    "staggers": {"direction": ("backward", "left", "right")},
}


def values_of(predicate: str, parameter: str) -> tuple[Any, ...]:
    """Return the values that a predicate's parameter may have; of numbers those of the grid."""
    return OWN_VALUES.get(predicate, {}).get(parameter, VALUES[parameter])


@cache
def every_value(parameter: str) -> tuple[Any, ...]:
    """Return the values that a parameter may have with some predicate."""
    own = [values for given in OWN_VALUES.values() for name, values in given.items() if name == parameter]
    return tuple(dict.fromkeys(value for values in (VALUES[parameter], *own) for value in values))


def may_be(parameter: str, value: Any, predicate: str | None = None) -> bool:
    """Return whether a parameter may have a value, with any predicate or with one; numbers need not be on the grid."""
    if parameter in GRID:
        return isinstance(value, int | float) and value > 0
    return value in (every_value(parameter) if predicate is None else values_of(predicate, parameter))
