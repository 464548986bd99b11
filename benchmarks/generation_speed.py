"""Writing speed of the language model: ours beside `transformers.generate`, over the same weights and prompts.

  OMP_NUM_THREADS=1 python -m benchmarks.generation_speed

Shapes: T5-base and flan-t5-base with random weights from a seed (speed does not depend on them) and as many words as
they have, and the embedded mini. Prompts are as long as mini's for captions of its database with two retrieved examples
each; those of the large shapes are random ids. Every writer writes 49 ids, the longest motion, for each.

  motiongpt       transformers.generate as MotionGPT's code calls it: prompts padded to 256, sampled from the 50 best
                  ids of the whole vocabulary, with its cache
  greedy          transformers.generate, prompts padded to the longest, the best allowed id each time
  float32 ...     ours, sampled from all allowed ids; the share of greedy ids that are the second writer's stands beside
                  (random weights turn any rounding into other ids: what fewer bits cost is in generation_precision.py)

Each round times one writer after the other; seconds are medians over the rounds. On the CPU they are seconds of its one
thread, into which other jobs on the machine hardly enter; on a GPU they are those on the wall. `bound` is the time of
one step if nothing but the decoder's weights and the prompts' keys and values were read, at the bandwidth measured; for
many rows arithmetic takes longer than that. Shapes and batch sizes that are not asked for stay in the file as they are.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from transformers import LogitsProcessor, LogitsProcessorList, T5Config, T5ForConditionalGeneration

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.lm import DecodeOptions, MotionLanguageModel, Sampling
from remogpt.lm.batch import pad
from remogpt.lm.decoding.generate import Row, WritableIds, generate
from remogpt.lm.decoding.inference_t5 import InferenceT5
from remogpt.lm.transformers_t5 import for_inference
from remogpt.prompts import text_to_motion_prompt
from remogpt.retriever import MotionDatabase
from remogpt.runtime.files import read_json, write_json

NUM_IDS, MOTIONGPT_LENGTH, SEED = 49, 256, 0
NUM_WORDS, NUM_CODES = 32_128, 512
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PRECISIONS = ("float32", "bfloat16") if DEVICE.type == "cuda" else ("float32", "bfloat16", "int8")
BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}

Ids = list[list[int]]
Writer = Callable[[int], Any]
"""Writes so many ids for each prompt."""


class Subject(NamedTuple):
    """What is measured: a T5, its prompts, and how its ids are laid out."""

    t5: T5ForConditionalGeneration
    prompts: Ids
    codes: np.ndarray
    start: list[int]
    end: int


def of_base_size(activation: str, ff: int, lengths: Sequence[int]) -> Subject:
    """T5-base with random weights, its vocabulary extended by codes, start and end."""
    torch.manual_seed(SEED)
    config = T5Config(
        vocab_size=NUM_WORDS + NUM_CODES + 3, d_model=768, d_kv=64, d_ff=ff, num_layers=12, num_decoder_layers=12,
        num_heads=12, feed_forward_proj=activation, pad_token_id=0, eos_token_id=1,
        decoder_start_token_id=0,  # type: ignore[call-arg]
    )  # fmt: skip
    rng = np.random.default_rng(SEED)
    prompts = [rng.integers(2, NUM_WORDS, length).tolist() for length in lengths]
    codes, first = np.arange(NUM_WORDS, NUM_WORDS + NUM_CODES), NUM_WORDS + NUM_CODES
    t5 = T5ForConditionalGeneration(config).eval()
    t5.shared.weight.mul_(0.05)  # as it starts, a T5 writes the id again that it has read last
    for name, weight in t5.named_parameters():
        if "Attention" in name:
            weight.mul_(2.0)
    return Subject(t5, prompts, codes, [0, first], first + 1)


def of_mini(count: int) -> Subject:
    """The embedded model, with prompts for captions of its database; the caption's own clip is no example."""
    model = ReMoGPT.from_pretrained(device="cpu")
    words, entries = model.lm.vocabulary, clips_of(model.database(), count)
    examples = model.examples_for_texts([caption for _, caption in entries], exclude=[[own] for own, _ in entries])
    prompts = [
        words.encode_prompt(text_to_motion_prompt(caption, own, count=words.count))
        for (_, caption), own in zip(entries, examples, strict=True)
    ]
    start = [words.pad_id, words.motion_start_id]
    t5 = MotionLanguageModel.from_pretrained(model.folder).t5
    return Subject(t5, prompts, words.code_ids, start, words.motion_end_id)


