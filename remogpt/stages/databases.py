"""Build a database from its sources, and find the examples of every clip in a database."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from remogpt.data.humanml3d import MotionTextSet
from remogpt.finder import FactFinder
from remogpt.pipeline import ReMoGPT
from remogpt.retriever import MotionDatabase, Neighbours, TextMotionRetriever
from remogpt.retriever.database import leave_one_out as neighbours
from remogpt.retriever.database.vector_index import IndexKind, check_index
from remogpt.retriever.database.version_files import current_version
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, check_output_folder
from remogpt.runtime.folders.model_folder import check_belongs
from remogpt.stages.database_blocks import (
    PARTS,
    Components,
    embed_blocks,
    is_main_process,
    notes_of_all,
    wait_for_everyone,
)
from remogpt.stages.database_sources import Notes, Reading, RecordingsBlock, Source, open_source
from remogpt.stages.inputs import open_database
from remogpt.tokenizer_vqvae import MotionTokenizer

_LOCK = ".build.lock"
"""Held by a build into a folder; goes with its process, killed or not."""
_GONE = f".{PARTS}.gone"
"""Blocks that are being deleted."""
AnySource = str | Path | MotionTextSet | MotionDatabase


def build_database(
    sources: AnySource | Sequence[AnySource],
    *,
    out: str | Path,
    split: str = "train",
    captions: str | Path | None = None,
    licence: str = "unknown",
    reading: Mapping[str, Any] | None = None,
    retriever: str | Path | TextMotionRetriever | None = None,
    tokenizer: str | Path | MotionTokenizer | None = None,
    model: str | Path | ReMoGPT | None = None,
    limit: int = 0,
    min_frames: int = 8,
    empty: bool = False,
    compact: bool = False,
    facts: bool = True,
    finder: str | Path | FactFinder | None = None,
    keep_first: bool = False,
    workers: int = 1,
    index: IndexKind | None = None,
    notes: Notes | None = None,
) -> MotionDatabase:
    """Embed and tokenize every clip of some sources, and write them as a database.

    A killed build goes on where it was. What cannot be used is left out and noted.

    Args:
        sources: one or several: sets in HumanML3D's layout, folders of recordings or single ones in any format that
            `load_motion` reads, and databases of the same retriever and tokenizer, whose entries are copied.
        out: folder of the database; an earlier version there stays in use until this one is complete.
        split: of a set, the clips' split; `all`: every clip.
        captions: table of the captions of a folder of recordings (see `data.importers.caption_table`). Without it
            the model captions them, and each entry says so.
        licence: of recordings.
        reading: keywords of `load_motion` for recordings.
        retriever, tokenizer: networks that embed and tokenize; default: those of `model`.
        model: default: the embedded `mini`.
        limit: largest number of clips of a set or files of recordings, evenly spaced; 0: all.
        min_frames: leave out shorter clips; at least 4, one code. Longer ones than 199 frames are cut into windows.
        empty: write a database without clips, in which searches find nothing.
        compact: keep motions as 16-bit joint positions, embeddings in half precision, and no tags of the sources.
        facts: find the facts that hold for each motion and store them; about 20 ms for 5 s of motion.
        finder: finds these facts, by a network; default: the predicates on the joints.
        keep_first: of clips of one id, take that of the first source.
        workers: processes on this machine; the networks must then be given as folders. Their number changes nothing in
            what is written.
        index: how it is searched: "flat" compares all rows, "ivf" an inverted file's nearest lists; default: as the
            first source is that is a database, else by their number (see `retriever.database.vector_index`).
        notes: gets what was left out and why, and what was mended in recordings.

    Raises:
        RemogptError: if nothing of `model` would be used, a source has no such clip, two clips have one id, another
            build into `out` runs, or an argument is out of range.
    """
    check_output_folder(out)
    _check_numbers(limit, min_frames, workers)
    check_index(index)
    components = Components(retriever, tokenizer, model, finder, compact, facts)
    if workers > 1:
        components.check_for_processes()
    notes = Notes() if notes is None else notes
    given = [sources] if isinstance(sources, AnySource) else list(sources)
    how = Reading(split, limit, min_frames, not compact, captions, licence, reading or {})
    opened = [] if empty else [open_source(one, how, notes) for one in given]
    blocks = [block for source in opened for block in source.blocks]
    _check_captions(captions, opened)
    if None not in (model, retriever, tokenizer) and not any(block.needs_captions for block in blocks):
        raise RemogptError("--retriever and --tokenizer leave nothing of --model to be used: leave one out")
    if not keep_first:
        _check_ids(opened)
    _check_databases(opened, components)
    with _only_build(Path(out)):
        if empty:
            networks = components.opened[:2]
            return MotionDatabase.build([], *networks, out, compact=compact, facts=facts, allow_empty=True)
        return _put_together(opened, components, Path(out), workers, notes, keep_first=keep_first, index=index)


def _put_together(
    sources: Sequence[Source],
    components: Components,
    out: Path,
    workers: int,
    notes: Notes,
    *,
    keep_first: bool,
    index: IndexKind | None,
) -> MotionDatabase:
    """Embed all blocks, and write them and the entries of databases as one."""
    retriever = components.opened[0]
    blocks = [block for source in sources for block in source.blocks]
    finished = embed_blocks(components, blocks, out / PARTS, workers)
    if is_main_process():
        notes.add(notes_of_all(finished))
        parts = iter(finished)
        found = []
        for source in sources:
            found += [source.database] if source.database is not None else []
            found += [
                MotionDatabase(part, retriever) for _, part in zip(source.blocks, parts, strict=False) if _size(part)
            ]
        if not found:
            _remove_parts(out)
            names = ", ".join(source.name for source in sources)
            reason = next(iter(notes.left_out.values()), "it holds nothing")
            raise RemogptError(f"nothing of {names} can be used: {reason}")
        MotionDatabase.merge(found, out, keep_first=keep_first, index=index)
        _remove_parts(out)
    wait_for_everyone()
    return MotionDatabase(out, retriever)


@contextmanager
def _only_build(out: Path) -> Iterator[None]:
    """Hold the lock of builds into a folder.

    Raises:
        RemogptError: if another build holds it.
    """
    if not is_main_process():
        yield
        return
    out.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(out / _LOCK, timeout=0).acquire()
    except Timeout as error:
        raise RemogptError(f"another build into {out} runs; wait for it, or choose another --out") from error
    with lock:
        try:
            yield
        finally:
            if [path.name for path in out.iterdir()] == [_LOCK]:  # nothing came of it
                shutil.rmtree(out)


def _remove_parts(out: Path) -> None:
    """Delete the blocks; renamed first, so that no build after a kill takes half of them for finished ones."""
    gone = out / _GONE
    shutil.rmtree(gone, ignore_errors=True)  # of an earlier kill
    if (out / PARTS).is_dir():
        (out / PARTS).rename(gone)
        shutil.rmtree(gone)


def remove_unfinished_build(out: Path) -> list[str]:
    """Delete the finished blocks of a build that was killed; return their folders' names, none where a build runs."""
    left = [out / name for name in (PARTS, _GONE) if (out / name).is_dir()]
    if not left:
        return []
    try:
        with FileLock(out / _LOCK, timeout=0):
            names = sorted({path.name for parts in left for path in parts.iterdir() if path.is_dir()})
            _remove_parts(out)
    except Timeout:
        return []
    return names


