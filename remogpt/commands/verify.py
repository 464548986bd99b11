"""Check that a model, component, database, set, run, folder of results or file of neighbours is whole.

Examples:
  remogpt verify models/my-model
  remogpt verify databases/mine runs/train.safetensors
  remogpt verify sets/mine

Every file is compared with its checksum, and its contents are looked at: weights and embeddings that are not numbers,
offsets that do not fit, motions and captions that cannot be used. Exit code 1 if one of several paths is damaged.
"""

import sys
from typing import Any

from remogpt.runtime.errors import RemogptError


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", type=str, nargs="+", help="folders, or .safetensors files of neighbours")


def run(args: Any) -> int:
    """Verify each path; one that is damaged does not stop the others."""
    from remogpt.stages.verify import verify  # opens every kind of component

    failed = 0
    for path in args.paths:
        try:
            print(verify(path))
        except RemogptError as error:
            if len(args.paths) == 1:
                raise
            print(f"{path}: {error}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0
