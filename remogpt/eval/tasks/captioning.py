"""Motion to text: BLEU, ROUGE-L, CIDEr, BERTScore by protocol, R-precision and MM-dist of the captions, and how much of
what they claim holds on their motions' joints, as the model's reader understands them.

The control `real` is the papers' row of that name: the clips' own captions, scored by the evaluator alone. The control
`retrieved` answers with the caption of the motion that is retrieved first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval import detectors, facts, generation
from remogpt.eval.captioning import three_references
from remogpt.eval.cards import Card, ItemsFile
from remogpt.eval.evaluators.embeddings import embed_texts
from remogpt.eval.runs.caption_files import for_clips, read_captions, score_texts
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.modes import Mode, caption_modes
from remogpt.eval.runs.run import Named, Result, Run, own_ids
from remogpt.eval.runs.shown import keep_examples, keep_real
from remogpt.eval.tasks.generation import evaluator_marks
from remogpt.motion import features_to_joints
from remogpt.motion.feature_body import HUMANML3D
from remogpt.motion.motion import Motion
from remogpt.options import GenerationOptions
from remogpt.runtime.files import read_json, sha256_file, write_json

Items = list[dict[str, Any]]
REAL = "the set itself"
ONE_CAPTION = (
    "CIDEr of a single caption is 0 whatever it says: words are weighted by how few of the evaluated items have them "
    "in their references, and with one item each word's weight is log(1/1) = 0"
)


@dataclass(frozen=True)
class _Answers:
    """Captions of a list of clips and how they were made."""

    name: str
    clips: list[Clip]
    items: Items
    card: Card


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the results of a split: one for each mode of the model, or one for somebody's file, and the control."""
    if run.evaluator is not None:
        # An evaluator that cannot read captions without tokens says so before the work.
        embed_texts(run.cache, run.evaluator, [run.motions.clips(split)[0].captions[0]])
    for answers in _answers(run, split):
        card = run.card(split, answers.clips, **answers.card, **protocol(run, answers.clips), **run.evaluator_card())

        def work(answers: _Answers = answers) -> Result:
            return score(run, answers.clips, answers.items, is_real=answers.card["made_by"] == REAL)

        yield run.finish(f"captioning/{split}/{answers.name}", card, work)


def protocol(run: Run, clips: Sequence[Clip]) -> Card:
    """Return card entries of what `score` does."""
    return {
        "references": "three (first; a, b, a; a, a, a)", "protocols": list(run.config.caption_protocols),
        "bertscore": bertscore_card(run.config), "repeats": run.config.repeats,
        "pool": min(generation.POOL, len(clips)),
    }  # fmt: skip


def bertscore_card(config: EvalConfig) -> str | None:
    """Return the card's entry of BERTScore: its model, and whether it is rescaled."""
    if not config.bertscore:
        return None
    return f"{config.bertscore}, rescaled" if config.bertscore_rescaled else config.bertscore


def _answers(run: Run, split: str) -> Iterator[_Answers]:
    if run.captions is not None:
        clips = run.subset(split, 0)
        pairs = for_clips(read_captions(run.captions, run.motions.left_out), clips, run.captions)
        card = {"made_by": "files", "files_sha256": sha256_file(run.captions)[:16],
                "clips_without_file": len(clips) - len(pairs)}  # fmt: skip
        keep_real(run, split, [clip for clip, _ in pairs])
        yield _Answers("files", [clip for clip, _ in pairs], [{"id": c.id, "caption": t} for c, t in pairs], card)
        return
    clips = run.subset(split, run.config.num_captioning)
    keep_real(run, split, clips)
    for mode in caption_modes(run):
        written = by_model(run, split, clips, mode)
        yield _Answers(mode.name, clips, *written)
    if run.config.controls and run.evaluator is not None:
        # The papers' row "Real": a real caption is its own reference, so that the evaluator alone scores it.
        yield _Answers(
            "real", clips, [{"id": clip.id, "caption": clip.captions[0]} for clip in clips], {"made_by": REAL}
        )
    if run.config.controls and run.own_database_hash:
        card = {"made_by": "first retrieved", "database_sha256": run.own_database_hash, **run.config.shown}
        found = _retrieved(run, split, clips)
        if any(item["caption"] for item in found):  # of an empty database there is nothing to score
            yield _Answers("retrieved", clips, found, card)


def _retrieved(run: Run, split: str, clips: Sequence[Clip]) -> Items:
    """Answer each clip with the caption of the entry that is retrieved for it first."""
    model = run.needs_model("what is retrieved for a motion")
    items: Items = []
    for _, batch in run.batches(clips, f"{split} retrieved"):
        features, hidden = [run.motions.features(clip) for clip in batch], [own_ids(clip) for clip in batch]
        found = model.examples_for_motions(features, run.database, hidden, GenerationOptions(**run.config.shown))
        captions = [row[0].caption if row else "" for row in found]
        items += [{"id": clip.id, "caption": text} for clip, text in zip(batch, captions, strict=True)]
    return items


