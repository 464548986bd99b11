"""Whether the seams of a long motion show: how fast joints move and accelerate there, and at other places.

  OMP_NUM_THREADS=1 python -m benchmarks.seams --data runs/mini/set --model runs/mini/model

The first captions of a split, each for 20 seconds, which are written in three segments. At a place: the fastest joint,
and the largest acceleration of a joint, within 0.2 s. Other places are every second, not within one second of a seam.
"""

import argparse
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.lm.limits import FRAMES_PER_CODE
from remogpt.motion.skeleton import FPS
from remogpt.pipeline import Generated
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

SECOND = int(FPS)
"""Frames."""
NEAR = SECOND // 5
"""Frames to either side of a place that belong to it."""
BATCH = 8


def seams_of(made: Generated) -> np.ndarray:
    """Return the frames at which a segment goes on from another."""
    own = [segment.length - segment.overlap for segment in made.segments if segment.length is not None]
    return np.cumsum(own)[:-1] * FRAMES_PER_CODE


def largest_near(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(T, J) values and (P,) frames -> (P,) the largest value of any joint near each."""
    return np.array([values[max(0, place - NEAR) : place + NEAR].max() for place in places])


def summary(values: np.ndarray) -> dict[str, float]:
    """Median, and what 95 % lie below."""
    return {"median": round(float(np.median(values)), 2), "p95": round(float(np.quantile(values, 0.95)), 2)}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--captions", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "seams.json")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    model, clips = ReMoGPT.from_pretrained(args.model, "cpu"), MotionTextSet.open(args.data).clips(args.split)
    texts = [clip.captions[0] for clip in clips[: args.captions]]
    found: dict[str, dict[str, list[np.ndarray]]] = {
        quantity: {"seams": [], "elsewhere": []} for quantity in ("speed_m_s", "acceleration_m_s2")
    }
    for first in progress(range(0, len(texts), BATCH), desc="seams", unit="batch"):
        some = texts[first : first + BATCH]
        for (made,) in model.generate(some, seconds=args.seconds, seed=first):
            seams, velocity = seams_of(made), np.diff(made.motion.joints, axis=0) * FPS
            every = np.arange(SECOND, len(velocity) - SECOND, SECOND)
            others = every[np.abs(every[:, None] - seams).min(axis=1) > SECOND]
            moving = {"speed_m_s": velocity, "acceleration_m_s2": np.diff(velocity, axis=0) * FPS}
            for quantity, vectors in moving.items():
                size = np.linalg.norm(vectors, axis=2)
                found[quantity]["seams"].append(largest_near(size, seams))
                found[quantity]["elsewhere"].append(largest_near(size, others))
    result: dict[str, Any] = {
        "command": command(), "model": model.manifest["hashes"], "generation": model.generation,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores", "motions": len(texts), "seconds": args.seconds,
        "places": {name: sum(map(len, rows)) for name, rows in found["speed_m_s"].items()},
        **{name: {of: summary(np.concatenate(rows)) for of, rows in both.items()} for name, both in found.items()},
    }  # fmt: skip
    print(result)
    write_json(args.out, result)


if __name__ == "__main__":
    main()
