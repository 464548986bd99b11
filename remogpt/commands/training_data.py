"""From sets and neighbour files to the plain arrays that training reads."""

from collections.abc import Callable

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.lm.copy_train import CopyConfig, CopyPairs, QueryPairs
from remogpt.lm.datasets import CodedClip, ExampleBank, Route
from remogpt.retriever import MotionDatabase
from remogpt.retriever.neighbours import MOTION_ROUTES, TEXT_ROUTES, Neighbours, family_numbers
from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae import MotionTokenizer

HELD_OUT = 5
"""Every fifth family of clips is kept for the validation of the copy head."""
OFFSETS = (0, 1, 2, 3)
"""Frames at which the tokenizer starts: one code spans four frames, so a motion has four codings."""


def features_of(motions: MotionTextSet, split: str) -> list[np.ndarray]:
    """Return the raw features of a split's clips, each (T, 263)."""
    return [motions.features(clip) for clip in motions.clips(split)]


def coded_clips(motions: MotionTextSet, clips: list[Clip], tokenizer: MotionTokenizer) -> list[CodedClip]:
    """Return captions and codes of clips; each motion is coded from every offset that leaves it a code."""
    features = [motions.features(clip) for clip in clips]
    jobs = [(place, offset) for place in range(len(clips)) for offset in OFFSETS if len(features[place]) - offset >= 8]
    codes = tokenizer.encode_batch([features[place][offset:] for place, offset in jobs])
    by_clip: list[list[np.ndarray]] = [[] for _ in clips]
    for (place, _), row in zip(jobs, codes, strict=True):
        by_clip[place].append(row)
    return [CodedClip(clip.captions, tuple(rows)) for clip, rows in zip(clips, by_clip, strict=True)]


def example_bank(neighbours: Neighbours, database: MotionDatabase, clips: list[Clip]) -> ExampleBank:
    """Return the database's captions and codes with the neighbours of the given clips among them.

    Raises:
        RemogptError: if a clip has no stored neighbours, or they belong to another database.
    """
    neighbours.check(database)
    absent = [clip.id for clip in clips if clip.id not in neighbours.places]
    if absent:
        raise RemogptError(
            f"{len(absent)} of {len(clips)} clips ({absent[0]}, ...) have no stored neighbours; build a database of "
            "this split and find them with 'remogpt db neighbours'"
        )
    places = np.array([neighbours.places[clip.id] for clip in clips])
    offsets = neighbours.tensors["caption_offsets"]
    queries = np.concatenate([np.arange(offsets[place], offsets[place + 1]) for place in places])
    chosen = {"t2m": queries, "t2t": queries, "m2t": places, "m2m": places}
    routes = {
        name: Route(neighbours.tensors[f"{name}/rows"][rows], neighbours.tensors[f"{name}/captions"][rows])
        for name, rows in chosen.items()
    }
    captions = [info.captions for info in database.infos()]
    return ExampleBank(captions, [database.codes(row) for row in range(len(database))], routes)


def copy_pairs(
    neighbours: Neighbours, database: MotionDatabase, queries: MotionDatabase, config: CopyConfig
) -> tuple[CopyPairs, CopyPairs]:
    """Return what the copy head learns from, and what it is validated on: other clips, not even mirror images of these.

    Args:
        neighbours: of the query clips in the database.
        database: the examples.
        queries: the query clips, embedded by the same retriever, not among the database's.
        config: which pairs.

    Raises:
        RemogptError: if the neighbours belong to other databases.
    """
    neighbours.check(database)
    infos = list(queries.infos())
    if [info.id for info in infos] != neighbours.header["query_ids"]:
        raise RemogptError(
            f"the neighbours are not those of the clips in {queries.path}; find them: remogpt db neighbours "
            f"{database.path} --queries {queries.path}"
        )
    clip_of_caption = np.repeat(np.arange(len(infos)), np.diff(queries.caption_offsets))
    first_captions = np.asarray(queries.caption_offsets[:-1])
    text = _query_pairs(
        neighbours, database, TEXT_ROUTES, queries.caption_embeddings, clip_of_caption,
        lambda clips, rows: _to_motions(database, queries.motion_embeddings[clips], rows), config,
    )  # fmt: skip
    motion = _query_pairs(
        neighbours, database, MOTION_ROUTES, queries.motion_embeddings, np.arange(len(infos)),
        lambda clips, rows: _to_captions(database, queries.caption_embeddings[first_captions[clips]], rows), config,
    )  # fmt: skip
    codes, bank = ([every.codes(row) for row in range(len(every))] for every in (queries, database))
    is_val = family_numbers(infos) % HELD_OUT == 0
    return tuple(  # type: ignore[return-value]
        CopyPairs(codes, bank, *(_of_clips(pairs, is_val == wanted) for pairs in (text, motion)))
        for wanted in (False, True)
    )


def _query_pairs(
    neighbours: Neighbours, database: MotionDatabase, routes: tuple[str, str], embeddings: np.ndarray,
    clips: np.ndarray, closeness: Callable[[np.ndarray, np.ndarray], np.ndarray], config: CopyConfig,
) -> QueryPairs:  # fmt: skip
    """Pair queries (Q, D) of the given clips (Q,) with their best hits by two routes and with random rows."""
    hits = [neighbours.tensors[f"{route}/rows"][:, : config.depth] for route in routes]
    rng = np.random.default_rng(config.loop.seed)
    drawn = rng.integers(len(database), size=(len(clips), config.random_examples))
    table = np.concatenate([*hits, drawn], axis=1)
    numbers = np.repeat(np.arange(len(clips)), table.shape[1])
    is_first = np.zeros(table.shape, dtype=bool)
    is_first[:, 0] = True
    rows = table.ravel()
    is_there = rows >= 0
    numbers, rows, is_first = numbers[is_there], rows[is_there].astype(np.int64), is_first.ravel()[is_there]
    wanted = np.asarray(embeddings[numbers], dtype=np.float32)
    close = closeness(clips[numbers], rows)
    cosines = np.stack([_to_motions(database, wanted, rows), _to_captions(database, wanted, rows)], axis=1)
    return QueryPairs(clips[numbers], rows, cosines, close > np.quantile(close[is_first], config.worst_hits))


def _to_motions(database: MotionDatabase, queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(P,) cosines of queries (P, D) with the motions of rows."""
    return np.einsum(
        "pd,pd->p", np.asarray(queries, np.float32), np.asarray(database.motion_embeddings[rows], np.float32)
    )


def _to_captions(database: MotionDatabase, queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(P,) cosines of queries (P, D) with the closest caption of rows."""
    offsets, captions = np.asarray(database.caption_offsets), np.asarray(database.caption_embeddings, np.float32)
    pairs = zip(np.asarray(queries, np.float32), rows.tolist(), strict=True)
    return np.array([(captions[offsets[row] : offsets[row + 1]] @ query).max() for query, row in pairs], np.float32)


def _of_clips(pairs: QueryPairs, is_kept: np.ndarray) -> QueryPairs:
    kept = is_kept[pairs.clips]
    return QueryPairs(pairs.clips[kept], pairs.rows[kept], pairs.cosines[kept], pairs.answers[kept])
