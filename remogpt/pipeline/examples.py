"""Retrieve the examples of captions and of motions, as training does: the best hit of each of two routes.

Source: ReMoGPT, Fig. 5.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np

from remogpt.interfaces import Route
from remogpt.motion.facts import Fact
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.retriever.database.leave_one_out import MOTION_ROUTES, TEXT_ROUTES

Examples = tuple[RetrievedExample, ...]
Search = Callable[[Route, int], list[RetrievedExample]]


def searches_for_texts(
    texts: Sequence[str],
    database: MotionDatabase,
    retriever: TextMotionRetriever,
    exclude: Sequence[Iterable[str]],
    facts: Sequence[Sequence[Fact]] | None = None,
    *,
    fact_weight: float = 0.0,
) -> list[Search]:
    """Make a search for each caption: `search(route, k)`.

    Args:
        texts: N captions.
        database: where examples come from.
        retriever: the one that built it.
        exclude: N sets of ids; entries that bear one as their own, their source's or their mirror's are not retrieved.
        facts: what each caption claims, compared with the facts that the database keeps; None ranks by cosines alone.
        fact_weight: what the share of these facts that an entry holds counts beside the cosine.

    differs: ReMoGPT ranks by the cosine alone.
    """
    keys = [(text, frozenset(ids)) for text, ids in zip(texts, exclude, strict=True)]
    made: dict[tuple[str, frozenset[str]], Search] = {}
    for (text, ids), claimed in zip(keys, facts or [()] * len(texts), strict=True):
        # Each text is embedded alone: in a batch, rounding would depend on the others. Equal captions are one query.
        if (text, ids) not in made:
            query = retriever.encode_text([text])[0]
            search = partial(database.search_embedding, query, exclude=ids, facts=claimed, fact_weight=fact_weight)
            made[text, ids] = cache(search)
    return [made[key] for key in keys]


def examples_for_texts(searches: Sequence[Search]) -> list[Examples]:
    """Retrieve two examples for each caption: the motion that fits it best, then the one with the most similar caption.

    Args:
        searches: of the captions, from `searches_for_texts`.
    """
    return [_two_routes(search, TEXT_ROUTES) for search in searches]


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


def _two_routes(search: Search, routes: Sequence[Route]) -> Examples:
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
