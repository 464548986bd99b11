"""Write databases: from captioned motions, or from entries of other databases without embedding anything again."""

import logging
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from remogpt.interfaces import FindsFacts, Retriever, Tokenizer
from remogpt.motion.features import features_to_joints
from remogpt.motion.found_facts import FoundFacts, find_facts
from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.retriever.database.part_search import with_parts
from remogpt.retriever.database.version_files import MotionsKept, VersionWriter, new_version, publish
from remogpt.retriever.database.version_reader import VersionReader
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.network_outputs import are_alike, check_finite, check_unit_rows, collapsed
from remogpt.runtime.progress import progress

_log = logging.getLogger(__name__)

ORIGIN = ("num_features", "retriever_hash", "statistics_hash", "tokenizer_hash")
"""Entries of the manifest that name the components that built a database."""
BATCH = 256
"""Entries embedded and written at a time."""


def write_entries(
    entries: Iterable[DatabaseEntry],
    retriever: Retriever,
    tokenizer: Tokenizer,
    path: Path,
    *,
    compact: bool,
    facts: bool,
    finder: FindsFacts | None,
    total: int | None,
    allow_empty: bool,
) -> None:
    """Embed and encode entries and write them as the current version in `path`; see `MotionDatabase.build`."""
    iterator = iter(entries)
    total = len(entries) if isinstance(entries, Sequence) else total
    with new_version(path) as folder, progress(total=total, desc="database", unit="entry") as bar:
        kept: MotionsKept = "joints" if compact else "features"
        writer = VersionWriter(folder, retriever.dim, kept, "float16" if compact else "float32", facts)
        while batch := list(islice(iterator, BATCH)):
            for entry in batch:
                _check(entry)
            motions = [entry.features for entry in batch]
            captions = [caption for entry in batch for caption in entry.captions]
            codes = tokenizer.encode_batch(motions)
            embeddings, parts = _embed(retriever, motions)
            sentences = retriever.encode_text(captions)
            _check_outputs(batch, embeddings, parts, sentences)
            infos = [entry.info for entry in batch]
            found = _found(motions, finder) if facts else None
            writer.add(infos, embeddings, sentences, codes, motions, parts, found)
            bar.update(len(batch))
        for name, what in (("motion_embeddings", "motions"), ("caption_embeddings", "captions")):
            if are_alike(writer.rows(name)):
                _log.warning("%s", collapsed(f"the retriever's embeddings of the database's {what}"))
        origin = (NUM_FEATURES, retriever.hash, retriever.statistics_hash, tokenizer.hash)
        about = dict(zip(ORIGIN, origin, strict=True)) | ({"finder_hash": finder.hash} if finder and facts else {})
        publish(path, folder, writer.finish(about, allow_empty))


def _found(motions: list[np.ndarray], finder: FindsFacts | None) -> list[FoundFacts]:
    """Find the facts of motions (T, 263) by a network, or by the predicates on their joints."""
    return finder.find(motions) if finder else [find_facts(features_to_joints(motion)) for motion in motions]


def copy_entries(sources: Sequence[tuple[VersionReader, list[int]]], path: Path) -> None:
    """Write rows of other databases, of one retriever and tokenizer, as the current version in `path`.

    Motions, part encodings and facts are kept where every source has them; features where every source has features.

    Raises:
        RemogptError: if retrievers or tokenizers differ, or two entries have one id.
    """
    first = sources[0][0]
    for name in ORIGIN:
        values = {str(database.manifest[name]): str(database.path) for database, _ in sources}
        if len(values) > 1:
            found = "; ".join(f"{where}: {value[:12]}" for value, where in values.items())
            raise RemogptError(f"databases to merge differ in {name} ({found}); build them anew with one model")
    filled = [(database, rows) for database, rows in sources if rows]  # an empty one has no part encodings
    kinds = {database.motions_kept for database, _ in filled}
    kept: MotionsKept = next((kind for kind in ("nothing", "joints") if kind in kinds), "features")
    has_parts = all(database.has_part_encodings for database, _ in filled)
    has_facts = all(database.has_facts for database, _ in filled)
    dtype = max((database.motion_embeddings.dtype for database, _ in sources), key=lambda kind: kind.itemsize)
    with new_version(path) as folder:
        writer = VersionWriter(folder, first.motion_embeddings.shape[1], kept, dtype.name, has_facts)
        for database, rows in filled:
            offsets = database.caption_offsets
            for row in rows:
                writer.add(
                    [database.info(row)],
                    database.motion_embeddings[row : row + 1],
                    database.caption_embeddings[offsets[row] : offsets[row + 1]],
                    [database.codes(row)],
                    None if kept == "nothing" else [database.motion(row)],
                    database.part_encodings[row : row + 1] if has_parts else None,
                    [database.facts.of(row)] if has_facts else None,
                )
        publish(path, folder, writer.finish({name: first.manifest[name] for name in ORIGIN}))


def _embed(retriever: Retriever, motions: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return embeddings (n, D) and, where the retriever has body parts, their encodings (n, 6, W)."""
    parted = with_parts(retriever)
    return (retriever.encode_motion(motions), None) if parted is None else parted.encode_motion_and_parts(motions)


def _check_outputs(
    batch: Sequence[DatabaseEntry], embeddings: np.ndarray, parts: np.ndarray | None, sentences: np.ndarray
) -> None:
    """Refuse what a diverged retriever returns, naming the entry."""
    owners = [entry.id for entry in batch for _ in entry.captions]
    check_unit_rows(embeddings, lambda row: f"entry {batch[row].id}")
    check_unit_rows(sentences, lambda row: f"a caption of entry {owners[row]}")
    if parts is not None:
        check_finite(parts, lambda row: f"entry {batch[row].id}", "part encodings")


def _check(entry: DatabaseEntry) -> None:
    features = entry.features
    if features.ndim != 2 or features.shape[1] != NUM_FEATURES or len(features) < 4 or not np.isfinite(features).all():
        raise RemogptError(
            f"entry {entry.id} has features of shape {features.shape}, wanted finite (T, {NUM_FEATURES}) with at least "
            "4 frames (one code); drop it, or make features from joints with motion.joints_to_features"
        )
