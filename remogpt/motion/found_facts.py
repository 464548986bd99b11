"""Find once what a motion's joints prove, and answer questions about its facts from that, without the joints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.motion.body import MIN_FRAMES, Body
from remogpt.motion.fact_catalogue import catalogue, fact_number, weaker
from remogpt.motion.facts import RELATIONS, Fact, completions, events
from remogpt.motion.predicates import relation
from remogpt.motion.predicates.intervals import Intervals

LAST_FRAME = np.iinfo(np.uint16).max
"""Later frames are stored as this one: 54 minutes at 20 fps."""

EASILY_SEEN = frozenset(("curls", "catches", "dribbles", "steps", "looks"))
"""Facts found on 8 to 24 of 100 procedural clips, of which fewer than one in twelve is of such an action."""
_MEASURES = frozenset(("distance", "angle", "speed"))
"""Parameters that are numbers on a line."""


@dataclass(frozen=True)
class FoundFacts:
    """The facts of the catalogue that hold for one motion, with the intervals that prove them."""

    rows: np.ndarray
    """(R, 3) uint16: index of a fact in the catalogue, first frame, end frame; facts in order of the catalogue,
    intervals of a fact in the order in which its predicate found them."""

    def events(self, fact: Fact) -> Intervals:
        """Return the frame intervals [start, end) that prove a fact (not a relation), as `facts.events` does.

        A number off the grid is taken for the nearest on it. A fact outside of the catalogue has no proof.
        """
        numbers = [fact_number(one) for one in completions(fact)]
        found = [(int(start), int(end)) for number, start, end in self.rows if number in numbers]
        return found if len(numbers) == 1 else sorted(set(found))

    def holds(self, fact: Fact) -> bool:
        """Return whether a fact or a relation holds, as `facts.holds` does, by what `events` returns."""
        if fact.name in RELATIONS:
            first, second = (Fact.from_json(fact.params[which]) for which in ("first", "second"))
            return relation(fact.name, self.events(first), self.events(second))
        return bool(self.events(fact))

    def share(self, facts: Sequence[Fact]) -> float:
        """Return the share of some facts that hold, from 0 to 1; nan for none. Numbers off the grid: see `events`."""
        return float(np.mean([self.holds(fact) for fact in facts])) if facts else float("nan")

    def statements(self) -> list[Fact]:
        """Return, for each predicate and side, the fact that says most.

        Left out are numbers, which hold within a tolerance, and what is found on the way of other actions.
        """
        found = [catalogue()[number] for number in dict.fromkeys(int(number) for number, _, _ in self.rows)]
        kept = [fact for fact in found if fact.name not in EASILY_SEEN and not _MEASURES & set(fact.params)]
        return list({(fact.name, fact.params.get("side")): fact for fact in kept}.values())


def find_facts(joints: np.ndarray) -> FoundFacts:
    """Find every fact of the catalogue that holds for joints (T, 22, 3), metres, y up, 20 fps.

    A motion of less than `MIN_FRAMES` frames proves nothing. A fact is looked for only where those that say less hold.

    Raises:
        RemogptError: for joints of another shape or that are not finite.
    """
    if len(joints) < MIN_FRAMES:
        return FoundFacts(np.empty((0, 3), dtype=np.uint16))
    body = Body(joints)
    found: list[Sequence[tuple[int, int]]] = []
    for fact, says_less in zip(catalogue(), weaker(), strict=True):
        found.append(events(fact, body) if all(found[number] for number in says_less) else ())
    rows = [(number, start, end) for number, proofs in enumerate(found) for start, end in proofs]
    return FoundFacts(np.minimum(np.array(rows, dtype=np.int64).reshape(-1, 3), LAST_FRAME).astype(np.uint16))
