"""Write databases: from captioned motions, or from entries of other databases without embedding anything again."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.interfaces import FindsFacts, Retriever, Tokenizer
from remogpt.motion.feature_body import HUMANML3D, FeatureBody, body_of
from remogpt.motion.features import features_to_joints, joints_in_metres
from remogpt.motion.found_facts import FoundFacts, find_facts
from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.retriever.database.part_search import with_parts
from remogpt.retriever.database.vector_index import IndexKind
from remogpt.retriever.database.version_files import (
    MotionsKept,
    name_in_use,
    new_version,
    publish,
)
from remogpt.retriever.database.version_reader import VersionReader, numbers_within
from remogpt.retriever.database.version_writer import NewEntries, VersionWriter
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
    index: IndexKind = "auto",
    bar: Any = None,
) -> None:
    """Embed and encode entries and write them as the current version in `path`; see `MotionDatabase.build`.

    `bar` is a progress bar that is moved on and left open; without it this one shows its own.
    """
    iterator = iter(entries)
    total = len(entries) if isinstance(entries, Sequence) else total
    # A tokenizer of your own need not tell.
    body = body_of(getattr(tokenizer, "num_features", NUM_FEATURES))
    if facts:
        _check_has_facts(body)
    replaces = name_in_use(path)
    own = progress(total=total, desc="database", unit="entry") if bar is None else nullcontext(bar)
    with new_version(path) as folder, own as bar:
        kept: MotionsKept = "joints" if compact else "features"
        stored_as = "float16" if compact else "float32"
        writer = VersionWriter(folder, retriever.dim, kept, stored_as, facts, body=body, index=index)
        while batch := list(islice(iterator, BATCH)):
            for entry in batch:
                _check(entry, body)
            motions = [entry.features for entry in batch]
            captions = [caption for entry in batch for caption in entry.captions]
            codes = tokenizer.encode_batch(motions)
            embeddings, parts = _embed(retriever, motions)
            sentences = retriever.encode_text(captions)
            _check_outputs(batch, embeddings, parts, sentences)
            writer.add(
                NewEntries(
                    [entry.info for entry in batch],
                    embeddings,
                    sentences,
                    codes,
                    motions,
                    parts,
                    _found(motions, finder) if facts else None,
                    reconstruction_errors(motions, codes, tokenizer),
                )
            )
            bar.update(len(batch))
        for name, what in (("motion_embeddings", "motions"), ("caption_embeddings", "captions")):
            if are_alike(writer.rows(name)):
                _log.warning("%s", collapsed(f"the retriever's embeddings of the database's {what}"))
        origin = (body.num_features, retriever.hash, retriever.statistics_hash, tokenizer.hash)
        about = dict(zip(ORIGIN, origin, strict=True)) | ({"finder_hash": finder.hash} if finder and facts else {})
        publish(path, folder, writer.finish(about, allow_empty), replaces)


def _check_has_facts(body: FeatureBody) -> None:
    if body is not HUMANML3D:
        raise RemogptError(
            f"facts are found on our {HUMANML3D.num_joints} joints, and {body.name}'s features have "
            f"{body.num_joints}; build the database without facts (--no-facts)"
        )


def _found(motions: list[np.ndarray], finder: FindsFacts | None) -> list[FoundFacts]:
    """Find the facts of motions (T, 263) by a network, or by the predicates on their joints."""
    return finder.find(motions) if finder else [find_facts(features_to_joints(motion)) for motion in motions]


def copy_entries(
    sources: Sequence[tuple[VersionReader, list[int]]],
    path: Path,
    index: IndexKind | None = None,
    *,
    facts_anew: bool = False,
) -> None:
    """Write rows of other databases, of one retriever and tokenizer, as the current version in `path`.

    Motions, part encodings, facts and reconstruction errors are kept where every source has them, features where every
    source has features, facts if one finder or the predicates found all of them; with `facts_anew` the predicates find
    them in the motions anew. Without `index` the result is searched as the first source is.

    Raises:
        RemogptError: if retrievers or tokenizers differ, two entries have one id, or no facts are found in motions.
    """
    first = sources[0][0]
    for name in ORIGIN:
        values = {str(database.manifest[name]): str(database.path) for database, _ in sources}
        if len(values) > 1:
            found = "; ".join(f"{where}: {value[:12]}" for value, where in values.items())
            raise RemogptError(
                f"databases to merge differ in {name} ({found}); embed them with one model: 'remogpt db rebuild "
                "DATABASE --model MODEL --out NEW'"
            )
    filled = [(database, rows) for database, rows in sources if rows]  # an empty one has no part encodings
    kinds = {database.motions_kept for database, _ in filled}
    kept: MotionsKept = next((kind for kind in ("nothing", "joints") if kind in kinds), "features")
    finders = {None} if facts_anew else {database.manifest.get("finder_hash") for database, _ in filled}
    if facts_anew:
        _check_has_facts(first.body)
    kept_too = KeptToo(
        motions=kept != "nothing",
        parts=all(database.has_part_encodings for database, _ in filled),
        facts=facts_anew or (all(database.has_facts for database, _ in filled) and len(finders) <= 1),
        errors=all(database.has_reconstruction_errors for database, _ in filled),
    )
    dtype = max((database.motion_embeddings.dtype for database, _ in sources), key=lambda kind: kind.itemsize)
    replaces = name_in_use(path)
    _check_unchanged(path, [database for database, _ in sources], replaces)
    total = sum(len(rows) for _, rows in filled)
    with new_version(path) as folder, progress(total=total, desc="database", unit="entry") as bar:
        kind: IndexKind = index or first.manifest.get("index", "auto")
        dim, facts = first.motion_embeddings.shape[1], kept_too.facts
        writer = VersionWriter(folder, dim, kept, dtype.name, facts, body=first.body, index=kind)
        for database, rows in filled:
            for start in range(0, len(rows), BATCH):
                block = rows[start : start + BATCH]
                writer.add(_read(database, block, kept_too, facts_anew))
                bar.update(len(block))
        about = {name: first.manifest[name] for name in ORIGIN}
        if kept_too.facts:
            about |= {"finder_hash": finder for finder in finders if finder}  # noqa: B035  (there is one at most)
        publish(path, folder, writer.finish(about), replaces)


@dataclass(frozen=True)
class KeptToo:
    """What of an entry is copied beside captions, codes and embeddings."""

    motions: bool
    parts: bool
    facts: bool
    errors: bool


def _read(database: VersionReader, rows: Sequence[int], kept_too: KeptToo, facts_anew: bool) -> NewEntries:
    facts = None
    if facts_anew:
        facts = _found([database.features(row) for row in rows], None)
    elif kept_too.facts:
        facts = [database.facts.of(row) for row in rows]
    offsets = database.caption_offsets
    captions = numbers_within(np.array([(offsets[row], offsets[row + 1]) for row in rows], dtype=np.int64))
    return NewEntries(
        database.infos_of(rows),
        database.motion_embeddings[rows],
        database.caption_embeddings[captions],
        database.codes_of(rows),
        [database.motion(row) for row in rows] if kept_too.motions else None,
        database.part_encodings[rows] if kept_too.parts else None,
        facts,
        database.reconstruction_errors[rows] if kept_too.errors else None,
    )


def _check_unchanged(path: Path, sources: Sequence[VersionReader], now: str | None) -> None:
    """Refuse to change a database in place that is no longer what was opened."""
    for database in sources:
        if database.path.resolve() == path.resolve() and database.hash != now:
            raise RemogptError(
                f"the database in {path} was changed since it was opened (it holds {str(now)[:12]}, was "
                f"{database.hash[:12]}); open it again"
            )


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


def reconstruction_errors(
    motions: Sequence[np.ndarray], codes: Sequence[np.ndarray], tokenizer: Tokenizer
) -> np.ndarray:
    """Return (n,) metres by which encoding and decoding moves joints, relative to the root, on average of a motion."""
    errors = []
    for motion, decoded in zip(motions, tokenizer.decode_batch(codes), strict=True):
        frames = min(len(motion), len(decoded))
        was, now = (joints_in_metres(np.asarray(one[:frames])) for one in (motion, decoded))
        errors.append(np.linalg.norm((was - was[:, :1]) - (now - now[:, :1]), axis=-1).mean())
    return np.array(errors, dtype=np.float32)


def _check(entry: DatabaseEntry, body: FeatureBody) -> None:
    features, wanted = entry.features, body.num_features
    if features.ndim != 2 or features.shape[1] != wanted or len(features) < 4 or not np.isfinite(features).all():
        raise RemogptError(
            f"entry {entry.id} has features of shape {features.shape}, wanted finite (T, {wanted}) with at least "
            "4 frames (one code); drop it, or make features from joints with motion.joints_to_features"
        )
