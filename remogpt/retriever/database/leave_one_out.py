"""Find leave-one-out examples for every training sample, once, and store them.

Every caption of a query clip gets its nearest entries by t2m and t2t, every query clip those by m2t and m2m. A clip
never gets one of its own family as an example (`remogpt.data.family`). Lists are stored deep, so
that the second route of a training sample can take its next best where the first already has an entry
(`remogpt.lm.training.samples`).
"""

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from remogpt.data.family import family_names
from remogpt.interfaces import MOTION_ROUTES, TEXT_ROUTES, Route
from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import EntryInfo
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import atomic_path, fingerprint
from remogpt.runtime.network_outputs import check_finite
from remogpt.runtime.progress import progress
from remogpt.runtime.schema import Count, Hash, checked

FORMAT = 1
MOST_CAPTIONS = 1 << 16
"""More captions than any entry has."""
BLOCK = 256
"""Queries whose similarities are in memory at once."""

logger = logging.getLogger(__name__)


class Header(TypedDict):
    """What a file of neighbours says of itself."""

    format: Count
    database_hash: Hash
    query_ids: list[str]


class Neighbours:
    """Stored examples of every query.

    Args:
        header: `database_hash`, `query_ids` and how the lists were made.
        tensors: for each route `<route>/rows` (n, depth) int32, -1 where a list ends early, `<route>/captions`
            (n, depth) int32, `<route>/scores` (n, depth) float32; `caption_offsets` (query clips + 1,): the text
            routes have n = caption_offsets[-1] lists, those of clip c at caption_offsets[c]:caption_offsets[c + 1].
    """

    def __init__(self, header: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        self.header, self.tensors = header, tensors
        self.index_of = {name: index for index, name in enumerate(header["query_ids"])}
        """Number of each query clip, by its id."""

    @property
    def database_hash(self) -> str:
        """Version of the database that was searched."""
        return str(self.header["database_hash"])

    def check(self, database: MotionDatabase) -> None:
        """Refuse a database other than the one that was searched, and rows that it does not have."""
        if database.hash != self.database_hash:
            raise RemogptError(
                f"these neighbours are rows of database {self.database_hash[:12]}, but {database.path} holds "
                f"{database.hash[:12]}; find them again: remogpt db neighbours {database.path}"
            )
        largest = max((int(rows.max(initial=-1)) for name, rows in self.tensors.items() if name.endswith("/rows")))
        if largest >= len(database):
            raise RemogptError(f"these neighbours name row {largest} of {database.path}, which has {len(database)}")

    def save(self, path: str | Path) -> None:
        """Write one safetensors file; the header is in its metadata."""
        with atomic_path(path, durable=True) as temporary:
            tensors = {name: np.ascontiguousarray(tensor) for name, tensor in self.tensors.items()}
            header = {**self.header, "sha256": _sum(json.dumps(self.header), tensors)}
            # One entry: safetensors writes several in any order, and the same neighbours shall be the same bytes.
            save_file(tensors, temporary, metadata={"header": json.dumps(header)})

    @classmethod
    def load(cls, path: str | Path, database: MotionDatabase | None = None) -> "Neighbours":
        """Read what `save` wrote.

        Args:
            path: the file.
            database: checked to be the one that was searched, if given.

        Raises:
            MissingPathError: if there is no file.
            RemogptError: if it is damaged or belongs to another database.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingPathError(f"no file {path}; make it with 'remogpt db neighbours'")
        try:
            with safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                header = checked(json.loads(about["header"]), dict[str, Any], path)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError, OSError, TypeError, AttributeError) as error:
            raise RemogptError(
                f"{path} is not a file of neighbours ({error}); make it again with 'remogpt db neighbours'"
            ) from error
        if header.get("format") != FORMAT:
            raise RemogptError(f"{path} has format {header.get('format')}, wanted {FORMAT}; find neighbours again")
        wanted = header.pop("sha256", None)
        if wanted is not None and wanted != _sum(json.dumps(header), tensors):
            raise RemogptError(
                f"{path} is not what was written there; copy it again, or make it: remogpt db neighbours"
            )
        checked(header, Header, path)
        _check_sense(header, tensors, path)
        neighbours = cls(header, tensors)
        if database is not None:
            neighbours.check(database)
        return neighbours


def _sum(header: str, tensors: Mapping[str, np.ndarray]) -> str:
    """Return a SHA-256 over everything in a file of neighbours."""
    return fingerprint([header, *(one for name in sorted(tensors) for one in (name, tensors[name]))])


def _check_sense(header: Mapping[str, Any], tensors: Mapping[str, np.ndarray], path: Path) -> None:
    """Refuse tensors of other names, types, shapes or values than `find_neighbours` gives."""
    clips = len(header["query_ids"])
    offsets = tensors.get("caption_offsets", np.zeros(0, np.int64))
    is_whole = offsets.shape == (clips + 1,) and offsets.dtype.kind == "i" and offsets[0] == 0
    if not is_whole or (np.diff(offsets) < 1).any():
        raise RemogptError(f"{path}: caption_offsets does not divide captions among {clips} clips; make the file again")
    for route in (*TEXT_ROUTES, *MOTION_ROUTES):
        count = int(offsets[-1]) if route in TEXT_ROUTES else clips
        for name, kind, least, most in (
            ("rows", "i", -1, 2**31), ("captions", "i", 0, MOST_CAPTIONS), ("scores", "f", -math.inf, 1.01)
        ):  # fmt: skip
            tensor = tensors.get(f"{route}/{name}")
            if tensor is None or tensor.ndim != 2 or len(tensor) != count or tensor.dtype.kind != kind:
                raise RemogptError(
                    f"{path}: {route}/{name} is missing, or not {count} rows of numbers; make the file again"
                )
            if np.isnan(tensor).any() or not ((tensor >= least) & (tensor <= most)).all():
                raise RemogptError(
                    f"{path}: {route}/{name} holds values outside {least:g} to {most:g}; make the file again"
                )


def find_neighbours(
    database: MotionDatabase,
    queries: MotionDatabase | None = None,
    depth: int = 8,
    exclude_same_caption: bool = False,
) -> Neighbours:
    """Find the examples of every clip of `queries` in `database`.

    Args:
        database: where examples come from.
        queries: the training clips, as a database embedded by the same retriever; None takes `database` itself.
        depth: entries stored per list.
        exclude_same_caption: pass over entries that share a caption with the query (letter case, punctuation ignored);
            the number of such pairs is logged and kept in the header as `same_caption_pairs`.

    Scores are float32 here, so that entries that tie within 1e-6 may come in another order than `search` gives them.

    Raises:
        RemogptError: if a database is empty, the retrievers differ, or a clip is left with fewer than 2 possible
            examples.
    """
    queries = queries or database
    if queries.manifest["retriever_hash"] != database.manifest["retriever_hash"]:
        raise RemogptError(
            f"{queries.path} was embedded by retriever {queries.manifest['retriever_hash'][:12]}, {database.path} by "
            f"{database.manifest['retriever_hash'][:12]}; build both with one retriever"
        )
    for asked in (database, queries):
        if not len(asked):
            raise RemogptError(
                f"the database in {asked.path} is empty and has no neighbours; build it from a set's clips"
            )
        for rows in (asked.motion_embeddings, asked.caption_embeddings):
            check_finite(rows, lambda row: f"row {row} of the database in {asked.path}", "embedding")  # noqa: B023
    ours, theirs = list(queries.infos()), list(database.infos())
    families = family_numbers([*ours, *theirs])
    search = _Search(database, theirs, families[len(ours) :], depth)
    query_families = families[: len(ours)]
    _check_choice(ours, query_families, search.families)
    owners = np.repeat(np.arange(len(ours)), np.diff(queries.caption_offsets))
    shared = _same_captions(ours, theirs) if exclude_same_caption else None
    by_caption = None if shared is None else shared.of_captions
    by_clip = None if shared is None else shared.of_clips
    tensors = {"caption_offsets": np.array(queries.caption_offsets)}
    tensors |= search.lists(queries.caption_embeddings, query_families[owners], TEXT_ROUTES, by_caption)
    tensors |= search.lists(queries.motion_embeddings, query_families, MOTION_ROUTES, by_clip)
    header = {
        "format": FORMAT,
        "database_hash": database.hash,
        "retriever_hash": database.manifest["retriever_hash"],
        "depth": depth,
        "exclude_same_caption": exclude_same_caption,
        "same_caption_pairs": 0
        if shared is None
        else sum(
            int((search.families[rows] != query_families[owner]).sum())
            for owner, rows in zip(owners, shared.of_captions, strict=True)
        ),
        "query_ids": [info.id for info in ours],
    }
    logger.info(
        "neighbours: %d captions and %d clips; %d pairs with the same caption were passed over",
        len(owners), len(ours), header["same_caption_pairs"],
    )  # fmt: skip
    return Neighbours(header, tensors)


class _Search:
    """Block-wise search of a whole database in memory."""

    def __init__(self, database: MotionDatabase, infos: list[EntryInfo], families: np.ndarray, depth: int) -> None:
        self.families, self.depth = families, min(depth, len(infos))
        self.full_depth = depth
        self.motions = np.asarray(database.motion_embeddings, dtype=np.float32)
        self.captions = np.asarray(database.caption_embeddings, dtype=np.float32)
        self.offsets = np.asarray(database.caption_offsets)
        most = int(np.diff(self.offsets).max())
        caption_rows = self.offsets[:-1, None] + np.arange(most)  # (E, most) rows of each entry's captions
        self.is_real = caption_rows < self.offsets[1:, None]
        self.caption_rows = np.where(self.is_real, caption_rows, 0)

    def lists(
        self,
        embeddings: np.ndarray,
        families: np.ndarray,
        routes: tuple[Route, Route],
        passed_over: list[np.ndarray] | None,
    ) -> dict[str, np.ndarray]:
        """Return the tensors of two routes for queries (n, D) of the given families (n,)."""
        shape = (len(embeddings), self.full_depth)
        tensors: dict[str, np.ndarray] = {}
        for route in routes:
            tensors[f"{route}/rows"] = np.full(shape, -1, dtype=np.int32)
            tensors[f"{route}/captions"] = np.zeros(shape, dtype=np.int32)
            tensors[f"{route}/scores"] = np.full(shape, -np.inf, dtype=np.float32)
        for start in progress(range(0, len(embeddings), BLOCK), desc=f"neighbours {'/'.join(routes)}", unit="block"):
            block = slice(start, min(start + BLOCK, len(embeddings)))
            queries = np.asarray(embeddings[block], dtype=np.float32)
            excluded = families[block, None] == self.families  # (q, E)
            if passed_over is not None:
                for query, rows in enumerate(passed_over[block]):
                    excluded[query, rows] = True
            caption_similarities = queries @ self.captions.T  # (q, C)
            for route in routes:
                if route.endswith("t"):
                    similarities = np.maximum.reduceat(caption_similarities, self.offsets[:-1], axis=1)  # (q, E)
                else:
                    similarities = queries @ self.motions.T
                self._store(tensors, route, block, np.where(excluded, -np.inf, similarities), caption_similarities)
        return tensors

    def _store(
        self, tensors: dict[str, np.ndarray], route: str, block: slice, similarities: np.ndarray, captions: np.ndarray
    ) -> None:
        rows = best_columns(similarities, self.depth)  # (q, depth)
        values = np.take_along_axis(similarities, rows, axis=1)
        per_caption = np.take_along_axis(captions, self.caption_rows[rows].reshape(len(rows), -1), axis=1)
        per_caption = np.where(self.is_real[rows], per_caption.reshape(*rows.shape, -1), -np.inf)
        tensors[f"{route}/rows"][block, : self.depth] = np.where(np.isfinite(values), rows, -1)
        tensors[f"{route}/scores"][block, : self.depth] = values
        tensors[f"{route}/captions"][block, : self.depth] = per_caption.argmax(axis=2)


def best_columns(similarities: np.ndarray, k: int) -> np.ndarray:
    """Map (q, E) -> (q, k) columns of each row's largest values, best first, ties in the order of the columns."""
    if k >= similarities.shape[1]:
        return np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    columns = np.sort(np.argpartition(-similarities, k - 1, axis=1)[:, :k], axis=1)
    values = np.take_along_axis(similarities, columns, axis=1)
    # argpartition takes any of the columns that tie for the last rank; keep the first of these columns.
    last = values.min(axis=1)
    tied = np.flatnonzero((similarities >= last[:, None]).sum(axis=1) > k)
    for row in tied:
        columns[row] = np.sort(np.argsort(-similarities[row], kind="stable")[:k])
    values = np.take_along_axis(similarities, columns, axis=1)
    return np.take_along_axis(columns, np.argsort(-values, axis=1, kind="stable"), axis=1)


def family_numbers(infos: Sequence[EntryInfo]) -> np.ndarray:
    """Return (n,) int64: equal for clips of one family (`data.family`), directly or through others."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for info in infos:
        own = root(info.id)
        for other in family_names(info):
            parent[root(other)] = own
    names: dict[str, int] = {}
    return np.array([names.setdefault(root(info.id), len(names)) for info in infos], dtype=np.int64)


def _check_choice(infos: Sequence[EntryInfo], families: np.ndarray, gallery: np.ndarray) -> None:
    """Refuse a database in which excluding a clip's own family leaves nothing to choose from."""
    sizes = np.bincount(gallery, minlength=int(families.max()) + 1)
    poor = np.flatnonzero(len(gallery) - sizes[families] < 2)
    if len(poor):
        raise RemogptError(
            f"{len(poor)} clips ({infos[poor[0]].id}, ...) have fewer than 2 entries of other sources to choose from; "
            "does every entry name the same source_id? It must name the recording that a clip was cut from"
        )


@dataclass(frozen=True)
class _SameCaptions:
    of_captions: list[np.ndarray]
    """For each query caption: entries with the same words."""
    of_clips: list[np.ndarray]
    """For each query clip: entries that share any caption with it."""


def _same_captions(ours: Sequence[EntryInfo], theirs: Sequence[EntryInfo]) -> _SameCaptions:
    holders: dict[str, list[int]] = {}
    for row, info in enumerate(theirs):
        for words in {plain_words(caption) for caption in info.captions}:
            holders.setdefault(words, []).append(row)
    arrays = {words: np.array(rows, dtype=np.int64) for words, rows in holders.items()}
    none = np.empty(0, dtype=np.int64)
    per_clip = [[arrays.get(plain_words(caption), none) for caption in info.captions] for info in ours]
    return _SameCaptions(
        [rows for lists in per_clip for rows in lists], [np.unique(np.concatenate(r)) for r in per_clip]
    )


def plain_words(caption: str) -> str:
    """Return the lower-case words of a caption without punctuation."""
    return " ".join(re.findall(r"[\w']+", caption.lower()))
