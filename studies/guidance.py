"""Compare weights of guidance by the caption, and what the plain prompt holds.

  OMP_NUM_THREADS=1 python -m studies.guidance --data runs/mini/set --grid plain
  OMP_NUM_THREADS=1 python -m studies.guidance --data runs/mini/set --grid models --lm runs/lm_fresh --name fresh

Guidance contrasts each prompt with a plain one (`remogpt.lm.decoding.generate.guided`). A row is one way to write a
motion for the first caption of each of the first clips of a split: examples followed or none, weight, strength, what
the plain prompt holds, length, number of candidates. The measure is the share of the captions' facts that the joints
prove; beside it the mean length and the mean error of the length, in codes of 0.2 s. Results:
studies/results/guidance.json, and the table beside it. Rows that a call does not make stay as they are.

`fresh` is mini's language model trained on for 600 steps of 48 samples without examples, captions dropped for 12 % of
them, on 10,610 clips of seed 1 (its run of 900 steps was cut off, so that its rate never fell to the end). It lost.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval import facts
from remogpt.interfaces import FoundExample
from remogpt.lm import DecodeOptions, MotionWriter, Sampling, requests_for
from remogpt.lm.copying.logit_mixers import Following
from remogpt.lm.limits import MAX_CODES
from remogpt.motion import features_to_joints
from remogpt.prompts import ask_for_motion
from remogpt.runtime.files import read_json, write_json, write_text

RESULTS = Path(__file__).parent / "results" / "guidance.json"
NEUTRAL = "a person moves"


@dataclass(frozen=True)
class Way:
    """One way to write motions."""

    guidance: float = 1.0
    strength: float = 3.0
    plain: str = "bare"
    """What the plain prompt holds: "bare" nothing; "examples" the examples; "neutral" `NEUTRAL`, without examples."""
    length: str = "open"
    """Whose length is asked for: "open" nobody's; "first" the first example's; "shown" the mean of the examples that
    answer, nobody's where none does; "true" the real motion's."""
    best_of: int = 1
    follows: bool = True
    """Whether examples are retrieved and followed."""


GRIDS: dict[str, list[Way]] = {
    "plain": [
        *(Way(w, 3.0, plain) for w, plain in product((2.0, 3.0, 1.5), ("bare", "examples", "neutral"))),
        *(Way(w, plain=plain, length="true", follows=False)
          for w, plain in ((1.0, "bare"), (2.0, "bare"), (2.0, "neutral"), (3.0, "bare"), (3.0, "neutral"))),
    ],
    "lengths": [
        Way(1.0, 3.0), Way(1.0, 3.0, length="shown"), Way(2.0, 3.0, length="shown"), Way(2.0, 3.0, length="first"),
        Way(2.0, 4.0), *(Way(w, 4.0, length="shown") for w in (1.0, 1.5, 2.0, 2.5, 3.0)),
        Way(1.5, 3.0, length="shown"), Way(2.0, 2.0, length="shown"),
    ],
    "candidates": [
        Way(w, s, length=length, best_of=8)
        for w, s, length in product((1.0, 2.0), (3.0, 4.0), ("shown", "open")) if (w, s) != (1.0, 4.0)
    ],
    "models": [
        *(Way(w, length="true", follows=False) for w in (1.0, 2.0, 3.0)),
        *(Way(w, s, length="shown") for w, s in ((1.0, 3.0), (2.0, 3.0), (2.0, 4.0), (2.5, 4.0))),
    ],
}  # fmt: skip
"""What was tried: what the plain prompt holds; whose length; the best of several; language models beside each other."""


def measure(model: ReMoGPT, motions: MotionTextSet, split: str, count: int, way: Way) -> dict[str, Any]:
    """Write motions in one way and check their facts."""
    clips = motions.clips(split)[:count]
    known, texts = [motions.facts(clip) for clip in clips], [clip.captions[0] for clip in clips]
    codes = write(model, texts, [clip.num_frames // 4 for clip in clips], way)
    scored = facts.evaluate(known, [features_to_joints(one) for one in model.tokenizer.decode_batch(codes)])
    off = [abs(len(own) - clip.num_frames / 4) for own, clip in zip(codes, clips, strict=True)]
    return {
        **asdict(way), "facts": round(100 * scored["share"], 1), "ci95": round(100 * scored["ci95"], 1),
        "all_hold": round(100 * scored["all_hold"], 1), "num_items": scored["num_items"],
        "codes": round(float(np.mean([len(own) for own in codes])), 1), "codes_off": round(float(np.mean(off)), 1),
        "by_factor": {name: round(100 * one["share"], 1) for name, one in scored["by_factor"].items()},
    }  # fmt: skip


def _mean_length(examples: Sequence[FoundExample]) -> int | None:
    """Return the mean number of codes of the examples that answer; None without any."""
    return min(round(float(np.mean([len(one.codes) for one in examples]))), MAX_CODES) if examples else None


def write(model: ReMoGPT, texts: list[str], true_lengths: list[int], way: Way) -> list[np.ndarray]:
    """Write one motion's codes for each caption."""
    words = model.lm.vocabulary
    found = model.examples_for_texts(texts) if way.follows or way.length == "first" else [()] * len(texts)
    lengths: list[int | None] = list(true_lengths) if way.length == "true" else [None] * len(texts)
    if way.length == "first":
        lengths = [min(len(examples[0].codes), MAX_CODES) for examples in found]
    found = found if way.follows else [()] * len(texts)
    following = Following(model.copy_head, way.strength, words)
    shown = [following.shown_for_text(examples) for examples in found]
    if way.length == "shown":
        lengths = [_mean_length(examples) for examples in shown]
    rows = [index for index in range(len(texts)) for _ in range(way.best_of)]

    def prompts(captions: Sequence[str | None], shown: Sequence[Any]) -> list[Any]:
        made = [
            ask_for_motion(
                model.lm.prompt_form, caption, examples, num_frames=None if length is None else 4 * length,
                count=words.count,
            )
            for caption, examples, length in zip(captions, shown, lengths, strict=True)
        ]  # fmt: skip
        return [made[row] for row in rows]

    caption = NEUTRAL if way.plain == "neutral" else None
    plain = prompts([caption] * len(texts), shown if way.plain == "examples" else [()] * len(texts))
    asked = [lengths[row] for row in rows]
    codes = model.lm.generate_codes(
        requests_for(prompts(texts, shown), plain=plain, length=asked),
        DecodeOptions(Sampling(), seed=0, guidance=way.guidance),
        following.codes([found[row] for row in rows], asked),
    )
    if way.best_of == 1:
        return codes
    embedded = model.retriever.encode_motion(model.tokenizer.decode_batch(codes))
    of_each = embedded.reshape(len(texts), way.best_of, -1)
    best = np.einsum("nd,ncd->nc", model.retriever.encode_text(texts), of_each).argmax(axis=1)
    return [codes[index * way.best_of + int(chosen)] for index, chosen in enumerate(best)]


