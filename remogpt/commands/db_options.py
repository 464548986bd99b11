"""Options that several database commands share."""

from typing import TYPE_CHECKING, Any

from remogpt.commands.cli_parts.left_out import report_left_out
from remogpt.commands.cli_parts.options import read_tags
from remogpt.commands.cli_parts.reading import add_reading_options, print_notices, reading_options
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.retriever.database.entry_filter import EntryFilter
    from remogpt.stages.database_sources import Notes


def add_component_options(parser: Any) -> None:
    """Add --model, --retriever and --tokenizer."""
    parser.add_argument("--model", type=str, default=None, help="model folder; default: the embedded 'mini'")
    parser.add_argument("--retriever", type=str, default=None, help="retriever folder, instead of the model's")
    parser.add_argument("--tokenizer", type=str, default=None, help="tokenizer folder, instead of the model's")


def add_index_option(parser: Any, default: str) -> None:
    """Add --index."""
    parser.add_argument(
        "--index", type=str, default=None,
        help="how embeddings are searched: flat (all are compared), ivf (an inverted file: faster, may miss a hit) or "
        f"auto (ivf above 100,000); default: {default}",
    )  # fmt: skip


def add_source_options(parser: Any) -> None:
    """Add --split, --captions, --licence, --keep-first, and the options that say how recordings are read."""
    parser.add_argument("--split", type=str, default="train", help="split of a set; all: every clip")
    parser.add_argument(
        "--captions", type=str, default=None,
        help="table of the recordings (.csv, .jsonl): file, caption[, start, end]; default: the model captions them",
    )  # fmt: skip
    parser.add_argument("--licence", type=str, default="unknown", help="licence of the recordings")
    parser.add_argument("--keep-first", action="store_true", help="of clips of one id, take the first source's")
    add_reading_options(parser)


def source_options(args: Any) -> dict[str, Any]:
    """Return the keywords of `build_database` that these options give."""
    names = ("split", "captions", "licence", "keep_first")
    return {name: args[name] for name in names} | {"reading": reading_options(args)}


def report_notes(notes: "Notes", sources: str) -> int:
    """Print what was mended in the sources and what was left out of them; 1 if there was anything left out, else 0."""
    print_notices(notes.notices)
    return report_left_out(notes.left_out, sources)


def add_filter_options(parser: Any) -> None:
    """Add the conditions that choose entries; an entry has to meet all that are given."""
    parser.add_argument(
        "--ids", type=str, nargs="*", default=[], help="ids of entries, or of the recordings they come from"
    )
    parser.add_argument("--text", type=str, default="", help="words that stand in one of the entry's captions")
    parser.add_argument("--licence", type=str, default=None, help="licence, as 'db info' names it")
    parser.add_argument("--tag", type=str, nargs="*", default=[], help="tags, each as name=value")
    parser.add_argument("--min-seconds", type=float, default=0.0, help="shortest motion; default: any")
    parser.add_argument("--max-seconds", type=float, default=float("inf"), help="longest motion")
    parser.add_argument(
        "--like",
        type=str,
        default=None,
        help="a text; entries whose motion fits it with a cosine of at least --min-score",
    )
    parser.add_argument("--min-score", type=float, default=0.5, help="smallest cosine with --like")
    parser.add_argument("--model", type=str, default=None, help="model that embeds --like; default: 'mini'")


def entry_filter(args: Any) -> "EntryFilter":
    """Return the conditions of a command line.

    Raises:
        RemogptError: if there is none, or a tag is not name=value.
    """
    from remogpt.retriever.database.entry_filter import EntryFilter

    found = EntryFilter(
        ids=frozenset(args.ids) if args.ids else None, text=args.text, licence=args.licence, tags=read_tags(args.tag),
        min_seconds=args.min_seconds, max_seconds=args.max_seconds,
    )  # fmt: skip
    if found == EntryFilter() and args.like is None:
        raise RemogptError("say which entries: --ids, --text, --licence, --tag, --min-seconds, --max-seconds or --like")
    return found
