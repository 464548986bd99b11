"""What a language model writes of itself, before anything is masked, and what its motions are at a forced length.

  OMP_NUM_THREADS=1 python -m benchmarks.lm_sequences runs/mini/set --out benchmarks/results/lm_sequences.json

1. Before masking: every id of the vocabulary may be drawn, by transformers' own `T5ForConditionalGeneration.generate`.
   Rate of sequences that are no answer, for prompts that ask for a motion: sampled (temperature 1) from all ids, and
   from the 50 likeliest, as MotionGPT does; and for such that ask for text: greedy, as it does, and sampled.
2. Stopping: how far the model's own end lies from the length that the prompt tells, in seconds or in frames, and from
   the real motion's where it tells none. Before masking (sampled; of the answers that are valid), and with this
   project's generation.
3. Forced lengths: facts that hold, and motions whose tail is frozen, at the real motion's length, at 9.8 s for every
   caption, and where the model stops by itself. One candidate each.
4. Seconds: how many motions have the length that was asked for, to a frame; four fifths of 1 to 9.8 s, the rest up to
   30 s.

What counts as an answer, and as a frozen tail: `lm_answers`.
"""

import argparse
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import GenerationConfig

from benchmarks.command import command
from benchmarks.lm_answers import frozen_tails, length_error, motion_fault, rates, tail_movement
from remogpt import GenerationOptions, ReMoGPT
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.eval import facts
from remogpt.eval.runs.run import own_ids
from remogpt.lm import DecodeOptions, MotionLanguageModel, Vocabulary, requests_for
from remogpt.lm.batch import pad
from remogpt.lm.limits import FRAMES_PER_CODE, MAX_CODES
from remogpt.lm.writer import MotionWriter
from remogpt.motion import features_to_joints
from remogpt.motion.skeleton import FPS
from remogpt.prompts import LengthForm, Prompt, motion_to_text_prompt, text_to_motion_prompt
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

FORMS: tuple[LengthForm, ...] = ("plain", "seconds", "frames")
SAMPLED = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
DECODINGS: dict[str, dict[str, dict[str, Any]]] = {
    "motion": {"sampled": SAMPLED, "top 50": {**SAMPLED, "top_k": 50}},
    "text": {"greedy": {"do_sample": False}, "sampled": SAMPLED},
}
MAX_NEW = 128
"""Ids before an answer counts as endless: MotionGPT's limit for motions; the longest answer in training has 52."""
BATCH = 40
NUM_SECONDS = 200
"""Prompts with random lengths."""
LONGEST = MAX_CODES * FRAMES_PER_CODE / FPS


@dataclass(frozen=True)
class Asked:
    """What the model is asked about, clip by clip."""

    clips: list[Clip]
    captions: list[str]
    """One of each clip."""
    features: list[np.ndarray]
    """(T, 263) each, cut to whole codes."""
    codes: list[np.ndarray]
    """(T / 4,) each."""
    examples: dict[str, tuple[list[Any], list[Any]]]
    """With retrieval and without: examples of every caption, and of every motion."""