def _size(part: Path) -> int:
    """Return the entries of a finished block."""
    return int(current_version(part)[2]["counts"]["entries"])


def _check_numbers(limit: int, min_frames: int, workers: int) -> None:
    if limit < 0 or min_frames < 4 or workers < 1:
        raise RemogptError(
            "--limit must be at least 0, --min-frames at least 4 (one code) and --workers at least 1, got "
            f"{limit}, {min_frames} and {workers}"
        )


def _check_captions(captions: str | Path | None, sources: Sequence[Source]) -> None:
    """Refuse a table of captions where it is not clear whose they are."""
    with_recordings = [source for source in sources if any(isinstance(one, RecordingsBlock) for one in source.blocks)]
    if captions is not None and len(with_recordings) != 1:
        names = ", ".join(source.name for source in with_recordings) or "none"
        raise RemogptError(
            f"{captions} captions one folder of recordings, given are {names}; build the others apart, and name the "
            "databases as sources"
        )


def _check_ids(sources: Sequence[Source]) -> None:
    """Refuse two clips of one id before anything is embedded."""
    home: dict[str, str] = {}
    for source in sources:
        for name in source.ids:
            if home.setdefault(name, source.name) != source.name:
                raise RemogptError(
                    f"both {home[name]} and {source.name} have a clip {name!r}, and an id names one entry; rename "
                    "one, or take the first source's (--keep-first)"
                )


def _check_databases(sources: Sequence[Source], components: Components) -> None:
    """Refuse databases of other components before anything is embedded."""
    retriever, tokenizer, _ = components.opened
    for source in sources:
        if source.database is not None:
            hashes = {"retriever": retriever.hash, "tokenizer": tokenizer.hash}
            check_belongs(source.database.path, source.database.manifest, hashes)


def find_neighbours(
    database: str | Path | MotionDatabase,
    *,
    out: str | Path,
    queries: str | Path | MotionDatabase | None = None,
    depth: int = 8,
    exclude_same_caption: bool = False,
) -> Neighbours:
    """Find each clip's examples and write them; clips of its source and its mirror image are excluded.

    Args:
        database: database of the examples.
        out: file to write (.safetensors).
        queries: database of the query clips; default: `database` itself.
        depth: entries stored for each clip and route; at least 2.
        exclude_same_caption: skip entries with the same caption.

    Raises:
        RemogptError: for another suffix or depth, an empty database, or two of different retrievers.
    """
    if depth < 2:
        raise RemogptError(f"--depth must be at least 2, one for each of two routes, got {depth}")
    if check_output_file(out).suffix != ".safetensors":
        raise RemogptError(f"--out must end in .safetensors, got {str(out)!r}")
    searched = open_database(database)
    asking = None if queries is None else open_database(queries)
    found = neighbours.find_neighbours(searched, asking, depth, exclude_same_caption)
    found.save(out)
    return found
