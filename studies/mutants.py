"""Which changes of one place do the tests notice? As many from every room, or those of an earlier sample once more.

    OMP_NUM_THREADS=1 python -m studies.mutants --each 14 --seed 1 --out mutants.json
    OMP_NUM_THREADS=1 python -m studies.mutants --again studies/results/mutants.json --out again.json

New changes are cosmic-ray's, made and tried as `fuzz.mutants` does it; that draws by size, here every room of remogpt/
gives as many. The runners of cosmic-ray and mutmut are not used: they start a whole suite, or a new interpreter, for
each change, and here that costs more than the nearest tests do. With --again each change is made where its lines are
now, and the test that noticed it last is run alone, if it passes without the change.

The sample in `studies/results/mutants.json` is older than this file: of every room 14 places, of the kinds bool (a
constant, `and`, `or`, `not`), compare, arith, number, return (of None) and delete (a call or an assignment in place)
each as likely; log messages, errors' texts and annotations were left out. Tests that reach a place were found with
probes, and up to 40 of them were run, the nearest and fastest first. Then tests were added for all that had survived:
its score says what is held now, and what was "killed" before, three in four, how many of other changes are noticed.
"""

import argparse
import difflib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from fuzz import mutants
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json

KILLED, SINCE, EQUIVALENT, SURVIVED = "killed", "killed by a test added since", "equivalent", "survived"
"""Outcomes: tests notice it, noticed it only once one was added, nobody could see it, and none of these."""
Change = dict[str, Any]
"""A row of the results: file, line, the lines as they `was` and as they `is`, outcome, by which test, why not."""


def draw(each: int, rng: np.random.Generator) -> list[mutants.Place]:
    """Draw as many places from every room, of a room's files by size; of one position one change."""
    drawn: list[mutants.Place] = []
    for room in sorted(folder for folder in (mutants.PROJECT / "remogpt").iterdir() if folder.is_dir()):
        files = [file for file in sorted(room.rglob("*.py")) if mutants.places_of(file)]
        sizes = np.array([file.stat().st_size for file in files], dtype=np.float64)
        there = sum(len(mutants.places_of(file)) for file in files)
        found: dict[tuple[str, int, int], mutants.Place] = {}
        while len(found) < min(each, there):
            positions = mutants.places_of(files[int(rng.choice(len(files), p=sizes / sizes.sum()))])
            position = sorted(positions)[int(rng.integers(len(positions)))]
            place = positions[position][int(rng.integers(len(positions[position])))]
            found.setdefault((place.file, *position), place)
        drawn += found.values()
    return drawn


def change_of(place: mutants.Place) -> Change:
    """Return a place's change as a row without an outcome, but for changes that nobody could see."""
    changed, told = mutants.changed_by(place)
    source = (mutants.PROJECT / place.file).read_text(encoding="utf-8").splitlines(keepends=True)
    after = changed.splitlines(keepends=True)
    codes = difflib.SequenceMatcher(None, source, after, autojunk=False).get_opcodes()
    _, first, last, new_first, new_last = next(code for code in codes if code[0] != "equal")
    why = mutants.why_equal(told)
    return {
        "file": place.file, "line": first + 1, "kind": told["operator"], "was": "".join(source[first:last]),
        "is": "".join(after[new_first:new_last]), **({} if why is None else {"outcome": EQUIVALENT, "why": why}),
    }  # fmt: skip


def made_again(change: Change, source: str) -> str:
    """Return a file's text with a change, made at those of its lines that are nearest to where they were.

    Raises:
        RemogptError: if they are no longer there.
    """
    lines, was = source.splitlines(keepends=True), change["was"].splitlines(keepends=True)
    starts = [start for start in range(len(lines) + 1 - len(was)) if lines[start : start + len(was)] == was]
    if not was or not starts:
        raise RemogptError(f"{change['file']} no longer has the lines {change['was']!r}")
    start = min(starts, key=lambda start: abs(start + 1 - int(change["line"])))
    return "".join([*lines[:start], change["is"], *lines[start + len(was) :]])


