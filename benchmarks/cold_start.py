"""CPU time that a person waits for a first answer: commands as whole processes, beside what `import torch` costs.

    python -m benchmarks.cold_start                                       this checkout
    python -m benchmarks.cold_start --against ../other-checkout           and another one, in turns, in the same run

User CPU seconds of one thread, the median of several runs. `beyond torch` is what this project adds.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
COMMANDS = {
    "import torch": ["-c", "import torch"],
    "search": ["-m", "remogpt.cli", "search", "a person waves with the right hand"],
    "generate": ["-m", "remogpt.cli", "generate", "a person waves with the right hand", "--out", "wave.bvh"],
    "caption": ["-m", "remogpt.cli", "caption", "wave.bvh"],
    "refused: unknown model": ["-m", "remogpt.cli", "generate", "a person waves", "--model", "nowhere"],
    "refused: too long": ["-m", "remogpt.cli", "generate", "a person waves", "--seconds", "99"],
}
"""In this order: a motion is generated before it is captioned."""


def user_seconds(words: list[str], checkout: Path, folder: Path, code: int = 0) -> float:
    """Run one Python process in a folder, which has to end with an exit code; return its user CPU seconds."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ran = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, check=False)
    assert ran.returncode == code, ran.stderr.decode()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure(checkouts: dict[str, Path], repeats: int) -> dict[str, dict[str, dict[str, float]]]:
    """Measure every command in every checkout in turns: checkout -> command -> seconds, and seconds beyond torch."""
    taken: dict[str, dict[str, list[float]]] = {name: {command: [] for command in COMMANDS} for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for command, words in COMMANDS.items():
                code = 2 if command.startswith("refused") else 0
                for name, checkout in checkouts.items():
                    if command == "generate":  # no command writes over a file
                        (Path(folder) / "wave.bvh").unlink(missing_ok=True)
                    taken[name][command].append(user_seconds(words, checkout, Path(folder), code))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, by_command in taken.items():
        medians = {command: statistics.median(values) for command, values in by_command.items()}
        found[name] = {
            command: {"user_s": round(value, 2), "beyond_torch_s": round(value - medians["import torch"], 2)}
            for command, value in medians.items()
        }
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Read the options, measure, print a table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--against", type=Path, default=None, help="another checkout of this project")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "cold_start.json")
    args = parser.parse_args(words)
    checkouts = {"this": HERE} | ({"against": args.against.resolve()} if args.against else {})
    found = measure(checkouts, args.repeats)
    results: dict[str, Any] = {
        "command": "python -m benchmarks.cold_start" + (" --against CHECKOUT" if args.against else ""),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores", "repeats": args.repeats, "seconds": found,
    }  # fmt: skip
    for command in COMMANDS:
        print(f"{command:<26}", *(f"{name}: {rows[command]['user_s']:6.2f} s" for name, rows in found.items()))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
