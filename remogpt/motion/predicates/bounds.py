"""Find ways of going with a flight in every bound: skipping and galloping."""

import numpy as np

from remogpt.motion.body import SIDES, Body, memo, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, stretches

FLIGHT = 0.02
"""Metres from the floor to the lower foot in a flight, at least."""
AHEAD = 0.5
"""Metres a second at which the pelvis goes ahead during a bound, at least."""
PAUSE = 16
"""Most frames from one flight to the next of the same bout."""


@memo
def _bounds(body: Body) -> list[tuple[int, int, str, str]]:
    """Return every flight while going ahead: (start, end, foot that leaves last, foot that lands first)."""
    lifts = {side: body.lift(side) for side in SIDES}
    ahead = body.velocity("pelvis", 2.0)[:, 0]
    found = []
    for start, end in stretches(np.minimum(*lifts.values()) > FLIGHT, 2):
        if start < 2 or end > body.num_frames - 2 or end - start > 12 or ahead[start:end].mean() < AHEAD:
            continue
        leaves = min(SIDES, key=lambda side: lifts[side][start - 2 : start].mean())
        lands = min(SIDES, key=lambda side: lifts[side][end : end + 2].mean())
        found.append((start, end, leaves, lands))
    return found


@predicate("skips", "skips forward")
def skips(body: Body) -> Intervals:
    """Hop on one foot and then on the other while going ahead, the idle foot in the air meanwhile."""
    hops = [one for one in _bounds(body) if one[2] == one[3] and _idle_is_up(body, one)]
    rows: list[list[tuple[int, int, str, str]]] = [[]]
    for hop in hops:
        if rows[-1] and (hop[2] == rows[-1][-1][2] or hop[0] - rows[-1][-1][1] > PAUSE):
            rows.append([])
        rows[-1].append(hop)
    return [(row[0][0], row[-1][1]) for row in rows if len(row) >= 2]


def _idle_is_up(body: Body, hop: tuple[int, int, str, str]) -> bool:
    """Return whether the foot that does not hop is off the floor just before, in and just after the flight."""
    start, end, side, _ = hop
    return bool(body.lift(other(side))[start - 1 : end + 1].min() > 0.04)


@predicate("gallops", "gallops with the {side} foot in front")
def gallops(body: Body, side: str | None = None) -> Intervals:
    """Go ahead in bounds from the same foot, the leading one, to the other, which lands behind it."""
    found = []
    for lead in SIDES if side is None else (side,):
        ahead = body.offset(f"{lead}_ankle", f"{other(lead)}_ankle")[:, 0]
        row: list[tuple[int, int, str, str]] = []
        for flight in _bounds(body):
            chased = flight[2:] == (lead, other(lead)) and ahead[flight[0] : flight[1] + 3].max() > 0.1
            if chased and (not row or flight[0] - row[-1][1] <= PAUSE):
                row.append(flight)
            elif len(row) < 2:
                row = [flight] if chased else []
        if len(row) >= 2:
            found.append((row[0][0], row[-1][1]))
    return sorted(found)
