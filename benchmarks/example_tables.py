"""What the benchmarks of following examples share: their options, and the table of each split, filled row by row."""

import argparse
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.progress import progress

AnswersT = TypeVar("AnswersT")
Scores = dict[str, float]


def fill_tables(
    words: Sequence[str] | None,
    doc: str,
    name: str,
    ways: Callable[[ReMoGPT, Path | None, Sequence[float]], Mapping[str, AnswersT]],
    scores_of: Callable[[MotionTextSet, Sequence[Clip], AnswersT], Scores],
    is_wanted: Callable[[Clip], bool] = lambda clip: True,
    begin: Callable[[ReMoGPT, MotionTextSet, Sequence[Clip]], dict[str, Scores]] = lambda model, data, clips: {},
) -> None:
    """Read the options, score every way of answering on every split, and write the JSON after each row.

    Args:
        words: the options; those of the command line if None.
        doc: of the benchmark.
        name: of its file in benchmarks/results.
        ways: gives the ways by name, from a model, a database without the answers and strengths.
        scores_of: scores one on clips.
        is_wanted: which clips count.
        begin: rows that no way gives.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--wrong", type=Path, default=None)
    parser.add_argument("--splits", nargs="+", default=["val", "test", "test_unseen"])
    parser.add_argument("--strengths", nargs="+", type=float, default=[1.0, 2.0, 3.0, 4.0])
    parser.add_argument("--ways", nargs="+", default=None, help="only these rows; the others stay as they are in --out")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / f"{name}.json")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    model, data = ReMoGPT.from_pretrained(args.model, "cpu"), MotionTextSet.open(args.data)
    results: dict[str, Any] = {
        "command": command(), "model": model.manifest["hashes"], "set": args.data.name,
        "generation": model.generation, "machine": f"{platform.machine()}, {os.cpu_count()} cores", "splits": {},
    }  # fmt: skip
    old = read_json(args.out)["splits"] if args.ways is not None else {}
    every = ways(model, args.wrong, args.strengths)
    wanted = {way: answers for way, answers in every.items() if args.ways is None or way in args.ways}
    for split in args.splits:
        clips = [clip for clip in data.clips(split) if is_wanted(clip)][: args.clips]
        table = results["splits"][split] = old.get(split) or begin(model, data, clips)
        for way, answers in progress(wanted.items(), desc=split, unit="way"):
            table[way] = scores_of(data, clips, answers)
            print(f"{split:12s} {way:40s} {table[way]}", flush=True)
            write_json(args.out, results)
