"""Time training steps of the language model beside a plain loop on the same samples, one thread, in one run.

  OMP_NUM_THREADS=1 python -m benchmarks.training_speed runs/mini/set --out benchmarks/results/training_speed.json

Three ways through one batch, taken in turns with one model and one AdamW: ours (samples sorted by length and padded in
groups, scores of real targets only); padded to the longest of the batch; and padded to 256 ids, inputs and targets
alike, scores of every place, as MotionGPT's released code does (inputs beyond 256 lose their end). The plain ways are
transformers' own forward pass with its own choice of attention; ours is `MotionLanguageModel` as `remogpt train lm`
runs it on a CPU. Stage pretrain has bare captions and motions, stage instruct prompts with two retrieved examples,
here any two. The model is T5-base with flan-t5-base's number of ids and random weights, or mini's. Seconds are of CPU
time, so that other work on the machine does not count; tokens are real ids of inputs and targets. All three ways must
give one loss without dropout, else the run fails. Eight T5-base samples padded to 256 take 15 GB, hence four.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from benchmarks.command import command
from remogpt.data.humanml3d import MotionTextSet
from remogpt.lm import MotionLanguageModel, T5Size, Vocabulary
from remogpt.lm.batch import IGNORED, Sample, collate_by_length
from remogpt.lm.training.samples import CodedClip, ExampleBank, RouteHits, SampleMix, TrainingSamples, caption_queries
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.training_data import coded_clips
from remogpt.tokenizer_vqvae import MotionTokenizer

MAX_IDS = 256
MINI_BATCH, MINI_ROUNDS = 24, 12
T5_TEXT_IDS = 32100
MIX = SampleMix(motion_share=0.5, corrupted=0.333, examples=(0.0, 0.0, 1.0), wrong_examples=0.0)
"""The papers' shares."""
Step = Callable[[Sequence[Sample]], Tensor]
"""The mean loss of a batch."""


def clips_of(folder: Path, count: int) -> list[CodedClip]:
    """Captions and codes, by mini's tokenizer, of a set's first training clips."""
    motions = MotionTextSet.open(folder)
    tokenizer = MotionTokenizer.from_pretrained(embedded_model("mini") / "tokenizer")
    return coded_clips(motions, motions.clips("train")[:count], tokenizer)


def any_examples(clips: Sequence[CodedClip]) -> ExampleBank:
    """Neighbours drawn at random: their lengths are those of true ones."""
    rng = np.random.default_rng(1)
    by_caption, by_clip = (rng.integers(len(clips), size=(n, 2)) for n in (caption_queries(clips)[-1], len(clips)))
    routes = {"t2m": by_caption, "t2t": by_caption, "m2t": by_clip, "m2m": by_clip}
    return ExampleBank([clip.captions for clip in clips], [clip.codes[0] for clip in clips],
                       {name: RouteHits(rows) for name, rows in routes.items()})  # fmt: skip


def paper_size(mini: MotionLanguageModel) -> MotionLanguageModel:
    """T5-base with as many ids as flan-t5-base has with the motions', most of which nobody uses."""
    words = mini.vocabulary
    tokenizer, unused = words._tokenizer, range(words.motion_offset, T5_TEXT_IDS)
    vocabulary = Vocabulary(
        tokenizer, words.num_codes, pad_id=words.pad_id, eos_id=words.eos_id, text_offset=2,
        motion_offset=T5_TEXT_IDS, sentinel_ids=words.sentinel_ids, reserved_ids=unused,
    )  # fmt: skip
    torch.manual_seed(0)
    return MotionLanguageModel.build(vocabulary, T5Size())


def padded(rows: Sequence[Sequence[int]], value: int, width: int) -> Tensor:
    """(B, width), cut off or filled up."""
    return torch.tensor([[*row[:width], *[value] * (width - len(row))] for row in rows])


