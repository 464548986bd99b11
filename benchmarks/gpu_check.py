"""Do in about ten minutes all that has never run on a GPU here, and write what came of it as JSON.

  scripts/gpu_check.sh                                    on the GPU, at the papers' sizes, random weights, no download
  scripts/gpu_check.sh --device cpu --small --out x.json  a trial of the script itself: its numbers mean nothing

  precision     the likeliest motions of the embedded model, in float32 and bfloat16 on the device: shares of their
                codes that equal those of float32 on the CPU
  cuda_graphs   the decoder's step as a CUDA graph beside plain decoding: seconds, and whether the ids are the same
  faiss_gpu     100,000 x 256 rows searched by FAISS on the GPU beside the CPU: seconds a query, and equal answers
  generation    T5-base at batch 1 and 32: ids a second beside transformers.generate (benchmarks/generation_speed.py)
  training      steps of each of the papers' trainings, as its settings file says, on made-up motions: seconds a step
                and peak memory. Text and vision models have their real shapes and random weights.

A check that fails is written as `failed` with the error, the others go on, and the exit code is 1.
"""

import argparse
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from benchmarks import generation_speed as speed
from benchmarks.command import command
from benchmarks.gpu_check_trainings import TRAININGS, Inputs
from remogpt import GenerationOptions, ReMoGPT
from remogpt.lm import Sampling
from remogpt.lm.decoding import generate as decoding
from remogpt.lm.transformers_t5 import for_inference
from remogpt.retriever.database.vector_index import VectorIndex, has_faiss
from remogpt.runtime.device import chosen_device, on_device
from remogpt.runtime.files import write_json

CAPTIONS = ["a person waves with the right hand", "someone walks forward and sits down", "a person jumps twice"]
STEPS = (2, 6)
"""Steps of the two trainings whose difference tells the seconds of a step."""


def machine() -> dict[str, Any]:
    """What it runs on."""
    device = chosen_device()
    gpu = torch.cuda.get_device_properties(device) if device.type == "cuda" else None
    return {
        "device": str(device), "gpu": gpu.name if gpu else None,
        "gigabytes": rounded(gpu.total_memory / 1e9) if gpu else None,
        "cpu": platform.machine(), "torch": torch.__version__, "cuda": torch.version.cuda,
        "transformers": transformers.__version__,
    }  # fmt: skip


def precision(small: bool) -> dict[str, Any]:
    """Write the likeliest motions in each number format and compare their codes with those of the CPU."""
    options = GenerationOptions(best_of=1, temperature=0.0, retrieved=0, verify=False)
    texts = CAPTIONS[: 1 if small else 3]

    def codes(device: Any, name: Any) -> list[np.ndarray]:
        model = ReMoGPT.from_pretrained(device=device, precision=name)
        return [one.codes for (one,) in model.generate(texts, seconds=1.0 if small else 6.0, options=options)]

    wanted = codes("cpu", "float32")
    found: dict[str, Any] = {}
    for name in ("float32", "bfloat16"):
        begin = time.perf_counter()
        written = codes(chosen_device(), name)
        equal = [float((one == other).mean()) for one, other in zip(written, wanted, strict=True)]
        found[name] = {"equal_codes": rounded(float(np.mean(equal))), "seconds": rounded(time.perf_counter() - begin)}
    return found


def cuda_graphs(small: bool) -> dict[str, Any]:
    """Time writing with the decoder's step as a CUDA graph and without; only a GPU has graphs."""
    subject = _subject(small, 8)
    frozen = for_inference(subject.t5, "float32")
    write = partial(
        speed.ours(subject, 8 if not small else 1, frozen, Sampling(temperature=0.0)), 49 if not small else 4
    )
    graphed = decoding.GraphedDecoder
    write()
    seconds, ids = speed.timed(write)
    decoding.GraphedDecoder = lambda decoder, num_rows: decoder  # type: ignore[assignment, misc]
    try:
        plain_seconds, plain = speed.timed(write)
    finally:
        decoding.GraphedDecoder = graphed  # type: ignore[misc]
    return {
        "are_graphs": chosen_device().type == "cuda", "seconds": rounded(seconds),
        "seconds_plain": rounded(plain_seconds), "same_ids": ids == plain,
    }  # fmt: skip


