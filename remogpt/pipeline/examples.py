"""Retrieve the examples of captions and of motions, as training does: the k best hits of each route.

Source: ReMoGPT, Fig. 5 and Table 6.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from remogpt.motion.facts import Fact, Steps
from remogpt.options import ExampleChoice
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.runtime.errors import RemogptError

Examples = tuple[RetrievedExample, ...]


@dataclass(frozen=True, eq=False)
class TextSearch:
    """Searches a database by one caption, once for all who ask the same.

    Args:
        query: (D,) embedding of the caption.
        database: where motions come from.
        exclude: ids; entries that bear one as their own, their source's or their mirror's are not retrieved.
        pinned: ids of entries that are examples in place of retrieved ones.
        choice: which examples are retrieved.
    """

    query: np.ndarray
    database: MotionDatabase
    exclude: frozenset[str]
    pinned: tuple[str, ...]
    choice: ExampleChoice

    @classmethod
    def of_texts(
        cls, texts: Sequence[str], database: MotionDatabase, retriever: TextMotionRetriever,
        exclude: Sequence[Iterable[str]], pinned: Sequence[tuple[str, ...]] | None = None,
        *, choice: ExampleChoice,
    ) -> "list[TextSearch]":  # fmt: skip
        """Make a search for each caption; equal captions with the same exclusions and pins share one."""
        named = pinned or [()] * len(texts)
        keys = [(text, frozenset(ids), own) for text, ids, own in zip(texts, exclude, named, strict=True)]
        queries = dict(zip(texts, retriever.encode_each_text(texts), strict=True))
        made = {key: cls(queries[key[0]], database, *key[1:], choice) for key in dict.fromkeys(keys)}
        return [made[key] for key in keys]

    @cached_property
    def examples(self) -> Examples:
        """Pinned examples, then those of each route, by default the motion that fits best and the likest caption's.

        Raises:
            RemogptError: if more are pinned than are shown, or one that the database does not have.
        """
        count = self.choice.k * len(self.choice.routes)
        if len(self.pinned) > count:
            raise RemogptError(f"{len(self.pinned)} examples are pinned, a prompt shows {count}; pin fewer, or raise k")
        hidden = self.exclude | set(self.pinned)
        found = _by_routes(self.database, self.query, hidden, self.choice)
        return (*(self._pinned(one) for one in self.pinned), *found)[:count]

    def _pinned(self, entry: str) -> RetrievedExample:
        row = self.database.rows.get(entry)
        if row is None:
            raise RemogptError(f"{self.database.path} has no entry {entry!r} to pin; 'remogpt search' shows ids")
        example = self.database.example(row, self.query, math.nan, "t2m")
        return replace(example, score=example.to_motion, pinned=True)

    def motions(
        self, count: int, facts: Sequence[Fact], fact_weight: float, steps: Steps = ()
    ) -> list[RetrievedExample]:
        """Find the motions that fit best, by their cosines and the share of some facts that the database knows of.

        Those that show what the claims of `steps` do not name come later.

        differs: ReMoGPT ranks by the cosine alone, and answers with no retrieved motion. Examples for the prompt are
        ranked as in the paper: by facts they are hardly better (studies/results/answer_choice.md, guides.md).
        """
        return self.database.search_embedding(
            self.query, "t2m", count, self.exclude, facts=facts, fact_weight=fact_weight, steps=steps
        )


def examples_for_motions(
    motions: Sequence[np.ndarray],
    database: MotionDatabase,
    retriever: TextMotionRetriever,
    exclude: Sequence[Iterable[str]],
    *,
    choice: ExampleChoice,
) -> list[Examples]:
    """Retrieve the examples of each motion, (T, 263) raw features; `exclude` has the ids that each passes over."""
    return [
        _by_routes(database, retriever.encode_motion([features])[0], frozenset(ids), choice)
        for features, ids in zip(motions, exclude, strict=True)
    ]


def _by_routes(database: MotionDatabase, query: np.ndarray, exclude: frozenset[str], choice: ExampleChoice) -> Examples:
    """Take the k best hits of each route; what an earlier route has found is passed over for the next best.

    Only that entry is passed over, not its relatives, as in training; and what is more like an example than
    `max_alike` allows.
    """
    found: list[RetrievedExample] = []
    for route in choice.routes:
        wanted, depth = len(found) + choice.k, choice.k + len(found)
        while True:
            hits = database.search_embedding(query, route, depth, exclude)
            own = list(found)
            for hit in hits:
                is_near = hit.score >= choice.min_score
                if len(own) < wanted and is_near and _is_new(database, hit, own, choice.max_alike):
                    own.append(hit)
            if len(own) == wanted or len(hits) < depth or hits[-1].score < choice.min_score:
                break
            depth *= 2
        found = own
    return tuple(found)


def _is_new(database: MotionDatabase, hit: RetrievedExample, taken: list[RetrievedExample], max_alike: float) -> bool:
    """Say whether a hit is none of some examples, and its motion not more like one of theirs than allowed."""
    if any(hit.id == one.id for one in taken):
        return False
    if max_alike >= 1 or not taken:
        return True
    rows = np.asarray(database.motion_embeddings[[one.row for one in taken]], dtype=np.float32)
    return bool((rows @ np.asarray(database.motion_embeddings[hit.row], dtype=np.float32)).max() <= max_alike)


def marked_as_used(examples: Sequence[RetrievedExample], shown: Sequence[object]) -> tuple[RetrievedExample, ...]:
    """Return the examples with `used` set on those that the prompt shows."""
    ids = {id(example) for example in shown}
    return tuple(replace(example, used=id(example) in ids) for example in examples)
