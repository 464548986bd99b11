"""Change the code in one place at a time, and see whether a test notices: does the suite test what it runs?

    OMP_NUM_THREADS=1 python -m fuzz.mutants --mutants 200 --out fuzz/results/mutants.json

The changes are cosmic-ray's: another number, comparison or operator, `not`, `and` for `or`, `break` for `continue`, an
exception that is not caught, a loop that does not run, a decorator that is gone. Half of the places are drawn from all
rooms of remogpt/ alike, half from all code. A change is made in a copy of the project, and test files are run there,
the nearest ones first: the one named like the changed file, then those that import it over the fewest steps. It is
killed when one fails or hangs. What survives is listed, with the tests that let it pass; `fuzz/equal_mutants.yaml`,
where there is one, says of some why they change nothing that anybody could see. What was tried is kept, so that a
killed run goes on.
"""

import argparse
import ast
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
import numpy as np
import pytest
import yaml
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from benchmarks.command import command
from remogpt.runtime.files import write_json

PROJECT = Path(__file__).resolve().parents[1]
EQUAL = PROJECT / "fuzz" / "equal_mutants.yaml"
NEAR, FAR = 5, 14
"""Test files of the second round, and of the second and third."""
HUNG_AFTER, GIVEN_UP_AFTER = 600, 300
"""Seconds of the first round, which takes at most a minute or two so that these mean an endless loop; of the others."""
LEFT_OUT_TESTS = (
    "benchmarks",
    "fuzz",
    "studies",
    "test_examples.py",
    "test_packaging.py",
    "test_hostile_text.py",
    "test_page.py",
)
"""They run whole commands and long measurements; the rooms' own tests must notice a change without them."""
PYTEST_WORDS = ("-x", "-q", "-p", "no:cacheprovider", "--no-header", "-n", "0", "--tb=no", "-m", "not slow")
OURS = {"remogpt", "benchmarks", "studies", "tests"}
IMPORTED = (
    "accelerate", "faiss", "fastapi.testclient", "matplotlib.pyplot", "nltk", "peft", "scipy.io", "scipy.stats",
    "sentence_transformers", "torch.distributed.fsdp", "transformers",
)  # fmt: skip
LEFT_OUT = ("VariableReplacer", "VariableInserter", "BinaryOperator_BitOr")
"""Operators that nearly always end in a NameError, and `|` between types, which nothing reads when the code runs."""


@dataclass(frozen=True)
class Place:
    """One change: an operator's n-th occurrence in a file, and the line on which it is."""

    file: str
    operator: str
    occurrence: int
    line: int
    column: int


