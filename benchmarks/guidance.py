"""What guidance by the caption costs: the same answers with two rows of the decoder for each candidate, and with one.

  OMP_NUM_THREADS=1 python -m benchmarks.guidance

CPU seconds of `ReMoGPT.generate` for motions of a given length with examples followed, medians, both in turns in one
run. Retrieval, choosing and decoding are in them; they cost the same with and without.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.command import command
from remogpt import GenerationOptions, ReMoGPT
from remogpt.runtime.files import write_json

CAPTIONS = ["a person walks forward", "someone waves with the left hand", "a man jumps twice", "a person sits down"]
CASES = {"1 caption": (1, 1), "1 caption, best of 8": (1, 8), "16 captions, best of 8": (16, 8)}
"""Captions and candidates of each."""


def seconds_of(model: ReMoGPT, num_captions: int, best_of: int, guidance: float, seconds: float) -> float:
    """Return the CPU seconds of one call."""
    texts = (CAPTIONS * num_captions)[:num_captions]
    started = time.process_time()
    model.generate(texts, seconds=seconds, seed=0, options=GenerationOptions(best_of=best_of, guidance=guidance))
    return time.process_time() - started


def main(words: Sequence[str] | None = None) -> None:
    """Measure every case and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each motion")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/guidance.json"))
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    model = ReMoGPT.from_pretrained(device="cpu")
    cases: dict[str, Any] = {}
    for name, (num_captions, best_of) in CASES.items():
        seconds_of(model, num_captions, best_of, 2.0, args.seconds)  # weights are arranged the first time
        runs = [
            [seconds_of(model, num_captions, best_of, guidance, args.seconds) for guidance in (1.0, 2.0)]
            for _ in range(args.repeats)
        ]
        without, guided = (statistics.median(column) for column in zip(*runs, strict=True))
        cases[name] = {
            "without": round(without, 3), "guided": round(guided, 3), "ratio": round(guided / without, 2),
        }  # fmt: skip
        print(name, cases[name], flush=True)
    machine = {"cpu": platform.machine(), "torch": torch.__version__, "load": round(os.getloadavg()[0], 1)}
    write_json(args.out, {"command": command(), "machine": machine, "cpu_seconds": cases})


if __name__ == "__main__":
    main()