def clips_of(database: MotionDatabase, count: int) -> list[tuple[str, str]]:
    """Ids and captions of clips spread over a database."""
    infos = [database.info(int(row)) for row in np.linspace(0, len(database) - 1, count)]
    return [(info.id, info.captions[0]) for info in infos]


class Only(LogitsProcessor):
    """Forbids all ids but some."""

    def __init__(self, ids: np.ndarray, vocabulary_size: int):
        self._mask = torch.full((vocabulary_size,), -torch.inf, device=DEVICE)
        self._mask[torch.as_tensor(ids)] = 0.0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores + self._mask


def theirs(subject: Subject, batch: int, width: int, **options: Any) -> Writer:
    """`transformers.generate` on the first prompts, padded to a width."""
    input_ids = pad([*subject.prompts[:batch], [1] * width], 0)[:-1].to(DEVICE)
    mask = (input_ids != 0).long()  # the transformers of MotionGPT's time found it by itself
    start = torch.tensor([subject.start] * batch, device=DEVICE)

    def write(count: int) -> Ids:
        written = subject.t5.generate(
            input_ids=input_ids,
            attention_mask=mask,
            decoder_input_ids=start,
            min_new_tokens=count,
            max_new_tokens=count,
            **options,
        )
        ids: Ids = written[:, len(subject.start) :].tolist()
        return ids

    return write


