"""Turn sets and neighbour files into the plain arrays that training reads."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import overload

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.finder.train import LabelledMotion
from remogpt.lm.copying.train import CopyConfig, CopyPairs, QueryPairs
from remogpt.lm.training.samples import CodedClip, ExampleBank, RouteHits
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.leave_one_out import MOTION_ROUTES, TEXT_ROUTES, Neighbours, family_numbers
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VectorCache
from remogpt.tokenizer_vqvae import MotionTokenizer

HELD_OUT = 5
"""Every fifth family of clips is kept for the validation of the copy head."""
CHUNK = 256
"""Queries per comparison with the database."""
OFFSETS = (0, 1, 2, 3)
"""Start frames of the tokenizer: one code spans four frames, so a motion has four encodings."""
SHORTEST = 8
"""Frames of the shortest encoding, two codes."""


class SetFeatures(Sequence[np.ndarray]):
    """Raw features of a split's clips, (T, F) each, read when they are asked for: a set need not fit into memory."""

    def __init__(self, motions: MotionTextSet, split: str) -> None:
        self._motions, self._clips = motions, motions.clips(split)

    def __len__(self) -> int:
        return len(self._clips)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self._motions.features(clip) for clip in self._clips[index]]
        return self._motions.features(self._clips[index])


def labelled_motions(motions: MotionTextSet, splits: list[str]) -> list[LabelledMotion]:
    """Return the clips of some splits whose captions' claims are known, with the facts that these claim."""
    found = []
    for clip in (clip for split in splits for clip in motions.clips(split)):
        claims = motions.claims(clip)
        if claims:
            load = partial(motions.features, clip)
            stated, timeline = motions.facts(clip), clip.tags.get("timeline", [])
            found.append(LabelledMotion.of(load, claims, stated, timeline))
    return found


def coded_clips(motions: MotionTextSet, clips: list[Clip], tokenizer: MotionTokenizer) -> list[CodedClip]:
    """Return captions and codes of clips; each motion is encoded from every possible offset, once for all trainings."""

    def encode(indices: range) -> dict[str, np.ndarray]:
        rows = [motions.features(clips[index])[offset:] for index in indices for offset in OFFSETS]
        long_enough = [row for row in rows if len(row) >= SHORTEST]
        codes = tokenizer.encode_batch(long_enough)
        lengths = [len(row) // tokenizer.frames_per_code if len(row) >= SHORTEST else 0 for row in rows]
        return {
            "codes": np.concatenate(codes) if codes else np.empty(0, np.int64),
            "lengths": np.array(lengths, dtype=np.int64).reshape(-1, len(OFFSETS)),
        }

    cache = VectorCache.beside(motions.folder)
    found = cache.arrays(
        tokenizer.hash, ["codes", motions.identity(clips)], len(clips), encode, desc="codes", unit="clip"
    )
    ends = np.cumsum(found["lengths"].ravel()).reshape(found["lengths"].shape)
    codes = np.asarray(found["codes"])  # slices of the mapped file: processes that train together share its memory
    own = [
        tuple(codes[end - length : end] for end, length in zip(*row, strict=True) if length)
        for row in zip(ends.tolist(), found["lengths"].tolist(), strict=True)
    ]
    return [CodedClip(clip.captions, rows) for clip, rows in zip(clips, own, strict=True)]


def example_bank(neighbours: Neighbours, database: MotionDatabase, clips: list[Clip]) -> ExampleBank:
    """Return the database's captions and codes with the neighbours of the given clips among them.

    Raises:
        RemogptError: if a clip has no stored neighbours, or they belong to another database.
    """
    neighbours.check(database)
    absent = [clip.id for clip in clips if clip.id not in neighbours.index_of]
    if absent:
        raise RemogptError(
            f"{len(absent)} of {len(clips)} clips ({absent[0]}, ...) have no stored neighbours; build a database of "
            "this split and find them with 'remogpt db neighbours'"
        )
    clip_rows = np.array([neighbours.index_of[clip.id] for clip in clips])
    offsets = neighbours.tensors["caption_offsets"]
    queries = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in clip_rows])
    chosen = {"t2m": queries, "t2t": queries, "m2t": clip_rows, "m2m": clip_rows}
    routes = {
        name: RouteHits(neighbours.tensors[f"{name}/rows"][rows], neighbours.tensors[f"{name}/captions"][rows])
        for name, rows in chosen.items()
    }
    captions = [info.captions for info in database.infos()]
    return ExampleBank(captions, [database.codes(row) for row in range(len(database))], routes)