def noticed_by(change: Change, copy: Path, rounds: Sequence[Sequence[str]]) -> str | None:
    """Make a change in a copy of the project and run rounds of tests; return the one that failed first, or "time"."""
    file = copy / change["file"]
    source = file.read_text(encoding="utf-8")
    file.write_text(made_again(change, source), encoding="utf-8")
    try:
        for tests in rounds:
            outcome, test = mutants.run_tests(copy, tests, mutants.HUNG_AFTER)
            if outcome != "passed":
                return test.removeprefix("FAILED ").removeprefix("ERROR ") or "time"
    finally:
        file.write_text(source, encoding="utf-8")
    return None


def tried(change: Change, copy: Path, rounds: int) -> Change:
    """Return a change with what came of it; one that was noticed before is shown to that test alone."""
    if change.get("outcome") == EQUIVALENT:
        return change
    last = str(change.get("by", ""))
    is_there = last.startswith("tests/") and mutants.run_tests(copy, [last], mutants.HUNG_AFTER)[0] == "passed"
    tests = [[last]] if is_there else mutants.tests_of(change["file"])[:rounds]
    by = noticed_by(change, copy, tests)
    kept = {name: value for name, value in change.items() if name not in ("outcome", "by")}
    if by is None:
        return {**kept, "outcome": SURVIVED}
    return {**kept, "outcome": SINCE if change.get("outcome") == SINCE else KILLED, "by": by}


def score(changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count outcomes, and say what share of all changes is killed, and of those that somebody could see."""
    outcomes = Counter(str(change["outcome"]) for change in changes)
    rooms: dict[str, Counter[str]] = {}
    for change in changes:
        rooms.setdefault(Path(change["file"]).parts[1], Counter())[change["outcome"]] += 1
    killed, seen = outcomes[KILLED] + outcomes[SINCE], len(changes) - outcomes[EQUIVALENT]
    return {
        "changes": len(changes), **{outcome: outcomes[outcome] for outcome in (KILLED, SINCE, EQUIVALENT, SURVIVED)},
        "score": round(killed / max(seen, 1), 4), "killed_of_all": round(killed / max(len(changes), 1), 4),
        "rooms": {room: dict(counts) for room, counts in sorted(rooms.items())},
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    """Try changes; 1 if fewer than nine of ten that somebody could see are noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--each", type=int, default=14, help="changes of every room")
    parser.add_argument("--seed", type=int, default=0, help="of the places")
    parser.add_argument("--rounds", type=int, default=3, help="of test files, each further away, before one survives")
    parser.add_argument("--again", type=Path, help="results whose changes are tried once more; default: new ones")
    parser.add_argument("--out", type=Path, default=Path("mutants.json"), help="JSON file of the results")
    args = parser.parse_args(words)
    if args.again:
        about = read_json(args.again, dict)
        changes: list[Change] = about["list"]
    else:
        about = {"seed": args.seed, "each": args.each}
        changes = [change_of(place) for place in draw(args.each, np.random.default_rng(args.seed))]
    for module in mutants.IMPORTED:
        import_module(module)
    done: list[Change] = []
    with tempfile.TemporaryDirectory(prefix="studies.mutants.") as name:
        copy = mutants.copy_of_project(Path(name))
        for change in changes:
            done.append(tried(change, copy, args.rounds))
            words_of_it = [str(done[-1].get(key, "")) for key in ("file", "line", "outcome", "by")]
            print(f"{len(done)}/{len(changes)}", *words_of_it, file=sys.stderr, flush=True)
    counts = score(done)
    write_json(args.out, {**about, "command": command(), **counts, "list": done})
    print(json.dumps({name: value for name, value in counts.items() if name != "rooms"}, indent=2))
    return 0 if counts["score"] >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