def by_model(
    run: Run, split: str, clips: Sequence[Clip], mode: Mode, *, database: tuple[Any, str] | None = None
) -> tuple[Items, Card]:
    """Let the model caption each clip; goes on where an interrupted run with this card ended."""
    model = run.needs_model("captioning")
    opened, its_hash = database if database is not None else (run.database, run.own_database_hash)
    protocol = {
        "made_by": "the model", "retrieval": mode.retrieval, "database_sha256": its_hash if mode.retrieval else None,
        "best_of": mode.best_of, **mode.card(run), "batch_size": run.config.batch_size,
    }  # fmt: skip
    card, path = run.card(split, clips, **protocol), run.out / "captions" / split / f"{mode.name}.json"
    done = read_json(path, ItemsFile) if path.is_file() else {}
    items: Items = done["items"] if done.get("card") == card else []
    for start, batch in run.batches(clips, f"{split} {mode.name}"):
        if start + len(batch) <= len(items):
            continue
        motions = [
            Motion.from_features(run.motions.features(clip), name=clip.id, body=run.motions.body) for clip in batch
        ]
        options = mode.options(run, [sorted(own_ids(clip)) for clip in batch])
        written = model.caption(motions, seed=run.batch_seed(start), database=opened, options=options)
        items = items[:start] + [
            {"id": clip.id, "caption": one.text, "examples": [example.id for example in one.examples],
             "example_captions": [example.caption for example in one.examples],
             "copied": any(one.text.strip() == example.caption.strip() for example in one.examples)}
            for clip, one in zip(batch, written, strict=True)
        ]  # fmt: skip
        found = {clip.id: one.examples for clip, one in zip(batch, written, strict=True)}
        keep_examples(run, split, f"captioning/{mode.name}", clips, found, opened)
        write_json(path, {"card": card, "items": items})
    return items, protocol


def score(run: Run, clips: Sequence[Clip], items: Items, *, is_real: bool = False) -> Result:
    """Score one caption of each clip; real ones by the evaluator alone."""
    texts = [item["caption"] for item in items]
    references: list[list[Any]] = [three_references(clip.captions) for clip in clips]
    scores: Result = {} if is_real else _by_references(run, clips, texts, references)
    if run.evaluator is not None and len(clips) > 1:
        scores["evaluator"], marks = _by_evaluator(run, clips, texts)
        scores |= run.marked(marks)
    scores |= _by_claims(run, clips, texts)
    if len(clips) == 1:
        scores |= run.marked([ONE_CAPTION])
    if all("copied" in item for item in items):
        scores["copied_share"] = float(np.mean([item["copied"] for item in items]))
    return scores | {
        "distinct_share": len(set(texts)) / len(texts),
        "num_items": len(items),
        "items": [item | {"references": three} for item, three in zip(items, references, strict=True)],
    }


def _by_references(
    run: Run, clips: Sequence[Clip], texts: Sequence[str], references: Sequence[Sequence[Any]]
) -> Result:
    plain = [name for name in run.config.caption_protocols if name != "lemma"]
    scores = score_texts(texts, references, plain, run.config.bertscore, run.config.bertscore_rescaled)
    if "lemma" not in run.config.caption_protocols:
        return scores
    # The set's own lemmas where it has them, as HumanML3D's references are made; the captions by spaCy.
    lemmas = [
        [clip.tokens[clip.captions.index(text)] or text for text in three]
        for clip, three in zip(clips, references, strict=True)
    ]
    return scores | score_texts(texts, lemmas, ["lemma"])


def _readable(texts: Sequence[str]) -> list[str]:
    """Return captions for a text model: not every one takes an empty caption, which is an answer all the same."""
    return [text if text.strip() else "." for text in texts]


def _by_claims(run: Run, clips: Sequence[Clip], texts: Sequence[str]) -> Result:
    """Return the share of what captions claim that holds: by the predicates, which may have chosen a caption, and by
    the second detectors, which choose nothing; nothing for a model that reads no captions."""
    reader = getattr(run.model, "reader", None)
    if reader is None or run.motions.body is not HUMANML3D:
        return {}
    claims = [reading.facts for reading in reader.read(_readable(texts))]
    if not any(claims):
        return {}
    joints = [features_to_joints(run.motions.features(clip)) for clip in clips]
    found = {second: facts.evaluate(claims, joints, second=second) for second in (False, True)}
    second = found[True] | {"version": detectors.VERSION}
    return {"claims": found[False] | {"second_detectors": second}}


def _by_evaluator(run: Run, clips: Sequence[Clip], texts: Sequence[str]) -> tuple[Result, list[str]]:
    """Return R-precision both ways and MM-dist of captions with their real motions, and marks on them."""
    evaluator = run.needs_evaluator("captioning")
    text = embed_texts(run.cache, evaluator, _readable(texts), [()] * len(texts))
    motion = run.embed_clips(clips)
    scores = generation.evaluate(
        text, motion, motion, repeats=run.config.repeats,
        group=min(generation.POOL, len(clips)), seed=run.config.seed,
    )  # fmt: skip
    kept = {name: value for name, value in scores.items() if "/R" in name or name == "mm_dist"}
    return kept, evaluator_marks(text, motion, is_distribution=False)
