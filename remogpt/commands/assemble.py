"""Put trained parts together into one model folder.

Examples:
  remogpt assemble --tokenizer runs/tokenizer --retriever runs/retriever --lm runs/lm \\
                   --database runs/database --name my-model --out models/my-model
"""

from typing import Any

from remogpt.runtime.model_folder import assemble


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("--tokenizer", type=str, required=True, help="tokenizer folder")
    parser.add_argument("--retriever", type=str, required=True, help="retriever folder")
    parser.add_argument("--lm", type=str, required=True, help="language model folder")
    parser.add_argument("--database", type=str, default=None, help="database folder that comes with the model")
    parser.add_argument("--name", type=str, required=True, help="name of the model")
    parser.add_argument("--licence", type=str, default="unknown", help="licence of weights and database")
    parser.add_argument("--out", type=str, required=True, help="model folder; an earlier model there is replaced")


def run(args: Any) -> int:
    """Copy the parts and name their hashes."""
    parts = {"tokenizer": args.tokenizer, "retriever": args.retriever, "lm": args.lm}
    manifest = assemble(args.out, parts, args.database, args.name, args.licence)
    hashes = ", ".join(f"{kind} {value[:12]}" for kind, value in manifest["hashes"].items())
    print(f"{args.out}: {manifest['name']} ({hashes})")
    return 0
