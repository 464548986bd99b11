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
NEAR = 41
"""Frames about a flight in which the lowest place of a foot is the floor: stairs may have led to another one."""


@memo
def _lifts(body: Body) -> dict[str, np.ndarray]:
    """Return the height of each foot (T,) over the floor on which the body is at the time."""
    from scipy.ndimage import minimum_filter1d  # slow to import

    lifts = {side: body.lift(side) for side in SIDES}
    floor = minimum_filter1d(np.minimum(*lifts.values()), NEAR)
    return {side: lift - floor for side, lift in lifts.items()}


@memo
def _bounds(body: Body) -> list[tuple[int, int, str, str]]:
    """Return every flight while going ahead: (start, end, foot that leaves last, foot that lands first)."""
    lifts = _lifts(body)
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
    return bool(_lifts(body)[other(side)][start - 1 : end + 1].min() > 0.04)


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


@predicate("gallops_sideways", "gallops sideways to the {direction}")
def gallops_sideways(body: Body, direction: str | None = None) -> Intervals:
    """Go sideways in bounds, the feet together in each flight and wide apart between."""
    both = np.minimum(*_lifts(body).values())
    velocity = body.velocity("pelvis", 2.0)
    between = body.offset("left_ankle", "right_ankle")
    apart, spread = np.abs(between[:, 2]), np.linalg.norm(between, axis=-1)
    found = []
    for way in SIDES if direction is None else (direction,):
        aside = velocity[:, 2] * (1.0 if way == "left" else -1.0)
        mask = (both > FLIGHT) & (aside > AHEAD) & (aside > 1.5 * np.abs(velocity[:, 0]))
        flights = [(a, b) for a, b in stretches(mask, 2) if b - a <= 12 and spread[a:b].min() < 0.32]
        row: Intervals = []
        for start, end in flights:
            reaches = bool(row) and start - row[-1][1] <= PAUSE and apart[row[-1][1] : start].max() > 0.3
            if not row or reaches:
                row.append((start, end))
            elif len(row) < 2:
                row = [(start, end)]
        if len(row) >= 2:
            found.append((row[0][0], row[-1][1]))
    return sorted(found)
