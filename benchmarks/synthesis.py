"""Motions decoded from a TMR's text latents, scored by two evaluators: TMR's Table A.2 in small, on procedural motion.

  remogpt train tmr --config tmr_small/tmr --data runs/mini/set --out runs/tmr_small
  OMP_NUM_THREADS=1 python -m benchmarks.synthesis runs/mini/set runs/tmr_small --work runs/synthesis

Rows are the real motions (the ceiling of any score), the real motions encoded and decoded by the same TMR (what its
decoder can show at best), its syntheses, the embedded mini on the same captions and lengths, without choosing among
candidates, and the training motion nearest to each real one, a copy. Two evaluators, as no number means more than the
network that made it: the embedded one, which learned from other clips, and mini's own retriever, which learned from the
clips that TMR and mini did, and chose mini's examples. Facts need no evaluator: statements of the captions that the
joints must prove. Nothing here compares with the paper's numbers, which are HumanML3D's, of a network fifteen times
this size. What is under --work is not computed again.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.cards import check_comparable
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate
from remogpt.eval.runs.run import Run
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.evaluators import open_evaluator, why_dependent
from remogpt.stages.tmr_generator import Synthesis

EVALUATORS = {"embedded evaluator": embedded_model("evaluator"), "mini's retriever": embedded_model("mini")}
BY_AN_EVALUATOR = ("t2m/R1", "t2m/R2", "t2m/R3", "fid", "mm_dist", "diversity")
REFERENCE = "TMR synthesis"
"""Row whose protocol the others must share."""

Rows = dict[str, dict[str, Any]]
"""Name of a row -> what `remogpt eval` gives: card and scores."""


def evaluated(run: Run, name: str, part: str, split: str) -> Rows:
    """Evaluate one part of one model on one split, with the controls where they are the set's own."""
    found = evaluate(run, [part])["results"]
    modes = {title.split("/")[-1]: found[title] for title in found if title.startswith(f"{part}/{split}/")}
    shared = ("real", "nearest_training") if name == "TMR" else ()
    names = {mode: mode if mode in shared else f"{name} {mode}" for mode in modes}
    hidden = {"real", "nearest_training", "retrieved"} - set(shared)
    return {names[mode]: modes[mode] for mode in modes if mode not in hidden}


def checked(rows: Rows) -> Rows:
    """Return the rows; raise unless what the models wrote was written and scored by one protocol."""
    for result in rows.values():
        if "true_length" in result["card"]:  # controls have the real lengths by nature
            check_comparable(rows[REFERENCE]["card"], result["card"])
    return rows


def by_evaluator(result: dict[str, Any]) -> dict[str, Any]:
    """Pick the scores that an evaluator gives."""
    scores = result["scores"]
    picked = {name: rounded(scores["evaluator"][name]) for name in BY_AN_EVALUATOR}
    return picked | {"nearest_training": {name: rounded(value) for name, value in scores["memorisation"].items()}}


def by_body(result: dict[str, Any]) -> dict[str, Any]:
    """Pick what the joints say themselves: facts and physics."""
    scores = result["scores"]
    factors = {name: {"share": rounded(one["share"]), "num_facts": one["num_facts"]}
               for name, one in scores["by_factor"].items()}  # fmt: skip
    return {
        "facts": {"share": rounded(scores["share"]), "ci95": rounded(scores["ci95"])},
        "all_facts_hold": rounded(scores["all_hold"]), "by_factor": factors,
        "physical": {name: rounded(value) for name, value in scores["physical"].items()},
        "worse_than_95_percent_of_real": rounded(scores["worse_than_95_percent_of_real"]),
    }  # fmt: skip


def rounded(value: Any) -> Any:
    """Round to four digits, in dictionaries too."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def training_of(folder: Path, tmr: Synthesis) -> dict[str, Any]:
    """Return how big the TMR is, and how its training ended."""
    lines = (folder / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = [json.loads(line) for line in lines]
    trained = sum(parameter.numel() for parameter in tmr.retriever.network.parameters())
    validation = next(line for line in reversed(last) if "val/mrr" in line)
    loss = next(line for line in reversed(last) if "reconstruction" in line)
    return {"parameters": trained, "hash": tmr.retriever.hash, "model": tmr.retriever.config["model"],
            "validation": rounded(validation), "last_losses": rounded(loss)}  # fmt: skip


def show(split: str, found: dict[str, Any]) -> None:
    """Print the table of a split: by each evaluator R@1, R@3, FID and MM-dist, and the share of facts."""
    for title, scored in found["evaluators"].items():
        for name, row in scored["rows"].items():
            r1, r3, fid, mm_dist = (row[metric]["mean"] for metric in ("t2m/R1", "t2m/R3", "fid", "mm_dist"))
            print(f"{split} {title:<20} {name:<20} {100 * r1:5.1f} {100 * r3:5.1f} {fid:6.3f} {mm_dist:6.3f}")
    for name, row in found["facts"]["rows"].items():
        print(f"{split} facts {name:<20} {100 * row['facts']['share']:5.1f} ± {100 * row['facts']['ci95']:.1f}")


def main(words: Sequence[str] | None = None) -> None:
    """Evaluate both models by both evaluators and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("set", type=Path, help="procedural set with the splits train, test and test_unseen")
    parser.add_argument("tmr", type=Path, help="folder of the TMR that was trained on it")
    parser.add_argument("--work", type=Path, default=Path("runs/synthesis"), help="folder of motions and results")
    parser.add_argument("--count", type=int, default=200, help="captions of each split")
    parser.add_argument("--splits", nargs="+", default=["test", "test_unseen"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/synthesis.json"))
    args = parser.parse_args(words)
    motions, tmr = MotionTextSet.open(args.set), Synthesis(args.tmr)
    models: dict[str, Any] = {"TMR": tmr, "mini": ReMoGPT.from_pretrained()}
    result: dict[str, Any] = {"command": command(), "set": motions.name, "licence": motions.licence,
                              "captions": args.count, "tmr": training_of(args.tmr, tmr), "splits": {}}  # fmt: skip
    for split in args.splits:
        config = EvalConfig(splits=(split,), num_generation=args.count, best_of=(1,), true_length=True)
        scores: dict[str, Any] = {}
        for title, folder in EVALUATORS.items():
            evaluator, rows = open_evaluator(folder), Rows()
            for name, model in models.items():
                run = Run(motions, args.work / name, config, model, evaluator, why_dependent(folder, model))
                rows |= evaluated(run, name, "generation", split)
            cards = {name: row["card"] for name, row in checked(rows).items()}
            scores[title] = {
                "evaluator": cards[REFERENCE]["evaluator"],
                "dependence": {name: cards[f"{name} {mode}"]["evaluator_dependence"]
                               for name, mode in (("TMR", "synthesis"), ("mini", "retrieval"))},
                "card": cards[REFERENCE], "rows": {name: by_evaluator(row) for name, row in rows.items()},
            }  # fmt: skip
        rows = Rows()
        for name, model in models.items():
            # The evaluator only finds the nearest training motions, a control.
            run = Run(motions, args.work / name, config, model, open_evaluator(embedded_model("evaluator")))
            rows |= evaluated(run, name, "facts", split)
        checked(rows)
        facts = {"card": rows[REFERENCE]["card"], "shuffled": rounded(rows[REFERENCE]["scores"]["shuffled"]),
                 "rows": {name: by_body(row) for name, row in rows.items()}}  # fmt: skip
        result["splits"][split] = {"evaluators": scores, "facts": facts}
        write_json(args.out, result)
        show(split, result["splits"][split])


if __name__ == "__main__":
    main()