@cache
def places_of(file: Path) -> dict[tuple[int, int], list[Place]]:
    """Return every change that can be made to a file, by line and column."""
    nodes = list(ast_nodes(get_ast(file.read_text(encoding="utf-8"))))
    name = file.relative_to(PROJECT).as_posix()
    found: dict[tuple[int, int], list[Place]] = defaultdict(list)
    for operator_name in cosmic_ray.plugins.operator_names():
        if any(word in operator_name for word in LEFT_OUT):
            continue
        operator = cosmic_ray.plugins.get_operator(operator_name)()
        positions = [position for node in nodes for position in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(positions):
            found[line, column].append(Place(name, operator_name, occurrence, line, column))
    return found


def draw(count: int, rng: np.random.Generator) -> list[Place]:
    """Draw places: half of them a room first, half from all code by size; of one position one change."""
    files = sorted((PROJECT / "remogpt").rglob("*.py"))
    rooms = np.array([file.relative_to(PROJECT).parts[1] for file in files])
    sizes = np.array([file.stat().st_size for file in files], dtype=np.float64)
    drawn: dict[tuple[str, int, int], Place] = {}
    while len(drawn) < count:
        room = np.unique(rooms)[int(rng.integers(len(np.unique(rooms))))]
        weights = sizes * (rooms == room) if rng.random() < 0.5 else sizes
        file = files[int(rng.choice(len(files), p=weights / weights.sum()))]
        positions = places_of(file)
        if positions:
            position = sorted(positions)[int(rng.integers(len(positions)))]
            choices = positions[position]
            drawn.setdefault((file.as_posix(), *position), choices[int(rng.integers(len(choices)))])
    return list(drawn.values())


@cache
def imports_of(file: str) -> frozenset[str]:
    """Return the files of the project that a file imports, wherever in it; names of a room lead to their own files."""
    found = set[str]()
    for node in ast.walk(ast.parse((PROJECT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(home for alias in node.names if (home := _file_of(alias.name)))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                home = _file_of(f"{node.module}.{alias.name}") or _home_of(node.module, alias.name)
                found.update([home] if home else [])
    return frozenset(found)


def _file_of(module: str) -> str | None:
    path = Path(*module.split("."))
    names = [path.with_suffix(".py").as_posix(), (path / "__init__.py").as_posix()]
    return next((name for name in names if (PROJECT / name).is_file()), None)


def _home_of(module: str, name: str) -> str | None:
    """Return where a name comes from that a room's own file passes on."""
    file = _file_of(module)
    if file is None or not file.endswith("__init__.py"):
        return file
    for node in ast.walk(ast.parse((PROJECT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}:
            return _file_of(node.module) or file
    return file


@cache
def steps_from(test: str) -> Mapping[str, int]:
    """Return over how many imports a test file reaches each file."""
    steps, queue = {test: 0}, [test]
    for file in queue:
        for imported in sorted(imports_of(file) - steps.keys()):
            steps[imported] = steps[file] + 1
            queue.append(imported)
    return steps


def tests_of(file: str) -> list[list[str]]:
    """Return test files in rounds: those named like a file, then those that import it, the nearest first."""
    home = Path(file.replace("remogpt/", "tests/", 1))
    folder = next(folder for folder in home.parents if (PROJECT / folder).is_dir())

    def key(test: str) -> tuple[int, int, int, str] | None:
        path, steps = Path(test), steps_from(test).get(file)
        about = path.stem.removeprefix("test_")
        if path.parent == folder and (home.stem in about or about in home.stem):
            return 0, 0, 0, test
        if steps is None and folder not in path.parents:
            return None
        return 1, 9 if steps is None else steps, len(imports_of(test)), test

    tests = [path.relative_to(PROJECT).as_posix() for path in sorted((PROJECT / "tests").rglob("test_*.py"))]
    found = [one for one in sorted(filter(None, map(key, tests))) if not {*Path(one[3]).parts} & {*LEFT_OUT_TESTS}]
    own, others = [one[3] for one in found if one[0] == 0], [one[3] for one in found if one[0]]
    return [files for files in (own, others[:NEAR], others[NEAR:FAR]) if files]


def run_tests(copy: Path, tests: Sequence[str], seconds: int) -> tuple[str, str]:
    """Run test files in the copy; return "passed", "failed" or "hung", and the test that failed first.

    In a fork of this process, which has imported what takes long and none of the project's own files.
    """
    log, until = copy.parent / "tests.log", time.monotonic() + seconds
    process = os.fork()
    if not process:
        os.setpgrp()
        os._exit(_test(copy, tests, log))
    while os.waitpid(process, os.WNOHANG)[0] == 0:
        if time.monotonic() > until:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return "hung", ""
        time.sleep(0.02)
    told = log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = [line.split(" - ")[0] for line in told if line.startswith(("FAILED", "ERROR"))]
    if told and " passed" in told[-1] and not failed:
        return "passed", ""
    return "failed", failed[0] if failed else " ".join(told[-2:])[-200:]


def _test(copy: Path, tests: Sequence[str], log: Path) -> int:
    """Become a process that runs tests of the copy."""
    with log.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    sys.path.insert(0, str(copy))
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]
    code = 70
    with suppress(BaseException):
        code = int(pytest.main([*PYTEST_WORDS, *tests]))
        sys.stdout.flush()
    return code


def changed_by(place: Place) -> tuple[str, dict[str, Any]]:
    """Return a file's text with one change, and the change as it is told: where it is, and the lines that differ."""
    source = (PROJECT / place.file).read_text(encoding="utf-8")
    changed = mutate_code(source, cosmic_ray.plugins.get_operator(place.operator)(), place.occurrence)
    lines = list(difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm=""))[2:]
    return changed, {
        "file": place.file, "line": place.line, "column": place.column,
        "operator": place.operator.removeprefix("core/"),
        "was": " ".join(line[1:].strip() for line in lines if line.startswith("-")),
        "is": " ".join(line[1:].strip() for line in lines if line.startswith("+")),
    }  # fmt: skip


def same_change(told: Mapping[str, Any]) -> Place | None:
    """Return where a change that was tried once can be made now; None where its lines are no longer there."""
    file = PROJECT / told["file"]
    places = chain(*places_of(file).values()) if file.is_file() else ()
    alike = (place for place in places if place.operator == f"core/{told['operator']}")
    near = sorted(alike, key=lambda place: abs(place.line - told["line"]))
    return next((one for one in near if all(changed_by(one)[1][key] == told[key] for key in ("was", "is"))), None)


def try_place(place: Place, copy: Path, rounds: int) -> dict[str, Any]:
    """Make one change in the copy, run the tests, and take it back; return what came of it."""
    source, (changed, told) = (PROJECT / place.file).read_text(encoding="utf-8"), changed_by(place)
    tests = tests_of(place.file)[:rounds]
    (copy / place.file).write_text(changed, encoding="utf-8")
    try:
        for number, files in enumerate(tests):
            outcome, test = run_tests(copy, files, GIVEN_UP_AFTER if number else HUNG_AFTER)
            if outcome == "failed" or (outcome == "hung" and not number):
                return {**told, "outcome": "killed", "by": test or "time"}
    finally:
        (copy / place.file).write_text(source, encoding="utf-8")
    return {**told, "outcome": "survived", "tests": list(chain(*tests))[:8]}


def copy_of_project(folder: Path) -> Path:
    """Copy what git knows of the project into a folder, with the data beside it that some tests read."""
    copy = folder / "project"
    names = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, copy / name, follow_symlinks=False)
    if (PROJECT.parent / "shared").is_dir():
        (folder / "shared").symlink_to(PROJECT.parent / "shared")
    return copy


@cache
def _equal_changes(file: Path) -> dict[tuple[str, str, str], str]:
    """Read which changes nobody could see, and why."""
    reasons = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else []
    return {(reason["file"], reason["was"], reason["is"]): reason["why"] for reason in reasons}


def why_equal(told: Mapping[str, Any]) -> str | None:
    """Return why a change is one that nobody could see; None where nothing says so."""
    return _equal_changes(EQUAL).get((told["file"], told["was"], told["is"]))


def score(tried: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return counts, the share that was killed, and what survived."""
    equal: list[dict[str, Any]] = []
    survived: list[dict[str, Any]] = []
    for one in tried:
        if one["outcome"] == "survived":
            why = why_equal(one)
            (survived if why is None else equal).append({**one, **({} if why is None else {"why": why})})
    rooms = {room: Counter(one["outcome"] for one in tried if Path(one["file"]).parts[1] == room)
             for room in sorted({Path(one["file"]).parts[1] for one in tried})}  # fmt: skip
    killed = sum(one["outcome"] == "killed" for one in tried)
    counted = len(tried) - len(equal)
    return {"mutants": len(tried), "killed": killed, "equal": len(equal), "survived": len(survived),
            "killed_share": round(killed / max(counted, 1), 4),
            "rooms": {room: dict(counts) for room, counts in rooms.items()},
            "survivors": survived, "equal_ones": equal}  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    """Try the mutants; 1 if fewer than nine of ten were killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--mutants", type=int, default=200, help="how many changes")
    parser.add_argument("--seed", type=int, default=0, help="of the places")
    parser.add_argument("--rounds", type=int, default=3, help="of test files, each further away, before one survives")
    parser.add_argument(
        "--again", action="store_true", help="try survivors in --out again, where they are now, but for equal ones"
    )
    parser.add_argument("--out", type=Path, default=Path("mutants.json"), help="JSON file of the results")
    args = parser.parse_args(words)
    kept = args.out.with_suffix(".tried.jsonl")
    tried = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.is_file() else []
    places = None
    if args.again:
        open_ones = [one for one in tried if one["outcome"] == "survived" and why_equal(one) is None]
        places = [place for one in open_ones if (place := same_change(one))]
        tried = [one for one in tried if one not in open_ones]
        kept.write_text("".join(json.dumps(one) + "\n" for one in tried), encoding="utf-8")
    done = {(one["file"], one["line"], one["column"]) for one in tried}
    for module in IMPORTED:
        import_module(module)
    with tempfile.TemporaryDirectory(prefix="fuzz.mutants.") as name:
        copy = copy_of_project(Path(name))
        for place in draw(args.mutants, np.random.default_rng(args.seed)) if places is None else places:
            if (place.file, place.line, place.column) in done:
                continue
            tried.append(try_place(place, copy, args.rounds))
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(tried[-1]) + "\n")
            print(f"{len(tried)}/{args.mutants} {tried[-1]}", file=sys.stderr, flush=True)
    result = {"command": command(), "seed": args.seed, **score(tried)}
    write_json(args.out, result)
    print(json.dumps({name: value for name, value in result.items() if name != "equal_ones"}, indent=2))
    return 0 if result["killed_share"] >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
