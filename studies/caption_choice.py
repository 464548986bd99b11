"""How a caption is chosen among those that the model writes for a motion: by the cosine, and by what each claims.

    python -m studies.caption_choice --data runs/mini/set

The model writes eight captions for each motion and its reader reads what they claim. Each row chooses among the same
eight, then also among the captions of the examples, in the last rows also among plain statements of what the joints
show, by the retriever's cosine and

    share     the weight times the share of the claims that the motion holds, times the reader's confidence
    balance   the weight for each claim that the motion holds, less twice the weight for each that it does not
    new       a balance with the weight 0.1, less another weight for a caption that is an example's word for word
    stated    a balance with the weight 0.1, less 0.5 for an example's caption and another weight for a statement
    alike     the weight times how many of a caption's words, pairs, threes and fours of words the other seven have too

What is chosen is scored against the motion's own captions, and by the claims that hold: by the predicates, which choose
in the rows above, and by the second detectors, which choose nothing. Validation clips, and clips of another seed whose
combination of actions training never saw; no test clip.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.vocabularies import WIDE
from remogpt.eval.captioning import caption_metrics, three_references
from remogpt.eval.detectors import facts_hold
from remogpt.motion import Motion, features_to_joints
from remogpt.motion.facts import facts_correct
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT, captioning
from remogpt.prompts import clean_text
from remogpt.runtime.files import write_json, write_text
from remogpt.runtime.progress import progress
from studies.unseen import unseen_clips

RESULTS = Path(__file__).parent / "results" / "caption_choice.json"
CANDIDATES, BATCH, SEED = 8, 8, 5


@dataclass(frozen=True)
class Candidate:
    """A written caption, and what is known of it."""

    text: str
    cosine: float
    confidence: float
    """Of the reader in its reading."""
    holds: list[bool]
    """Whether each claim holds, by the predicates."""
    second: list[bool]
    """The same by the second detectors."""
    copied: bool = False
    """Whether it is the caption of an example."""
    is_written: bool = True
    """Whether the model wrote it."""
    is_stated: bool = False
    """Whether it is a plain statement of what the joints show."""


@dataclass(frozen=True)
class Asked:
    """A motion: its own captions, and what was written for it, or is an example's caption."""

    references: list[str]
    candidates: list[Candidate]


Rule = Callable[[Candidate, Sequence[Candidate]], float]


def share(weight: float) -> Rule:
    """Score by the share of claims that hold."""
    return lambda one, _: one.cosine + weight * one.confidence * (float(np.mean(one.holds)) if one.holds else 0.0)


def balance(weight: float) -> Rule:
    """Score by the numbers of claims that hold and that do not."""
    return lambda one, _: one.cosine + weight * sum(1.0 if holds else -2.0 for holds in one.holds)


def new(weight: float) -> Rule:
    """Score by the balance, and by whether an example has the same caption."""
    return lambda one, every: balance(0.1)(one, every) - weight * one.copied


def alike(weight: float) -> Rule:
    """Score by the balance, and by how alike the other candidates are."""

    def score(one: Candidate, every: Sequence[Candidate]) -> float:
        others = [overlap(one.text, other.text) for other in every if other is not one and other.is_written]
        return balance(0.1)(one, every) + weight * float(np.mean(others))

    return score


def stated(weight: float) -> Rule:
    """Score by the balance, by whether an example has the same caption, and by whether it is a plain statement."""
    return lambda one, every: new(0.5)(one, every) - weight * one.is_stated


def of_captions(rule: Rule) -> Rule:
    """Choose among captions that the model wrote or examples have."""
    return lambda one, every: -np.inf if one.is_stated else rule(one, every)


def of_written(rule: Rule) -> Rule:
    """Choose among what the model wrote."""
    return lambda one, every: rule(one, every) if one.is_written else -np.inf


WRITTEN: dict[str, Rule] = {
    "the likeliest words": lambda one, every: -every.index(one),
    "cosine": lambda one, _: one.cosine,
    **{f"share, {weight:g}": share(weight) for weight in (0.4, 0.8, 1.6)},
    **{f"balance, {weight:g}": balance(weight) for weight in (0.05, 0.1, 0.2)},
    **{f"new, {weight:g}": new(weight) for weight in (0.05, 0.1, 0.3)},
    **{f"balance, 0.1, and alike, {weight:g}": alike(weight) for weight in (0.5, 1.0)},
}
RULES = {
    **{name: of_written(rule) for name, rule in WRITTEN.items()},
    **{f"examples' captions too, new, {weight:g}": of_captions(new(weight)) for weight in (0.1, 0.2, 0.3, 0.5, 0.7)},
    **{f"statements too, stated, {weight:g}": stated(weight) for weight in (0.0, 0.1, 0.15, 0.2, 0.3, 0.5)},
}


@cache
def _grams(text: str) -> list[Counter[tuple[str, ...]]]:
    words = clean_text(text).lower().split()
    return [Counter(zip(*(words[first:] for first in range(length)), strict=False)) for length in (1, 2, 3, 4)]


