"""Second detectors: whether facts hold in joints, found without the predicates of `remogpt.motion`.

A system that chooses its answers by those predicates cannot be measured by them. These detectors share only the names
of facts with them: each word was thought out anew, with other measurements, and they import nothing of them but the
class `Fact`. What they agree on: `studies/second_detectors.py`.
"""

from collections.abc import Iterable

import numpy as np

from remogpt.eval.detectors import (  # noqa: F401  (each registers its finders)
    bounds,
    drawing,
    exercises,
    footing,
    footwork,
    gait,
    ground,
    handling,
    handwork,
    held,
    leaps,
    lifts,
    lows,
    pairs,
    poise,
    poses,
    repeats,
    rests,
    routes,
    strokes,
    styles,
    trunk,
    tumbles,
    turning,
)
from remogpt.eval.detectors.scene import Scene
from remogpt.motion.facts import Fact

VERSION = 5
"""Increased whenever the same joints may get another answer."""

__all__ = ["VERSION", "facts_hold", "holds"]


def holds(fact: Fact, joints: np.ndarray) -> bool:
    """Return whether a fact holds in joints (T, 22, 3), metres, y up, 20 fps, any start heading and place.

    Raises:
        RemogptError: for joints of another shape or with NaN, fewer than 16 frames, and facts without a detector.
    """
    return facts_hold([fact], joints)[0]


def facts_hold(facts: Iterable[Fact], joints: np.ndarray) -> list[bool]:
    """Check several facts on the same joints (T, 22, 3); what they have in common is measured once."""
    scene = Scene(joints)
    return [scene.holds(fact) for fact in facts]
