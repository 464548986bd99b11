"""Retrieve the examples of captions and of motions, as training does: the best hit of each of two routes.

Source: ReMoGPT, Fig. 5.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from remogpt.interfaces import Route
from remogpt.motion.facts import Fact
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.retriever.database.leave_one_out import MOTION_ROUTES, TEXT_ROUTES
from remogpt.runtime.errors import RemogptError

Examples = tuple[RetrievedExample, ...]
_Search = Callable[[Route, int], list[RetrievedExample]]


@dataclass(frozen=True, eq=False)
class TextSearch:
    """Searches a database by one caption, once for all who ask the same.

    Args:
        query: (D,) embedding of the caption.
        database: where motions come from.
        exclude: ids; entries that bear one as their own, their source's or their mirror's are not retrieved.
        pinned: ids of entries that are examples in place of retrieved ones.
    """

    query: np.ndarray
    database: MotionDatabase
    exclude: frozenset[str]
    pinned: tuple[str, ...] = ()

    @classmethod
    def of_texts(
        cls, texts: Sequence[str], database: MotionDatabase, retriever: TextMotionRetriever,
        exclude: Sequence[Iterable[str]], pinned: Sequence[tuple[str, ...]] | None = None,
    ) -> "list[TextSearch]":  # fmt: skip
        """Make a search for each caption; equal captions with the same exclusions and pins share one."""
        named = pinned or [()] * len(texts)
        keys = [(text, frozenset(ids), own) for text, ids, own in zip(texts, exclude, named, strict=True)]
        queries = dict(zip(texts, retriever.encode_each_text(texts), strict=True))
        made = {key: cls(queries[key[0]], database, *key[1:]) for key in dict.fromkeys(keys)}
        return [made[key] for key in keys]

    @cached_property
    def examples(self) -> Examples:
        """Two examples: pinned ones, then the motion that fits the caption best, then the most similar caption's.

        Raises:
            RemogptError: if more are pinned, or one that the database does not have.
        """
        if not self.pinned:
            return _two_routes(partial(self.database.search_embedding, self.query, exclude=self.exclude), TEXT_ROUTES)
        if len(self.pinned) > len(TEXT_ROUTES):
            raise RemogptError(f"{len(self.pinned)} examples are pinned, a prompt shows {len(TEXT_ROUTES)}; pin fewer")
        hidden = self.exclude | set(self.pinned)
        found = _two_routes(partial(self.database.search_embedding, self.query, exclude=hidden), TEXT_ROUTES)
        return (*(self._pinned(one) for one in self.pinned), *found)[: len(TEXT_ROUTES)]

    def _pinned(self, entry: str) -> RetrievedExample:
        row = self.database.rows.get(entry)
        if row is None:
            raise RemogptError(f"{self.database.path} has no entry {entry!r} to pin; 'remogpt search' shows ids")
        example = self.database.example(row, self.query, math.nan, "t2m")
        return replace(example, score=example.to_motion, pinned=True)

    def motions(self, count: int, facts: Sequence[Fact], fact_weight: float) -> list[RetrievedExample]:
        """Find the motions that fit best, by their cosines and the share of some facts that the database knows of.

        differs: ReMoGPT ranks by the cosine alone, and answers with no retrieved motion. Examples for the prompt are
        ranked as in the paper: by facts they are no better (studies/results/answer_choice.md).
        """
        return self.database.search_embedding(
            self.query, "t2m", count, self.exclude, facts=facts, fact_weight=fact_weight
        )


def examples_for_motions(
    motions: Sequence[np.ndarray],
    database: MotionDatabase,
    retriever: TextMotionRetriever,
    exclude: Sequence[Iterable[str]],
) -> list[Examples]:
    """Retrieve two examples for each motion, (T, 263) raw features: by caption, then by motion; otherwise as above."""
    return [
        _two_routes(
            partial(database.search_embedding, retriever.encode_motion([features])[0], exclude=set(ids)), MOTION_ROUTES
        )
        for features, ids in zip(motions, exclude, strict=True)
    ]


def _two_routes(search: _Search, routes: Sequence[Route]) -> Examples:
    """Take the best hit of each route; where both find one entry, the second route gives its next best.

    Only that entry is passed over, not its relatives, as in training.
    """
    found: list[RetrievedExample] = []
    for route in routes:
        hits = search(route, 1 + len(found))
        taken = {example.id for example in found}
        found += [hit for hit in hits if hit.id not in taken][:1]
    return tuple(found)


def marked_as_used(
    examples: Sequence[RetrievedExample], shown: Sequence[RetrievedExample]
) -> tuple[RetrievedExample, ...]:
    """Return the examples with `used` set on those that the prompt shows."""
    ids = {id(example) for example in shown}
    return tuple(replace(example, used=id(example) in ids) for example in examples)
