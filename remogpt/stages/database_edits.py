"""Change databases: add, remove, filter, merge, drop doubles, embed again; every change is one atomic step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.entry_filter import EntryFilter
from remogpt.retriever.database.milvus import send, withdraw
from remogpt.retriever.database.overlap import MAX_DISTANCE, Kind, find_overlaps
from remogpt.retriever.database.vector_index import IndexKind
from remogpt.retriever.database.version_files import name_in_use, remove_old_versions
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.folders.model_folder import check_belongs
from remogpt.stages.database_audit import audit_database
from remogpt.stages.database_blocks import PARTS
from remogpt.stages.database_sources import Notes
from remogpt.stages.databases import AnySource, build_database, remove_unfinished_build
from remogpt.stages.inputs import is_database, open_database, open_retriever, open_tokenizer

if TYPE_CHECKING:
    from remogpt.pipeline import ReMoGPT
    from remogpt.retriever import TextMotionRetriever
    from remogpt.tokenizer_vqvae import MotionTokenizer


def add_to_database(
    database: str | Path | MotionDatabase,
    source: AnySource,
    *,
    split: str = "train",
    captions: str | Path | None = None,
    licence: str = "unknown",
    reading: Mapping[str, Any] | None = None,
    keep_first: bool = False,
    retriever: "str | Path | TextMotionRetriever | None" = None,
    tokenizer: "str | Path | MotionTokenizer | None" = None,
    model: "str | Path | ReMoGPT | None" = None,
    notes: Notes | None = None,
) -> MotionDatabase:
    """Add the clips of a set, recordings, or the entries of a database of the same retriever and tokenizer.

    Only what is added is embedded. What the database does not keep of its entries (features, facts) is not kept of the
    new ones.

    Args:
        database: changed in place: its folder gets a new version.
        source: what `build_database` builds from.
        split, captions, licence, reading, keep_first, notes: see `build_database`.
        retriever, tokenizer, model: the components that built the database; see `build_database`.

    Raises:
        RemogptError: if other components built the database, or an id is there already.
    """
    opened = open_database(database)
    if isinstance(source, MotionDatabase) or (isinstance(source, str | Path) and is_database(source)):
        return MotionDatabase.merge([opened, open_database(source)], opened.path, keep_first=keep_first)
    return build_database(
        [opened, source], out=opened.path, split=split, captions=captions, licence=licence, reading=reading,
        retriever=retriever, tokenizer=tokenizer, model=model, facts=opened.has_facts,
        keep_first=keep_first, compact=opened.motions_kept != "features", notes=notes,
    )  # fmt: skip


def merge_databases(
    databases: Sequence[str | Path | MotionDatabase],
    *,
    out: str | Path,
    keep_first: bool = False,
    index: IndexKind | None = None,
) -> MotionDatabase:
    """Write several databases of one retriever and tokenizer as one; nothing is embedded again.

    Args:
        databases: at least one.
        out: folder of the result.
        keep_first: of entries of one id, take that of the first database.
        index: how the result is searched, see `build_database`; default: as the first database is.

    Raises:
        RemogptError: if their retrievers or tokenizers differ, or two entries have one id.
    """
    check_output_folder(out)
    return MotionDatabase.merge([open_database(one) for one in databases], out, keep_first=keep_first, index=index)


def filter_database(
    database: str | Path | MotionDatabase,
    keep: EntryFilter,
    *,
    out: str | Path | None = None,
    invert: bool = False,
    like: str | None = None,
    min_score: float = 0.5,
    model: "str | Path | ReMoGPT | None" = None,
) -> MotionDatabase:
    """Keep the entries that meet conditions; nothing is embedded again.

    Args:
        database: to choose from.
        keep: the conditions.
        out: folder of the result; default: the database itself gets a new version.
        invert: keep the others: remove those that meet the conditions.
        like: a text; keeps motions whose cosine with it is at least `min_score`.
        min_score: the least cosine.
        model: whose retriever embeds the text of `like`; it must be the one that built the database.

    Raises:
        RemogptError: if no entry meets the conditions, or none would be left.
    """
    opened = open_database(database)
    near = None
    if like is not None:
        retriever = open_retriever(None, model)
        check_belongs(opened.path, opened.manifest, {"retriever": retriever.hash})
        near = np.asarray(opened.motion_embeddings, np.float32) @ retriever.encode_text([like])[0] >= min_score
    meets = [
        keep.keeps(info, opened.body.fps) and (near is None or bool(near[row]))
        for row, info in enumerate(opened.infos())
    ]
    if not any(meets):
        raise RemogptError(f"no entry of {opened.path} meets these conditions; 'remogpt db info' shows what there is")
    rows = [row for row, met in enumerate(meets) if met != invert]
    return opened.select(rows, _place(opened, out))


def drop_doubles(
    database: str | Path | MotionDatabase, *, out: str | Path | None = None, max_distance: float | None = None
) -> tuple[MotionDatabase, list[str]]:
    """Drop entries whose motion an earlier entry shows already; returns the database and the ids that went.

    Args:
        database: with features or joints.
        out: folder of the result; default: the database itself gets a new version.
        max_distance: metres between joints, see `find_overlaps`.
    """
    opened = open_database(database)
    row_of = opened.rows
    same: tuple[Kind] = ("same motion",)
    found = find_overlaps(opened, opened, kinds=same, max_distance=max_distance or MAX_DISTANCE)
    later = {one.query for one in found if row_of[one.query] > row_of[one.entry]}
    rows = [row for name, row in row_of.items() if name not in later]
    return opened.select(rows, _place(opened, out)), sorted(later)


def separate_database(
    database: str | Path | MotionDatabase, against: str, *, out: str | Path, max_distance: float | None = None
) -> tuple[MotionDatabase, list[str]]:
    """Drop entries that are clips of a split, their mirror images, or of their recordings, whatever their ids say.

    A caption that both have is no reason: "a person walks" stands in every set.

    Args:
        database: to choose from.
        against: SET:SPLIT, as in `audit_database`.
        out: folder of the result.
        max_distance: metres between joints, see `find_overlaps`.

    Returns:
        the new database, and the ids that went.

    Raises:
        RemogptError: if nothing is left, or `against` does not name a split of a set.
    """
    opened = open_database(database)
    found = audit_database(opened, against, max_distance=max_distance)
    shared = {one.entry for one in found if one.kind != "same caption"}
    rows = [row for name, row in opened.rows.items() if name not in shared]
    if not rows:
        raise RemogptError(f"every entry of {opened.path} is shared with {against}; nothing would be left")
    return opened.select(rows, _place(opened, out)), sorted(shared)


def rebuild_database(
    database: str | Path | MotionDatabase,
    *,
    out: str | Path | None = None,
    retriever: "str | Path | TextMotionRetriever | None" = None,
    tokenizer: "str | Path | MotionTokenizer | None" = None,
    model: "str | Path | ReMoGPT | None" = None,
    facts: bool = True,
) -> MotionDatabase:
    """Embed and tokenize the stored motions with another model, and find their facts.

    Args:
        database: with features or joints; captions, sources, licences and tags stay as they are.
        out: folder of the result; default: the database itself gets a new version.
        retriever, tokenizer, model: the new components; default: those of the embedded `mini`.
        facts: find the facts that hold for each motion.

    Raises:
        RemogptError: if the database keeps no motions.
    """
    opened = open_database(database)
    if opened.motions_kept == "nothing":
        opened.features(0)  # says what to do
    parts = open_retriever(retriever, model), open_tokenizer(tokenizer, "a database", model)
    return MotionDatabase.build(
        opened.entries(), *parts, _place(opened, out),
        compact=opened.motions_kept == "joints", facts=facts, total=len(opened),
        index=opened.manifest.get("index", "auto"),
    )  # fmt: skip


def find_facts_anew(database: str | Path | MotionDatabase, *, out: str | Path | None = None) -> MotionDatabase:
    """Find the facts of the stored motions by this program's predicates; embeddings and codes stay as they are.

    Args:
        database: with features or joints.
        out: folder of the result; default: the database itself gets a new version.

    Raises:
        RemogptError: if the database keeps no motions, or such as no facts are found in (KIT-ML's own features).
    """
    opened = open_database(database)
    return MotionDatabase.merge([opened], _place(opened, out), facts_anew=True)


def collect_garbage(database: str | Path) -> list[str]:
    """Delete all versions of a database but the one in use, and what killed builds left; return the folders' names.

    Of a killed `build_database` these are the finished blocks, with which the next build into the folder would go on.
    What a running build uses stays.

    Raises:
        MissingPathError: if there is neither a database nor what a killed build left.
    """
    path = Path(database)
    is_there = name_in_use(path) is not None
    if not is_there and not (path / PARTS).is_dir():
        raise MissingPathError(f"no motion database in {path} (wanted a file CURRENT); name its folder")
    # Without CURRENT there may be a version that somebody wants to take into use again.
    return (remove_old_versions(path) if is_there else []) + remove_unfinished_build(path)


def send_to_milvus(database: str | Path | MotionDatabase, uri: str) -> int:
    """Send a database's embeddings to Milvus, in which it is searched from then on; return the number of rows.

    Args:
        database: its folder notes where they are.
        uri: of a server (`http://host:19530`), or a file of Milvus Lite (`vectors.db`).

    Raises:
        RemogptError: where pymilvus is not installed, or nothing answers.
    """
    return send(open_database(database), uri)


def withdraw_from_milvus(database: str | Path) -> bool:
    """Drop what Milvus holds of a database, which is then searched in its own files; False if it held nothing."""
    return withdraw(open_database(database).path)


def _place(database: MotionDatabase, out: str | Path | None) -> Path:
    """Return where a result goes: to `out`, or into the database itself as its new version."""
    return database.path if out is None else check_output_folder(out)