def faiss_gpu(small: bool) -> dict[str, Any]:
    """Search rows on the chosen device and on the CPU."""
    if not has_faiss():
        return {"failed": "FAISS is not installed; pip install 'remogpt[gpu]'"}
    rows = np.random.default_rng(0).normal(size=(2_000 if small else 100_000, 256)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    none = np.empty(0, np.int64)

    def search(index: VectorIndex) -> list[list[int]]:
        return [index.search(query, 10, np.asarray, none)[1].tolist() for query in rows[:50]]

    here = VectorIndex(rows, use_faiss=True)
    search(here)  # takes its memory
    seconds, found = speed.timed(partial(search, here))
    with on_device("cpu"):
        cpu_seconds, wanted = speed.timed(partial(search, VectorIndex(rows, use_faiss=True)))
    return {
        "on_gpu": here._on_gpu is not None, "seconds_a_query": rounded(seconds / 50),
        "seconds_a_query_cpu": rounded(cpu_seconds / 50), "same_rows": found == wanted,
    }  # fmt: skip


def generation(small: bool) -> dict[str, Any]:
    """Measure ids a second at batch 1 and 32 beside transformers."""
    batches = (1, 2) if small else (1, 32)
    subject, bandwidth = _subject(small, max(batches)), speed.bandwidth()
    return {f"batch {batch}": speed.measure(subject, batch, 1, bandwidth) for batch in batches}


def training(small: bool) -> dict[str, Any]:
    """Take some steps of each of the papers' trainings; one that fails does not stop the others."""
    with tempfile.TemporaryDirectory() as name:
        inputs = Inputs(Path(name), small)
        return {config: checked(partial(_steps, inputs, config, train)) for config, train in TRAININGS.items()}


def _steps(inputs: Inputs, config: str, train: Callable[..., None]) -> dict[str, Any]:
    if chosen_device().type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    settings, seconds = inputs.settings(config), []
    for steps in STEPS:
        folder = inputs.folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        loop = replace(settings.loop, steps=steps, evaluate_every=0, save_every=1000, log_every=1)
        seconds.append(speed.timed(partial(train, inputs, replace(settings, loop=loop), folder))[0])
    peak = torch.cuda.max_memory_allocated() / 1e9 if chosen_device().type == "cuda" else None
    return {
        "batch": settings.loop.batch_size, "mixed_precision": settings.loop.mixed_precision,
        "seconds_a_step": rounded((seconds[1] - seconds[0]) / (STEPS[1] - STEPS[0])),
        "peak_gigabytes": None if peak is None else rounded(peak),
    }  # fmt: skip


def _subject(small: bool, count: int) -> speed.Subject:
    """Return what is written with: T5-base with random weights, or the embedded model."""
    speed.DEVICE = chosen_device()
    mini = speed.of_mini(count)
    with torch.no_grad():
        subject = mini if small else speed.of_base_size("relu", 3072, [len(prompt) for prompt in mini.prompts])
    subject.t5.to(chosen_device())  # type: ignore[arg-type]
    return subject


def rounded(value: float) -> float:
    """Keep three digits."""
    return float(f"{value:.3g}")


def checked(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a check finds, or why it failed."""
    begin = time.perf_counter()
    try:
        found = check()
    except Exception as error:  # each check stands for itself, whatever a GPU makes of it
        found = {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
    return found | {"took_seconds": rounded(time.perf_counter() - begin)}


CHECKS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "precision": precision, "cuda_graphs": cuda_graphs, "faiss_gpu": faiss_gpu, "generation": generation,
    "training": training,
}  # fmt: skip


def failures(found: dict[str, Any]) -> list[str]:
    """Return the names of the checks and trainings that failed."""
    inner = found.get("training", {}).items()
    flat = found | {f"training {name}": row for name, row in inner if isinstance(row, dict)}
    return [name for name, row in flat.items() if isinstance(row, dict) and "failed" in row]


def main(words: Sequence[str] | None = None) -> int:
    """Run every check and write the JSON as it grows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--device", default="cuda", help="cpu tries the script without a GPU")
    parser.add_argument("--small", action="store_true", help="tiny shapes: a trial of the script, no measurement")
    parser.add_argument("--only", nargs="+", choices=sorted(CHECKS), default=list(CHECKS))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/gpu_check.json"))
    args = parser.parse_args(words)
    transformers.logging.set_verbosity_error()
    with on_device(args.device):
        result: dict[str, Any] = {"command": command(), "is_trial": args.small, "machine": machine(), "checks": {}}
        for name in args.only:
            with torch.inference_mode(name in ("cuda_graphs", "generation")):
                result["checks"][name] = checked(partial(CHECKS[name], args.small))
            write_json(args.out, result)
            print(f"{name}: {result['checks'][name]}", flush=True)
    failed = failures(result["checks"])
    print(f"{args.out}: {'failed: ' + ', '.join(failed) if failed else 'everything ran'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
