"""Embed captions and motions, or a whole set, in the retriever's space, where what matches has a high cosine.

Examples:
  remogpt encode "a person waves" --out caption.npy
  remogpt encode wave.bvh --out motion.npy
  remogpt encode recordings/ --out recordings.npy
  remogpt encode --set sets/procedural --split test --out encoded/test

One caption or motion gives an array (D,). Several give (N, D) and, beside it, a .json that names the rows. A set gives
a folder: motions.npy (N, D), captions.npy (M, D), index.json and, with --token-states, the text model's token states
and sentence vectors. All rows have length one: their dot product is the cosine.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.commands.cli_parts.left_out import report_left_out
from remogpt.commands.cli_parts.queries import (
    Queries,
    Query,
    add_query_options,
    check_one_retriever,
    embed,
    load_retriever,
    read_queries,
)
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, write_json, write_npy

if TYPE_CHECKING:
    from remogpt.retriever import TextMotionRetriever


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    add_query_options(parser)
    parser.add_argument("--out", type=str, default=None, help="file to write (.npy); a folder with --set")
    parser.add_argument("--json", action="store_true", help="print as JSON; without --out the vectors too")
    parser.add_argument("--set", type=str, default=None, help="encode a set, a folder in HumanML3D's layout")
    parser.add_argument("--split", type=str, default="all", help="split of the set")
    parser.add_argument("--min-frames", type=int, default=1, help="leave out shorter clips of the set")
    parser.add_argument(
        "--max-frames", type=int, default=10**9, help="leave out longer clips of the set; default: none"
    )
    parser.add_argument("--token-states", action="store_true", help="also write token states and sentence vectors")
    parser.add_argument("--text-model", type=str, default=None, help="text model; default: the retriever's")


def run(args: Any) -> int:
    """Encode a set, or the given captions and motions."""
    if args.set is not None:
        return _encode_set(args)
    if args.token_states or args.text_model:
        raise RemogptError("--token-states and --text-model belong to --set SET; see 'remogpt encode --help'")
    if not args.words and not args.text:
        raise RemogptError("give a caption, a motion file, a folder, or a set with --set; see 'remogpt encode --help'")
    if args.out is None and not args.json:
        raise RemogptError("give --out FILE.npy to write the vectors, or --json to print them")
    if args.out is not None and check_output_file(args.out).suffix != ".npy":
        raise RemogptError(f"--out must end in .npy, got {args.out!r}")
    queries = read_queries(args.words, args.text)
    if not queries.found:
        queries.report()
        raise RemogptError(f"none of the {len(queries.failed)} files could be read; nothing is encoded")
    retriever = load_retriever(args)
    rows = embed(retriever, queries.found)
    is_single = len(queries.found) == 1 and not queries.failed
    if args.out is not None:
        write_npy(args.out, rows[0] if is_single else rows)
        if not is_single:
            write_json(Path(args.out).with_suffix(".json"), _describe(retriever, queries, None))
    _print(args, retriever, queries, rows)
    return queries.report()


def _describe(retriever: "TextMotionRetriever", queries: Queries, rows: np.ndarray | None) -> dict[str, Any]:
    """Return a JSON-ready description of the rows, with the vectors if given."""
    items = [{"kind": query.kind, "name": query.name} for query in queries.found]
    for index, row in enumerate(() if rows is None else rows):
        items[index] |= {"embedding": [round(float(value), 7) for value in row]}  # type: ignore[dict-item]
    failed = [{"file": name, "error": why} for name, why in queries.failed]
    return {"retriever": retriever.hash, "dim": retriever.dim, "items": items, "failed": failed}


def _print(args: Any, retriever: "TextMotionRetriever", queries: Queries, rows: np.ndarray) -> None:
    if args.json:
        described = _describe(retriever, queries, rows if args.out is None else None)
        print(json.dumps(described | ({"out": args.out} if args.out else {}), indent=2, ensure_ascii=False))
    else:
        print(f"{args.out}: {_count(queries.found)}, {retriever.dim} values each, retriever {retriever.hash[:12]}")


def _count(found: tuple[Query, ...]) -> str:
    """Return "2 captions and 1 motion"."""
    counts = []
    for kind, name in (("text", "caption"), ("motion", "motion")):
        count = sum(query.kind == kind for query in found)
        counts += [f"{count} {name}{'s' if count > 1 else ''}"] if count else []
    return " and ".join(counts)


def _encode_set(args: Any) -> int:
    from remogpt.stages.encode_set import encode_set
    from remogpt.stages.inputs import open_set

    if args.words or args.text:
        raise RemogptError("--set encodes a set's own captions and motions; leave the other words out")
    if args.out is None:
        raise RemogptError("give --out FOLDER for the arrays of the set")
    check_one_retriever(args)
    motions = open_set(args.set)
    done = encode_set(
        motions, out=args.out, split=args.split, retriever=args.retriever, model=args.model,
        min_frames=args.min_frames, max_frames=args.max_frames, token_states=args.token_states,
        text_model=args.text_model,
    )  # fmt: skip
    if args.json:
        print(json.dumps({"out": args.out, **done}, indent=2))
        return report_left_out(motions.left_out, args.set)
    states = f", token states of {done['token_states']}" if done["token_states"] else ""
    print(
        f"{args.out}: {done['motions']} motions and {done['captions']} captions of {done['set']}, split "
        f"{args.split}, {done['dim']} values each{states}"
    )
    return report_left_out(motions.left_out, args.set)
