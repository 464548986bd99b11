"""Retrieve the examples of captions and of motions, as training does: the best hit of each of two routes.

Source: ReMoGPT, Fig. 5.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from remogpt.interfaces import Route
from remogpt.motion.facts import Fact
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.retriever.database.leave_one_out import MOTION_ROUTES, TEXT_ROUTES

Examples = tuple[RetrievedExample, ...]
_Search = Callable[[Route, int], list[RetrievedExample]]


@dataclass(frozen=True, eq=False)
class TextSearch:
    """Searches a database by one caption, once for all who ask the same.

    Args:
        query: (D,) embedding of the caption.
        database: where motions come from.
        exclude: ids; entries that bear one as their own, their source's or their mirror's are not retrieved.
    """

    query: np.ndarray
    database: MotionDatabase
    exclude: frozenset[str]

    @classmethod
    def of_texts(
        cls, texts: Sequence[str], database: MotionDatabase, retriever: TextMotionRetriever,
        exclude: Sequence[Iterable[str]],
    ) -> "list[TextSearch]":  # fmt: skip
        """Make a search for each caption; equal captions with the same exclusions share one."""
        keys = [(text, frozenset(ids)) for text, ids in zip(texts, exclude, strict=True)]
        queries = dict(zip(texts, retriever.encode_each_text(texts), strict=True))
        made = {key: cls(queries[key[0]], database, key[1]) for key in dict.fromkeys(keys)}
        return [made[key] for key in keys]

    @cached_property
    def examples(self) -> Examples:
        """Two examples: the motion that fits the caption best, then the one with the most similar caption."""
        return _two_routes(partial(self.database.search_embedding, self.query, exclude=self.exclude), TEXT_ROUTES)

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
