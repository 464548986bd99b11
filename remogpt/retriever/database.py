"""A searchable database of captioned motions, opened without reading it into memory.

Files and their order of writing: `database_files`. A database belongs to the retriever that embedded it and to the
tokenizer that encoded it; both are named by hash in its manifest.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.retriever.database_files import VersionWriter, current_version, new_version, publish
from remogpt.retriever.entry import DatabaseEntry, EntryInfo
from remogpt.retriever.example import RetrievedExample
from remogpt.retriever.index import VectorIndex, exact_scores
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy, sha256_file
from remogpt.runtime.progress import progress

Route = Literal["t2m", "t2t", "m2t", "m2m"]
ROUTES: tuple[Route, ...] = ("t2m", "t2t", "m2t", "m2m")
MANIFEST_ORIGIN = ("num_features", "retriever_hash", "statistics_hash", "tokenizer_hash")
BATCH = 256
"""Entries embedded and written at a time."""


class Retriever(Protocol):
    """What a database needs of a retriever; `TextMotionRetriever` has it."""

    @property
    def hash(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def statistics_hash(self) -> str: ...
    def encode_text(self, texts: Sequence[str], /) -> np.ndarray: ...
    def encode_motion(self, motions: Sequence[np.ndarray], /) -> np.ndarray: ...


class Tokenizer(Protocol):
    """What a database needs of a motion tokenizer."""

    @property
    def hash(self) -> str: ...
    def encode_batch(self, features: list[np.ndarray], /) -> list[np.ndarray]: ...


class MotionDatabase:
    """Captioned motions with their codes and embeddings.

    Example:
        >>> database = MotionDatabase.open("database", retriever)
        >>> database.search(text="a person waves with the left hand", route="t2m", k=1)[0].caption
    """

    def __init__(self, path: Path, retriever: Retriever | None = None) -> None:
        self.path, self.retriever = path, retriever
        self.hash, self.folder, self.manifest = current_version(path)
        if retriever is not None and retriever.hash != self.manifest["retriever_hash"]:
            raise RemogptError(
                f"the database in {path} was embedded by retriever {self.manifest['retriever_hash'][:12]}, but "
                f"{retriever.hash[:12]} is in use, whose embeddings cannot be compared with it; embed it again: "
                f"remogpt db build <its set> --retriever <that retriever> --out {path}"
            )

    @classmethod
    def build(
        cls,
        entries: Iterable[DatabaseEntry],
        retriever: Retriever,
        tokenizer: Tokenizer,
        path: str | Path,
        store_features: bool = True,
        embedding_dtype: Literal["float32", "float16"] = "float32",
        total: int | None = None,
    ) -> "MotionDatabase":
        """Embed and encode entries, write them as a new version, and open it.

        Args:
            entries: read once, in batches; an iterator of any length does.
            retriever, tokenizer: objects with a hash.
            path: folder of the database; an earlier version in it stays there and in use until this one is complete.
            store_features: keep raw features too (needed to embed again with another retriever).
            embedding_dtype: float16 halves the files.
            total: number of entries where `entries` cannot say it, for the progress bar.

        Raises:
            RemogptError: for an entry that cannot be used, two entries of one id, or no entry.
        """
        path, iterator = Path(path), iter(entries)
        total = len(entries) if isinstance(entries, Sequence) else total
        bar = progress(total=total, desc="database", unit="entry")
        with new_version(path) as folder, bar:
            writer = VersionWriter(folder, retriever.dim, NUM_FEATURES if store_features else None, embedding_dtype)
            while batch := list(islice(iterator, BATCH)):
                for entry in batch:
                    _check(entry)
                motions = [entry.features for entry in batch]
                captions = [caption for entry in batch for caption in entry.captions]
                codes = tokenizer.encode_batch(motions)
                infos = [entry.info for entry in batch]
                writer.add(infos, retriever.encode_motion(motions), retriever.encode_text(captions), codes, motions)
                bar.update(len(batch))
            origin = (NUM_FEATURES, retriever.hash, retriever.statistics_hash, tokenizer.hash)
            publish(path, folder, writer.finish(dict(zip(MANIFEST_ORIGIN, origin, strict=True))))
        return cls(path, retriever)

    @classmethod
    def open(cls, path: str | Path, retriever: Retriever | None = None) -> "MotionDatabase":
        """Open a database folder, or a model folder that holds one as `database/`.

        Args:
            path: the folder.
            retriever: needed to search by text or motion; must be the one that embedded the database.

        Raises:
            MissingPathError: if there is no database.
            RemogptError: if another retriever embedded it; the message holds both hashes and the command that mends it.
        """
        path = Path(path)
        inner = path / "database"
        return cls(inner if (inner / "CURRENT").is_file() and not (path / "CURRENT").is_file() else path, retriever)

    def __len__(self) -> int:
        return int(self.manifest["counts"]["entries"])

    # ---- entries -----------------------------------------------------------------------------------------------------

    def info(self, row: int) -> EntryInfo:
        """Return what is known about entry `row`, 0 <= row < len(self)."""
        start, end = self._array("entry_offsets")[row : row + 2]
        with (self.folder / "entries.jsonl").open("rb") as file:
            file.seek(int(start))
            return EntryInfo.from_line(file.read(int(end - start)))

    def infos(self) -> Iterator[EntryInfo]:
        """Yield what is known about every entry, in order."""
        with (self.folder / "entries.jsonl").open("rb") as file:
            for line in file:
                yield EntryInfo.from_line(line)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each entry id."""
        return {info.id: row for row, info in enumerate(self.infos())}

    def codes(self, row: int) -> np.ndarray:
        """(N,) int64 codebook indices of an entry's motion."""
        start, end = self._array("code_offsets")[row : row + 2]
        return np.array(self._array("codes")[start:end], dtype=np.int64)

    def features(self, row: int) -> np.ndarray:
        """(T, F) raw features of an entry, memory-mapped.

        Raises:
            RemogptError: if the database was built without them.
        """
        if not self.manifest["has_features"]:
            raise RemogptError(
                f"the database in {self.path} keeps no raw features; decode its codes with the tokenizer, or build it "
                "with store_features=True"
            )
        start, end = self._array("feature_offsets")[row : row + 2]
        return self._array("features")[start:end]

    def entries(self) -> Iterator[DatabaseEntry]:
        """Yield every entry with its features, for a build with another retriever or tokenizer."""
        for row, info in enumerate(self.infos()):
            features = np.array(self.features(row))
            yield DatabaseEntry(
                info.id,
                info.source_id,
                info.mirror_of,
                info.captions,
                features,
                info.provenance,
                info.licence,
                info.tags,
            )

    @property
    def motion_embeddings(self) -> np.ndarray:
        """(E, D) unit rows, memory-mapped."""
        return self._array("motion_embeddings")

    @property
    def caption_embeddings(self) -> np.ndarray:
        """(C, D) unit rows, memory-mapped; entry e has rows caption_offsets[e]:caption_offsets[e + 1]."""
        return self._array("caption_embeddings")

    @property
    def caption_offsets(self) -> np.ndarray:
        """(E + 1,) int64."""
        return self._array("caption_offsets")

    def _array(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            self._arrays[name] = read_npy(self.folder / f"{name}.npy", mmap=True)
        return self._arrays[name]

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {}

    # ---- search ------------------------------------------------------------------------------------------------------

    def search(
        self,
        text: str | None = None,
        motion: Any = None,
        route: Route | None = None,
        k: int = 1,
        exclude: Collection[str] = (),
    ) -> list[RetrievedExample]:
        """Return the k entries closest to a text or a motion, best first; ties in the order of the entries.

        Args:
            text: a sentence; routes t2m (the default) and t2t.
            motion: (T, F) raw features or a `Motion`; routes m2t (the default) and m2m.
            route: which gallery to search: motions (t2m, m2m) or captions (t2t, m2t; an entry counts by its best one).
            k: at least 1; fewer come back if there are fewer.
            exclude: ids of entries to pass over.

        Raises:
            RemogptError: without a retriever, for an empty text, or a route that does not fit the query.
        """
        if (text is None) == (motion is None):
            raise RemogptError("search wants either text=... or motion=..., one of them")
        route = route or ("t2m" if motion is None else "m2t")
        if route not in ROUTES or (route[0] == "t") != (motion is None):
            wanted = "t2m or t2t" if motion is None else "m2t or m2m"
            raise RemogptError(f"a {'text' if motion is None else 'motion'} searches by route {wanted}, got {route!r}")
        if text is not None and not text.strip():
            raise RemogptError("search wants a text that says something, got an empty one")
        if self.retriever is None:
            raise RemogptError(
                f"the database in {self.path} was opened without a retriever and cannot embed a query; open it with "
                "MotionDatabase.open(path, TextMotionRetriever.from_pretrained(model))"
            )
        if text is not None:
            query = self.retriever.encode_text([text])[0]
        else:
            query = self.retriever.encode_motion([np.asarray(getattr(motion, "features", motion))])[0]
        return self.search_embedding(query, route, k, exclude)

    def search_embedding(
        self, query: np.ndarray, route: Route, k: int = 1, exclude: Collection[str] = ()
    ) -> list[RetrievedExample]:
        """Search with an embedding (D,) that the database's retriever made; see `search`."""
        if k < 1:
            raise RemogptError(f"k must be at least 1, got {k}")
        excluded = np.array(
            [self.rows[name] for name in exclude if name in self.rows] if exclude else [], dtype=np.int64
        )
        query = np.asarray(query, dtype=np.float32)
        gallery = self._captions if route.endswith("t") else self._motions
        owner = self._owner_of_caption if route.endswith("t") else np.asarray
        entries, _, scores = gallery.search(query, k, owner, excluded)
        return [self.example(int(row), query, float(score), route) for row, score in zip(entries, scores, strict=True)]

    def example(self, row: int, query: np.ndarray, score: float, route: str) -> RetrievedExample:
        """Make the example of an entry, with its caption closest to the query embedding (D,)."""
        start, end = self.caption_offsets[row : row + 2]
        place = int(np.argmax(exact_scores(np.asarray(self.caption_embeddings[start:end]), query)))
        info = self.info(row)
        return RetrievedExample(info.id, info.captions[place], self.codes(row), score, route)

    @cached_property
    def _motions(self) -> VectorIndex:
        return VectorIndex(self.motion_embeddings, self.folder / "motions.ivf")

    @cached_property
    def _captions(self) -> VectorIndex:
        return VectorIndex(self.caption_embeddings, self.folder / "captions.ivf")

    def _owner_of_caption(self, rows: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.caption_offsets, rows, side="right") - 1

    # ---- whole databases ---------------------------------------------------------------------------------------------

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises:
            RemogptError: naming the files that are damaged or missing.
        """
        wanted = self.manifest["files"]
        damaged = [
            name
            for name, digest in wanted.items()
            if not (self.folder / name).is_file() or sha256_file(self.folder / name) != digest
        ]
        if damaged:
            raise RemogptError(f"{self.folder}: {', '.join(damaged)} differ from the manifest; copy or build it again")

    def check_tokenizer(self, tokenizer_hash: str) -> None:
        """Refuse a tokenizer other than the one whose codes are stored."""
        if tokenizer_hash != self.manifest["tokenizer_hash"]:
            raise RemogptError(
                f"the codes of the database in {self.path} are tokenizer {self.manifest['tokenizer_hash'][:12]}'s, but "
                f"{tokenizer_hash[:12]} is in use; encode it again: "
                f"remogpt db build <its set> --tokenizer <that tokenizer> --out {self.path}"
            )

    def filter(self, keep: Callable[[EntryInfo], bool], path: str | Path) -> "MotionDatabase":
        """Write the entries for which `keep` is true as a database of its own; nothing is embedded again."""
        chosen = [row for row, info in enumerate(self.infos()) if keep(info)]
        return _copy([(self, chosen)], Path(path), self.retriever)

    @staticmethod
    def merge(databases: Sequence["MotionDatabase"], path: str | Path) -> "MotionDatabase":
        """Write several databases of one retriever and tokenizer as one; nothing is embedded again.

        Raises:
            RemogptError: if their retrievers or tokenizers differ, or two entries have one id.
        """
        if not databases:
            raise RemogptError("merge wants at least one database, got none")
        for name in MANIFEST_ORIGIN:
            values = {str(database.manifest[name]): str(database.path) for database in databases}
            if len(values) > 1:
                found = "; ".join(f"{where}: {value[:12]}" for value, where in values.items())
                raise RemogptError(f"databases to merge differ in {name} ({found}); build them anew with one model")
        rows = [(database, list(range(len(database)))) for database in databases]
        return _copy(rows, Path(path), databases[0].retriever)


def _check(entry: DatabaseEntry) -> None:
    features = entry.features
    if features.ndim != 2 or features.shape[1] != NUM_FEATURES or len(features) < 4 or not np.isfinite(features).all():
        raise RemogptError(
            f"entry {entry.id} has features of shape {features.shape}, wanted finite (T, {NUM_FEATURES}) with at least "
            "4 frames (one code); drop it, or make features from joints with motion.joints_to_features"
        )


def _copy(
    sources: Sequence[tuple[MotionDatabase, list[int]]], path: Path, retriever: Retriever | None
) -> MotionDatabase:
    first = sources[0][0]
    has_features = all(database.manifest["has_features"] for database, _ in sources)
    width = first.manifest["num_features"] if has_features else None
    dtype = max((database.motion_embeddings.dtype for database, _ in sources), key=lambda kind: kind.itemsize)
    with new_version(path) as folder:
        writer = VersionWriter(folder, first.motion_embeddings.shape[1], width, dtype.name)
        for database, rows in sources:
            offsets = database.caption_offsets
            for row in rows:
                writer.add(
                    [database.info(row)],
                    database.motion_embeddings[row : row + 1],
                    database.caption_embeddings[offsets[row] : offsets[row + 1]],
                    [database.codes(row)],
                    [database.features(row)] if has_features else None,
                )
        publish(path, folder, writer.finish({name: first.manifest[name] for name in MANIFEST_ORIGIN}))
    return MotionDatabase(path, retriever)
