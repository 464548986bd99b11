"""Kill every command that writes, at random moments, and run it again; then take away space, rights and file handles.

    OMP_NUM_THREADS=1 nice -n 10 python -m fuzz.kills --kills 100 --out fuzz/results/kills.json

Half of the kills come before a drawn change of the file system, half after drawn seconds. The same command is then run
again in the same folder, and what is there must equal what an undisturbed run leaves: every file, nothing more (no
temporary file), finished files not made again. Under its own name no file is ever half written. With `--faults` each
command also runs on a full disk, in a folder that it may only read, with 16 file handles, and twice at once: it ends
with a sentence, and once the fault is gone the same command leaves the same files. (Longer trainings:
`benchmarks.kills`.)
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

import remogpt.pipeline
import remogpt.stages  # noqa: F401
from benchmarks.command import command
from benchmarks.kills import digest
from fuzz.forked import Ran, few_handles, run, start
from fuzz.writers import WRITERS, Writer, make_inputs
from remogpt.runtime.files import sha256_file, write_json

GROWING = {".csv", ".jsonl", ".pt", ".html", ".md", ".lock"}
"""Suffixes of files that hold less before a command ends, each version whole."""
REWRITTEN = {
    "best.safetensors",
    "results.json",
    "CURRENT",
    "samples.json",
    "left_out.json",
    "remogpt.json",
    "config.json",
    "no_retrieval.json",
}
"""Names of files that a command replaces as it goes."""
HANDLES, SPACE_KB = 16, 48


class Trial:
    """A command, its inputs, and what an undisturbed run of it leaves."""

    def __init__(self, writer: Writer, work: Path) -> None:
        self.writer, self.work, self.base = writer, work, work / "base"
        self.words = [word.format(base=self.base) for word in writer.words]
        trees = []
        for _ in range(2):  # the first one imports more; both must give the same
            folder = self.fresh("whole")
            self.before = tree(folder)
            self.whole = run(self.words, folder)
            if self.whole.code:
                raise SystemExit(f"{writer.name} ended with {self.whole.code}: {self.whole.told[-2000:]}")
            trees.append(tree(folder))
        self.after = trees[1]
        if trees[0] != self.after:
            raise SystemExit(f"{writer.name} does not write the same twice")

    def fresh(self, name: str) -> Path:
        """Return a new working folder with copies of what the command changes."""
        folder = self.work / "trials" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for need in self.writer.needs:
            shutil.copytree(self.base / need, folder / need)
        return folder

    def kill(self, rng: np.random.Generator) -> dict[str, Any]:
        """Kill the command once, run it again, and compare."""
        folder = self.fresh("killed")
        by_change = bool(rng.random() < 0.5)
        if by_change:
            moment: float = int(rng.integers(1, self.whole.changes + 1))
            killed = run(self.words, folder, kill_at=int(moment))
        else:
            moment = float(rng.uniform(0, self.whole.seconds))
            killed = start(self.words, folder).wait(kill_after=moment)
        row: dict[str, Any] = {
            "moment": f"change {moment} of {self.whole.changes}" if by_change else f"{moment:.2f} s",
            "was_killed": killed.code == -9, "left": len(hidden(folder)), "half_written": self.half_written(folder),
        }  # fmt: skip
        finished = {path: path.stat().st_mtime_ns for keep in self.writer.keeps for path in folder.glob(keep)}
        finished = {path: when for path, when in finished.items() if self.is_whole(folder, path)}
        row |= self.again(folder)
        row["lost"] = [str(path.relative_to(folder)) for path, when in finished.items() if _time(path) != when]
        row["good"] = not (row["half_written"] or row["lost"] or row["different"] or row["complaint"])
        return row

    def again(self, folder: Path) -> dict[str, Any]:
        """Run the command once more, undisturbed; say how it ended and where the files differ from a whole run's."""
        ran = run([*self.words, *self.writer.again], folder)
        found = tree(folder)
        different = sorted(name for name in found.keys() | self.after.keys() if found.get(name) != self.after.get(name))
        return {"again": ran.code, "complaint": ran.complaint, "different": different[:5]}

    def is_whole(self, folder: Path, path: Path) -> bool:
        """Whether a file is as an undisturbed run leaves it."""
        name = str(path.relative_to(folder))
        return name in self.after and content_of(path) == self.after[name]

    def half_written(self, folder: Path) -> list[str]:
        """Name visible files that are neither as they were before nor as they should become."""
        found = []
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            is_visible = path.is_file() and not any(part.startswith(".") for part in name.parts)
            if not is_visible or path.suffix in GROWING or path.name in REWRITTEN or str(name) not in self.after:
                continue
            if content_of(path) not in (self.before.get(str(name)), self.after[str(name)]):
                found.append(str(name))
        return found

    def fault(self, kind: str) -> dict[str, Any]:
        """Run the command under a fault, then without."""
        folder = self.fresh(kind.replace(" ", "_"))
        with FAULTS[kind](self, folder) as ran:
            row: dict[str, Any] = {
                "code": [one.code for one in ran], "told": last_line(ran[0].told),
                "complaint": next((one.complaint for one in ran if one.complaint), ""),
                "half_written": self.half_written(folder),
            }  # fmt: skip
        complaint = row["complaint"]
        row |= self.again(folder)
        row["complaint"] = complaint or row["complaint"]
        row["good"] = not (row["half_written"] or row["different"] or row["complaint"])
        return row


