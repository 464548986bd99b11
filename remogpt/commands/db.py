"""Build, check and describe retrieval databases; precompute the examples of every training sample.

Examples:
  remogpt db build sets/bandai --out databases/bandai
  remogpt db build sets/procedural --split train --out databases/mine --model models/my-model
  remogpt db build sets/procedural --empty --out databases/empty
  remogpt db info databases/bandai
  remogpt db verify databases/bandai
  remogpt db neighbours databases/mine --out runs/train.safetensors
  remogpt db neighbours databases/mine --queries databases/val --out runs/val.safetensors
"""

import json
from typing import TYPE_CHECKING, Any

import remogpt
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.cli_parts.queries import open_retriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, check_output_folder

if TYPE_CHECKING:  # imported where they are used: a model's rooms take seconds, and `--help` none
    from remogpt.tokenizer_vqvae import MotionTokenizer


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="action")
    build = CommandParser(description="Embed and tokenize every clip of a set.")
    build.add_argument("set", type=str, help="folder in HumanML3D's layout; see 'remogpt data import'")
    build.add_argument("--split", type=str, default="all", help="split to take; 'all' without it")
    build.add_argument("--out", type=str, required=True, help="database folder")
    build.add_argument("--limit", type=int, default=0, help="take only so many clips, spread over the split; 0: all")
    build.add_argument("--min-frames", type=int, default=8, help="leave out shorter clips")
    build.add_argument("--empty", action="store_true", help="take no clip: nothing is ever found, to measure against")
    build.add_argument(
        "--compact", action="store_true", help="keep captions, codes and half-precision embeddings; no motion, no tags"
    )
    _add_parts(build)
    actions.add_subcommand("build", build)
    neighbours = CommandParser(
        description="Find each clip's examples, itself, its mirror image and its source left out."
    )
    neighbours.add_argument("database", type=str, help="where examples come from")
    neighbours.add_argument("--queries", type=str, default=None, help="database of the asking clips; itself without it")
    neighbours.add_argument("--out", type=str, required=True, help="file to write (.safetensors)")
    neighbours.add_argument("--depth", type=int, default=8, help="entries stored for each clip and route")
    neighbours.add_argument("--exclude-same-caption", action="store_true", help="pass over entries with the same words")
    actions.add_subcommand("neighbours", neighbours)
    for name, what in (("info", "Describe a database."), ("verify", "Check every file's checksum.")):
        action = CommandParser(description=what)
        action.add_argument("database", type=str, help="database folder")
        actions.add_subcommand(name, action)


def run(args: Any) -> int:
    """Run the chosen subcommand."""
    chosen = args[args.action]
    return {"build": _build, "neighbours": _neighbours, "info": _info, "verify": _verify}[args.action](chosen)


def _add_parts(parser: Any) -> None:
    parser.add_argument("--model", type=str, default=None, help="model folder; the embedded 'mini' without it")
    parser.add_argument("--retriever", type=str, default=None, help="retriever folder, instead of the model's")
    parser.add_argument("--tokenizer", type=str, default=None, help="tokenizer folder, instead of the model's")


def _tokenizer(args: Any) -> "MotionTokenizer":
    if args.tokenizer is None:
        return remogpt.ReMoGPT.from_pretrained(args.model).tokenizer
    from remogpt.tokenizer_vqvae import MotionTokenizer

    tokenizer = MotionTokenizer.from_pretrained(args.tokenizer)
    tokenizer.check_one_code_a_step("a database")
    return tokenizer


def _build(args: Any) -> int:
    from remogpt.data.humanml3d import MAX_FRAMES, MotionTextSet
    from remogpt.retriever import DatabaseEntry, MotionDatabase
    from remogpt.retriever.database.entry import windowed

    if args.limit < 0 or args.min_frames < 4:
        raise RemogptError(
            f"--limit must be at least 0 and --min-frames at least 4 (one code), got {args.limit} and {args.min_frames}"
        )
    if None not in (args.model, args.retriever, args.tokenizer):
        raise RemogptError("--retriever and --tokenizer leave nothing of --model to be used: leave one out")
    check_output_folder(args.out)
    motions = MotionTextSet.open(args.set)
    clips = motions.clips(args.split, args.min_frames, 10**9)
    if args.limit:
        clips = [clips[place * len(clips) // args.limit] for place in range(min(args.limit, len(clips)))]
    clips = [] if args.empty else clips
    retriever, tokenizer = open_retriever(args.retriever, args.model), _tokenizer(args)
    entries = (
        DatabaseEntry(
            id=clip.id, source_id=clip.source_id, mirror_of=clip.mirror_of, captions=clip.captions,
            features=motions.features(clip), provenance=motions.name, licence=motions.licence,
            tags={} if args.compact else clip.tags,
        )
        for clip in clips
    )  # fmt: skip
    database = MotionDatabase.build(
        windowed(entries, MAX_FRAMES), retriever, tokenizer, args.out, store_features=not args.compact,
        embedding_dtype="float16" if args.compact else "float32", total=len(clips), allow_empty=args.empty,
    )  # fmt: skip
    print(f"{args.out}: {len(database)} clips of {motions.name}, split {args.split}")
    return 0


def _neighbours(args: Any) -> int:
    from remogpt.retriever import MotionDatabase
    from remogpt.retriever.database.neighbours import find_neighbours

    if args.depth < 2:
        raise RemogptError(f"--depth must be at least 2, one for each of two routes, got {args.depth}")
    if check_output_file(args.out).suffix != ".safetensors":
        raise RemogptError(f"--out must end in .safetensors, got {args.out!r}")
    database = MotionDatabase.open(args.database)
    queries = None if args.queries is None else MotionDatabase.open(args.queries)
    found = find_neighbours(database, queries, args.depth, args.exclude_same_caption)
    found.save(args.out)
    print(f"{args.out}: {args.depth} examples on each of four routes for {len(found.places)} clips")
    return 0


def _info(args: Any) -> int:
    from remogpt.retriever import MotionDatabase

    print(json.dumps(MotionDatabase.open(args.database).manifest, indent=2))
    return 0


def _verify(args: Any) -> int:
    from remogpt.retriever import MotionDatabase

    MotionDatabase.open(args.database).verify()
    print(f"{args.database}: every file is as it was written")
    return 0
