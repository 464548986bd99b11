"""Resident memory of a process that answers one request after the other, each of another length.

  OMP_NUM_THREADS=1 python -m benchmarks.steady_memory

`--unbounded` leaves PyTorch's and oneDNN's caches of compiled kernels as large as they come (1,024 shapes).
"""

import argparse
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.command import command
from benchmarks.service import DEFAULTS, PLAIN
from remogpt import GenerationOptions, ReMoGPT
from remogpt.runtime.files import write_json

CAPTIONS = [
    f"{who} {what}{how}"
    for who in ("a person", "someone", "the man slowly", "a tall woman quickly")
    for what in ("walks forward", "waves with the left hand", "jumps twice", "sits down and gets up again")
    for how in ("", ", then turns to the right", " three times while the arms are stretched out to both sides")
]
BOUNDS = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")


def resident_mb() -> float:
    """Return the resident memory of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    raise SystemExit("this benchmark reads /proc/self/status, which Linux has")


def main(words: Sequence[str] | None = None) -> None:
    """Ask, and write the JSON at every look at the memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--every", type=int, default=250, help="calls between two looks")
    parser.add_argument("--longest", type=float, default=9.8, help="seconds of the longest motion")
    parser.add_argument("--joined", type=int, default=3, help="captions that one text is made of, at most")
    parser.add_argument("--plain", action="store_true", help="no retrieved motions as answers, and no checks")
    parser.add_argument("--unbounded", action="store_true", help="see above")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/steady_memory.json"))
    args = parser.parse_args(words)
    if args.unbounded:
        os.environ.update(dict.fromkeys(BOUNDS, "1024"))
    torch.set_num_threads(1)
    rng, model = random.Random(0), ReMoGPT.from_pretrained(device="cpu")
    options = GenerationOptions(**(PLAIN if args.plain else DEFAULTS))
    result = {"command": command(), "torch": torch.__version__, "kernels_kept": os.environ[BOUNDS[0]]}
    seen, started = {}, time.process_time()
    for call in range(1, args.calls + 1):
        text = " and ".join(rng.sample(CAPTIONS, rng.randint(1, args.joined)))
        seconds = rng.randint(8, round(20 * args.longest)) / 20
        (answer,) = model.generate(text, seconds=seconds, seed=call, options=options)
        if call % 4 == 0:
            model.caption(answer.motion)
        if call == 1 or call % args.every == 0:
            seen[str(call)] = resident_mb()
            print(call, seen[str(call)], flush=True)
            spent = round((time.process_time() - started) / call, 3)
            write_json(args.out, result | {"resident_mb_after_calls": seen, "cpu_seconds_a_call": spent})


if __name__ == "__main__":
    main()
