"""Answer facts from the events of one motion."""

from collections.abc import Sequence

import numpy as np

from remogpt.eval.detectors.event import DETECTORS, Event, fitting
from remogpt.eval.detectors.figure import Figure
from remogpt.eval.detectors.styles import STYLES
from remogpt.motion.facts import Fact
from remogpt.runtime.errors import RemogptError

TOGETHER = 0.4
"""Share of the shorter of two events that must go on during the other, for one to happen while the other does."""
EARLIER = 2.0
"""Frames by which one of two events must precede the other, or end before it."""


class Scene:
    """One motion, and the events found in it so far."""

    def __init__(self, joints: np.ndarray) -> None:
        """Take joints (T, 22, 3), metres, y up, 20 fps; raises RemogptError for other shapes and for NaN."""
        self.figure = Figure(joints)
        self._events: dict[str, list[Event]] = {}

    def holds(self, fact: Fact) -> bool:
        """Return whether a fact holds; raises RemogptError for a fact that no detector knows."""
        if fact.name not in ("before", "then", "while"):
            return bool(self._proofs(fact))
        first, second = (self._proofs(Fact.from_json(fact.params[which])) for which in ("first", "second"))
        if not (first and second):
            return False
        if fact.name == "while":
            return any(a.overlap(b) >= TOGETHER for a in first for b in second)
        if fact.name == "then":
            return any(max(b.start - a.start, b.end - a.end) > EARLIER for a in first for b in second)
        return bool(_centre(first) < _centre(second) - EARLIER)

    def _proofs(self, fact: Fact) -> list[Event]:
        """Return the events that prove a fact which is no relation."""
        if fact.name not in DETECTORS:
            raise RemogptError(f"no second detector for {fact.name!r}; known are {', '.join(sorted(DETECTORS))}")
        style = fact.params.get("style")
        if style is not None and style not in STYLES:
            raise RemogptError(f"{fact.name} knows {', '.join(STYLES)}, got {style!r}")
        if fact.name not in self._events:
            self._events[fact.name] = DETECTORS[fact.name](self.figure)
        return fitting(self._events[fact.name], fact.params)


def _centre(events: Sequence[Event]) -> float:
    """Return the mean time of events, long ones weighing more; all alike where each is but a moment."""
    lengths = [event.end - event.start for event in events]
    return float(np.average([event.time for event in events], weights=lengths if any(lengths) else None))
