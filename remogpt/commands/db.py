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
from typing import Any

from remogpt import stages
from remogpt.commands.cli_parts.left_out import report_left_out
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.data.humanml3d import MotionTextSet


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="action")
    build = CommandParser(description="Embed and tokenize every clip of a set.")
    build.add_argument("set", type=str, help="folder in HumanML3D's layout; see 'remogpt data import'")
    build.add_argument("--split", type=str, default="all", help="split of the set")
    build.add_argument("--out", type=str, required=True, help="database folder")
    build.add_argument("--limit", type=int, default=0, help="largest number of clips; 0: all")
    build.add_argument("--min-frames", type=int, default=8, help="leave out shorter clips")
    build.add_argument("--empty", action="store_true", help="write a database without clips, as a baseline")
    build.add_argument(
        "--compact",
        action="store_true",
        help="keep motions as 16-bit joint positions, embeddings in half precision, and no tags",
    )
    build.add_argument(
        "--no-facts", action="store_true", help="do not find the facts that hold for each motion; for huge sets"
    )
    build.add_argument(
        "--finder", type=str, default=None, help="find facts by this network ('train finder'), not by the predicates"
    )
    _add_component_options(build)
    actions.add_subcommand("build", build)
    neighbours = CommandParser(
        description="Find each clip's examples; clips of its source and its mirror image are excluded."
    )
    neighbours.add_argument("database", type=str, help="database of the examples")
    neighbours.add_argument("--queries", type=str, default=None, help="database of the query clips; default: DATABASE")
    neighbours.add_argument("--out", type=str, required=True, help="file to write (.safetensors)")
    neighbours.add_argument("--depth", type=int, default=8, help="entries stored for each clip and route")
    neighbours.add_argument("--exclude-same-caption", action="store_true", help="skip entries with the same caption")
    actions.add_subcommand("neighbours", neighbours)
    for name, what in (("info", "Describe a database."), ("verify", "Check every file's checksum.")):
        action = CommandParser(description=what)
        action.add_argument("database", type=str, help="database folder")
        actions.add_subcommand(name, action)


def _add_component_options(parser: Any) -> None:
    parser.add_argument("--model", type=str, default=None, help="model folder; default: the embedded 'mini'")
    parser.add_argument("--retriever", type=str, default=None, help="retriever folder, instead of the model's")
    parser.add_argument("--tokenizer", type=str, default=None, help="tokenizer folder, instead of the model's")


def run(args: Any) -> int:
    """Run the chosen subcommand."""
    chosen = args[args.action]
    return {"build": _build, "neighbours": _neighbours, "info": _info, "verify": _verify}[args.action](chosen)


def _build(args: Any) -> int:
    motions = MotionTextSet.open(args.set)
    database = stages.build_database(
        motions, out=args.out, split=args.split, retriever=args.retriever, tokenizer=args.tokenizer, model=args.model,
        limit=args.limit, min_frames=args.min_frames, empty=args.empty, compact=args.compact,
        facts=not args.no_facts, finder=args.finder,
    )  # fmt: skip
    print(f"{args.out}: {len(database)} clips of {motions.name}, split {args.split}")
    return report_left_out(motions.left_out, args.set)


def _neighbours(args: Any) -> int:
    found = stages.find_neighbours(
        args.database, out=args.out, queries=args.queries, depth=args.depth,
        exclude_same_caption=args.exclude_same_caption,
    )  # fmt: skip
    print(f"{args.out}: {args.depth} examples on each of four routes for {len(found.index_of)} clips")
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
