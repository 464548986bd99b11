"""What captions gain by retrieved examples: none, read in the prompt, followed word by word, or returned as they are.

  OMP_NUM_THREADS=1 python -m benchmarks.caption_copying --data runs/mini/set --model runs/mini/model --wrong bandai_db

The first clips of a split; the likeliest words. CIDEr, BLEU-4 and ROUGE-L (all times 100, protocol ptb) against all
captions of a clip, and the share of captions that are one of the retrieved ones word for word. The strength was chosen
on val; test splits were looked at once. `--wrong` names a database that lacks the answers.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.example_tables import Scores, fill_tables
from remogpt import GenerationOptions, ReMoGPT
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.eval.captioning import caption_metrics
from remogpt.lm import DecodeOptions, Sampling, requests_for
from remogpt.lm.copying.logit_mixers import Following
from remogpt.motion import Motion
from remogpt.pipeline import Captioned
from remogpt.prompts import ask_for_text

Answers = Callable[[list[Motion]], list[Captioned]]


def scores_of(data: MotionTextSet, clips: Sequence[Clip], answer: Answers) -> Scores:
    """Scores of a row."""
    answers = answer([Motion.from_features(data.features(clip)) for clip in clips])
    found = caption_metrics([one.text for one in answers], [clip.captions for clip in clips], "ptb")
    copies = [one.text in {example.caption for example in one.examples} for one in answers]
    return {
        **{name: round(100 * found[name], 1) for name in ("cider", "cider_ci95", "bleu4", "rougeL")},
        "words": round(found["length"], 1),
        "copies": round(100 * sum(copies) / len(copies), 1),
        "num_items": len(answers),
    }


def written(model: ReMoGPT, database: Path | None = None, **options: Any) -> Answers:
    """Let the model write one candidate, or as many as `options` say."""
    how = GenerationOptions(**{"best_of": 1, **options})
    return lambda motions: model.caption(motions, seed=0, database=database, options=how)


def retrieved(model: ReMoGPT) -> Answers:
    """Return the caption that fits the motion best."""

    def answer(motions: list[Motion]) -> list[Captioned]:
        found = model.examples_for_motions([motion.features for motion in motions])
        return [Captioned(examples[0].caption, examples[:1], ()) for examples in found]

    return answer


def unseen_by_the_prompt(model: ReMoGPT, strength: float) -> Answers:
    """Follow examples that the prompt does not show."""

    def answer(motions: list[Motion]) -> list[Captioned]:
        features, words = [motion.features for motion in motions], model.lm.vocabulary
        found = model.examples_for_motions(features)
        prompts = [
            ask_for_text(model.lm.prompt_form, codes, (), count=words.count)
            for codes in model.tokenizer.encode_batch(features)
        ]
        mixer = Following(model.copy_head, strength, words).words(found)
        texts = model.lm.generate_text(requests_for(prompts), DecodeOptions(Sampling(temperature=0.0)), mixer=mixer)
        return [Captioned(*row, ()) for row in zip(texts, found, strict=True)]

    return answer


def ways(model: ReMoGPT, wrong: Path | None, strengths: Sequence[float]) -> dict[str, Answers]:
    """Every row of the table, by name."""
    own = {
        "no_retrieval": written(model, examples="none"),
        "prompt_only": written(model, strength=0.0),
        **{f"followed_{strength:g}": written(model, strength=strength) for strength in strengths},
        "followed_not_in_the_prompt": unseen_by_the_prompt(model, model.generation["strength"]),
        "retrieved_as_it_is": retrieved(model),
        "no_retrieval_best_of_8": written(model, examples="none", best_of=8),
        "followed_best_of_8": written(model, best_of=8),
    }
    if wrong is None:
        return own
    return own | {
        "wrong_database_prompt_only": written(model, database=wrong, strength=0.0),
        "wrong_database_followed": written(model, database=wrong),
    }


def is_whole(clip: Clip) -> bool:
    """Whether a clip is all of its file."""
    return clip.id == clip.file_id


def main(words: Sequence[str] | None = None) -> None:
    fill_tables(words, __doc__ or "", "caption_copying", ways, scores_of, is_whole)


if __name__ == "__main__":
    main()
