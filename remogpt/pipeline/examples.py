"""Retrieve the examples of captions and of motions, as training does: the best hit of each of two routes.

Source: ReMoGPT, Fig. 5.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from remogpt.interfaces import Route
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.retriever.database.leave_one_out import MOTION_ROUTES, TEXT_ROUTES


def examples_for_texts(
    texts: Sequence[str], database: MotionDatabase, retriever: TextMotionRetriever, exclude: Sequence[Iterable[str]]
) -> list[tuple[RetrievedExample, ...]]:
    """Retrieve two examples for each caption: the motion that fits it best, then the one with the most similar caption.

    Args:
        texts: N captions.
        database: where examples come from.
        retriever: the one that built it.
        exclude: N sets of ids; entries that bear one as their own, their source's or their mirror's are not retrieved.
    """
    keys = [(text, frozenset(ids)) for text, ids in zip(texts, exclude, strict=True)]
    found = {
        # Each text is embedded alone: in a batch, rounding would depend on the others. Equal captions are one query.
        (text, ids): _two_routes(database, retriever.encode_text([text])[0], TEXT_ROUTES, ids)
        for text, ids in dict.fromkeys(keys)
    }
    return [found[key] for key in keys]


def examples_for_motions(
    motions: Sequence[np.ndarray],
    database: MotionDatabase,
    retriever: TextMotionRetriever,
    exclude: Sequence[Iterable[str]],
) -> list[tuple[RetrievedExample, ...]]:
    """Retrieve two examples for each motion, (T, 263) raw features: by caption, then by motion; otherwise as above."""
    return [
        _two_routes(database, retriever.encode_motion([features])[0], MOTION_ROUTES, ids)
        for features, ids in zip(motions, exclude, strict=True)
    ]


def _two_routes(
    database: MotionDatabase, query: np.ndarray, routes: Sequence[Route], exclude: Iterable[str]
) -> tuple[RetrievedExample, ...]:
    """Take the best hit of each route; where both find one entry, the second route gives its next best.

    Only that entry is passed over, not its relatives, as in training.
    """
    found: list[RetrievedExample] = []
    for route in routes:
        hits = database.search_embedding(query, route, 1 + len(found), set(exclude))
        taken = {example.id for example in found}
        found += [hit for hit in hits if hit.id not in taken][:1]
    return tuple(found)


def marked_as_used(
    examples: Sequence[RetrievedExample], shown: Sequence[RetrievedExample]
) -> tuple[RetrievedExample, ...]:
    """Return the examples with `used` set on those that the prompt shows."""
    ids = {id(example) for example in shown}
    return tuple(replace(example, used=id(example) in ids) for example in examples)
