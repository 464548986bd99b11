"""Evaluate a model, a single component, or given motions and captions, on a set."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate as evaluate_run
from remogpt.eval.runs.evaluate import evaluate_captions, possible_tasks
from remogpt.eval.runs.run import Result, Run
from remogpt.interfaces import Evaluator, Model
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.overlap import find_overlaps
from remogpt.retriever.text.frozen_text_model import FrozenText, find_model_folder, sentence_fingerprint
from remogpt.runtime.device import chosen_device, on_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.database_audit import ClipsOf
from remogpt.stages.evaluators import is_guo_evaluator, open_evaluator, why_dependent
from remogpt.stages.inputs import SENTENCE_MODEL, open_model, open_retriever, open_set
from remogpt.stages.tmr_generator import Synthesis
from remogpt.tokenizer_vqvae import MotionTokenizer

_EMBEDDED_SET = "remogpt-procedural"
"""Name of the set that the embedded evaluator was trained for."""
_TASKS_OF = {
    "motions": ("generation", "facts", "rare"),
    "captions": ("captioning",),
    "retriever": ("retrieval", "generation", "facts"),
    "tokenizer": ("tokenizer",),
}
"""Tasks for each input that can be scored in place of a model."""
_log = logging.getLogger(__name__)


def evaluate(
    model: str | Path | Model | None,
    data: str | Path | MotionTextSet | None,
    *,
    out: str | Path,
    tasks: str | Sequence[str] = "all",
    evaluator: str | Path | Evaluator | None = None,
    evaluator_variant: str | None = None,
    database: str | Path | MotionDatabase | None = None,
    databases: Sequence[str | Path | MotionDatabase] = (),
    motions: str | Path | None = None,
    captions: str | Path | None = None,
    retriever: str | Path | None = None,
    tokenizer: str | Path | None = None,
    sentence_model: str | None = SENTENCE_MODEL,
    config: EvalConfig | None = None,
    warn: Callable[[str], None] = _log.warning,
) -> Result:
    """Score answers on a set and write `results.json`, `report.md` and `report.html`.

    Results in the folder under the same protocol card are not recomputed.

    Args:
        model: scored model: a folder, a hub name or a `Model`; default: the embedded `mini`, unless `motions`,
            `captions`, `retriever` or `tokenizer` is scored instead.
        data: set in HumanML3D's layout; None only for captions with their own references.
        out: folder of the results.
        tasks: some of tokenizer, retrieval, generation, facts, captioning, rare and swap, or "all" that
            the inputs allow.
        evaluator: network that scores generation: Guo et al.'s (`remogpt import guo`), or a retriever; default for the
            procedural set: the embedded one.
        evaluator_variant: of Guo et al.'s, packed or unpacked; default: as saved.
        database: source of the model's examples; default: the model's own.
        databases: databases to swap in, for the task swap.
        motions: folder of `<clip id>.npy` to score in place of a model's.
        captions: JSON of captions to score in place of a model's.
        retriever: folder of a retriever to score alone, or of Guo et al.'s evaluator as one; a TMR with a decoder also
            generates motions.
        tokenizer: folder of a tokenizer to score alone.
        sentence_model: text model for rareness and for retrieval's threshold protocol; None skips these.
        config: splits, numbers of items, repeats.
        warn: called before any computation if the evaluator is not independent of the model, with the reason.

    Returns:
        The content of `results.json`: {"format", "missing_splits", "results": {"<task>/<split>[/<mode>]": {"card",
        "scores"}}}.

    Raises:
        RemogptError: for conflicting arguments, or if a task lacks an input.
    """
    with on_device(getattr(model, "device", None)):  # whatever is opened runs where the model runs
        folder, config = check_output_folder(out), config or EvalConfig()
        instead = {"motions": motions, "captions": captions, "retriever": retriever, "tokenizer": tokenizer}
        given = {name: path for name, path in instead.items() if path is not None}
        wanted = _wanted_tasks(tasks, given, {"model": model, "database": database})
        if evaluator_variant is not None and not isinstance(evaluator, str | Path):
            raise RemogptError("--evaluator-variant is of Guo et al.'s evaluator; name its folder with --evaluator")
        if data is None:
            return _captions_alone(captions, evaluator, folder, config)
        dataset, scored = open_set(data), _scored(model, given, wanted)
        network, dependence = None, None
        if wanted != ("retrieval",):  # retrieval needs no evaluator
            network, dependence = _evaluator(evaluator, evaluator_variant, dataset, scored)
        if dependence is not None:
            warn(f"{dependence}; it prefers what the model was made to produce")
        own = None if database is None or scored is None else scored.database(database)
        run = Run(
            dataset, folder, config, scored, network, dependence,
            database=own, database_hash=None if own is None else own.hash, others=_swapped(databases, scored),
            sentences=None if sentence_model is None else SentenceEncoder(sentence_model),
            generated=None if motions is None else Path(motions), captions=None if captions is None else Path(captions),
        )  # fmt: skip
        tasks_to_run = possible_tasks(run) if wanted == ("all",) else wanted
        _check_overlap(run, scored, tasks_to_run)
        return evaluate_run(run, tasks_to_run)


def _check_overlap(run: Run, model: Any, tasks: Sequence[str]) -> None:
    """Refuse databases that hold what is asked about: with the answer at hand, retrieval is no achievement.

    A query never sees its own entries (`own_ids`), but it would see other takes of its recording, and other queries'.
    """
    if run.config.allow_overlap or not {"generation", "facts", "captioning", "rare", "swap"} & set(tasks):
        return
    used = [database for database, _ in run.others.values()]
    if run.database is not None:
        used.append(run.database)
    elif run.own_database_hash:
        used.append(model.database())
    splits = [split for split in run.config.splits if split in run.motions.splits() and run.motions.ids(split)]
    clips = [clip for split in splits for clip in run.motions.clips(split)]
    for database in used:
        held = find_overlaps(database, ClipsOf(run.motions, clips), kinds=("same id", "same source", "mirror"))
        if held:
            shared = len({one.query for one in held})
            raise RemogptError(
                f"the database in {database.path} holds {shared} of the {len(clips)} clips to evaluate, their "
                f"recordings or mirror images ({held[0].query}, ...); 'remogpt db audit' lists them. Build it of other "
                "splits (remogpt db build SET --split train), or give --allow-overlap, which the results will say"
            )


def _wanted_tasks(tasks: str | Sequence[str], given: Mapping[str, Any], others: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tasks' names; for an input in place of a model, "all" is the input's only task.

    Raises:
        RemogptError: for unused arguments, or tasks that cannot score the input.
    """
    wanted = (tasks,) if isinstance(tasks, str) else tuple(tasks)
    if not given:
        return wanted
    first, *further = given
    unused = further + [name for name, value in others.items() if value is not None]
    if unused:
        raise RemogptError(f"--{first} is scored instead of a model's answers; leave --{unused[0]} out")
    possible = _TASKS_OF[first]
    wanted = possible if wanted == ("all",) and len(possible) == 1 else wanted
    strange = [task for task in wanted if task not in possible]
    if strange:
        raise RemogptError(f"--{first} can be scored in {', '.join(possible)}, not in {', '.join(strange)}")
    return wanted


