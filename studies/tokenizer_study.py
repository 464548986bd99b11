"""Compare quantizers and training settings of small motion tokenizers, by what survives encoding and decoding.

  OMP_NUM_THREADS=1 python -m studies.tokenizer_study --data runs/mini/set --work runs/tokenizer_study
  python -m studies.tokenizer_study --work runs/tokenizer_study --summary

A variant is configs/mini/tokenizer.yaml with a few settings changed, arms not counted again where none says so; all see
the same windows in the same order, for as many steps. Each has a folder of its own: a finished one is not made again, a
killed one goes on. The measure is the share of the captions' facts (the procedural set's statements of side, count,
order ...) that the joints still prove after encoding and decoding (real ones: 99.8 / 98.8 %). Beside it, all as
`remogpt eval tokenizer` gives it: errors of joints, FID by the embedded evaluator, use of the codes. Validation chooses
nothing: the last weights are scored. Results: studies/results/tokenizer_study.json, and the table beside it. One
seed each, on procedural motion, which is no motion capture. `mini` in them is the tokenizer that mini ships, `ema_long`
the one that it shipped before; scripts/mini.sh trained both. Rows that a call does not make stay as they are; command,
machine and versions are those of the last call that trained. `fsq` stays so: finite scalar quantization was tried, kept
36.0 / 37.8 % of the facts where the paper's quantizer keeps 60.0 / 54.2 %, and was taken out again. Commit 471a651
still has it.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

import numpy as np
import torch
import yaml
from jsonargparse import ArgumentParser

import remogpt
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval import facts
from remogpt.eval.cards import sha256_of
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate
from remogpt.eval.runs.run import Run
from remogpt.motion import features_to_joints
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json, write_text
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.evaluators import open_evaluator
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae.train import TokenizerConfig, train_tokenizer

SPLITS = ("test", "test_unseen")
STEPS = 1500
RESULTS = Path(__file__).parent / "results" / "tokenizer_study.json"
CONFIG = Path(remogpt.__file__).parent / "configs" / "mini" / "tokenizer.yaml"

VARIANTS: dict[str, dict[str, Any]] = {
    "ema": {},
    "residual2": {"quantizer": "residual", "levels": (512, 512), "num_codes": 1024},
    "arms_light": {"weights.arms": 0.3},
    "arms": {"weights.arms": 1.0},
    "ema_long": {"loop.steps": 5000},
    "arms_path": {"weights.arms": 1.0, "weights.path": 1.0, "weights.heading": 1.0},
    "arms_long": {"weights.arms": 1.0, "loop.steps": 5000},
    "mini": {"weights.arms": 0.5, "weights.path": 0.4, "weights.heading": 0.4, "loop.steps": 9000},
}
"""Name -> changes of the base settings, by dotted names."""
BASE = {"weights.arms": 0.0, "weights.path": 0.3, "weights.heading": 0.3}
"""What the variants have in place of mini's settings, which this study has changed."""


@dataclass(frozen=True)
class Trained:
    """A tokenizer in the place of a whole model, as the evaluation wants it."""

    manifest: dict[str, Any]
    tokenizer: MotionTokenizer
    retriever: Any = None


def config_of(changes: Mapping[str, Any], steps: int) -> TokenizerConfig:
    """Return the base settings with a variant's changes, validated at the end alone."""
    parser = ArgumentParser()
    parser.add_argument("--config", type=TokenizerConfig)
    config: TokenizerConfig = parser.instantiate(parser.parse_args(["--config", str(CONFIG)])).config
    for name, value in {"loop.steps": steps, "loop.evaluate_every": 0, **BASE, **changes}.items():
        group, _, field = name.rpartition(".")
        new = {group: replace(getattr(config, group), **{field: value})} if group else {field: value}
        config = replace(config, **new)
    return config


def folder_of(name: str, work: Path, steps: int) -> Path:
    """Return where a variant is kept; other settings have another folder."""
    settings = [BASE, VARIANTS[name], steps, yaml.safe_load(CONFIG.read_text(encoding="utf-8"))]
    return work / f"{name}-{sha256_of(settings)[:8]}"


def carry_out(name: str, data: Path, work: Path, steps: int) -> dict[str, Any]:
    """Train and score a variant, or return the result that is there."""
    folder, config = folder_of(name, work, steps), config_of(VARIANTS[name], steps)
    if (folder / "result.json").is_file():
        return read_json(folder / "result.json")
    motions = MotionTextSet.open(data)
    if not (folder / "training.json").is_file():
        was_begun, start = (folder / "run" / "training.pt").is_file(), time.process_time()
        train, val = ([motions.features(clip) for clip in motions.clips(split)] for split in ("train", "val"))
        train_tokenizer(config, train, val, folder / "run", folder / "tokenizer")
        seconds = round(time.process_time() - start, 1)
        # A run that was killed and went on knows its last part's time alone.
        write_json(folder / "training.json", {"training_cpu_seconds": None if was_begun else seconds})
        (folder / "run" / "training.pt").unlink(missing_ok=True)
    tokenizer = MotionTokenizer.from_pretrained(folder / "tokenizer")
    result = {
        "changes": VARIANTS[name],
        "steps": config.loop.steps,
        "batch_size": config.loop.batch_size,
        "parameters": sum(parameter.numel() for parameter in tokenizer.vqvae.parameters()),
        "num_codes": tokenizer.num_codes,
        "codes_per_second": 20 / tokenizer.frames_per_code * tokenizer.codes_per_step,
        **read_json(folder / "training.json"),
        "scores": score(tokenizer, motions, folder / "eval"),
    }
    write_json(folder / "result.json", result)
    return result


