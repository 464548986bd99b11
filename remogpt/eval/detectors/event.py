"""Say what a detector finds: events, with which a fact's parameters are compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from remogpt.eval.detectors.figure import OTHER, SIGN, Figure

DISTANCE_RATIO, ANGLE_RATIO = 1.36, 1.25
"""Largest ratio, either way, between a distance or an angle as claimed and as measured."""
SMALL_DISTANCE = 0.2
"""Metres that a distance may be off, whatever the ratio."""
MANY = 5
"""From so many repetitions on, claimed and found, people miscount by one."""


@dataclass(frozen=True)
class Event:
    """One thing that a figure does, in frames [start, end), with what can be said of it.

    A parameter that no event of this kind has is None. `middle` is the frame that stands for the event in the order of
    events, by default the middle of its span.
    """

    start: int
    end: int
    side: str | None = None
    direction: str | None = None
    count: int = 1
    distance: float | None = None
    angle: float | None = None
    speed: str | None = None
    moving: bool | None = None
    style: str | None = None
    middle: float | None = None

    @property
    def time(self) -> float:
        """Frame that stands for the event in the order of events."""
        return 0.5 * (self.start + self.end) if self.middle is None else self.middle

    def overlap(self, other: "Event") -> float:
        """Return the share of the shorter of two events in which the other goes on too."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return max(0, shared) / max(1, min(self.end - self.start, other.end - other.start))

    def agrees(self, params: dict[str, Any]) -> bool:
        """Return whether the event agrees with every parameter of a fact but the count, which is of all events."""
        return all(self._has(name, value) for name, value in params.items() if value is not None and name != "count")

    def _has(self, name: str, claimed: Any) -> bool:
        found = getattr(self, name)
        if found is None or name not in ("distance", "angle"):
            return bool(found == claimed)
        if name == "distance" and abs(found - claimed) < SMALL_DISTANCE:
            return True
        most = DISTANCE_RATIO if name == "distance" else ANGLE_RATIO
        return bool(max(found, claimed) <= most * min(found, claimed))


def fitting(events: Sequence[Event], params: dict[str, Any]) -> list[Event]:
    """Return the events that prove a fact with these parameters; none if their number is not the claimed count."""
    found = [event for event in events if event.agrees(params)]
    claimed = params.get("count")
    if claimed is None or not found:
        return found
    total = sum(event.count for event in found)
    return found if abs(total - claimed) <= (1 if min(total, claimed) >= MANY else 0) else []


def both_or_one(events: dict[str, list[Event]]) -> list[Event]:
    """Join what side "left" and side "right" do at the same time into events of both; the rest stays as it is."""
    pairs = [(a, b) for a in events["left"] for b in events["right"] if a.overlap(b) > 0.5]
    joined = [
        Event(min(a.start, b.start), max(a.end, b.end), "both", a.direction, max(a.count, b.count)) for a, b in pairs
    ]
    paired = {id(event) for pair in pairs for event in pair}
    return joined + [event for side in SIGN for event in events[side] if id(event) not in paired]


def in_turn(moments: dict[str, list[int]], before: int, after: int, gap: int) -> list[Event]:
    """Return an event for each moment; in a row without a longer gap in which both sides act, the side is both.

    Args:
        moments: frames for side "left" and "right". before, after: frames that an event reaches around its moment.
        gap: largest number of frames between two moments of a row.
    """
    rows = grouped(sorted((frame, side) for side in OTHER for frame in moments[side]), gap)
    return [
        Event(max(0, frame - before), frame + after, side if len({one[1] for one in row}) == 1 else "both")
        for row in rows for frame, side in row
    ]  # fmt: skip


def grouped(moments: Sequence[tuple[int, str]], gap: int) -> list[list[tuple[int, str]]]:
    """Split moments (frame, side) in order of time where more than `gap` frames lie between two."""
    rows: list[list[tuple[int, str]]] = []
    for moment in moments:
        if rows and moment[0] - rows[-1][-1][0] <= gap:
            rows[-1].append(moment)
        else:
            rows.append([moment])
    return rows


Finder = Callable[[Figure], list[Event]]
"""Finds the events of one kind in a figure's motion."""

DETECTORS: dict[str, Finder] = {}
"""Name of a fact -> finder of its events."""


def detector(name: str) -> Callable[[Finder], Finder]:
    """Register the finder of a fact's events."""

    def enter(find: Finder) -> Finder:
        DETECTORS[name] = find
        return find

    return enter
