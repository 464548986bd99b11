"""What the runs of the retrieval study say together: mean and standard deviation over seeds, and a table."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remogpt.runtime.errors import RemogptError
from studies.retrieval.runs import Run, Study
from studies.retrieval.scores import label_oracle
from studies.retrieval.sets import StudySet
from studies.retrieval.variants import LAST_WITH_ALL, TAKEN_OUT, VARIANTS

Numbers = dict[str, float]
_COLUMNS = (
    ("R@1", "{way}/R@1"), ("R@10", "{way}/R@10"), ("MedR", "{way}/MedR"),
)  # fmt: skip
PROTOCOL = {"procedural": "normal", "bandai": "same_label", "cmu": "same_label"}
"""Which notion of a right answer a set's table shows; the JSON holds all."""


def summarise(runs: Sequence[Run], study: Study) -> dict[str, Any]:
    """Gather the runs that have ended.

    Returns:
        {"total_cpu_seconds", "sets": {set: {variant: {"seeds", "parameters", "steps", "training_cpu_seconds", "scores":
        {name: {"mean", "sd"}}, "runs": [...]}}}}; sd is None for one seed.

    Raises:
        RemogptError: if none has.
    """
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        if (result := run.result(study)) is not None:
            found[run.set][run.variant].append(result)
    if not found:
        raise RemogptError(f"no run has ended in {study.work / 'runs'}; start the study without --summary")
    results = [result for variants in found.values() for group in variants.values() for result in group]
    return {
        "total_cpu_seconds": round(
            sum(one["seconds"]["training_cpu"] + one["seconds"]["scoring_cpu"] for one in results), 1
        ),
        "num_runs": len(results),
        "text_model": study.text_model,
        "label_oracle_R@1": {name: _label_oracles(study, name) for name in found if PROTOCOL[name] == "normal"},
        "sets": {
            name: {variant: _of_seeds(group) for variant, group in variants.items()} for name, variants in found.items()
        },
    }


def keep_taken_out(summary: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """Add to a summary, in place, an earlier one's rows of `TAKEN_OUT`, which no run can give any more."""
    for name, rows in summary["sets"].items():
        before = earlier["sets"].get(name, {})
        rows.update({variant: before[variant] for variant in TAKEN_OUT if variant in before})


def _label_oracles(study: Study, name: str) -> Numbers:
    clips = StudySet(study.work / "sets" / name)
    return {split: label_oracle(clips, split) for split in clips.splits()}


def _of_seeds(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    flat = [dict(_flat(result["scores"])) for result in results]
    whole = [result["seconds"]["training_cpu"] for result in results if result["seconds"]["is_whole"]]
    return {
        "note": VARIANTS[results[0]["variant"]].note,
        "seeds": [result["seed"] for result in results],
        "parameters": results[0]["parameters"],
        "steps": results[0]["settings"]["loop"]["steps"],
        "batch_size": results[0]["settings"]["loop"]["batch_size"],
        "training_cpu_seconds": round(statistics.mean(whole), 1) if whole else None,
        "scores": {name: _spread([scores[name] for scores in flat]) for name in flat[0]},
    }


def _flat(value: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, float]]:
    for key, inner in value.items():
        path = f"{name} {key}".strip()
        if isinstance(inner, Mapping):
            yield from _flat(inner, path)
        elif inner is not None:
            yield path, inner


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    sd = round(statistics.stdev(values), 3) if len(values) > 1 else None
    return {"mean": round(statistics.mean(values), 3), "sd": sd}


def markdown(summary: Mapping[str, Any]) -> str:
    """Write a table for each set and split."""
    lines = ["# Retrieval study", ""]
    lines += [f"{summary['num_runs']} runs, {summary['total_cpu_seconds'] / 60:.0f} minutes of CPU in all.", ""]
    if gone := [name for name in TAKEN_OUT if any(name in variants for variants in summary["sets"].values())]:
        lines += [f"Tried and taken out again, commit {LAST_WITH_ALL} has them: {', '.join(gone)}.", ""]
    for name, variants in summary["sets"].items():
        splits = sorted({key.split()[0] for variant in variants.values() for key in variant["scores"]})
        for split in splits:
            lines += [*_table(name, split, variants), ""]
            if (best := summary["label_oracle_R@1"].get(name, {}).get(split)) is not None:
                lines += [f"Who always knows the label and draws among its clips: t2m R@1 {best:.1f}.", ""]
    return "\n".join(lines)


def _table(name: str, split: str, variants: Mapping[str, Any]) -> Iterator[str]:
    protocol = PROTOCOL[name]
    sizes = next(iter(variants.values()))["scores"]
    chance = sizes[f"{split} {protocol} t2m/chance_R@1"]["mean"]
    yield (
        f"## {name}, {split}: {sizes[f'{split} num_captions']['mean']:.0f} captions, "
        f"{sizes[f'{split} num_motions']['mean']:.0f} motions, {protocol} (chance R@1 {chance:.1f}; "
        f"untrained nearest neighbour names {sizes[f'{split} nearest_label']['mean']:.1f} % of the labels)"
    )
    yield ""
    heads = [f"{way} {label}" for way in ("t2m", "m2t") for label, _ in _COLUMNS]
    heads += ["t2m macro R@1", "sides t2m", "sides m2t"]
    yield "| variant | seeds | params | steps | CPU s | " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * (len(heads) + 4)
    keys = [f"{split} {protocol} {key.format(way=way)}" for way in ("t2m", "m2t") for _, key in _COLUMNS]
    keys += [f"{split} same_label t2m/macro_R@1", f"{split} sides t2m/right", f"{split} sides m2t/right"]
    for variant, row in variants.items():
        seconds = "" if row["training_cpu_seconds"] is None else f"{row['training_cpu_seconds']:.0f}"
        cells = [_cell(row["scores"].get(key)) for key in keys]
        first = f"| {variant} | {len(row['seeds'])} | {row['parameters'] / 1e6:.2f} M | {row['steps']} | {seconds} | "
        yield first + " | ".join(cells) + " |"


def _cell(score: Mapping[str, float | None] | None) -> str:
    if score is None:
        return ""
    return f"{score['mean']:.1f}" if score["sd"] is None else f"{score['mean']:.1f} ± {score['sd']:.1f}"