class _Embeddings:
    """Embeddings of a database's N rows, read once."""

    def __init__(self, database: MotionDatabase) -> None:
        self.motions = np.asarray(database.motion_embeddings, dtype=np.float32)
        self.captions = np.asarray(database.caption_embeddings, dtype=np.float32)
        self._firsts = np.asarray(database.caption_offsets[:-1])

    def to_motions(self, queries: np.ndarray) -> np.ndarray:
        """(B, N) cosines of queries (B, D) with every row's motion."""
        return np.asarray(queries @ self.motions.T)

    def to_captions(self, queries: np.ndarray) -> np.ndarray:
        """(B, N) cosines of queries (B, D) with every row's closest caption."""
        return np.asarray(np.maximum.reduceat(queries @ self.captions.T, self._firsts, axis=1))


def copy_pairs(
    neighbours: Neighbours, database: MotionDatabase, queries: MotionDatabase, config: CopyConfig
) -> tuple[CopyPairs, CopyPairs]:
    """Return training and validation pairs of the copy head; neither clips nor their mirror images are shared.

    Args:
        neighbours: of the query clips in the database.
        database: of the examples.
        queries: database of the query clips, of the same retriever and without clips of `database`.
        config: numbers of pairs.

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
    asking, shown = _Embeddings(queries), _Embeddings(database)
    first_captions = asking.captions[queries.caption_offsets[:-1]]
    text_hits, motion_hits = (
        [neighbours.tensors[f"{route}/rows"][:, : config.depth] for route in routes]
        for routes in (TEXT_ROUTES, MOTION_ROUTES)
    )
    text = _query_pairs(
        shown, text_hits, clip_of_caption, asking.captions,
        lambda some: shown.to_motions(asking.motions[clip_of_caption[some]]), config,
    )  # fmt: skip
    motion = _query_pairs(
        shown, motion_hits, np.arange(len(infos)), asking.motions,
        lambda some: shown.to_captions(first_captions[some]), config,
    )  # fmt: skip
    codes, bank = ([every.codes(row) for row in range(len(every))] for every in (queries, database))
    is_val = family_numbers(infos) % HELD_OUT == 0
    return tuple(  # type: ignore[return-value]
        CopyPairs(codes, bank, *(_of_clips(pairs, is_val == wanted) for pairs in (text, motion)))
        for wanted in (False, True)
    )


def _query_pairs(
    shown: _Embeddings, hits: Sequence[np.ndarray], clips: np.ndarray, queries: np.ndarray,
    closeness: Callable[[np.ndarray], np.ndarray], config: CopyConfig,
) -> QueryPairs:  # fmt: skip
    """Pair queries with their best hits, and with the most similar rows that do not answer them.

    Args:
        shown: the examples, N rows.
        hits: (Q, depth) rows of each route, -1 for none.
        clips: (Q,) clip index of each query.
        queries: (Q, D) embeddings.
        closeness: query indices -> (B, N) similarity of each row to the query's ground truth.
        config: numbers of pairs of each kind.
    """
    chunks = [np.arange(first, min(first + CHUNK, len(clips))) for first in range(0, len(clips), CHUNK)]
    firsts = [closeness(some)[np.arange(len(some)), hits[0][some, 0]] for some in chunks]
    least = np.quantile(np.concatenate(firsts)[hits[0][:, 0] >= 0], config.worst_hits)
    found: list[QueryPairs] = []
    for some in chunks:
        close, near = closeness(some), (shown.to_motions(queries[some]), shown.to_captions(queries[some]))
        best = [np.where(close > least, -np.inf, cosines).argsort(axis=1)[:, ::-1] for cosines in near]
        wrong = [rows[:, : config.misleading_examples] for rows in best]
        table = np.concatenate([*(own[some] for own in hits), *wrong], axis=1)
        query_rows, columns = np.nonzero(table >= 0)
        rows = table[query_rows, columns].astype(np.int64)
        cosines = np.stack([one[query_rows, rows] for one in near], axis=1)
        found.append(QueryPairs(clips[some][query_rows], rows, cosines, close[query_rows, rows] > least))
    return QueryPairs(*(np.concatenate([getattr(chunk, one.name) for chunk in found]) for one in fields(QueryPairs)))


def _of_clips(pairs: QueryPairs, is_kept: np.ndarray) -> QueryPairs:
    kept = is_kept[pairs.clips]
    return QueryPairs(pairs.clips[kept], pairs.rows[kept], pairs.cosines[kept], pairs.answers[kept])
