"""Find the unit of length by the body's size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from remogpt.motion.door.given import UNITS
from remogpt.motion.door.measure import OUR_LEG, head_height, leg_length
from remogpt.runtime.errors import RemogptError

HUMAN_LEG = (0.5, 1.3)
"""Metres from hip to ankle along the bones, from a child of six to a giant."""
_SMALL_LEG = (0.3, 1.5)
"""The same where the unit is metres or fixed by the format: toddlers and tall figures too."""
_HUMAN_HEAD = (1.0, 2.2)
"""Metres from ankles to head of a person who stands."""
_NEAR = 2.2
"""A body this many times off a person's size in some unit is a person's in a unit of its own."""


def metres_per_unit(
    joints: np.ndarray, known: Sequence[float], is_fixed: bool, origin: str
) -> tuple[float, tuple[str, ...]]:
    """Return the metres in a unit of the joints, and what is to be said about it.

    Args:
        joints: (T, 22, 3) in file units.
        known: units that files of this skeleton have, likeliest first.
        is_fixed: the format fixes the unit: the first of `known`.
        origin: file, for messages.

    Raises:
        RemogptError: if no unit makes this a person.
    """
    leg, head = leg_length(joints), head_height(joints)
    if not leg > 0:
        raise RemogptError(f"{origin}: expected a body, but the joints of the legs lie on one another; is it a motion?")
    for scale in known[:1] if is_fixed else known:
        if HUMAN_LEG[0] <= leg * scale <= HUMAN_LEG[1]:
            return scale, ()
    if (is_fixed or not known) and _SMALL_LEG[0] <= leg * (known or (1.0,))[0] <= _SMALL_LEG[1]:
        return (known or (1.0,))[0], ()
    names = {scale: name for name, scale in UNITS.items()}
    fitting = [scale for scale in names if _is_person(leg, head, scale)]
    if fitting:
        best = min(fitting, key=lambda scale: abs(np.log(leg * scale / OUR_LEG)))
        return best, (f"taken as {names[best]}: the leg measures {leg:.4g}, {leg * best:.2f} m",)
    nearest = min(names, key=lambda scale: abs(np.log(leg * scale / OUR_LEG)))
    if 1 / _NEAR < leg * nearest / OUR_LEG < _NEAR or is_fixed:
        return OUR_LEG / leg, (
            f"scaled to a leg of {OUR_LEG:.2f} m: it measures {leg:.4g}, in no usual unit a person's",
        )
    raise RemogptError(
        f"{origin}: expected a leg of {HUMAN_LEG[0]:g}-{HUMAN_LEG[1]:g} m, but it measures {leg:.4g} file units, in "
        f"none of {', '.join(UNITS)} a person's. Say the metres of a unit with unit= (--unit)"
    )


def _is_person(leg: float, head: float, scale: float) -> bool:
    return HUMAN_LEG[0] <= leg * scale <= HUMAN_LEG[1] and _HUMAN_HEAD[0] <= head * scale <= _HUMAN_HEAD[1]
