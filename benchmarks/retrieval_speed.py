"""Time the retrievers on one thread: captions and motions embedded a second, and one training step at equal batch.

  OMP_NUM_THREADS=1 python -m benchmarks.retrieval_speed --out benchmarks/results/retrieval_speed.json

Motions are noise of 64 to 196 frames, in batches of 32 of one length (databases are embedded in such buckets). Small
networks are mini's and TMR's of configs/tmr_small; paper-size ones have random weights, which costs the same. A step
is forward, loss, backward and AdamW on 128 frames; TMR reads cached token states of a frozen text model, PL-TMR at
paper size trains its DistilBERT too. Each measure is the best of a few rounds; the largest memory of a paper-size
PL-TMR step at batch 8 is that of a process of its own.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import DistilBertConfig, DistilBertModel

from benchmarks.command import command
from remogpt.retriever import TextMotionRetriever
from remogpt.retriever.networks.pl_tmr import PLTMR, PLTMRConfig, build_pl_tmr
from remogpt.retriever.networks.text_towers import FineTunedTower
from remogpt.retriever.networks.tmr import TMR, TMRConfig
from remogpt.retriever.training.contrastive import contrastive_loss
from remogpt.retriever.training.tmr_losses import TMRLosses, tmr_loss
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.find_model import embedded_model

LENGTHS = (64, 96, 128, 160, 196)
BATCH, STEP_FRAMES, WORDS, STATE_DIM = 32, 128, 16, 768
SMALL_TMR = TMRConfig(width=128, num_layers=2, feedforward=256, dropout=0.0, is_variational=False)
"""As in configs/tmr_small/tmr.yaml."""
CAPTIONS = [f"a person walks forward {number} steps and then waves with the left hand" for number in range(BATCH)]


def best_seconds(work: Callable[[], Any], rounds: int = 3) -> float:
    """Shortest time of a few rounds, after one that warms up."""
    work()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def noise(frames: int, batch: int = BATCH) -> tuple[torch.Tensor, torch.Tensor]:
    """z-scored features (B, T, 263) and lengths (B,)."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, frames, 263, generator=generator), torch.full((batch,), frames)


def states(batch: int = BATCH) -> tuple[torch.Tensor, torch.Tensor]:
    """Token states (B, L, 768) and lengths (B,)."""
    return torch.randn(batch, WORDS, STATE_DIM), torch.full((batch,), WORDS)


def paper_pl_tmr() -> PLTMR:
    """PL-TMR at the paper's size with a DistilBERT of random weights."""
    tower = FineTunedTower(DistilBertModel(DistilBertConfig()))
    return build_pl_tmr(PLTMRConfig(), tower)


def motions_per_second(network: PLTMR | TMR) -> dict[str, float]:
    """Motions embedded a second at each length."""
    network.eval()
    result = {}
    with torch.inference_mode():
        for frames in LENGTHS:
            features, lengths = noise(frames)
            seconds = best_seconds(partial(network.embed_motion, features, lengths))
            result[str(frames)] = round(BATCH / seconds, 1)
    return result


def step_of_pl_tmr(network: PLTMR, batch: int) -> Callable[[], None]:
    """One training step on word pieces and motions."""
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4)
    features, lengths = noise(STEP_FRAMES, batch)
    words = torch.randint(1000, 20000, (batch, WORDS)), torch.full((batch,), WORDS)

    def step() -> None:
        own = network(*words, features, lengths)
        contrastive_loss(own.texts, own.motions, own.temperature).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def step_of_tmr(network: TMR, batch: int) -> Callable[[], None]:
    """One training step on token states and motions, reconstruction included."""
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4)
    features, lengths = noise(STEP_FRAMES, batch)
    text, text_lengths = states(batch)
    mask = torch.zeros(batch, batch, dtype=torch.bool)

    def step() -> None:
        output = network(text, text_lengths, features, lengths)
        tmr_loss(output, features, mask, TMRLosses(), 1)[0].backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def memory_of_paper_step(batch: int) -> dict[str, float]:
    """Largest memory of a process that does two paper-size PL-TMR steps, in GB, and their seconds."""
    words = [sys.executable, "-m", "benchmarks.retrieval_speed", "--one-step", str(batch)]
    found: dict[str, float] = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return found


def one_step(batch: int) -> dict[str, float]:
    """What `memory_of_paper_step` runs."""
    seconds = best_seconds(step_of_pl_tmr(paper_pl_tmr(), batch), rounds=1)
    # getrusage would count what the parent held when it forked.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kilobytes = int(status["VmHWM"].split()[0])
    return {"batch": batch, "seconds_per_step": round(seconds, 2), "peak_memory_gb": round(kilobytes / 1e6, 2)}


def measure() -> dict[str, Any]:
    """Every measure."""
    mini = TextMotionRetriever.from_pretrained(embedded_model("mini"))
    assert isinstance(mini.network, PLTMR)
    networks: dict[str, PLTMR | TMR] = {
        "PL-TMR, mini": mini.network, "TMR, small": TMR(SMALL_TMR, STATE_DIM),
        "PL-TMR, paper": paper_pl_tmr(), "TMR, paper": TMR(TMRConfig(), STATE_DIM),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    mixed = [rng.normal(size=(int(length), 263)).astype(np.float32) for length in rng.integers(64, 197, 4 * BATCH)]
    paper, tmr = networks["PL-TMR, paper"], networks["TMR, paper"]
    assert isinstance(paper, PLTMR) and isinstance(tmr, TMR)
    small_tmr = networks["TMR, small"]
    assert isinstance(small_tmr, TMR)
    return {
        "parameters": {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        "motions_per_second_by_frames": {name: motions_per_second(network) for name, network in networks.items()},
        "mini_motions_per_second_64_to_196_bucketed": round(
            len(mixed) / best_seconds(lambda: mini.encode_motion(mixed, batch_size=BATCH)), 1
        ),
        "mini_captions_per_second": round(
            BATCH / best_seconds(lambda: mini.encode_text(CAPTIONS, batch_size=BATCH)), 1
        ),
        "training_step_seconds": {
            f"PL-TMR, paper, batch {BATCH}": round(best_seconds(step_of_pl_tmr(paper, BATCH), 1), 2),
            f"TMR, paper, batch {BATCH}": round(best_seconds(step_of_tmr(tmr, BATCH), 1), 2),
            f"TMR, small, batch {BATCH}": round(best_seconds(step_of_tmr(small_tmr, BATCH), 2), 3),
        },
        "paper_size_pl_tmr_step": memory_of_paper_step(8),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    parser.add_argument("--one-step", type=int, default=None, help=argparse.SUPPRESS)
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    if args.one_step is not None:
        print(json.dumps(one_step(args.one_step)))
        return
    result = {
        "command": command(),
        "machine": {"cpu": platform.machine(), "torch": torch.__version__, "load": round(os.getloadavg()[0], 1)},
        "batch": BATCH, **measure(),
    }  # fmt: skip
    print(json.dumps(result, indent=2))
    if args.out is not None:
        write_json(args.out, result)


if __name__ == "__main__":
    main()