def _captions_alone(captions: str | Path | None, evaluator: Any, out: Path, config: EvalConfig) -> Result:
    """Score captions with their own references."""
    if captions is None:
        raise RemogptError("give a set with --data, or captions with references of their own with --captions")
    if evaluator is not None:
        raise RemogptError("an evaluator compares captions with the motions of a set; name the set with --data")
    return evaluate_captions(out, Path(captions), config)


def _scored(model: Any, given: Mapping[str, str | Path], tasks: Sequence[str]) -> Any:
    """Open the scored model or single component; None if the answers come from files."""
    if "motions" in given or "captions" in given:
        return None
    if "retriever" in given and {"generation", "facts"} & set(tasks):
        return Synthesis(given["retriever"])
    if "retriever" in given:
        retriever = (open_evaluator if is_guo_evaluator(given["retriever"]) else open_retriever)(given["retriever"])
        return _Alone({"name": str(given["retriever"]), "hashes": {"retriever": retriever.hash}}, retriever=retriever)
    if "tokenizer" in given:
        tokenizer = MotionTokenizer.from_pretrained(given["tokenizer"], chosen_device())
        return _Alone({"name": str(given["tokenizer"]), "hashes": {"tokenizer": tokenizer.hash}}, tokenizer=tokenizer)
    return open_model(model)


@dataclass(frozen=True)
class _Alone:
    """A single component in place of a whole model."""

    manifest: dict[str, Any]
    retriever: Any = None
    tokenizer: Any = None


def _evaluator(
    evaluator: str | Path | Evaluator | None, variant: str | None, data: MotionTextSet, model: Any
) -> tuple[Evaluator | None, str | None]:
    """Open the evaluator; also return why it is not independent of the model, or None."""
    if evaluator is None:
        evaluator = embedded_model("evaluator")
        if data.name != _EMBEDDED_SET or not evaluator.is_dir():
            return None, None
    dependence = None if model is None else why_dependent(evaluator, model)
    if isinstance(evaluator, str | Path):
        return open_evaluator(evaluator, variant), dependence
    return evaluator, dependence


def _swapped(databases: Sequence[str | Path | MotionDatabase], model: Any) -> dict[str, tuple[Any, str]]:
    """Open the databases to swap in, by the names of their folders."""
    found: dict[str, tuple[Any, str]] = {}
    for database in databases:
        folder = database.path if isinstance(database, MotionDatabase) else Path(database)
        name = folder.resolve().name
        if name in found or name in ("own", "none"):
            raise RemogptError(f"two databases are called {name!r}; rename a folder, its name stands in the report")
        opened = model.database(database)
        found[name] = opened, opened.hash
    return found


class SentenceEncoder:
    """A frozen text model as the evaluation's sentence encoder, loaded on first use."""

    trained_on = None

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _model(self) -> FrozenText:
        return FrozenText(self.name, device=chosen_device())

    @cached_property
    def hash(self) -> str:
        """Fingerprint of everything that decides the vectors, computed without loading the model."""
        return sentence_fingerprint(find_model_folder(self.name))

    def encode_text(self, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return (N, D) unit rows."""
        return self._model.sentence_vectors(list(captions))
