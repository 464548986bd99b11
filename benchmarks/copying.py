"""What generated motions gain by retrieved examples: none, read in the prompt, copied from, or returned as they are.

  OMP_NUM_THREADS=1 python -m benchmarks.copying --data runs/mini/set --model runs/mini/model --wrong sets/bandai_db

The first caption of each of the first clips of a split, the model's length, one candidate. A fact is what the caption
says and the joints must show; the real motions' share is the ceiling, after the tokenizer that of their codes. The
strength was chosen on val; test splits were looked at once. `--wrong` names a database that lacks the answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.example_tables import Scores, fill_tables
from remogpt import GenerationOptions, ReMoGPT
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.eval import facts
from remogpt.eval.runs.samples import overlap
from remogpt.lm import DecodeOptions, requests_for
from remogpt.motion import features_to_joints
from remogpt.motion.skeleton import FPS
from remogpt.prompts import ask_for_motion
from remogpt.retriever import RetrievedExample

BATCH = 50
Answers = Callable[[list[str], int], Sequence[Any]]


@dataclass(frozen=True)
class Answer:
    """A motion that was not written by the model."""

    codes: np.ndarray
    features: np.ndarray
    examples: tuple[RetrievedExample, ...] = ()


def scores_of(motions: MotionTextSet, clips: Sequence[Clip], answers: Sequence[Answer]) -> Scores:
    """Share of facts that hold, of motions in which all do, nearness to what was retrieved, and error of the length."""
    known = [motions.facts(clip) for clip in clips]
    held = facts.check_all(known, [features_to_joints(answer.features) for answer in answers])
    near = [max((overlap(one.codes, shown.codes) for shown in one.examples), default=0.0) for one in answers]
    late = [abs(4 * len(one.codes) - clip.num_frames) / FPS for one, clip in zip(answers, clips, strict=True)]
    return {
        "facts": round(100 * float(facts.summarise(known, held)["share"]), 1),
        "all_facts": round(100 * float(np.mean([all(row) for row in held if len(row)])), 1),
        "overlap_with_examples": round(float(np.mean(near)), 3),
        "copies": round(100 * float(np.mean(np.array(near) == 1)), 1),
        "seconds_off": round(float(np.mean(late)), 2),
        "num_items": len(answers),
    }


def written(model: ReMoGPT, database: Path | None = None, **options: Any) -> Answers:
    """Let the model write one candidate, or as many as `options` say."""

    def answer(texts: list[str], first: int) -> list[Answer]:
        how = GenerationOptions(**{"best_of": 1, **options})
        made = model.generate(texts, seed=first, database=database, options=how)
        return [Answer(one.codes, one.motion.features, one.examples) for (one,) in made]

    return answer


def retrieved(model: ReMoGPT) -> Answers:
    """Return the motion that is retrieved first."""

    def answer(texts: list[str], first: int) -> list[Answer]:
        found = [examples[:1] for examples in model.examples_for_texts(texts)]
        decoded = model.tokenizer.decode_batch([one[0].codes for one in found])
        return [Answer(one[0].codes, features, one) for one, features in zip(found, decoded, strict=True)]

    return answer


def of_its_length(model: ReMoGPT) -> Answers:
    """Let the model write without examples, as long as the motion that is retrieved first."""

    def answer(texts: list[str], first: int) -> list[Answer]:
        seconds = [4 * len(examples[0].codes) / FPS for examples in model.examples_for_texts(texts)]
        how = GenerationOptions(examples="none", best_of=1)
        made = model.generate(texts, seconds=seconds, seed=first, options=how)
        return [Answer(one.codes, one.motion.features) for (one,) in made]

    return answer


def guided(model: ReMoGPT, weight: float) -> Answers:
    """Let the model write with examples in the prompt, contrasted with the same prompt without them."""

    def answer(texts: list[str], first: int) -> list[Answer]:
        found = model.examples_for_texts(texts)
        whole, plain = (
            [ask_for_motion(model.lm.prompt_form, text, shown, count=model.lm.vocabulary.count)
             for text, shown in zip(texts, each, strict=True)]
            for each in (found, [()] * len(texts))
        )  # fmt: skip
        codes = model.lm.generate_codes(requests_for(whole, plain=plain), DecodeOptions(seed=first, guidance=weight))
        return [Answer(*row) for row in zip(codes, model.tokenizer.decode_batch(codes), found, strict=True)]

    return answer


def with_any_example(model: ReMoGPT) -> ReMoGPT:
    """Return the model with a match test that takes every example for an answer."""
    other = ReMoGPT(model.folder, "cpu")
    assert other.copy_head is not None
    last = other.copy_head.text_match.layers[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(10.0)
    return other


def ways(model: ReMoGPT, wrong: Path | None, strengths: Sequence[float]) -> dict[str, Answers]:
    """Every row of the table, by name."""
    trusting = with_any_example(model)
    own = {
        "no_retrieval": written(model, examples="none"),
        "no_retrieval_of_its_length": of_its_length(model),
        "prompt_only": written(model, strength=0.0),
        **{f"copy_{strength:g}": written(model, strength=strength) for strength in strengths},
        **{f"prompt_guided_{weight:g}": guided(model, weight) for weight in (1.5, 3.0)},
        "copy_without_match_test": written(trusting),
        "retrieved_as_it_is": retrieved(model),
        "no_retrieval_best_of_8": written(model, examples="none", best_of=8),
        "copy_best_of_8": written(model, best_of=8),
    }
    if wrong is None:
        return own
    return own | {
        "wrong_database_prompt_only": written(model, database=wrong, strength=0.0),
        "wrong_database_copy": written(model, database=wrong),
        "wrong_database_copy_without_match_test": written(trusting, database=wrong),
    }


def row_of(motions: MotionTextSet, clips: Sequence[Clip], answer: Answers) -> Scores:
    """Let a way answer the first caption of each clip, and score what it made."""
    answers: list[Answer] = []
    for first in range(0, len(clips), BATCH):
        answers += answer([clip.captions[0] for clip in clips[first : first + BATCH]], first)
    return scores_of(motions, clips, answers)


def ceilings(model: ReMoGPT, motions: MotionTextSet, clips: Sequence[Clip]) -> dict[str, Scores]:
    """Real motions, and what the tokenizer leaves of them."""
    features = [motions.features(clip) for clip in clips]
    codes = model.tokenizer.encode_batch(features)
    pairs = {"real": features, "real_through_the_tokenizer": model.tokenizer.decode_batch(codes)}
    return {
        name: scores_of(motions, clips, [Answer(own, row) for own, row in zip(codes, rows, strict=True)])
        for name, rows in pairs.items()
    }


def main(words: Sequence[str] | None = None) -> None:
    fill_tables(words, __doc__ or "", "copying", ways, row_of, begin=ceilings)


if __name__ == "__main__":
    main()
