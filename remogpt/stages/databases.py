"""Build a database from a set, and find the examples of every clip in a database."""

from pathlib import Path

from remogpt.data.humanml3d import MAX_FRAMES, Clip, MotionTextSet
from remogpt.finder import FactFinder
from remogpt.motion.door.bones import check_features
from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.pipeline import ReMoGPT
from remogpt.retriever import DatabaseEntry, MotionDatabase, Neighbours, TextMotionRetriever
from remogpt.retriever.database import leave_one_out as neighbours
from remogpt.retriever.database.entry import windowed
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, check_output_folder
from remogpt.stages.inputs import open_database, open_finder, open_retriever, open_set, open_tokenizer
from remogpt.tokenizer_vqvae import MotionTokenizer

_LOOKED_AT = 12
"""Clips that are looked at for what all clips of a set share."""


def build_database(
    data: str | Path | MotionTextSet,
    *,
    out: str | Path,
    split: str = "train",
    retriever: str | Path | TextMotionRetriever | None = None,
    tokenizer: str | Path | MotionTokenizer | None = None,
    model: str | Path | ReMoGPT | None = None,
    limit: int = 0,
    min_frames: int = 8,
    empty: bool = False,
    compact: bool = False,
    facts: bool = True,
    finder: str | Path | FactFinder | None = None,
) -> MotionDatabase:
    """Embed and tokenize every clip of a set, and write them as a database.

    Motions and captions that cannot be used are left out and noted in the set's `left_out`.

    Args:
        data: set in HumanML3D's layout.
        out: folder of the database; an earlier version there stays in use until this one is complete.
        split: the clips' split; `all`: every clip.
        retriever, tokenizer: networks that embed and tokenize; default: those of `model`.
        model: default: the embedded `mini`.
        limit: largest number of clips, evenly spaced in the split; 0: all.
        min_frames: leave out shorter clips; at least 4, one code. Longer ones than 199 frames are cut into windows.
        empty: write a database without clips, in which searches find nothing.
        compact: keep motions as 16-bit joint positions, embeddings in half precision, and no tags.
        facts: find the facts that hold for each motion and store them; about 20 ms for 5 s of motion.
        finder: finds these facts, by a network; default: the predicates on the joints.

    Raises:
        RemogptError: if nothing of `model` would be used, the split has no such clip, or an argument is out of range.
    """
    if limit < 0 or min_frames < 4:
        raise RemogptError(
            f"--limit must be at least 0 and --min-frames at least 4 (one code), got {limit} and {min_frames}"
        )
    if None not in (model, retriever, tokenizer):
        raise RemogptError("--retriever and --tokenizer leave nothing of --model to be used: leave one out")
    check_output_folder(out)
    motions = open_set(data)
    if not empty:
        motions.check_values(split)
    clips = _spread(motions.clips(split, min_frames, 10**9), limit)
    clips = [] if empty else clips
    _check_bodies(motions, clips)
    opened = open_retriever(retriever, model), open_tokenizer(tokenizer, "a database", model)
    entries = (
        DatabaseEntry(
            id=clip.id, source_id=clip.source_id, mirror_of=clip.mirror_of, captions=clip.captions,
            features=motions.features(clip), provenance=motions.name, licence=motions.licence,
            tags={} if compact else clip.tags,
        )
        for clip in clips
    )  # fmt: skip
    return MotionDatabase.build(
        windowed(entries, MAX_FRAMES), *opened, out,
        compact=compact, facts=facts, finder=open_finder(finder), total=len(clips), allow_empty=empty,
    )  # fmt: skip


def _check_bodies(motions: MotionTextSet, clips: list[Clip]) -> None:
    """Refuse a set whose features are scaled or normalised: they are so in all clips, so that some tell."""
    if motions.num_features != NUM_FEATURES:
        return
    faults = []
    some = _spread(clips, _LOOKED_AT)
    for clip in some:
        try:
            check_features(motions.features(clip), f"{motions.name} ({clip.id})")
        except RemogptError as error:
            faults.append(error)
    if len(faults) > len(some) / 2:
        raise faults[0]


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


def _spread(clips: list[Clip], limit: int) -> list[Clip]:
    """Return at most `limit` clips, evenly spaced; 0: all."""
    if not limit:
        return clips
    return [clips[index * len(clips) // limit] for index in range(min(limit, len(clips)))]
