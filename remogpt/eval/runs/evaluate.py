"""The evaluation as a whole: tasks in their order, results with their cards, and the report."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from remogpt.eval.cards import ReportFile, sha256_of
from remogpt.eval.report import write_report
from remogpt.eval.runs.caption_files import read_captions, score_alone
from remogpt.eval.runs.config import TASK_NAMES, EvalConfig
from remogpt.eval.runs.motion_files import with_motions
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.eval.tasks import captioning, facts, generation, rare, retrieval, swap, tokenizer
from remogpt.eval.tasks.captioning import ONE_CAPTION, bertscore_card
from remogpt.eval.text.tokenize import check_tagger
from remogpt.interfaces import TellsWhyNot
from remogpt.options import GenerationOptions
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, sha256_file

TASKS: dict[str, Callable[[Run, str], Iterator[Named]]] = {
    "tokenizer": tokenizer.evaluate,
    "retrieval": retrieval.evaluate,
    "generation": generation.evaluate,
    "facts": facts.evaluate,
    "captioning": captioning.evaluate,
    "rare": rare.evaluate,
    "swap": swap.evaluate,
}
_NEED_NO_CAPTIONS = frozenset(["tokenizer", "retrieval", "captioning"])
"""Tasks that ask a model for no motion."""
_RETRIEVE_FOR: dict[Literal["caption", "motion"], set[str]] = {
    "caption": {"generation", "facts", "rare", "swap"},
    "motion": {"captioning", "swap"},
}
"""Tasks that show a model examples of captions, and of motions."""
FORMAT = 2


def evaluate(run: Run, tasks: Sequence[str]) -> Result:
    """Evaluate the tasks on every split that the set has and write `results.json`, `report.md`, `report.html`.

    Results that the folder already holds of the same model on the same set stay in the report.

    Returns:
        {"format", "missing_splits", "left_out", "results": {"<task>/<split>[/<mode>]": {"card", "scores"}}}; "left_out"
        holds the reason of each motion or caption that could not be used.

    Raises:
        RemogptError: if a task is unknown, the set has none of the splits, or a task lacks what it needs.
    """
    unknown = [task for task in tasks if task not in TASKS]
    if unknown or not tasks:
        raise RemogptError(f"tasks must be some of {', '.join(TASK_NAMES)}, came {', '.join(unknown) or 'none'}")
    _check_routes(run, tasks)
    if {"captioning", "swap"} & set(tasks):
        _check_captioning(run.config)
    wanted = run.config.splits
    there = [split for split in wanted if split in run.motions.splits() and run.motions.ids(split)]
    # Files of somebody's answers need not cover every split.
    present = [split for split in there if _has_answers(run, split)] or there
    if not present:
        raise RemogptError(
            f"{run.motions.folder} has none of the splits {', '.join(wanted)}; it has {', '.join(run.motions.splits())}"
            ": name one with --config.splits, e.g. --config.splits '[val]'"
        )
    reads_training = (run.config.memorisation or run.config.controls) and run.has_training
    used = [*present, *(["train"] if reads_training else [])]
    run.motions.check_values(*dict.fromkeys(used))
    if isinstance(run.model, TellsWhyNot) and not _NEED_NO_CAPTIONS.issuperset(tasks):
        run.motions.check_captions(run.model.why_not, *present)
    found: dict[str, Result] = {}
    try:
        for split in present:
            for task in tasks:
                found.update(TASKS[task](run, split))
    finally:
        # Finished results are reported even where a later task fails or is interrupted.
        report: Result = {"format": FORMAT, "missing_splits": [split for split in wanted if split not in present]}
        if found:
            report["left_out"] = dict(run.motions.left_out)
            report["results"] = _earlier(run, next(iter(found.values()))["card"]) | found
            write_report(report, run.out)
    if not found:
        raise RemogptError(
            f"{run.motions.name} has nothing for {', '.join(tasks)}: none of its clips has facts, or its splits hold "
            "one clip each; give another set or other splits (--config.splits)"
        )
    return report


def _check_routes(run: Run, tasks: Sequence[str]) -> None:
    """Refuse routes and k that would have no effect, or would end the evaluation in the middle."""
    if not run.config.shown:
        return
    options = GenerationOptions(**run.config.shown)
    used = [query for query, asking in _RETRIEVE_FOR.items() if asking & set(tasks)]
    if not used or not (run.own_database_hash or run.others):
        raise RemogptError(
            f"routes and k say by what a model's examples are retrieved, and {', '.join(tasks)} retrieves none here; "
            "leave them out"
        )
    for query in used:
        options.routes_for(query)


def _check_captioning(config: EvalConfig) -> None:
    """Refuse scores of captions for which something is missing, before motions and captions are written for hours."""
    if "lemma" in config.caption_protocols:
        check_tagger()
    if config.bertscore:
        from remogpt.eval.text.bertscore import check_bert_model

        check_bert_model(config.bertscore, rescale=config.bertscore_rescaled)


def _has_answers(run: Run, split: str) -> bool:
    """Whether a model answers for a split, or somebody's files hold anything for it."""
    if run.captions is not None:
        given = {one.id for one in read_captions(run.captions, run.motions.left_out)}
        return any(clip.id in given for clip in run.motions.clips(split))
    return run.generated is None or bool(with_motions(run.motions.clips(split), run.generated))


def possible_tasks(run: Run) -> list[str]:
    """Return the tasks that a run can evaluate."""
    lacking = {
        "generation": run.evaluator is None,
        "rare": run.evaluator is None or run.sentences is None or not run.has_training,
        "swap": not run.others,
    }
    return [task for task in TASK_NAMES if not lacking.get(task)]


def evaluate_captions(run_out: Path, path: Path, config: EvalConfig) -> Result:
    """Score a file of captions that brings its own references, without a set; writes the same report."""
    left_out: dict[str, str] = {}
    given = read_captions(path, left_out)
    card = {
        "model": None, "set": path.name, "licence": "unknown", "num_items": len(given), "seed": config.seed,
        "items_sha256": sha256_of([[one.id, list(one.references)] for one in given]),
        "files_sha256": sha256_file(path)[:16], "made_by": "files", "references": "three (first; a, b, a; a, a, a)",
        "protocols": list(config.caption_protocols), "bertscore": bertscore_card(config),
    }  # fmt: skip
    _check_captioning(config)
    scores = score_alone(given, config.caption_protocols, config.bertscore, config.bertscore_rescaled)
    if len(given) == 1:
        scores["marks"] = [ONE_CAPTION]
    scores |= {"num_items": len(given), "items": [
        {"id": one.id, "caption": one.caption, "references": list(one.references)} for one in given
    ]}  # fmt: skip
    report = {
        "format": FORMAT,
        "missing_splits": [],
        "left_out": left_out,
        "results": {"captioning/all/files": {"card": card, "scores": scores}},
    }
    write_report(report, run_out)
    return report


def _earlier(run: Run, card: dict[str, Any]) -> dict[str, Result]:
    """Return the results that the folder holds of the same model on the same set."""
    path = run.out / "results.json"
    if not path.is_file():
        return {}
    report = read_json(path, ReportFile)
    results = report["results"] if report.get("format") == FORMAT else {}
    same = ("model", "hashes", "set", "code_version")
    return {
        name: result
        for name, result in results.items()
        if all(result["card"].get(entry) == card.get(entry) for entry in same)
    }
