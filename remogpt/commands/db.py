"""Build, change, check and share retrieval databases; find the examples that training reads.

Examples:
  remogpt db build sets/bandai --out databases/bandai
  remogpt db build recordings/ --captions captions.csv --licence "CC BY 4.0" --out databases/mine
  remogpt db build sets/procedural databases/bandai recordings/ --workers 4 --out databases/all
  remogpt db add databases/mine sets/more
  remogpt db remove databases/mine --ids wave_01 wave_02
  remogpt db filter databases/mine --text "waves" --max-seconds 5 --out databases/waves
  remogpt db merge databases/mine databases/bandai --out databases/both
  remogpt db rebuild databases/mine --model models/other --out databases/for-other
  remogpt db audit databases/mine --against sets/procedural:test
  remogpt db separate databases/mine --against sets/procedural:test --out databases/apart
  remogpt db push databases/mine owner/name --audit sets/procedural:test
  remogpt db pull owner/name --out databases/theirs
  remogpt db info databases/bandai
  remogpt db neighbours databases/mine --queries databases/val --out runs/val.safetensors

Every change is made in one step: if it is killed at any moment, the old version stays whole and in use.
"""

import json
from typing import Any

from remogpt import stages
from remogpt.commands import db_edits
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.db_options import (
    add_component_options,
    add_index_option,
    add_source_options,
    report_notes,
    source_options,
)


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="action")
    build = CommandParser(description="Embed and tokenize every clip of some sources.")
    build.add_argument(
        "sources", type=str, nargs="+",
        help="sets in HumanML3D's layout, folders of recordings or single ones, databases of the same model",
    )  # fmt: skip
    build.add_argument("--out", type=str, required=True, help="database folder")
    build.add_argument(
        "--limit", type=int, default=0, help="largest number of clips of a set or files of recordings; 0: all"
    )
    build.add_argument("--workers", type=int, default=1, help="processes; their number changes nothing in the result")
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
    add_index_option(build, "auto, or as the first database among the sources is")
    add_source_options(build)
    add_component_options(build)
    actions.add_subcommand("build", build)
    db_edits.add_subcommands(actions)
    neighbours = CommandParser(
        description="Find the examples of each clip for training, never clips of its own recording or its mirror image."
    )
    neighbours.add_argument("database", type=str, help="database of the examples")
    neighbours.add_argument(
        "--queries", type=str, default=None, help="database of the clips that get examples; default: the same"
    )
    neighbours.add_argument("--out", type=str, required=True, help="file to write (.safetensors)")
    neighbours.add_argument("--depth", type=int, default=8, help="entries stored for each clip and route")
    neighbours.add_argument("--exclude-same-caption", action="store_true", help="skip entries with the same caption")
    actions.add_subcommand("neighbours", neighbours)
    info = CommandParser(
        description="Describe a database: what it holds, and how much its tokenizer loses of each motion."
    )
    info.add_argument("database", type=str, help="database folder")
    info.add_argument("--plot", type=str, default=None, help="also draw the distributions (.png, .svg)")
    info.add_argument(
        "--page",
        type=str,
        default=None,
        help="also write a page (.html), with the motions that the tokenizer cannot say",
    )
    info.add_argument("--json", action="store_true", help="print the description and the manifest as JSON")
    actions.add_subcommand("info", info)
    verify = CommandParser(description="Check every file's checksum.")
    verify.add_argument("database", type=str, help="database folder")
    actions.add_subcommand("verify", verify)


def run(args: Any) -> int:
    """Run the chosen subcommand."""
    own = {"build": _build, "neighbours": _neighbours, "info": _info, "verify": _verify}
    return (own | db_edits.ACTIONS)[args.action](args[args.action])


def _build(args: Any) -> int:
    from remogpt.stages.database_sources import Notes

    notes = Notes()
    database = stages.build_database(
        args.sources, out=args.out, **source_options(args), retriever=args.retriever, tokenizer=args.tokenizer,
        model=args.model, limit=args.limit, min_frames=args.min_frames, empty=args.empty, compact=args.compact,
        facts=not args.no_facts, finder=args.finder, workers=args.workers, index=args.index,
        notes=notes,
    )  # fmt: skip
    sources = "nothing" if args.empty else ", ".join(args.sources)
    captioned = f", {notes.captioned} captioned by the model" if notes.captioned else ""
    print(f"{args.out}: {len(database)} clips of {sources}{captioned}")
    return report_notes(notes, sources)


def _neighbours(args: Any) -> int:
    found = stages.find_neighbours(
        args.database, out=args.out, queries=args.queries, depth=args.depth,
        exclude_same_caption=args.exclude_same_caption,
    )  # fmt: skip
    print(f"{args.out}: at most {args.depth} examples on each of four routes for {len(found.index_of)} clips")
    return 0


def _info(args: Any) -> int:
    from remogpt.retriever import MotionDatabase
    from remogpt.retriever.database.description import describe, plot, to_text

    database = MotionDatabase.open(args.database)
    description = describe(database)
    if args.plot is not None:
        plot(database, args.plot)
    if args.page is not None:
        stages.write_database_page(database, args.page)
    if args.json:
        print(json.dumps({**description, "manifest": database.manifest}, indent=2, ensure_ascii=False))
    else:
        print(f"{args.database}\n{to_text(description)}")
    return 0


def _verify(args: Any) -> int:
    from remogpt.retriever import MotionDatabase

    MotionDatabase.open(args.database).verify()
    print(f"{args.database}: every file is as it was written")
    return 0