def score(tokenizer: MotionTokenizer, motions: MotionTextSet, out: Path) -> dict[str, Any]:
    """Evaluate a tokenizer on the whole of the splits, and count the waves that survive."""
    model: Any = Trained({"name": "study", "hashes": {"tokenizer": tokenizer.hash}}, tokenizer)
    evaluator = open_evaluator(embedded_model("evaluator"))
    run = Run(motions, out, EvalConfig(splits=SPLITS, num_tokenizer=0), model, evaluator)
    found = {name.split("/")[1]: result["scores"] for name, result in evaluate(run, ["tokenizer"])["results"].items()}
    return {
        split: {
            "facts": scores["facts"]["share"],
            "facts_ci95": scores["facts"]["ci95"],
            "facts_of_real": scores["facts"]["real"],
            "facts_by_factor": {name: one["share"] for name, one in scores["facts"]["by_factor"].items()},
            "waves": waves(tokenizer, motions, split),
            **{
                name: scores.get(name) for name in ("mpjpe", "mpjpe_global", "accel", "fid", "codes_used", "perplexity")
            },
        }
        for split, scores in found.items()
    }


def waves(tokenizer: MotionTokenizer, motions: MotionTextSet, split: str) -> float | None:
    """Return the share of the facts "waves" that hold, counted or not: what a tokenizer loses first."""
    clips = [clip for clip in motions.clips(split) if clip.id == clip.file_id]
    known = [[fact for fact in motions.facts(clip) if fact.name == "waves"] for clip in clips]
    places = [place for place, own in enumerate(known) if own]
    decoded = tokenizer.decode_batch(tokenizer.encode_batch([motions.features(clips[place]) for place in places]))
    held = facts.check_all([known[place] for place in places], [features_to_joints(row) for row in decoded])
    return float(np.mean(np.concatenate(held))) if held else None


def command() -> str:
    """Return the command that was run; folders outside the checkout are private and named by their last part."""
    words = [Path(word).name if word.startswith(("..", "/")) else word for word in sys.argv[1:]]
    return " ".join([f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']} python -m studies.tokenizer_study", *words])


def summarise(results: Mapping[str, Mapping[str, Any]], known: Mapping[str, Any]) -> dict[str, Any]:
    """Gather results with what made them; of `known`, an earlier summary, stays what is not there anew."""
    return {
        "command": command(),
        "machine": {"cores": os.cpu_count(), "threads": os.environ["OMP_NUM_THREADS"], "cpu": platform.machine()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "config": "configs/mini/tokenizer.yaml with the base's and each variant's changes, evaluated at the end alone",
        "splits": SPLITS,
        **known,
        "variants": {**known.get("variants", {}), **results},
    }


def markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the table; each cell is test / test_unseen."""
    heads = ["variant", "changes", "steps", "codes/s", "facts %", "waves %", "MPJPE mm", "MPJPE global mm",
             "accel mm/frame²", "FID", "perplexity of K", "CPU s"]  # fmt: skip
    lines = ["# Tokenizer study", "", "Encoded and decoded motions of test / test_unseen.", ""]
    lines += ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for name, row in results.items():
        changes = ", ".join(f"{key} {value}" for key, value in row["changes"].items()) or "none"
        cells = [name, changes, str(row["steps"]), f"{row['codes_per_second']:g}"]
        cells += [both(row, "facts", "{:.1f}", 100), both(row, "waves", "{:.0f}", 100), both(row, "mpjpe", "{:.1f}")]
        cells += [both(row, "mpjpe_global", "{:.0f}"), both(row, "accel", "{:.1f}"), both(row, "fid", "{:.3f}")]
        cells += [f"{both(row, 'perplexity', '{:.0f}')} of {row['num_codes']}"]
        cells += [f"{row['training_cpu_seconds']:.0f}" if row["training_cpu_seconds"] else "not measured"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def both(row: Mapping[str, Any], score: str, form: str, factor: float = 1.0) -> str:
    """Return a score on each of the splits."""
    values = [scores[score] for scores in row["scores"].values()]
    return " / ".join("none" if value is None else form.format(factor * value) for value in values)


def main(words: Sequence[str] | None = None) -> int:
    """Train and score what is missing, and write the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=Path("runs/mini/set"), help="procedural set")
    parser.add_argument("--work", type=Path, default=Path("runs/tokenizer_study"), help="folder of the runs")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=STEPS, help="of every variant that names none of its own")
    parser.add_argument("--summary", action="store_true", help="train nothing; sum up what is there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON of the summary; the table lies beside it")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    try:
        for name in args.variants:
            if not args.summary or (folder_of(name, args.work, args.steps) / "result.json").is_file():
                results[name] = carry_out(name, args.data, args.work, args.steps)
                print(f"{name}: facts {both(results[name], 'facts', '{:.1f}', 100)} %", flush=True)
    except RemogptError as error:
        print(f"tokenizer_study: error: {error}", file=sys.stderr)
        return 2
    known = read_json(args.out) if args.out.is_file() else {}
    if not args.summary:
        known = {"variants": known.get("variants", {})}
    summary = summarise(results, known)
    table = markdown(summary["variants"])
    write_json(args.out, summary)
    write_text(args.out.with_suffix(".md"), table)
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
