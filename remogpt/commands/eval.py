"""Measure a model, or anybody's motions and captions, on a set.

Examples:
  remogpt eval all --data sets/procedural --out runs/eval
  remogpt eval generation --data sets/humanml3d --evaluator evaluators/guo --model models/my-model --out runs/eval
  remogpt eval generation --data sets/humanml3d --evaluator evaluators/guo --motions my_motions/ --out runs/mine
  remogpt eval captioning --captions my_captions.json --out runs/mine
  remogpt eval swap --data sets/procedural --databases databases/bandai databases/other --out runs/swap
  remogpt eval moments --data annotations/babel --features guoh3dfeats --retriever runs/tmr --out runs/moments
  remogpt eval compare runs/eval runs/mine
  remogpt eval tables runs/humanml3d/eval --out tables

Writes results.json, report.md and report.html; every number has its protocol card beside it. What is already there
under the same card is not computed again, so an interrupted evaluation goes on.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from remogpt import stages
from remogpt.commands.cli_parts.left_out import report_left_out
from remogpt.commands.cli_parts.options import add_route_options, read_routes
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.eval.compare import compare, to_markdown
from remogpt.eval.paper import open_runs, run_folders, write_figures, write_tables
from remogpt.eval.runs.config import EvalConfig
from remogpt.runtime.files import check_output_folder
from remogpt.stages.inputs import SENTENCE_MODEL, open_set

_ABOUT = {
    "all": "Every task whose inputs are given.",
    "tokenizer": "Reconstruction error, codes in use, skating, facts kept, and FID of decoded motions.",
    "retrieval": "Recall and median rank in every protocol, both ways.",
    "generation": "R-precision, MM-dist, FID, Diversity, MultiModality, memorisation and physics of generated motions.",
    "facts": "Share of checkable facts (side, count, direction, order ...) that hold in generated motions.",
    "captioning": "BLEU, ROUGE-L, CIDEr, BERTScore of generated captions, and their R-precision.",
    "rare": "Scores of the rarest prompts, scores balanced over rareness, and the gain by retrieval.",
    "swap": "The same model with other databases.",
}
_HELP = {
    "model": "model folder; default: the embedded 'mini'",
    "database": "database folder; default: the model's own",
    "evaluator": "evaluator network: made by 'import guo', or a retriever; default for the procedural set: embedded",
    "evaluator-variant": "variant of Guo's evaluator: packed or unpacked",
    "sentence-model": "text model for rareness and for retrieval's threshold protocol",
    "motions": "score these motions instead of a model's: a folder of <clip id>.npy",
    "captions": "score these captions instead of a model's: a JSON file; with references it needs no --data",
    "retriever": "retriever folder to score instead of a model; a TMR with a decoder also writes motions",
    "tokenizer": "tokenizer folder to score instead of a model",
}
_EVALUATOR = ("evaluator", "evaluator-variant")
_OPTIONS = {
    "all": ("model", "database", *_EVALUATOR, "sentence-model"),
    "tokenizer": ("model", "tokenizer", *_EVALUATOR),
    "retrieval": ("model", "retriever", "sentence-model"),
    "generation": ("model", "database", "motions", "retriever", *_EVALUATOR),
    "facts": ("model", "database", "motions", "retriever", *_EVALUATOR),
    "captioning": ("model", "database", "captions", *_EVALUATOR),
    "rare": ("model", "database", "motions", *_EVALUATOR, "sentence-model"),
    "swap": ("model", *_EVALUATOR),
}


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="task")
    for task, about in _ABOUT.items():
        own = CommandParser(description=about)
        own.add_argument("--data", type=str, required=task != "captioning", help="set in HumanML3D's layout")
        own.add_argument("--out", type=str, required=True, help="folder of the results")
        for name in _OPTIONS[task]:
            default = SENTENCE_MODEL if name == "sentence-model" else None
            own.add_argument(f"--{name}", type=str, default=default, help=_HELP[name])
        if task not in ("tokenizer", "retrieval"):
            add_route_options(own)
        if task in ("all", "swap"):
            own.add_argument("--databases", type=str, nargs="*", default=[], help="databases to swap in")
        own.add_argument(
            "--allow-overlap", action="store_true", help="evaluate although a database holds clips that are asked about"
        )
        own.add_argument("--config", type=EvalConfig, default=EvalConfig(), help="YAML file, or --config.field")
        own.add_argument("--json", action="store_true", help="print results.json instead of the report")
        actions.add_subcommand(task, own)
    moments = CommandParser(description="Find annotated stretches within long sequences, as TMR does on BABEL.")
    moments.add_argument("--data", type=str, required=True, help="TMR's annotations: annotations.json, splits/")
    moments.add_argument("--features", type=str, required=True, help="folder of whole sequences' (T, 263) .npy files")
    moments.add_argument("--retriever", type=str, required=True, help="retriever folder")
    moments.add_argument("--split", type=str, default="val", help="split whose annotations are looked for")
    moments.add_argument("--out", type=str, required=True, help="folder of the results")
    moments.add_argument("--json", action="store_true", help="print results.json instead of the accuracies")
    actions.add_subcommand("moments", moments)
    both = CommandParser(description="Show two evaluations side by side; refused where their protocols differ.")
    both.add_argument("left", type=str, help="folder of results, or results.json")
    both.add_argument("right", type=str, help="folder of results, or results.json, to compare with")
    both.add_argument("--left-result", type=str, default="", help="name of one result, e.g. generation/test/retrieval")
    both.add_argument("--right-result", type=str, default="", help="name of the result to compare it with")
    both.add_argument("--force", action="store_true", help="compare in spite of different protocols")
    both.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("compare", both)
    paper = CommandParser(description="Fill the tables of ReMoGPT and TMR: our numbers beside the published ones.")
    paper.add_argument(
        "runs", type=str, nargs="+",
        help="folders of results, each named as the row that it fills; or a folder of such folders; or NAME=FOLDER",
    )  # fmt: skip
    paper.add_argument("--out", type=str, required=True, help="folder of tables.md, tables.html, figures.html, CSVs")
    actions.add_subcommand("tables", paper)


def run(args: Any) -> int:
    """Evaluate or compare, and print the report."""
    task, chosen = args.task, args[args.task]
    if task == "compare":
        return _compare(chosen)
    if task == "tables":
        return _tables(chosen)
    if task == "moments":
        return _moments(chosen)
    options = dict(vars(chosen))
    model, data, as_json = options.pop("model", None), options.pop("data"), options.pop("json")
    given = {
        "allow_overlap": options.pop("allow_overlap") or None, "routes": read_routes(options.pop("routes", None)),
        "k": options.pop("k", None),
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    options["config"] = replace(options["config"], **changes)
    motions = None if data is None else open_set(data)
    report = stages.evaluate(model, motions, tasks=task, warn=_warn, **options)
    print(json.dumps(report, indent=2) if as_json else (Path(chosen.out) / "report.md").read_text(encoding="utf-8"))
    return report_left_out(report["left_out"], data or chosen.captions)


def _warn(why: str) -> None:
    print(f"remogpt eval: warning: {why}", file=sys.stderr)


def _compare(args: Any) -> int:
    compared = compare(
        Path(args.left), Path(args.right), left_name=args.left_result, right_name=args.right_result, force=args.force
    )
    if args.json:
        print(json.dumps(compared, indent=2))
    else:
        print(f"left: {args.left}, right: {args.right}\n\n{to_markdown(compared)}")
    return 0


def _tables(args: Any) -> int:
    runs, out = open_runs(args.runs), check_output_folder(args.out)
    filled = write_tables(runs, out)
    write_figures(filled, runs, run_folders(args.runs), out)
    for one in filled:
        rows = {line.label: bool(line.run) for _, lines in one.blocks for line in lines}
        print(f"{one.table.title}: {sum(rows.values())} of {len(rows)} rows")
        for warning in one.warnings:
            print(f"remogpt eval: warning: {one.table.name}: {warning}", file=sys.stderr)
    print(f"see {out / 'tables.html'}, or tables.md; a CSV for each table and figures.html are beside them")
    return 0


def _moments(args: Any) -> int:
    from remogpt.stages.moments import evaluate_moments

    report = evaluate_moments(
        args.data, features=args.features, retriever=args.retriever, out=args.out, split=args.split
    )
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, result in report["results"].items():
            scores = result["scores"]
            print(f"{name}: {scores['accuracy']:.1f} % of {scores['num_items']} annotations at IoU > 0.4")
    return report_left_out(report["left_out"], args.data)