def overlap(text: str, other: str) -> float:
    """Return the mean F1 of the words, pairs, threes and fours of words that two captions have in common."""
    found = []
    for mine, theirs in zip(_grams(text), _grams(other), strict=True):
        total = sum(mine.values()) + sum(theirs.values())
        found.append(2 * sum((mine & theirs).values()) / total if total else 0.0)
    return float(np.mean(found))


def gather(model: ReMoGPT, clips: Sequence[tuple[np.ndarray, list[str]]], name: str) -> list[Asked]:
    """Let the model write candidates for motions, (T, 263) raw features each with their own captions."""
    assert model.reader is not None
    found = []
    for start in progress(range(0, len(clips), BATCH), desc=name, unit="batch"):
        part = clips[start : start + BATCH]
        own = {name: model.generation[name] for name in ("strength", "routes", "k")}  # as `ReMoGPT.caption` has them
        options = GenerationOptions(best_of=CANDIDATES).with_defaults({**own, "temperature": 0.0})
        motions = [Motion.from_features(features) for features, _ in part]
        windows = captioning.plan(motions, options.excluded(len(part)), model.tokenizer)
        captioning.retrieve(windows, model.database(), model.retriever, options)
        captioning.ask(windows, model.lm, model._following(options))
        captioning.write(windows, model.lm, model._following(options), options, start)
        captioning.add_rivals(windows)
        captioning.read(windows, model.reader)
        captioning.add_statements(windows)
        embedded = model.retriever.encode_motion([window.features for window in windows])
        for (features, captions), window, motion in zip(part, windows, embedded, strict=True):
            joints = features_to_joints(features)
            examples = {example.caption.strip() for example in window.examples}
            texts = [captioning.or_no_words(text) for text in window.candidates]
            cosines = model.retriever.encode_text(texts) @ motion
            candidates = [
                Candidate(
                    text, float(cosine), reading.confidence, facts_correct(reading.facts, joints),
                    facts_hold(reading.facts, joints) if reading.facts else [], text.strip() in examples,
                    number < CANDIDATES, bool(is_stated),
                )
                for number, (text, cosine, reading, is_stated) in enumerate(
                    zip(texts, cosines, window.readings, window.is_stated, strict=True)
                )
            ]  # fmt: skip
            found.append(Asked(captions, candidates))
    return found


def measure(asked: Sequence[Asked], rule: Rule) -> dict[str, Any]:
    """Score what a rule chooses."""
    chosen = [max(one.candidates, key=lambda candidate: rule(candidate, one.candidates)) for one in asked]
    scores = caption_metrics([one.text for one in chosen], [three_references(one.references) for one in asked])
    return {
        "cider": scores["cider"], "bleu4": scores["bleu4"],
        "copies": float(np.mean([one.copied for one in chosen])),
        "statements": float(np.mean([one.is_stated for one in chosen])),
        "claims": float(np.mean([len(one.holds) for one in chosen])),
        "hold": float(np.mean([holds for one in chosen for holds in one.holds])),
        "hold_by_second_detectors": float(np.mean([holds for one in chosen for holds in one.second])),
    }  # fmt: skip


def markdown(results: dict[str, Any]) -> str:
    """Write a table of a split's rows."""
    head = ["rule", "CIDEr", "BLEU-4", "copies, %", "statements, %", "claims", "hold, %", "by second detectors, %"]
    parts = ["# Choosing captions", (__doc__ or "").split("\n\n", 2)[2].strip()]
    for split, rows in results["splits"].items():
        lines = [head, ["---"] * len(head)]
        for name, row in rows.items():
            numbers = [100 * row[key] for key in ("cider", "bleu4", "copies", "statements")]
            shares = [100 * row[key] for key in ("hold", "hold_by_second_detectors")]
            lines.append([name, *(f"{one:.1f}" for one in (*numbers, row["claims"], *shares))])
        parts += [f"{split}:", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join(parts) + "\n"


def main(words: Sequence[str] | None = None) -> None:
    """Gather, measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help="model folder; default: the embedded mini")
    parser.add_argument("--data", type=Path, required=True, help="procedural set")
    parser.add_argument("--clips", type=int, default=200, help="of each split")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    model, motions = ReMoGPT.from_pretrained(args.model), MotionTextSet.open(args.data)
    val = [(motions.features(clip), list(clip.captions)) for clip in motions.clips("val")[: args.clips]]
    unseen = [(clip.features, [one.text for one in clip.captions]) for clip in unseen_clips(SEED, args.clips, WIDE)]
    splits = {
        name: {rule: measure(asked, choose) for rule, choose in RULES.items()}
        for name, asked in (("val", gather(model, val, "val")), ("unseen", gather(model, unseen, "unseen")))
    }
    results = {
        "command": "python -m studies.caption_choice --data SET", "model": model.manifest["hashes"],
        "clips": args.clips, "splits": splits,
    }  # fmt: skip
    write_json(args.out, results)
    write_text(args.out.with_suffix(".md"), markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main()