def ours(subject: Subject, batch: int, frozen: InferenceT5, sampling: Sampling) -> Writer:
    """Our `generate` on the first prompts."""

    def write(count: int) -> Ids:
        rows = [Row(tuple(ids), (), count, (number,), None) for number, ids in enumerate(subject.prompts[:batch])]
        writable = WritableIds(subject.codes, tuple(subject.start), subject.end, count)
        return generate(frozen, rows, writable, sampling, DecodeOptions(seed=SEED, batch_size=batch))

    return write


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of some work, and what came of it."""
    clock = time.process_time if DEVICE.type == "cpu" else time.perf_counter
    begin = clock()
    result = work()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return clock() - begin, result


def bandwidth() -> float:
    """Bytes that are read a second: a sum over 400 MB."""
    numbers = torch.ones(100_000_000, device=DEVICE)
    return 4e8 / min(timed(numbers.sum)[0] for _ in range(5))


def bytes_of_a_step(subject: Subject, batch: int, precision: str) -> int:
    """Decoder weights that one step multiplies by, and keys and values of the prompts."""
    t5 = subject.t5
    read = sum(w.numel() for name, w in t5.decoder.block.named_parameters() if "EncDecAttention.k" not in name
               and "EncDecAttention.v" not in name)  # fmt: skip
    weights = read + (len(subject.codes) + 1) * t5.config.d_model
    widest = max(map(len, subject.prompts[:batch])) * t5.config.num_heads * t5.config.d_kv
    kept = 2 if precision == "bfloat16" and DEVICE.type == "cuda" else 4
    return weights * BYTES[precision] + 2 * len(t5.decoder.block) * batch * widest * kept


def measure(subject: Subject, batch: int, rounds: int, speed: float) -> dict[str, Any]:
    """Time all writers on one shape and batch size."""
    greedy_options = {"do_sample": False, "logits_processor": LogitsProcessorList(
        [Only(subject.codes, subject.t5.config.vocab_size)])}  # fmt: skip
    longest = max(map(len, subject.prompts[:batch]))
    frozen = {name: for_inference(subject.t5, name) for name in PRECISIONS}  # type: ignore[arg-type]
    writers = {
        "motiongpt": theirs(subject, batch, MOTIONGPT_LENGTH, do_sample=True, top_k=50),
        "greedy": theirs(subject, batch, longest, **greedy_options),
        **{name: ours(subject, batch, t5, Sampling()) for name, t5 in frozen.items()},
    }
    short = subject._replace(prompts=[prompt[:4] for prompt in subject.prompts])
    for t5 in frozen.values():
        ours(short, batch, t5, Sampling())(2)  # arranges the weights
    seconds: dict[str, list[float]] = {name: [] for name in writers}
    written: dict[str, Ids] = {}
    for _ in range(rounds):
        for name, writer in writers.items():
            took, written[name] = timed(partial(writer, NUM_IDS))
            seconds[name].append(took)
    rows = {}
    for name, writer in writers.items():
        took, first = statistics.median(seconds[name]), timed(partial(writer, 1))[0]
        rows[name] = {
            "seconds": rounded(took), "ids_per_second": rounded(batch * NUM_IDS / took),
            "milliseconds_to_the_first": rounded(1e3 * first),
            "milliseconds_a_step": rounded(1e3 * (took - first) / (NUM_IDS - 1)),
        }  # fmt: skip
        if name in frozen:
            best = np.array(ours(subject, batch, frozen[name], Sampling(temperature=0.0))(NUM_IDS))
            rows[name] |= {
                "bound": rounded(1e3 * bytes_of_a_step(subject, batch, name) / speed),
                "times_motiongpt": rounded(statistics.median(seconds["motiongpt"]) / took),
                "times_greedy": rounded(statistics.median(seconds["greedy"]) / took),
                "greedy_ids_agree": rounded(float((best == np.array(written["greedy"])).mean())),
            }
    return rows


def machine(speed: float) -> dict[str, Any]:
    """What it ran on."""
    return {
        "cpu": platform.machine(), "gpu": torch.cuda.get_device_name() if DEVICE.type == "cuda" else None, "threads": 1,
        "torch": torch.__version__, "transformers": transformers.__version__,
        "gigabytes_read_a_second": rounded(speed / 1e9), "load_average": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def rounded(value: float) -> float:
    """Keep three digits."""
    return float(f"{value:.3g}")


def main(words: Sequence[str] | None = None) -> None:
    """Measure every shape and batch size, and write the JSON as it grows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--shapes", nargs="+", default=["mini", "t5-base", "flan-t5-base"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/generation_speed.json"))
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with torch.inference_mode():
        speed, mini = bandwidth(), of_mini(max(args.batches))
        lengths = [len(prompt) for prompt in mini.prompts]
        makers: dict[str, Callable[[], Subject]] = {
            "mini": lambda: mini,
            "t5-base": lambda: of_base_size("relu", 3072, lengths),
            "flan-t5-base": lambda: of_base_size("gated-gelu", 2048, lengths),
        }
        result: dict[str, Any] = read_json(args.out) if args.out.is_file() else {"ids": NUM_IDS, "shapes": {}}
        for shape in args.shapes:
            subject = makers[shape]()
            subject.t5.to(DEVICE)  # type: ignore[arg-type]
            for batch in args.batches:
                writers = measure(subject, batch, args.rounds, speed)
                result["shapes"].setdefault(shape, {})[f"batch {batch}"] = {
                    "command": command(), "rounds": args.rounds, "machine": machine(speed),
                    "prompt_lengths": sorted(lengths[:batch]), "writers": writers,
                }  # fmt: skip
                write_json(args.out, result)
                for name, row in writers.items():
                    numbers = ", ".join(f"{key} {value:g}" for key, value in row.items())
                    print(f"{shape}, batch {batch}, {name}: {numbers}", flush=True)


if __name__ == "__main__":
    main()
