"""Find motions in a database by words or by a motion.

Examples:
  remogpt search "a person kicks with the left leg" -k 5
  remogpt search --like wave.bvh --route m2m
"""

import json
from typing import Any

import remogpt
from remogpt.commands.shared import add_model_options, describe_examples
from remogpt.runtime.errors import RemogptError


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("text", type=str, nargs="?", default=None, help="words to search by")
    parser.add_argument("--like", type=str, default=None, help="motion file to search by")
    parser.add_argument("--route", type=str, default=None, help="t2m or t2t for words, m2m or m2t for a motion")
    parser.add_argument("-k", "--k", type=int, default=5, help="number of hits")
    parser.add_argument("--json", action="store_true", help="print the hits as JSON")
    add_model_options(parser, may_skip_retrieval=False)


def run(args: Any) -> int:
    """Search and print one hit a line: score, id, caption."""
    if (args.text is None) == (args.like is None):
        raise RemogptError("give words to search by, or a motion file with --like; see 'remogpt search --help'")
    motion = None if args.like is None else remogpt.load_motion(args.like)
    model = remogpt.ReMoGPT.from_pretrained(args.model)
    hits = model.search(text=args.text, motion=motion, route=args.route, k=args.k, database=args.database)
    if args.json:
        print(json.dumps(describe_examples(hits), indent=2, ensure_ascii=False))
    else:
        for hit in hits:
            print(f"{hit.score:.3f}  {hit.id}  {hit.caption}")
    return 0
