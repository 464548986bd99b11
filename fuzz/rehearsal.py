"""Kill the rehearsal of the papers' recipes at drawn moments of its whole length, start it again, compare its tables.

    OMP_NUM_THREADS=1 python -m fuzz.rehearsal --all --kills 10 --out fuzz/results/rehearsal_all.json

The short rehearsal (one model, with its copy head), or with --all the long one with every row, runs once undisturbed.
Then it runs again and is killed, with all its processes, within commands that are drawn one from each part of the list,
after a drawn share of the time that the command took; after each kill the script is started again. In the end every
table is compared byte for byte.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt.runtime.files import sha256_file, write_json

ROOT = Path(__file__).resolve().parents[1]
COMMAND = re.compile(r"^\$ remogpt (\S+(?: [a-z]\S*)?)")
"""How the rehearsal tells the command that it begins."""

SHORT = {"SHORT": "1", "ROWS": "remogpt remogpt_copy"}
"""Settings of the short rehearsal."""


@dataclass(frozen=True)
class Told:
    """A command that a rehearsal began."""

    line: str
    seconds: float
    """Since the rehearsal was started."""


class Rehearsal:
    """One start of the script, in a group of processes of its own, which tells what it does in a file."""

    def __init__(self, folder: Path, form: Mapping[str, str]) -> None:
        environment = {**os.environ, **form, "PYTHONPATH": str(ROOT)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.begin, self.log = time.monotonic(), folder.with_suffix(".log")
        with self.log.open("w", encoding="utf-8") as told:
            self.process = subprocess.Popen(
                [ROOT / "scripts" / "rehearse.sh", folder], env=environment | {"PATH": path}, stdout=told,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def commands(self, until: str | None = None) -> list[Told]:
        """Wait for its end, or until it begins the command `until`; return the commands that it began."""
        found: list[Told] = []
        with self.log.open(encoding="utf-8", errors="replace") as told:
            rest, is_over = "", False
            while True:
                *lines, rest = (rest + told.read()).split("\n")
                new = [Told(line, time.monotonic() - self.begin) for line in lines if line.startswith("$ remogpt")]
                found += new
                if is_over or any(one.line == until for one in new):
                    return found
                is_over = self.process.poll() is not None  # what it told last is read once more
                time.sleep(0.05)

    def kill(self) -> None:
        """End all of its processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def tables(folder: Path) -> dict[str, str]:
    """Return the hash of each table."""
    return {path.name: sha256_file(path) for path in sorted((folder / "tables").glob("*.csv"))}


def draw_moments(whole: Sequence[Told], length: float, kills: int, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Draw a command from each of `kills` equal parts of the list, and the seconds after its beginning."""
    edges = np.linspace(0, len(whole), kills + 1).astype(int)
    moments = []
    for first, stop in pairwise(edges.tolist()):
        at = int(rng.integers(first, max(stop, first + 1)))
        end = whole[at + 1].seconds if at + 1 < len(whole) else length
        moments.append((at, float(rng.uniform(0, end - whole[at].seconds))))
    return moments


def main(words: Sequence[str] | None = None) -> int:
    """Run undisturbed, run with kills, compare; 0 where the tables are the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--all", action="store_true", help="the long rehearsal, of every recipe and row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=None, help="folder of both rehearsals; default: a temporary one")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        form, rng = {} if args.all else SHORT, np.random.default_rng(args.seed)
        found = {"command": command(), "seed": args.seed, **compare(work, form, args.kills, rng)}
    if args.out is not None:
        write_json(args.out, found)
    print("the same tables" if found["same_tables"] else f"DIFFERENT: {found['differing']}")
    return 0 if found["same_tables"] else 1


def compare(work: Path, form: Mapping[str, str], kills: int, rng: np.random.Generator) -> dict[str, Any]:
    """Rehearse undisturbed in `work/whole` and with kills in `work/killed`.

    The killed one has the same path while it runs, since results name files: the undisturbed one is moved away first.
    """
    work.mkdir(parents=True, exist_ok=True)
    place, whole_place = work / "rehearsal", work / "whole"
    undisturbed = Rehearsal(place, form)
    whole = undisturbed.commands()
    if undisturbed.process.wait():
        raise SystemExit(f"the undisturbed rehearsal ended with {undisturbed.process.returncode} after {whole[-1:]}")
    length = time.monotonic() - undisturbed.begin
    place.rename(whole_place)
    told = []
    for at, seconds in draw_moments(whole, length, kills, rng):
        run = Rehearsal(place, form)
        begun = run.commands(until=whole[at].line)
        time.sleep(seconds)
        was_running = run.process.poll() is None
        run.kill() if was_running else run.process.wait()
        shown = COMMAND.match(begun[-1].line if begun else "")
        told.append({"command": shown[1] if shown else "", "number": at, "seconds_into_it": round(seconds, 1),
                     "seconds_since_start": round(time.monotonic() - run.begin, 1), "killed": was_running})  # fmt: skip
        print(told[-1], flush=True)
    last = Rehearsal(place, form)
    last.commands()
    code = last.process.wait()
    one, other = tables(whole_place), tables(place)
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return {
        "commands": len(whole), "seconds_undisturbed": round(length), "kills": told, "exit_code": code,
        "tables": len(one), "differing": differing, "same_tables": code == 0 and bool(one) and not differing,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