def ways(model: MotionLanguageModel, groups: int, autocast: bool) -> dict[str, Step]:
    """Give the three ways by name."""
    pad_id = model.vocabulary.pad_id

    def ours(samples: Sequence[Sample]) -> Tensor:
        model.t5.set_attn_implementation("eager")
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = model(collate_by_length(samples, pad_id, groups))
        return loss.total / loss.num_ids

    def plain(samples: Sequence[Sample], width: int | None) -> Tensor:
        model.t5.set_attn_implementation("sdpa")
        inputs, targets = [one.input_ids for one in samples], [one.target_ids for one in samples]
        widths = [width or max(map(len, rows)) for rows in (inputs, targets)]
        ids = padded(inputs, pad_id, widths[0])
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            mask, labels = ids != pad_id, padded(targets, IGNORED, widths[1])
            return model.t5(input_ids=ids, attention_mask=mask, labels=labels).loss

    return {f"ours, {groups} groups": ours, "padded to the longest": lambda samples: plain(samples, None),
            f"padded to {MAX_IDS}": lambda samples: plain(samples, MAX_IDS)}  # fmt: skip


def check_losses(model: MotionLanguageModel, found: dict[str, Step], samples: Sequence[Sample]) -> None:
    """Raise unless every way gives the same loss."""
    model.eval()
    with torch.no_grad():
        losses = [float(step(samples)) for step in found.values()]
    model.train()
    if not np.allclose(losses, losses[0], rtol=1e-3):
        raise SystemExit(f"the losses of {list(found)} should be equal, and are {losses}")


def measure(
    model: MotionLanguageModel, clips: Sequence[CodedClip], stage: Any, batch: int, rounds: int, groups: int, bf16: bool
) -> dict[str, Any]:
    """CPU seconds and real tokens of some steps each way, in turns."""
    samples = TrainingSamples(clips, model.vocabulary, stage, MIX, any_examples(clips))
    rng = np.random.default_rng(0)
    drawn = [[samples.draw(int(item), rng) for item in rng.integers(len(clips), size=batch)] for _ in range(rounds)]
    found = ways(model, groups, bf16)
    check_losses(model, ways(model, groups, False), [one for one in drawn[0] if len(one.input_ids) <= MAX_IDS][:2])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-5)
    seconds = dict.fromkeys(found, 0.0)
    for number, one in enumerate([drawn[0][:1], *drawn]):
        for name, step in found.items():
            begin = time.process_time()
            step(one).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seconds[name] += (time.process_time() - begin) * (number > 0)  # the first one makes AdamW's state
    flat = [sample for one in drawn for sample in one]
    tokens = sum(len(sample.input_ids) + len(sample.target_ids) for sample in flat)
    return {
        "batch": batch, "steps": rounds, "mean_input_ids": round(float(np.mean([len(s.input_ids) for s in flat])), 1),
        "mean_target_ids": round(float(np.mean([len(s.target_ids) for s in flat])), 1),
        "cut_off_at_256": sum(len(s.input_ids) > MAX_IDS for s in flat), "precision": "bf16" if bf16 else "float32",
        "seconds_per_step": {name: round(value / rounds, 3) for name, value in seconds.items()},
        "tokens_per_second": {name: round(tokens / value, 1) for name, value in seconds.items()},
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Measure both sizes and stages and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("set", type=Path, help="procedural set")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--batch", type=int, default=4, help="samples of a step at paper size")
    parser.add_argument("--rounds", type=int, default=2, help="steps each way at paper size")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    clips = clips_of(args.set, args.clips)
    mini = MotionLanguageModel.from_pretrained(embedded_model("mini") / "lm")
    found: dict[str, Any] = {}
    for stage, groups in (("pretrain", 2), ("instruct", 3)):
        found[f"mini, {stage}"] = measure(mini.train(), clips, stage, MINI_BATCH, MINI_ROUNDS, groups, bf16=True)
        print(f"mini, {stage}", found[f"mini, {stage}"], flush=True)
    paper = paper_size(mini)
    for stage in ("pretrain", "instruct"):
        found[f"T5-base, {stage}"] = measure(paper, clips, stage, args.batch, args.rounds, 3, bf16=False)
        print(f"T5-base, {stage}", found[f"T5-base, {stage}"], flush=True)
    machine = {"cpu": platform.machine(), "torch": torch.__version__, "transformers": transformers.__version__}
    result = {"command": command(), "machine": machine | {"load": round(os.getloadavg()[0], 1)},
              "cpu_minutes": round(time.process_time() / 60, 1), "measured": found}  # fmt: skip
    if args.out is not None:
        write_json(args.out, result)


if __name__ == "__main__":
    main()
