"""Flip single bits of a model folder and a database folder: `remogpt verify` notices each, and no answer changes.

    OMP_NUM_THREADS=1 python -m fuzz.bits --flips 1000 --out fuzz/results/bits.json

Half of the bits are drawn from all bytes of a folder, half from a file that is drawn first, so that small files
(settings, manifests, offsets) get their share. Each bit is flipped alone, verified, used in a way that reads every
component (generate, caption, search), and flipped back.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt import GenerationOptions, ReMoGPT
from remogpt.motion import Motion
from remogpt.retriever import MotionDatabase, TextMotionRetriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint, write_json
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.verify import verify

CAPTION = "a person walks forward and waves with the right hand"
Use = Callable[[Path], str]


def use_model(folder: Path) -> str:
    """Generate, caption and search; return a hash of all answers."""
    model = ReMoGPT.from_pretrained(folder)
    (answer,) = model.generate(CAPTION, seconds=2.0, seed=0, options=GenerationOptions(best_of=2))
    caption = model.caption(Motion.from_features(answer.motion.features[:40]), seed=0)
    hits = model.search(CAPTION)
    told = [caption.text, *(f"{hit.id} {hit.caption} {hit.score:.9g}" for hit in (*answer.examples, *hits))]
    return fingerprint([answer.codes, answer.motion.features, *told, *(hit.codes for hit in hits)])


def use_database(retriever: TextMotionRetriever) -> Use:
    """Return a use of a database: searches both ways, and everything about what they find."""

    def use(folder: Path) -> str:
        database = MotionDatabase.open(folder, retriever)
        hits = database.search(text=CAPTION, k=20)
        rows = [np.asarray(database.features(hit.row)) for hit in hits]
        hits += database.search(motion=rows[0], k=20)
        told = [f"{hit.id} {hit.caption} {hit.score:.9g} {database.info(hit.row)}" for hit in hits]
        return fingerprint([*told, *rows, *(hit.codes for hit in hits)])

    return use


def draw(files: Sequence[Path], rng: np.random.Generator) -> tuple[Path, int, int]:
    """Draw a file that is not empty, a byte and a bit."""
    sizes = np.array([path.stat().st_size for path in files], dtype=np.float64)
    weights = (sizes > 0).astype(np.float64) if rng.random() < 0.5 else sizes
    path = files[int(rng.choice(len(files), p=weights / weights.sum()))]
    return path, int(rng.integers(path.stat().st_size)), int(rng.integers(8))


def flip(path: Path, byte: int, bit: int) -> None:
    """Flip one bit of a file in its place."""
    with path.open("r+b") as file:
        file.seek(byte)
        (value,) = file.read(1)
        file.seek(byte)
        file.write(bytes([value ^ 1 << bit]))


def noticed(work: Callable[[], object]) -> bool:
    """Whether a work refuses what it finds by an error that a user can read; any other error is raised."""
    try:
        work()
    except RemogptError:
        return True
    return False


def flip_all(folder: Path, use: Use, flips: int, rng: np.random.Generator) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Flip bits one by one; return counts, and each flip that was passed over by `verify` or changed an answer."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    wanted, counts, passed = use(folder), Counter[str](), []
    for number in range(flips):
        path, byte, bit = draw(files, rng)
        flip(path, byte, bit)
        answers: list[str] = []
        is_verified = noticed(lambda: verify(folder))
        is_used = noticed(lambda answers=answers: answers.append(use(folder)))  # type: ignore[misc]
        flip(path, byte, bit)
        outcome = "noticed" if is_used else "same answers" if answers == [wanted] else "other answers"
        counts.update(["verify noticed" if is_verified else "verify passed over", f"use: {outcome}"])
        if not is_verified or outcome == "other answers":
            passed.append({"file": str(path.relative_to(folder)), "byte": byte, "bit": bit, "use": outcome})
            print(passed[-1], file=sys.stderr)
        if number % 50 == 49:
            print(f"{folder.name}: {number + 1} bits, {dict(counts)}", file=sys.stderr, flush=True)
    return counts, passed


def main(words: Sequence[str] | None = None) -> int:
    """Flip the bits; 1 if one was passed over by `verify`, or changed an answer in silence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--flips", type=int, default=1000, help="bits, half of them in each folder")
    parser.add_argument("--seed", type=int, default=0, help="of the bits")
    parser.add_argument("--model", type=Path, default=embedded_model("mini"), help="model folder that is copied")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    rng, found, is_good = np.random.default_rng(args.seed), {}, True
    with tempfile.TemporaryDirectory(prefix="fuzz.bits.") as name:
        model, database = Path(name) / "model", Path(name) / "database"
        shutil.copytree(args.model, model)
        shutil.copytree(model / "database", database)
        retriever = TextMotionRetriever.from_pretrained(args.model / "retriever")
        for folder, use in ((model, use_model), (database, use_database(retriever))):
            counts, passed = flip_all(folder, use, args.flips // 2, rng)
            found[folder.name] = {"flips": args.flips // 2, **dict(sorted(counts.items())), "passed_over": passed}
            is_good = is_good and not passed
    result = {"command": command(), "seed": args.seed, "all_noticed": is_good, "folders": found}
    print(json.dumps(result, indent=2))
    if args.out is not None:
        write_json(args.out, result)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
