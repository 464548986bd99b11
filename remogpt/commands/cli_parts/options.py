"""Declare options that several commands share."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remogpt.options import GenerationOptions
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.text import read_text

if TYPE_CHECKING:  # slow to import, and `--help` should be fast
    from remogpt.interfaces import Route
    from remogpt.pipeline import ReMoGPT
    from remogpt.retriever import MotionDatabase


def add_model_options(parser: Any) -> None:
    """Add --model, --database, and which entries of the database may be used: --licence and --tag."""
    parser.add_argument("--model", type=str, default=None, help="model folder; default: the embedded 'mini'")
    parser.add_argument("--database", type=str, default=None, help="database folder; default: the model's own")
    parser.add_argument("--licence", type=str, default=None, help="use only database entries of this licence")
    parser.add_argument(
        "--tag", type=str, nargs="*", default=[], help="use only database entries with these tags: name=value"
    )


def chosen_database(args: Any, model: "ReMoGPT") -> "str | MotionDatabase | None":
    """Return the database that `add_model_options` names, without the entries that may not be used."""
    from remogpt.retriever.database.entry_filter import EntryFilter

    conditions = EntryFilter(licence=args.licence, tags=read_tags(args.tag))
    return args.database if conditions == EntryFilter() else model.database(args.database).where(conditions)


def read_tags(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Split tags at their equals sign.

    Raises:
        RemogptError: if one has none.
    """
    tags = []
    for one in given:
        name, mark, value = one.partition("=")
        if not mark or not name:
            raise RemogptError(f"wanted --tag name=value, came {one!r}; 'remogpt db info' lists the tags")
        tags.append((name, value))
    return tuple(tags)


def add_example_options(parser: Any) -> None:
    """Add --no-retrieval, --routes, --k, --min-score, --max-alike and --copy-strength."""
    parser.add_argument("--no-retrieval", action="store_true", help="answer without retrieved examples")
    add_route_options(parser)
    _add_similarity_options(parser)
    parser.add_argument(
        "--copy-strength", type=float, default=None,
        help="how strongly matching examples are followed; 0: they are only shown in the prompt, as in the paper; "
        "default: the model's own",
    )  # fmt: skip


def add_id_options(parser: Any, *, pin: bool) -> None:
    """Add --ban, and --pin where examples can be chosen."""
    parser.add_argument(
        "--ban", type=str, nargs="+", action="extend", default=[], metavar="ID",
        help="ids of entries or recordings that are never retrieved; 'remogpt search' shows ids",
    )  # fmt: skip
    if pin:
        parser.add_argument(
            "--pin", type=str, nargs="+", action="extend", default=[], metavar="ID",
            help="ids of entries that are examples in place of retrieved ones, whatever the match test finds",
        )  # fmt: skip


def check_ids(args: Any, database: "MotionDatabase") -> None:
    """Refuse ids of --ban and --pin that the database does not have, so that a misspelt one is not without effect.

    Raises:
        RemogptError: names the first.
    """
    known = {"ban": database.unknown_names, "pin": lambda ids: [one for one in ids if one not in database.rows]}
    for option, unknown in known.items():
        for one in unknown(args.get(option) or []):
            raise RemogptError(
                f"--{option} {one}: the database {database.path} has no entry of that id; 'remogpt search' shows ids"
            )


def add_route_options(parser: Any) -> None:
    """Add options for which examples are retrieved: --routes and --k."""
    parser.add_argument(
        "--routes", type=str, default=None,
        help="routes by which examples are retrieved, in the prompt's order: some of t2m,t2t (for captions) and "
        "m2t,m2m (for motions); default: as the model was trained",
    )  # fmt: skip
    parser.add_argument("--k", type=int, default=None, help="examples of each route; default: as the model was trained")


def _add_similarity_options(parser: Any) -> None:
    parser.add_argument("--min-score", type=float, default=-1.0, help="cosine below which a hit is no example")
    parser.add_argument(
        "--max-alike", type=float, default=1.0,
        help="largest cosine of two examples' motions: a hit that is more like one passes to the next best",
    )  # fmt: skip


def read_routes(given: str | None) -> "tuple[Route, ...] | None":
    """Split routes at commas; what is no route is refused where they are used."""
    return None if given is None else tuple(one.strip() for one in given.split(","))  # type: ignore[misc]


def add_writing_options(parser: Any, temperature: float | None, cold: str) -> None:
    """Add options for writing answers: --best-of, --no-verify, --guidance, --temperature and --precision.

    Args:
        temperature: default; None takes the model's own.
        cold: help text for a temperature of 0.
    """
    parser.add_argument(
        "--best-of", type=int, default=None,
        help="candidates to write, of which the best is kept; default: the model's own",
    )  # fmt: skip
    parser.add_argument(
        "--no-verify", action="store_true", help="do not check on the joints what captions claim, nor choose by it"
    )
    parser.add_argument(
        "--guidance", type=float, default=None,
        help="how strongly answers keep to the caption (or motion); 1: off; default: the model's own",
    )  # fmt: skip
    parser.add_argument("--temperature", type=float, default=temperature, help=cold)
    parser.add_argument(
        "--precision", type=str, default=None,
        help="precision of the language model's weights: float32 (default), bfloat16, or int8 on a CPU",
    )  # fmt: skip


def generation_options(args: Any) -> GenerationOptions:
    """Return the generation options of a command line."""
    return GenerationOptions(
        examples="none" if args.no_retrieval else "follow", strength=args.copy_strength,
        best_of=args.get("best_of"), guidance=args.get("guidance"), temperature=args.get("temperature"),
        retrieved=args.get("retrieved"), joined=args.get("joined"), verify=False if args.get("no_verify") else None,
        routes=read_routes(args.routes), k=args.k, min_score=args.min_score, max_alike=args.max_alike,
        cleanup=not args.get("raw_body"), exclude=args.get("ban") or (), pinned=args.get("pin") or (),
    )  # fmt: skip


def read_lines(path: str | Path) -> list[tuple[int, str]]:
    """Return the non-empty lines of a text file with their numbers from 1.

    Raises:
        MissingPathError, RemogptError: if the file is missing, empty or not text.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; give a text file with one caption on each line")
    lines = read_text(path).splitlines()
    numbered = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise RemogptError(f"{path} holds no captions; write one on each line")
    return numbered


def file_name_of(text: str, number: int) -> str:
    """Return a file stem that sorts by number and reads as the caption: `0003_a_person_waves`."""
    words = "".join(character if character.isalnum() else " " for character in text.lower()).split()
    # File systems limit names to 255 bytes.
    return "_".join([f"{number:04d}", *words])[:80].encode()[:200].decode("utf-8", "ignore").rstrip("_")


def print_warnings(warnings: Iterable[Mapping[str, str]], about: str = "") -> None:
    """Print each warning of an answer on a line of stderr, behind the name of what it is about."""
    for text in dict.fromkeys(warning["text"] for warning in warnings):
        print(f"warning: {about}{text}", file=sys.stderr)
