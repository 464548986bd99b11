"""What multiplying in bfloat16 or int8 costs the embedded model when it writes motions.

  OMP_NUM_THREADS=1 python -m benchmarks.generation_precision runs/mini/set

The captions are of clips that the model has not seen, with two retrieved examples each. For every precision: the
cross-entropy of the clips' real codes, read through the same decoder that writes; the share of greedily written codes
that are float32's, and how far into a motion the first other one comes; and the share of the captions' facts that hold
in sampled motions, with its 95 % interval over captions.
"""

import argparse
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from benchmarks.command import command
from remogpt import GenerationOptions, ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval import facts
from remogpt.lm import DecodeOptions, Sampling, requests_for
from remogpt.lm.decoding.matmul import Precision
from remogpt.motion.skeleton import FPS
from remogpt.prompts import Prompt, ask_for_motion
from remogpt.runtime.files import write_json

GREEDY = Sampling(temperature=0.0)


class Reader:
    """A mixer that has real codes written and sums what the model thought of them.

    Args:
        codes: (N,) per prompt.
    """

    def __init__(self, codes: Sequence[np.ndarray]) -> None:
        self._codes = codes
        self.nats, self.num_codes, self.num_best = 0.0, 0, 0

    def __call__(self, rows: np.ndarray, written: Sequence[list[int]], logits: Tensor) -> Tensor:
        """Note the code that comes next in every row, and leave nothing else to choose."""
        real = torch.tensor([self._codes[row][len(written[row])] for row in rows.tolist()])[:, None]
        self.nats -= float(logits.log_softmax(dim=1).gather(1, real).sum())
        self.num_best += int((logits.argmax(1, keepdim=True) == real).sum())
        self.num_codes += len(rows)
        return torch.full_like(logits, -torch.inf).scatter(1, real, 0.0)


def measure(model: ReMoGPT, motions: MotionTextSet, split: str, count: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Scores of one precision, and its greedy codes."""
    clips = [clip for clip in motions.clips(split) if clip.id == clip.file_id][:count]
    texts = [clip.captions[0] for clip in clips]
    real = model.tokenizer.encode_batch([motions.features(clip) for clip in clips])
    prompts: list[Prompt] = [
        ask_for_motion(model.lm.prompt_form, text, examples, num_frames=None, count=model.lm.vocabulary.count)
        for text, examples in zip(texts, model.examples_for_texts(texts), strict=True)
    ]
    lengths, reader = [len(codes) for codes in real], Reader(real)
    model.lm.generate_codes(requests_for(prompts, length=lengths), DecodeOptions(GREEDY), mixer=reader)
    greedy = model.lm.generate_codes(requests_for(prompts, length=lengths), DecodeOptions(GREEDY))
    seconds = [clip.num_frames / FPS for clip in clips]
    written = model.generate(texts, seconds=seconds, seed=0, options=GenerationOptions(best_of=1))
    known = [motions.facts(clip) for clip in clips]
    held = facts.evaluate(known, [answer.motion.joints for (answer,) in written])
    scores = {
        "cross_entropy_nats": round(reader.nats / reader.num_codes, 4),
        "best_code_is_real": round(reader.num_best / reader.num_codes, 4),
        "facts": {name: round(held[name], 4) for name in ("share", "ci95")} | {"captions": held["num_items"]},
    }
    return scores, greedy


def agreement(codes: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> dict[str, float]:
    """How much of motions is the same code at the same place, and how much of each before the first difference."""
    same = [ours == theirs for ours, theirs in zip(codes, wanted, strict=True)]
    return {
        "same_code": round(float(np.concatenate(same).mean()), 4),
        "before_the_first_difference": round(
            float(np.mean([np.logical_and.accumulate(row).mean() for row in same])), 4
        ),
        "motions_all_the_same": round(float(np.mean([row.all() for row in same])), 4),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure every precision and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("set", type=Path, help="procedural set that the model was made from")
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=120, help="clips")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/generation_precision.json"))
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    motions = MotionTextSet.open(args.set)
    result: dict[str, Any] = {
        "command": command(),
        "machine": {"cpu": platform.machine(), "torch": torch.__version__, "load": round(os.getloadavg()[0], 1)},
        "set": motions.name, "split": args.split, "clips": args.count, "precisions": {},
    }  # fmt: skip
    exact: list[np.ndarray] = []
    precisions: tuple[Precision, ...] = get_args(Precision)
    for precision in precisions:
        model = ReMoGPT.from_pretrained(device="cpu", precision=precision)
        scores, greedy = measure(model, motions, args.split, args.count)
        exact = exact or greedy
        result["precisions"][precision] = scores | {"greedy_as_in_float32": agreement(greedy, exact)}
        print(precision, result["precisions"][precision], flush=True)
    write_json(args.out, result)


if __name__ == "__main__":
    main()
