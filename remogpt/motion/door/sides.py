"""See whether left and right are named as they are: feet point and knees bend to where the body faces."""

from __future__ import annotations

import numpy as np

from remogpt.motion.door.measure import at, front, right_to_left, unit
from remogpt.runtime.errors import RemogptError

_MOST = 0.9
"""Share of frames in which feet and knees point back, from which the sides are crossed."""
_CLEARLY = 0.5
"""Cosine of the typical angle between the feet and the way back."""
_BENT = 0.03
"""Knees nearer than this share of the leg to the line from hip to ankle show nothing."""


def check_sides(joints: np.ndarray, origin: str) -> None:
    """Refuse a body whose left and right are crossed.

    Labels that are swapped and a mirrored space look the same, and only the user knows which it is.

    Args:
        joints: (T, 22, 3) in any units and axes.
        origin: file, for messages.

    Raises:
        RemogptError: if feet or knees point backwards, or the legs face against the arms.
    """
    hips = at(joints, "left_hip") - at(joints, "right_hip")
    shoulders = at(joints, "left_shoulder") - at(joints, "right_shoulder")
    if ((unit(hips) * unit(shoulders)).sum(-1) < -_CLEARLY).mean() > _MOST:
        raise RemogptError(
            f"{origin}: the left hip is on the side of the right shoulder in nearly all frames; left and right are "
            f"crossed in the legs or in the arms. Write a table with the joints as they are (remogpt data map) and "
            f"give it with skeleton= (--skeleton)"
        )
    facing = front(joints)
    feet = unit(at(joints, "feet") - at(joints, "ankles"))
    what, ahead = "feet point", (feet * facing).sum(-1)
    if not (np.linalg.norm(at(joints, "feet") - at(joints, "ankles"), axis=-1) > 1e-6).any():
        what, ahead = "knees bend", _knees_ahead(joints, facing)
    if len(ahead) and (ahead < 0).mean() > _MOST and np.median(ahead) < -_CLEARLY:
        raise RemogptError(
            f"{origin}: {what} backwards in {(ahead < 0).mean():.0%} of the frames; left and right are swapped, or the "
            f"space is mirrored. Exchange the sides with swap_sides=True (--swap-sides); in a mirrored space this "
            f"gives the mirror image of the motion"
        )


def _knees_ahead(joints: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """Return the cosine between the way that the knees stand off and the front, in frames with bent knees."""
    middle = (at(joints, "hips") + at(joints, "ankles")) / 2
    off = at(joints, "knees") - middle
    down = unit(at(joints, "ankles") - at(joints, "hips"))
    off = off - (off * down).sum(-1, keepdims=True) * down
    across = right_to_left(joints)
    off = off - (off * across).sum(-1, keepdims=True) * across
    leg = np.linalg.norm(at(joints, "hips") - at(joints, "ankles"), axis=-1)
    bent = np.linalg.norm(off, axis=-1) > _BENT * leg
    return np.asarray((unit(off) * facing).sum(-1)[bent])
