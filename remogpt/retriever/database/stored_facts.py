"""Answer which entries of a database hold a fact, from what was found when it was built; no joints are looked at."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from remogpt.motion.fact_catalogue import catalogue, fact_number
from remogpt.motion.facts import RELATIONS, Fact, Steps, completions
from remogpt.motion.found_facts import FoundFacts
from remogpt.motion.predicates.relations import Proofs, where_related
from remogpt.motion.unasked import COST, besides, unasked


class StoredFacts:
    """The facts that hold for each of E motions.

    Args:
        rows: (R, 3) uint16 as in `FoundFacts`, one motion after the other; may be memory-mapped.
        offsets: (E + 1,) where each motion's rows begin.
    """

    def __init__(self, rows: np.ndarray, offsets: np.ndarray) -> None:
        self.rows, self.offsets = rows, np.asarray(offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, motion: int) -> FoundFacts:
        """Return the facts of one motion."""
        start, end = self.offsets[motion : motion + 2]
        return FoundFacts(np.array(self.rows[start:end]))

    def shares(self, facts: Sequence[Fact]) -> np.ndarray:
        """Return (E,) float32 the share of some facts that holds for each motion, as `FoundFacts.share` counts them."""
        if not facts:
            return np.full(len(self), np.nan, dtype=np.float32)
        return np.asarray(np.mean([self.holds(fact) for fact in facts], axis=0, dtype=np.float32))

    def costs(self, steps: Steps) -> np.ndarray:
        """Return (E,) float32 what each motion loses by showing what claims do not name; see `motion.unasked.costs`."""
        wrong, slight = (np.zeros(len(self), dtype=np.float32) for _ in range(2))
        for fact in unasked(steps):
            wrong = np.maximum(wrong, self.holds(fact))
        for fact, cost in besides(steps).items():
            slight += cost * self.holds(fact)
        return np.asarray(COST * wrong + slight, dtype=np.float32)

    def holds(self, fact: Fact) -> np.ndarray:
        """Return (E,) whether a fact or a relation holds for each motion."""
        if fact.name in RELATIONS:
            first, second = (self.proofs(Fact.from_json(fact.params[which])) for which in ("first", "second"))
            motions = where_related(fact.name, first, second)
        else:
            motions = self.proofs(fact).motion
        mask = np.zeros(len(self), dtype=bool)
        mask[motions] = True
        return mask

    def proofs(self, fact: Fact) -> Proofs:
        """Return the intervals that prove a fact (not a relation), as `FoundFacts.events` returns them for one."""
        numbers = [number for one in completions(fact) if (number := fact_number(one)) is not None]
        rows, first_row = self._by_fact
        found = np.concatenate(
            [np.zeros(0, np.int64), *(rows[first_row[number] : first_row[number + 1]] for number in numbers)]
        )
        if len(numbers) > 1:  # what a fact leaves open may be proven in several ways: all intervals in order, once
            found = np.unique(found)
        return Proofs(found >> 32, found >> 16 & 0xFFFF, found & 0xFFFF)

    def actions(self) -> dict[str, int]:
        """Return how many motions hold any fact of each predicate, the most frequent first."""
        names = sorted({fact.name for fact in catalogue()})
        predicate = np.array([names.index(fact.name) for fact in catalogue()])
        motions = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))
        held = np.unique(motions * len(names) + predicate[np.asarray(self.rows[:, 0], dtype=np.int64)])
        counts = np.bincount(held % len(names), minlength=len(names))
        return {names[number]: int(counts[number]) for number in np.argsort(-counts, kind="stable") if counts[number]}

    @cached_property
    def _by_fact(self) -> tuple[np.ndarray, np.ndarray]:
        """Sort the rows by fact, at the first question: motion, start and end in one int64 each (R,), and where each
        fact's rows begin."""
        numbers, starts, ends = np.array(self.rows).T
        motions = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))
        order = np.argsort(numbers, kind="stable")
        first_row = np.searchsorted(numbers[order], np.arange(len(catalogue()) + 1))
        return (motions << 32 | starts.astype(np.int64) << 16 | ends)[order], first_row
