"""Time trainings on a CPU whose freed memory goes back to the system, as glibc has it, or is kept for the next step.

  OMP_NUM_THREADS=1 python -m benchmarks.freed_memory runs/mini/set --out benchmarks/results/freed_memory.json

Each training runs twice as `remogpt train` runs it, in processes of its own and in turns, once with
`keep_freed_memory` and once without. Seconds are the processor's, in the program and in the system, of the steps alone.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.command import command
from remogpt.runtime.files import write_json

MINI = Path("remogpt/models/mini")
STAGES = {
    "tokenizer": ["tokenizer", "--config", "mini/tokenizer"],
    "language model": ["lm", "--config", "mini/lm_pretrain", "--tokenizer", str(MINI / "tokenizer")],
}
CHILD = """
import json, os, sys
from remogpt import cli
from remogpt.runtime.training import loop

kept, out, *words = sys.argv[1:]
if kept == "no":
    loop.keep_freed_memory = lambda: False
plain = loop.fit

def timed(*args, **kwargs):
    begin = os.times()
    result = plain(*args, **kwargs)
    end = os.times()
    with open(out, "w") as file:
        json.dump({"program": end.user - begin.user, "system": end.system - begin.system}, file)
    return result

for module in list(sys.modules.values()):
    if getattr(module, "fit", None) is plain:
        module.fit = timed
loop.fit = timed
sys.exit(cli.main(words))
"""


def seconds(words: Sequence[str], keeps: bool) -> dict[str, float]:
    """Return the processor's seconds of a training's steps."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seconds.json"
        asked = [sys.executable, "-c", CHILD, "yes" if keeps else "no", str(out), *words, "--out", f"{folder}/run"]
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return dict(json.loads(out.read_text(encoding="utf-8")))


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("set", type=Path, help="procedural set")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=2, help="runs of each way")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    found: dict[str, Any] = {}
    for stage, asked in STAGES.items():
        whole = ["train", *asked, "--data", str(args.set), f"--config.loop.steps={args.steps}"]
        runs = [{way: seconds(whole, way == "kept") for way in ("given back", "kept")} for _ in range(args.rounds)]
        found[stage] = {
            way: {
                part: round(sum(run[way][part] for run in runs) / args.rounds / args.steps, 4) for part in runs[0][way]
            }
            for way in runs[0]
        }
        print(stage, found[stage], flush=True)
    machine = {"cpu": platform.machine(), "torch": torch.__version__, "load": round(os.getloadavg()[0], 1)}
    result = {"command": command(), "machine": machine, "steps": args.steps, "seconds_per_step": found}
    if args.out is not None:
        write_json(args.out, result)


if __name__ == "__main__":
    main()
