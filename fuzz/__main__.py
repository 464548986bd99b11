"""Run the fuzzer; see the package."""

import argparse
import logging
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from fuzz.mutate import mutate
from fuzz.seeds import make_seeds
from fuzz.targets import Target, targets
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json

SLOWEST, MOST_MEMORY = 10, 1 << 30
"""Seconds and bytes beyond which an input is a finding."""
HERE = Path(__file__).parent


class SlowError(BaseException):
    """Raised by the alarm; no `except Exception` catches it."""


def run(target: Target, seeds: Path, work: Path, seed: int) -> str | None:
    """Damage one input and read it; return what is wrong, or None."""
    rng = np.random.default_rng([seed, *target.name.encode()])
    folder = work / "input"
    shutil.rmtree(work, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in target.needs:
        source, copy = seeds / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    files = sorted(path for pattern in target.files for path in folder.glob(pattern) if path.is_file())
    chosen = files[int(rng.integers(len(files)))]
    chosen.write_bytes(mutate(chosen.read_bytes(), rng))
    _written.clear()
    signal.alarm(SLOWEST)
    try:
        target.read(folder, rng)
    except RemogptError:
        pass
    except SlowError:
        return f"more than {SLOWEST} s"
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    finally:
        signal.alarm(0)
    outside = [path for path in _written if not path.startswith((str(work), "/dev/", "/proc/", str(_CACHE)))]
    return f"wrote {outside[:3]}" if outside else None


_written: list[str] = []
_CACHE = Path(tempfile.gettempdir()) / "fuzz_cache"


def _note_writes(event: str, details: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(details[0], str) and isinstance(details[1], str):
        if set(details[1]) & set("wax+"):
            _written.append(str(Path(details[0]).absolute()))
    elif event in ("os.mkdir", "os.rename", "shutil.rmtree") and isinstance(details[0], str):
        _written.append(str(Path(details[0]).absolute()))


def _limit_memory() -> None:
    """Let the process grow by one GiB from here on, where the system tells its size."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        size = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MOST_MEMORY, resource.RLIM_INFINITY))


def _alarm(number: int, frame: Any) -> None:
    raise SlowError


def main() -> int:
    """Fuzz, print a line a target, and return 1 if there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=0, help="inputs of all targets together; 0: no end")
    parser.add_argument("--seconds", type=float, default=3600.0, help="longest time")
    parser.add_argument("--seed", type=int, default=0, help="of the first input")
    parser.add_argument("--only", type=str, default="", help="names of targets, with commas between")
    parser.add_argument("--keep", type=Path, default=HERE / "findings", help="folder of what was found")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the numbers")
    args = parser.parse_args()
    chosen = [target for target in targets() if not args.only or target.name in args.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="fuzz.") as name:
        seeds, work = Path(name) / "seeds", Path(name) / "work"
        make_seeds(seeds)
        for target in chosen:  # imports, caches and whole inputs first
            assert _healthy(target, seeds, work), target.name
        logging.disable()  # readers warn of what they leave out
        signal.signal(signal.SIGALRM, _alarm)
        sys.addaudithook(_note_writes)
        _limit_memory()
        found, done, slowest, start = Counter[str](), 0, 0.0, time.monotonic()
        while (not args.inputs or done < args.inputs) and time.monotonic() - start < args.seconds:
            target = chosen[done % len(chosen)]
            begin = time.monotonic()
            wrong = run(target, seeds, work, args.seed + done)
            slowest = max(slowest, time.monotonic() - begin)
            if wrong:
                found[target.name] += 1
                _keep(args.keep, target, args.seed + done, work, wrong)
            done += 1
    seconds = time.monotonic() - start
    print(
        f"{done} inputs of {len(chosen)} readers in {seconds:.0f} s, {sum(found.values())} findings {dict(found) or ''}"
    )
    if args.out is not None:
        numbers = {"inputs": done, "seconds": round(seconds), "slowest_seconds": round(slowest, 1)}
        readers = [target.name for target in chosen]
        write_json(args.out, {"command": command(), **numbers, "findings": dict(found), "readers": readers})
    return 1 if found else 0


def _healthy(target: Target, seeds: Path, work: Path) -> bool:
    """Read the undamaged input, whose kind may lack something that only a whole recording has."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(seeds, work / "input")
    for path in (work / "input" / "motions").iterdir():
        if f"motions/{path.name}" not in target.needs:
            path.unlink()
    try:
        target.read(work / "input", np.random.default_rng(0))
    except RemogptError as error:
        print(f"{target.name}: {error}", file=sys.stderr)
    return True


def _keep(folder: Path, target: Target, seed: int, work: Path, wrong: str) -> None:
    kept = folder / f"{target.name}-{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(work, kept)
    again = f"python -m fuzz --only {target.name} --seed {seed} --inputs 1"
    (kept / "finding.txt").write_text(f"{again}\n{wrong}\n", errors="replace")
    print(f"{target.name} {seed}: {' '.join(wrong.split())[:300]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