def hidden(folder: Path) -> list[Path]:
    """Return what has a hidden name, or lies under one; locks of databases stay."""
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


def tree(folder: Path) -> dict[str, str]:
    """Return a hash of every file below a folder, and the empty folders."""
    return {
        str(path.relative_to(folder)): content_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() or not any(path.iterdir())
    }


def content_of(path: Path) -> str:
    """Return a hash of a file's content; of a checkpoint, of what it holds."""
    if path.is_dir():
        return "empty folder"
    if path.suffix == ".pt":
        return digest(torch.load(path, weights_only=True))
    return sha256_file(path)


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def last_line(told: str) -> str:
    """Return the last line that is no progress bar."""
    lines = [line for line in told.replace("\r", "\n").splitlines() if line.strip() and "it/s" not in line]
    return lines[-1][:200] if lines else ""


@contextmanager
def full_disk(trial: Trial, folder: Path) -> Iterator[list[Ran]]:
    """Work on a file system with room for less than the command writes (a tmpfs, which only root can mount)."""
    inputs = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    folder.mkdir()
    size = inputs + SPACE_KB * 1024 + 256 * 1024 * bool(trial.writer.needs)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        for need in trial.writer.needs:
            shutil.copytree(trial.base / need, folder / need)
        yield [run(trial.words, folder)]
        kept = folder.with_name("kept")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    shutil.rmtree(folder)
    kept.rename(folder)


@contextmanager
def read_only(trial: Trial, folder: Path) -> Iterator[list[Ran]]:
    """Work in a folder that is mounted to be read alone (root minds no permissions)."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield [run(trial.words, folder)]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def handles(trial: Trial, folder: Path) -> Iterator[list[Ran]]:
    """Work with few open files."""
    yield [run(trial.words, folder, prepare=few_handles(HANDLES))]


@contextmanager
def two_at_once(trial: Trial, folder: Path) -> Iterator[list[Ran]]:
    """Work twice at the same time in the same folder."""
    both = [start(trial.words, folder) for _ in range(2)]
    yield [one.wait() for one in both]


FAULTS = {"full disk": full_disk, "read-only folder": read_only, "16 file handles": handles, "two at once": two_at_once}


def main(words: Sequence[str] | None = None) -> int:
    """Kill, compare, and write the JSON; 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="of all commands together")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--only", type=str, default="", help="names of commands, with commas between")
    parser.add_argument("--faults", action="store_true", help="also full disk, no rights, few handles, two at once")
    parser.add_argument("--base", type=Path, default=None, help="folder of inputs to use again; made if absent")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    chosen = [writer for writer in WRITERS if not args.only or writer.name in args.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="fuzz.kills.") as name:
        work = Path(name)
        work.chmod(0o755)
        if any("{base}" in word for writer in chosen for word in writer.words):
            _take_inputs(work / "base", args.base)
        found: dict[str, Any] = {}
        for number, writer in enumerate(chosen):
            share = args.kills // len(chosen) + (number < args.kills % len(chosen))
            found[writer.name] = _try(Trial(writer, work), share, args)
            result = _summary(found, args.seed)
            if args.out is not None:
                write_json(args.out, result)
    print(json.dumps({name: value for name, value in result.items() if name != "commands"}, indent=2))
    return 0 if result["all_good"] else 1


def _summary(found: dict[str, Any], seed: int) -> dict[str, Any]:
    rows = [row for one in found.values() for row in one["kills"]]
    faults = [row for one in found.values() for row in one.get("faults", {}).values()]
    return {
        "command": command(), "seed": seed, "kills": sum(row["was_killed"] for row in rows),
        "ended_before": sum(not row["was_killed"] for row in rows), "left_by_kills": sum(row["left"] for row in rows),
        "faults": len(faults), "all_good": all(row["good"] for row in (*rows, *faults)), "commands": found,
    }  # fmt: skip


def _take_inputs(base: Path, kept: Path | None) -> None:
    if kept is not None and kept.is_dir():
        shutil.copytree(kept, base)
        return
    base.mkdir()

    def make(words: tuple[str, ...], folder: Path) -> None:
        ran = run([word.format(base=base) for word in words], folder)
        if ran.code:
            raise SystemExit(f"remogpt {' '.join(words)} ended with {ran.code}: {ran.told[-2000:]}")

    for line in make_inputs(base, make):
        print(f"inputs: {line}", file=sys.stderr, flush=True)
    if kept is not None:
        shutil.copytree(base, kept)


def _try(trial: Trial, kills: int, args: argparse.Namespace) -> dict[str, Any]:
    rng = np.random.default_rng([args.seed, *trial.writer.name.encode()])
    entry: dict[str, Any] = {
        "seconds": round(trial.whole.seconds, 2), "changes": trial.whole.changes,
        "kills": [trial.kill(rng) for _ in range(kills)],
    }  # fmt: skip
    if args.faults:
        usable = {kind for kind in FAULTS if os.geteuid() == 0 or kind not in ("full disk", "read-only folder")}
        entry["faults"] = {kind: trial.fault(kind) for kind in FAULTS if kind in usable}
    for row in (*entry["kills"], *entry.get("faults", {}).values()):
        if not row["good"]:
            print(f"{trial.writer.name}: {row}", file=sys.stderr)
    print(
        f"{trial.writer.name}: {trial.whole.seconds:.1f} s, {trial.whole.changes} changes", file=sys.stderr, flush=True
    )
    return entry


if __name__ == "__main__":
    sys.exit(main())
