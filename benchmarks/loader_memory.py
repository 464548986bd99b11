"""Memory of eight training processes that read a set of HumanML3D's size, and what a batch costs them.

  OMP_NUM_THREADS=1 python -m benchmarks.loader_memory --out benchmarks/results/loader_memory.json

The set is made here: 29,000 clips of HumanML3D's lengths with three captions each, random features, packed (about 7 GB
in a temporary folder). Each process opens it as a training on one of eight GPUs would and draws batches of 128: motions
and captions as retrievers read them, and prompts with two retrieved examples as the language model does. Networks are
left out. PSS (proportional set size) counts what several processes share, such as memory-mapped motions, once in all.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.packed_motions import NAME, PackedMotions
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

BATCH = 128
WORDS = (
    "a", "person", "the", "left", "right", "hand", "walks", "runs", "waves", "jumps", "turns", "sits", "kicks", "twice"
)  # fmt: skip


def make_set(folder: Path, count: int) -> None:
    """Write a packed set of random clips, all of them in the split train."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.3, (4000, 263)).astype(np.float32)
    ids = [f"{number:06d}" for number in range(count)]
    for name in ("new_joint_vecs", "texts"):
        (folder / name).mkdir(parents=True)
    for name in progress(ids, desc="set", unit="clip"):
        start, length = int(rng.integers(3800)), int(rng.integers(40, 200))
        # Plainly: the set's own writer makes every file outlive a power cut, which takes minutes here.
        np.save(folder / "new_joint_vecs" / f"{name}.npy", noise[start : start + length])
        lines = [f"{' '.join(rng.choice(WORDS, 10))}##0.0#0.0\n" for _ in range(3)]
        (folder / "texts" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    np.save(folder / "Mean.npy", np.zeros(263, np.float32))
    np.save(folder / "Std.npy", np.ones(263, np.float32))
    (folder / "train.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    PackedMotions.build(folder / "new_joint_vecs", folder / NAME)


def load(folder: Path, batches: int, parent: Connection) -> None:
    """Draw batches of both kinds, tell what they cost, and wait to be measured."""
    import torch

    from remogpt.lm import Vocabulary
    from remogpt.lm.batch import collate_by_length
    from remogpt.lm.training.samples import (
        CodedClip,
        ExampleBank,
        RouteHits,
        SampleMix,
        TrainingSamples,
        caption_queries,
    )
    from remogpt.retriever.padding import normalized_batch
    from remogpt.retriever.training.pairs import TrainingPairs
    from remogpt.runtime.folders.find_model import embedded_model

    torch.set_num_threads(1)
    pairs = TrainingPairs.from_set(MotionTextSet.open(folder), "train")
    mean, std = torch.zeros(263), torch.ones(263)
    rng = np.random.default_rng(multiprocessing.current_process().pid)
    codes = [tuple(rng.integers(512, size=30) for _ in range(4)) for _ in range(len(pairs))]
    clips = [CodedClip(own, rows) for own, rows in zip(pairs.captions, codes, strict=True)]
    hits = rng.integers(len(clips), size=(len(clips), 8)).astype(np.int32)
    by_caption = np.repeat(hits, np.diff(caption_queries(clips)), axis=0)
    routes = {name: RouteHits(by_caption if name[0] == "t" else hits) for name in ("t2m", "t2t", "m2t", "m2m")}
    bank = ExampleBank(pairs.captions, [rows[0] for rows in codes], routes)
    words = Vocabulary.load(embedded_model("mini") / "lm")
    samples = TrainingSamples(clips, words, "instruct", SampleMix(examples=(0, 0, 1)), bank)
    seconds = {"retriever": 0.0, "language model": 0.0}
    for _ in range(batches):
        items = rng.integers(len(pairs), size=BATCH)
        begin = time.process_time()
        normalized_batch([pairs.crop(int(item), 224, rng) for item in items], mean, std)
        middle = time.process_time()
        collate_by_length([samples.draw(int(item), rng) for item in items], words.pad_id, 1)
        seconds["retriever"] += middle - begin
        seconds["language model"] += time.process_time() - middle
    parent.send({name: 1e3 * value / batches for name, value in seconds.items()})
    parent.recv()


def pss(pid: int) -> int:
    """Return the proportional set size of a process in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def measure(folder: Path, processes: int, batches: int) -> dict[str, Any]:
    """Let processes read a set together and weigh them when all have drawn their batches."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    workers = [context.Process(target=load, args=(folder, batches, theirs)) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    told = [ours.recv() for ours, _ in pipes]
    sizes = [pss(int(worker.pid or 0)) / 1e9 for worker in workers]
    for (ours, _), worker in zip(pipes, workers, strict=True):
        ours.send("measured")
        worker.join()
    costs = {name: round(float(np.median([one[name] for one in told])), 1) for name in told[0]}
    return {
        "processes": processes, "batches_of_each": batches, "batch": BATCH, "gigabytes_pss": round(sum(sizes), 2),
        "gigabytes_pss_of_each": [round(size, 2) for size in sizes], "cpu_milliseconds_a_batch": costs,
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Make the set, measure, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=29_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--batches", type=int, default=100, help="of each kind, in each process")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as name:
        make_set(Path(name) / "set", args.clips)
        told = measure(Path(name) / "set", args.processes, args.batches)
        # Before the set is deleted, which takes minutes on a slow disk.
        found = {"command": command(), "clips": args.clips, **told}
        print(found, flush=True)
        if args.out is not None:
            write_json(args.out, found)


if __name__ == "__main__":
    main()
