"""Put trained components together into one model folder.

Examples:
  remogpt assemble --tokenizer runs/tokenizer --retriever runs/retriever --lm runs/lm \\
                   --database runs/database --name my-model --out models/my-model
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from remogpt.commands.cli_parts.options import add_route_options, read_routes
from remogpt.options import GenerationOptions
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.model_folder import assemble


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("--tokenizer", type=str, required=True, help="tokenizer folder")
    parser.add_argument("--retriever", type=str, required=True, help="retriever folder")
    parser.add_argument("--lm", type=str, required=True, help="language model folder")
    parser.add_argument("--copy", type=str, default=None, help="optional copy head folder ('train copy')")
    parser.add_argument("--copy-strength", type=float, default=None, help="default strength of following examples")
    parser.add_argument(
        "--copy-strength-alone",
        type=float,
        default=None,
        help="the same where one candidate is written, motions alone",
    )
    parser.add_argument(
        "--reader",
        type=str,
        nargs="+",
        default=None,
        help="optional folders of readers of captions ('train reader'); several read together",
    )
    parser.add_argument(
        "--finder", type=str, default=None, help="optional folder of a finder of facts ('train finder')"
    )
    parser.add_argument("--database", type=str, default=None, help="database folder that comes with the model")
    add_route_options(parser)
    parser.add_argument(
        "--retrieved", type=int, default=None, help="default number of retrieved motions that compete with written ones"
    )
    parser.add_argument(
        "--fact-weight", type=float, default=None, help="default weight of a caption's facts beside the cosine"
    )
    parser.add_argument("--verify", action="store_true", help="by default, check candidates by the caption's facts")
    parser.add_argument(
        "--guidance", type=float, default=None, help="default weight of guidance by the caption; 1: off"
    )
    parser.add_argument("--name", type=str, required=True, help="name of the model")
    parser.add_argument("--licence", type=str, default="unknown", help="licence of weights and database")
    parser.add_argument("--best-of", type=int, default=1, help="default number of candidates for each motion")
    parser.add_argument("--top-p", type=float, default=1.0, help="default share of likeliest codes to draw from")
    parser.add_argument("--top-k", type=int, default=None, help="default number of likeliest codes to draw from")
    parser.add_argument(
        "--temperature", type=float, default=None, help="default temperature; 0 takes the likeliest code"
    )
    parser.add_argument("--out", type=str, required=True, help="model folder; an earlier model there is replaced")


def run(args: Any) -> int:
    """Copy the components and print their hashes."""
    given = {name: args[name] for name in ("tokenizer", "retriever", "lm", "copy", "finder")}
    generation = _generation(args)
    with _one_reader(args.reader) as given["reader"]:
        components = {kind: folder for kind, folder in given.items() if folder is not None}
        manifest = assemble(args.out, components, args.database, args.name, args.licence, generation)
    hashes = ", ".join(f"{kind} {value[:12]}" for kind, value in manifest["hashes"].items())
    print(f"{args.out}: {manifest['name']} ({hashes})")
    return 0


@contextmanager
def _one_reader(folders: Sequence[str] | None) -> Iterator[str | None]:
    """Give the folder of the reader; of several, one in which they are put together."""
    if not folders or len(folders) == 1:
        yield folders[0] if folders else None
        return
    from remogpt.stages import join_readers

    with TemporaryDirectory() as folder:
        join_readers(folders, out=folder)
        yield folder


def _generation(args: Any) -> dict[str, Any]:
    """Return the model's generation defaults; options that are not given are omitted, as in older models."""
    if args.best_of < 1 or not 0 < args.top_p <= 1:
        raise RemogptError(f"--best-of must be at least 1 and --top-p in (0, 1], got {args.best_of} and {args.top_p}")
    if args.top_k is not None and args.top_k < 0:
        raise RemogptError(f"--top-k must be at least 1, or 0 to draw from all codes, got {args.top_k}")
    if args.temperature is not None and args.temperature < 0:
        raise RemogptError(f"--temperature must be at least 0, got {args.temperature}")
    for name in ("copy_strength", "copy_strength_alone"):
        if args[name] is not None and args[name] < 0:
            raise RemogptError(f"--{name.replace('_', '-')} must be at least 0, got {args[name]}")
    if args.verify and args.reader is None:
        raise RemogptError("--verify needs a reader of captions; give its folder with --reader ('train reader')")
    # Refuses numbers that cannot be used.
    routes = read_routes(args.routes)
    GenerationOptions(
        guidance=args.guidance, retrieved=args.retrieved, fact_weight=args.fact_weight, routes=routes, k=args.k
    )
    further = {
        "top_k": args.top_k, "temperature": args.temperature, "copy_strength": args.copy_strength,
        "copy_strength_alone": args.copy_strength_alone,
        "guidance": args.guidance, "retrieved": args.retrieved, "fact_weight": args.fact_weight,
        "verify": args.verify or None, "routes": None if routes is None else list(routes), "k": args.k,
    }  # fmt: skip
    given = {name: value for name, value in further.items() if value is not None}
    return {"best_of": args.best_of, "top_p": args.top_p, **given}
