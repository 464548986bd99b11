"""Measure a model on a set: reconstruction, retrieval, generation by facts, captioning; with and without retrieval.

Examples:
  remogpt eval --data sets/procedural --out runs/eval
  remogpt eval --model models/my-model --data sets/procedural --database databases/other --out runs/eval_other
  remogpt eval --data sets/procedural --out runs/quick --config.num_generation 40 --config.splits '[test]'

Writes results.json and report.md; a part that is already there under the same protocol is not computed again.
"""

from pathlib import Path
from typing import Any

import remogpt
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.mini import EvalConfig, evaluate_model
from remogpt.runtime.files import check_output_folder


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("--model", type=str, default=None, help="model folder; the embedded 'mini' without it")
    parser.add_argument("--data", type=str, required=True, help="set in HumanML3D's layout")
    parser.add_argument("--out", type=str, required=True, help="folder of the results")
    parser.add_argument("--database", type=str, default=None, help="database folder; the model's own without it")
    parser.add_argument("--config", type=EvalConfig, default=EvalConfig(), help="what and how much; --config.field")


def run(args: Any) -> int:
    """Evaluate and print the report."""
    check_output_folder(args.out)
    motions = MotionTextSet.open(args.data)
    model = remogpt.ReMoGPT.from_pretrained(args.model)
    database = None if args.database is None else model.database(args.database)
    evaluate_model(
        model, motions, args.out, args.config,
        database=database, database_hash=None if database is None else database.hash,
    )  # fmt: skip
    print((Path(args.out) / "report.md").read_text(encoding="utf-8"))
    return 0
