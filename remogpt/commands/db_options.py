"""Options that several database commands share."""

from typing import TYPE_CHECKING, Any

from remogpt.commands.cli_parts.options import read_tags
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.retriever.database.entry_filter import EntryFilter


def add_component_options(parser: Any) -> None:
    """Add --model, --retriever and --tokenizer."""
    parser.add_argument("--model", type=str, default=None, help="model folder; default: the embedded 'mini'")
    parser.add_argument("--retriever", type=str, default=None, help="retriever folder, instead of the model's")
    parser.add_argument("--tokenizer", type=str, default=None, help="tokenizer folder, instead of the model's")


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
