"""Find motions in a database by words, a motion or what body parts do; find a moment in a recording.

Examples:
  remogpt search "a person kicks with the left leg" -k 5
  remogpt search --like wave.bvh --route m2m
  remogpt search "raises the arm" --part right_arm
  remogpt search --like clip.npy --part legs --contributions
  remogpt search "a person kicks" --inside recording.bvh --plot curve.png
  remogpt search "a person kicks" --inside recording.npy --retriever runs/tmr --windows paper
"""

import json
import math
from typing import TYPE_CHECKING, Any

import remogpt
from remogpt.commands.cli_parts.options import add_model_options, chosen_database
from remogpt.commands.search_inside import OF_INSIDE, add_inside_options, run_inside
from remogpt.pipeline.checks import check_model, check_words
from remogpt.pipeline.described import describe_examples
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:  # slow to import, and `--help` should be fast
    from remogpt.retriever import MotionDatabase, RetrievedExample
    from remogpt.retriever.database.part_search import Contributions


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("text", type=str, nargs="?", default=None, help="words to search by")
    parser.add_argument("--like", type=str, default=None, help="motion file to search by")
    parser.add_argument("--route", type=str, default=None, help="t2m or t2t for words, m2m or m2t for a motion")
    parser.add_argument("-k", "--k", type=int, default=5, help="number of hits")
    parser.add_argument(
        "--min-score", type=float, default=-1.0, help="leave out hits with a smaller score; default: keep all"
    )
    parser.add_argument(
        "--part", type=str, default=None,
        help="rank motions by these body parts alone, separated by commas: root, right_leg, left_leg, backbone, "
        "right_arm, left_arm, legs, arms, upper_body, lower_body",
    )  # fmt: skip
    parser.add_argument("--contributions", action="store_true", help="show what each body part adds to a hit's score")
    add_inside_options(parser)
    parser.add_argument("--json", action="store_true", help="print the hits as JSON")
    add_model_options(parser)


def run(args: Any) -> int:
    """Search and print one hit a line: score, id, caption, and a mark where it does not answer the query."""
    if args.inside is not None or any(getattr(args, name) is not None for name in OF_INSIDE):
        return run_inside(args)
    if (args.text is None) == (args.like is None):
        raise RemogptError("give words to search by, or a motion file with --like; see 'remogpt search --help'")
    if args.text is not None:
        check_words(args.text)
    check_model(args.model, args.database)
    motion = None if args.like is None else remogpt.load_motion(args.like)
    model = remogpt.ReMoGPT.from_pretrained(args.model)
    route = _route(args)
    database = model.database(chosen_database(args, model))
    hits = model.search(
        args.text, motion=motion, route=route, k=args.k, database=database, part=args.part, min_score=args.min_score
    )
    by_part = _contributions(args, database, motion if args.text is None else args.text, hits)
    if args.json:
        print(json.dumps(_described(hits, by_part), indent=2, ensure_ascii=False))
    elif by_part is None:
        for hit in hits:
            share = "" if math.isnan(hit.fact_share) else f"  {100 * hit.fact_share:3.0f} % of the facts"
            print(f"{hit.score:.3f}{share}  {hit.id}  {hit.caption}{_mark(hit)}")
    else:
        _print_table(hits, by_part)
    return 0


def _route(args: Any) -> Any:
    """Return the route; contributions need motions, so with them a motion searches motions by default."""
    if args.contributions and args.route in ("t2t", "m2t"):
        raise RemogptError(
            f"--contributions says what body parts add to a motion's score; route {args.route} searches captions: "
            f"take {args.route[:2]}m"
        )
    return "m2m" if args.contributions and args.route is None and args.text is None else args.route


def _contributions(
    args: Any, database: "MotionDatabase", query: Any, hits: "list[RetrievedExample]"
) -> "list[Contributions] | None":
    """Split the hits' scores by body part: on request, and for JSON if it is cheap."""
    by_motion = all(hit.route.endswith("m") for hit in hits)
    if not args.contributions and not (args.json and by_motion and database.has_part_encodings):
        return None
    return database.contributions(query, [hit.row for hit in hits], args.part)


def _mark(hit: "RetrievedExample") -> str:
    return "  (close, but perhaps no answer: fails the match test)" if hit.answers is False else ""


def _described(hits: "list[RetrievedExample]", by_part: "list[Contributions] | None") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {**row, "answers": hit.answers, "contributions": None}
        for row, hit in zip(describe_examples(hits), hits, strict=True)
    ]
    for row, one in zip(rows, by_part or (), strict=by_part is not None):
        row["contributions"] = {name: round(value, 4) for name, value in {"mean": one.mean, **one.parts}.items()}
    return rows


def _print_table(hits: "list[RetrievedExample]", by_part: "list[Contributions]") -> None:
    """Print hits with a column for each body part; each row's columns after the score add up to it."""
    names = ["mean", *(by_part[0].parts if by_part else ())]
    width = max((len(hit.id) for hit in hits), default=2)
    print("score", *(f"{name:>6}" for name in names), f"{'id':<{width}}", "caption", sep="  ")
    for hit, one in zip(hits, by_part, strict=True):
        values = [one.mean, *one.parts.values()]
        cells = (f"{value:{max(6, len(name))}.3f}" for name, value in zip(names, values, strict=True))
        print(f"{hit.score:.3f}", *cells, f"{hit.id:<{width}}", f"{hit.caption}{_mark(hit)}", sep="  ")