def asked_of(model: ReMoGPT, motions: MotionTextSet, split: str, count: int, seed: int) -> Asked:
    """Draw clips and captions, encode the motions, and retrieve examples where the model has a database."""
    rng = np.random.default_rng(seed)
    clips = motions.clips(split)
    clips = [clips[place] for place in np.sort(rng.permutation(len(clips))[:count])]
    captions = [clip.captions[int(rng.integers(len(clip.captions)))] for clip in clips]
    features = [motions.features(clip)[: MAX_CODES * FRAMES_PER_CODE] for clip in clips]
    features = [row[: len(row) // FRAMES_PER_CODE * FRAMES_PER_CODE] for row in features]
    none: list[Any] = [()] * len(clips)
    examples = {"none": (none, none)}
    if (model.folder / "database").is_dir():
        hidden = [own_ids(clip) for clip in clips]
        by_motion = model.examples_for_motions(features, None, hidden)
        examples["retrieval"] = (model.examples_for_texts(captions, None, hidden), by_motion)
    return Asked(clips, captions, features, model.tokenizer.encode_batch(features), examples)


def prompts_of(asked: Asked, wants: str, form: LengthForm, mode: str, words: Vocabulary) -> list[Prompt]:
    """Write the prompts that ask for a motion, or for text, with the length told in a form."""
    of_texts, of_motions = asked.examples[mode]
    frames = [len(row) * FRAMES_PER_CODE for row in asked.codes]
    how: dict[str, Any] = {"form": form, "count": words.count}
    if wants == "motion":
        asks = zip(asked.captions, of_texts, frames, strict=True)
        return [text_to_motion_prompt(text, found, num_frames=length, **how) for text, found, length in asks]
    shown = zip(asked.codes, of_motions, frames, strict=True)
    return [motion_to_text_prompt(codes, found, num_frames=length, **how) for codes, found, length in shown]


@torch.inference_mode()
def written_freely(
    lm: MotionLanguageModel, prompts: Sequence[Prompt], decoding: dict[str, Any], seed: int
) -> list[list[int]]:
    """Let the model write without any restriction; ids behind the decoder's start, the end of sequence included."""
    words = lm.vocabulary
    settings = GenerationConfig(
        max_new_tokens=MAX_NEW, decoder_start_token_id=words.pad_id, pad_token_id=words.pad_id,
        eos_token_id=words.eos_id, **decoding,
    )  # fmt: skip
    written: list[list[int]] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for start in range(0, len(prompts), BATCH):
            ids = [words.encode_prompt(prompt) for prompt in prompts[start : start + BATCH]]
            mask = pad([[1] * len(row) for row in ids], 0)
            out = lm.t5.generate(input_ids=pad(ids, words.pad_id), attention_mask=mask, generation_config=settings)
            written += [_until(row, words.eos_id) for row in out[:, 1:].tolist()]
    return written


def _until(ids: list[int], end: int) -> list[int]:
    """Cut behind the first end; what follows is padding."""
    return ids[: ids.index(end) + 1] if end in ids else ids


def before_masking(lm: MotionLanguageModel, asked: Asked, seed: int) -> dict[str, Any]:
    """Rates of invalid answers, and stopping errors of the valid ones, by what is asked, mode, decoding and phrase."""
    words, wanted = lm.vocabulary, [len(row) for row in asked.codes]
    found: dict[str, Any] = {"motion": {}, "text": {}, "stopping": {}}
    cells = [(wants, mode, form, how) for wants in DECODINGS for mode, form, how in
             product(asked.examples, FORMS, DECODINGS[wants])]  # fmt: skip
    for wants, mode, form, how in progress(cells, desc="before masking", unit="cell"):
        answers = written_freely(lm, prompts_of(asked, wants, form, mode, words), DECODINGS[wants][how], seed)
        found[wants].setdefault(mode, {}).setdefault(how, {})[form] = rates(answers, wants, words)
        if wants == "motion" and how == "sampled":
            valid = [place for place, ids in enumerate(answers) if motion_fault(ids, words) is None]
            lengths = [len(words.decode_codes(answers[place])) for place in valid]
            error = length_error(lengths, [wanted[place] for place in valid])
            found["stopping"].setdefault(mode, {})[form] = error
    return found


def stopping_masked(lm: MotionWriter, asked: Asked, seed: int) -> dict[str, Any]:
    """Stopping errors where nothing but codes and the motion end can be written, and no length is forced."""
    found: dict[str, Any] = {mode: {} for mode in asked.examples}
    for mode, form in product(asked.examples, FORMS):
        written = lm.generate_codes(
            requests_for(prompts_of(asked, "motion", form, mode, lm.vocabulary)), DecodeOptions(seed=seed)
        )
        found[mode][form] = length_error([len(row) for row in written], [len(row) for row in asked.codes])
    return found


def always_the_median(motions: MotionTextSet, asked: Asked) -> dict[str, Any]:
    """Stopping error of an answer that has the training clips' median length, whatever is asked."""
    codes = [min(clip.num_frames // FRAMES_PER_CODE, MAX_CODES) for clip in motions.clips("train")]
    return length_error([round(float(np.median(codes)))] * len(asked.codes), [len(row) for row in asked.codes])


def motions_scored(
    made: Sequence[np.ndarray], asked: Asked, motions: MotionTextSet, real: np.ndarray
) -> dict[str, Any]:
    """Facts that hold and frozen tails of raw features (T, 263) each, beside the tails of the real motions."""
    scores: dict[str, Any] = {
        "motions": len(made), "mean_seconds": round(float(np.mean([len(row) for row in made])) / FPS, 2),
        "frozen_tails": frozen_tails(np.array([tail_movement(row) for row in made]), real),
    }  # fmt: skip
    known = [motions.facts(clip) for clip in asked.clips]
    if any(known):
        checked = facts.evaluate(known, [features_to_joints(row) for row in made])
        scores["facts"] = {name: round(checked[name], 4) for name in ("share", "ci95", "all_hold")}
    return scores


def forced_lengths(model: ReMoGPT, motions: MotionTextSet, asked: Asked, seed: int) -> dict[str, Any]:
    """Facts and tails of motions at forced lengths, of real motions, and of these encoded and decoded."""
    real = np.array([tail_movement(row) for row in asked.features])
    found = {
        "real": motions_scored(asked.features, asked, motions, real),
        "encoded and decoded": motions_scored(model.tokenizer.decode_batch(asked.codes), asked, motions, real),
    }
    own, count = [len(row) / FPS for row in asked.features], len(asked.clips)
    lengths: dict[str, list[Any]] = {
        "the real motion's": own, f"{LONGEST} s": [LONGEST] * count, "its own": [None] * count,
    }  # fmt: skip
    for name, mode in product(lengths, asked.examples):
        options = GenerationOptions(
            examples="follow" if mode == "retrieval" else "none", best_of=1,
            exclude=[sorted(own_ids(clip)) for clip in asked.clips],
        )  # fmt: skip
        answers = model.generate(asked.captions, seconds=lengths[name], seed=seed, options=options)
        made = [answer.motion.features for (answer,) in answers]
        found[f"length {name}, {mode}"] = motions_scored(made, asked, motions, real)
    return found


def seconds_honoured(model: ReMoGPT, asked: Asked, count: int, seed: int) -> dict[str, Any]:
    """Ask for random lengths and count the motions that have them, to a frame."""
    rng = np.random.default_rng(seed)
    long = count // 5
    seconds = [float(value) for value in np.r_[rng.uniform(1, LONGEST, count - long), rng.uniform(LONGEST, 30, long)]]
    captions = [asked.captions[place % len(asked.captions)] for place in range(count)]
    options = GenerationOptions(examples="follow" if "retrieval" in asked.examples else "none", best_of=1)
    answers = model.generate(captions, seconds=seconds, seed=seed, options=options)
    asks = [round(value * FPS) for value in seconds]
    honoured = [one.motion.num_frames == frames for (one,), frames in zip(answers, asks, strict=True)]
    return {"prompts": count, "honoured": sum(honoured), f"longer than {LONGEST} s": long}


def main(words: Sequence[str] | None = None) -> None:
    """Measure one model on one set and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("set", type=Path, help="set in HumanML3D's layout, with the splits train and test")
    parser.add_argument("--model", type=Path, default=None, help="model folder; the embedded 'mini' without it")
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=200, help="captions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/lm_sequences.json"))
    args = parser.parse_args(words)
    model, motions = ReMoGPT.from_pretrained(args.model, "cpu"), MotionTextSet.open(args.set)
    asked = asked_of(model, motions, args.split, args.count, args.seed)
    result: dict[str, Any] = {
        "command": command(),
        "machine": {"cpu": platform.machine(), "torch": torch.__version__, "transformers": transformers.__version__},
        "model": model.manifest["name"], "hashes": model.manifest["hashes"],
        "set": motions.name, "licence": motions.licence, "split": args.split, "captions": len(asked.clips),
    }  # fmt: skip
    free = before_masking(MotionLanguageModel.from_pretrained(model.folder), asked, args.seed)
    stopping = {"before masking, sampled": free.pop("stopping"), "masked": stopping_masked(model.lm, asked, args.seed)}
    result["before_masking"] = free
    result["stopping_error"] = stopping | {"always the training clips' median": always_the_median(motions, asked)}
    result["forced_lengths"] = forced_lengths(model, motions, asked, args.seed)
    result["seconds"] = seconds_honoured(model, asked, NUM_SECONDS, args.seed)
    write_json(args.out, result)


if __name__ == "__main__":
    main()