def key(row: dict[str, Any]) -> list[Any]:
    """Return what tells a row from others: the language model, the clips, and the way."""
    return [row["lm"], row["split"], row["clips"], *(row[name] for name in asdict(Way()))]


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Write the table."""
    heads = ["lm", "split", "examples", "strength", "w", "plain prompt", "length", "best of", "facts %", "all hold %",
             "codes", "codes off"]  # fmt: skip
    lines = ["# Guidance study", "", "Facts of written motions, with 95 % intervals over captions.", ""]
    lines += ["| " + " | ".join(heads) + " |", "|---|---|---|---:|---:|---|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        cells = [row["lm"], f"{row['split']} ({row['clips']})", "followed" if row["follows"] else "none"]
        cells += [f"{row['strength']:g}" if row["follows"] else "", f"{row['guidance']:g}"]
        cells += ["" if row["guidance"] == 1 else row["plain"], row["length"], str(row["best_of"])]
        cells += [
            f"{row['facts']:.1f} ± {row['ci95']:.1f}",
            *(f"{row[name]:.1f}" for name in ("all_hold", "codes", "codes_off")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main(words: Sequence[str] | None = None) -> None:
    """Measure what a grid lacks, row by row, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="procedural set")
    parser.add_argument("--split", default="val")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--model", type=Path, default=None, help="model folder; the embedded mini without it")
    parser.add_argument("--lm", type=Path, default=None, help="another language model in its place")
    parser.add_argument("--name", default="mini", help="name of the language model in the table")
    parser.add_argument("--grid", choices=list(GRIDS), required=True)
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON of all rows; the table lies beside it")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    model, motions = ReMoGPT.from_pretrained(args.model, device="cpu"), MotionTextSet.open(args.data)
    if args.lm is not None:
        model.__dict__["lm"] = MotionWriter.from_pretrained(args.lm)  # in place of the cached property
    about = {"lm": args.name, "split": args.split, "clips": args.clips}
    rows: list[dict[str, Any]] = read_json(args.out)["rows"] if args.out.is_file() else []
    for way in GRIDS[args.grid]:
        if any(key(row) == key({**about, **asdict(way)}) for row in rows):
            continue
        rows.append({**about, "command": command(), **measure(model, motions, args.split, args.clips, way)})
        print(rows[-1]["facts"], rows[-1]["codes_off"], way, flush=True)
        write_json(args.out, {"rows": rows})
    write_text(args.out.with_suffix(".md"), markdown(rows))


if __name__ == "__main__":
    main()
