"""Memory of eight training processes that read a set of HumanML3D's size, and what a batch costs them.

  OMP_NUM_THREADS=1 python -m benchmarks.loader_memory --out benchmarks/results/loader_memory.json

The set is made here: 29,000 clips with three captions each, random walks of HumanML3D's channels (4 GB in a temporary
folder). For each trainer, eight processes open it as a training on eight GPUs does, and draw batches: windows for the
tokenizer, motions and captions for retrievers, prompts with two retrieved examples for the language model, whose codes
come from a stand-in for a tokenizer. Networks are left out. PSS (proportional set size) counts what several processes
share, such as memory-mapped codes and libraries, once in all.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt.data.humanml3d import MotionTextSet
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

BATCH = {"tokenizer": 256, "retriever": 128, "language model": 128}
"""Items of a batch, as in the papers' settings."""
WORDS = (
    "a", "person", "the", "left", "right", "hand", "walks", "runs", "waves", "jumps", "turns", "sits", "kicks", "twice"
)  # fmt: skip


def make_set(folder: Path, count: int) -> None:
    """Write a set of random walks, all of them in the split train; 141 frames in the mean, as HumanML3D's clips."""
    rng = np.random.default_rng(0)
    walk = (rng.normal(0, 0.02, (6000, 263)).cumsum(axis=0) % 1).astype(np.float32)
    ids = [f"{number:06d}" for number in range(count)]
    for name in ("new_joint_vecs", "texts"):
        (folder / name).mkdir(parents=True)
    for name in progress(ids, desc="set", unit="clip"):
        start, length = int(rng.integers(5800)), int(rng.triangular(40, 184, 199))
        # Plainly: the set's own writer makes every file outlive a power cut, which takes minutes here.
        np.save(folder / "new_joint_vecs" / f"{name}.npy", walk[start : start + length])
        lines = [f"{' '.join(rng.choice(WORDS, 10))}##0.0#0.0\n" for _ in range(3)]
        (folder / "texts" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    np.save(folder / "Mean.npy", np.zeros(263, np.float32))
    np.save(folder / "Std.npy", np.ones(263, np.float32))
    (folder / "train.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")


class _StandIn:
    """Random codes, one for four frames, in place of a tokenizer's."""

    hash, frames_per_code = "0" * 64, 4

    def encode_batch(self, motions: Sequence[np.ndarray]) -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        return [rng.integers(512, size=len(motion) // self.frames_per_code) for motion in motions]


Draw = Callable[[np.ndarray], object]
"""Makes a batch of some items."""


def tokenizer(motions: MotionTextSet, rng: np.random.Generator) -> tuple[int, Draw]:
    """Open what the tokenizer's training reads."""
    from remogpt.stages.training_data import SetFeatures
    from remogpt.tokenizer_vqvae.windows import WindowSampler

    windows = WindowSampler(SetFeatures(motions, "train"), 64)
    return len(windows), lambda items: windows.batch(items, rng)


def retriever(motions: MotionTextSet, rng: np.random.Generator) -> tuple[int, Draw]:
    """Open what a retriever's training reads."""
    import torch

    from remogpt.retriever.padding import normalized_batch
    from remogpt.retriever.training.pairs import TrainingPairs

    pairs = TrainingPairs.from_set(motions, "train")
    mean, std = torch.zeros(263), torch.ones(263)
    return len(pairs), lambda items: normalized_batch([pairs.crop(int(item), 224, rng) for item in items], mean, std)


def language_model(motions: MotionTextSet, rng: np.random.Generator) -> tuple[int, Draw]:
    """Open what the language model's training reads: codes, and a database of its own captions and codes."""
    from remogpt.lm import Vocabulary
    from remogpt.lm.batch import collate_by_length
    from remogpt.lm.training.samples import ExampleBank, RouteHits, SampleMix, TrainingSamples, caption_queries
    from remogpt.runtime.folders.find_model import embedded_model
    from remogpt.stages.training_data import coded_clips

    clips = coded_clips(motions, motions.clips("train"), _StandIn())  # type: ignore[arg-type]
    hits = rng.integers(len(clips), size=(len(clips), 8))
    by_caption = np.repeat(hits, np.diff(caption_queries(clips)), axis=0)
    routes = {name: RouteHits(by_caption if name[0] == "t" else hits) for name in ("t2m", "t2t", "m2t", "m2m")}
    captions = [tuple(f"{caption} " for caption in clip.captions) for clip in clips]  # strings of their own
    bank = ExampleBank(captions, [clip.codes[0].copy() for clip in clips], routes)
    words = Vocabulary.load(embedded_model("mini") / "lm")
    samples = TrainingSamples(clips, words, "instruct", SampleMix(examples=(0, 0, 1)), bank)
    return len(clips), lambda items: collate_by_length(
        [samples.draw(int(item), rng) for item in items], words.pad_id, 1
    )


LOADERS = {"tokenizer": tokenizer, "retriever": retriever, "language model": language_model}


def load(folder: Path, trainer: str, batches: int, parent: Connection) -> None:
    """Draw batches of a trainer, tell what they cost, and wait to be measured."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(multiprocessing.current_process().pid)
    count, draw = LOADERS[trainer](MotionTextSet.open(folder), rng)
    begin = time.process_time()
    for _ in range(batches):
        draw(rng.integers(count, size=BATCH[trainer]))
    parent.send(1e3 * (time.process_time() - begin) / batches)
    parent.recv()


def pss(pid: int) -> int:
    """Return the proportional set size of a process in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def measure(folder: Path, trainer: str, processes: int, batches: int) -> dict[str, Any]:
    """Let processes read a set together and weigh them when all have drawn their batches.

    Raises:
        RemogptError: if a process ends before, with its exit code.
    """
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    workers = [context.Process(target=load, args=(folder, trainer, batches, theirs)) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    try:
        costs = [_answer(ours, worker) for (ours, _), worker in zip(pipes, workers, strict=True)]
        sizes = [pss(int(worker.pid or 0)) / 1e9 for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    return {
        "gigabytes_pss": round(sum(sizes), 2), "gigabytes_pss_of_each": [round(size, 2) for size in sizes],
        "batch": BATCH[trainer], "cpu_milliseconds_a_batch": round(float(np.median(costs)), 1),
    }  # fmt: skip


def _answer(pipe: Connection, worker: Any) -> float:
    wait([pipe, worker.sentinel])
    if not pipe.poll():
        worker.join()
        raise RemogptError(f"a loading process ended with exit code {worker.exitcode} before it was weighed")
    return float(pipe.recv())


def measured(folder: Path, processes: int, batches: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each trainer's processes weigh."""
    for trainer in LOADERS:
        found = measure(folder, trainer, processes, batches)
        print(trainer, found, flush=True)
        yield trainer, found


def main(words: Sequence[str] | None = None) -> None:
    """Make the set, measure, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=29_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--batches", type=int, default=20, help="of each trainer, in each process")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as name:
        make_set(Path(name) / "set", args.clips)
        found: dict[str, Any] = {
            "command": command(), "clips": args.clips, "processes": args.processes, "batches": args.batches,
            "trainers": {},
        }  # fmt: skip
        for trainer, weighed in measured(Path(name) / "set", args.processes, args.batches):
            found["trainers"][trainer] = weighed
            if args.out is not None:
                write_json(args.out, found)


if __name__ == "__main__":
    main()
