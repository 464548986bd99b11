"""Text to motion: R-precision, MM-dist, FID, Diversity, MultiModality, memorisation, physics; and controls.

Controls are scored by the same protocol: the real motions (the ceiling), the motion retrieved first for the caption,
and the training motion nearest to the real one. The last two are copies, which memorisation must expose.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval import generation, physical, rare
from remogpt.eval.cards import Card, sha256_of
from remogpt.eval.evaluators.embeddings import embed_motions
from remogpt.eval.interval import mean_interval
from remogpt.eval.runs.modes import Mode, modes
from remogpt.eval.runs.motion_files import from_folder
from remogpt.eval.runs.run import CaptionQuery, Named, Result, Run, own_ids
from remogpt.eval.runs.samples import DRAWN, Samples, by_model, of_clips
from remogpt.eval.runs.shown import keep_motions, keep_real, kept
from remogpt.interfaces import FoundExample
from remogpt.motion.features import joints_in_metres
from remogpt.options import GenerationOptions
from remogpt.runtime.network_outputs import are_alike, collapsed

_log = logging.getLogger(__name__)


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the results of a split: one for each mode of the model, or one for somebody's files, and the controls."""
    run.needs_evaluator("generation")
    if len(run.motions.clips(split)) < 2:
        _log.warning("split %s has one clip, and FID and Diversity compare sets; generation is left out there", split)
        return
    for name, clips, queries, samples in sources(run, split, run.config.generations):
        mode = None if run.generated is not None else next((one for one in modes(run) if one.name == name), None)
        several = _multimodal_protocol(run) if mode is not None and mode.is_drawn else {}
        card = run.card(
            split, clips, **samples[0].protocol, **protocol(run, clips, samples), **several, **run.evaluator_card()
        )

        def work(
            mode: Mode | None = mode if several else None, clips: Sequence[Clip] = clips,
            queries: Sequence[CaptionQuery] = queries, samples: Sequence[Samples] = samples,
        ) -> Result:  # fmt: skip
            multimodal = None if mode is None else several_motions(run, split, clips, mode)
            return score(run, split, clips, queries, samples, multimodal)

        yield run.finish(f"generation/{split}/{name}", card, work)


def sources(
    run: Run, split: str, generations: int = 1
) -> Iterator[tuple[str, list[Clip], list[CaptionQuery], list[Samples]]]:
    """Yield the motions to score: (name, clips, queries, one `Samples` for each generation)."""
    if run.generated is not None:
        clips, queries, samples = from_folder(run, split, run.generated)
        place = {clip.id: index for index, clip in enumerate(clips)}
        given = {clip.id: partial(samples[0].load, place[clip.id]) for clip in kept(clips)}
        keep_motions(run, split, "generation/files", given)
        yield "files", clips, queries, samples
    else:
        clips = run.subset(split, run.config.num_generation)
        queries = run.queries(clips)
        for mode in modes(run):
            yield mode.name, clips, queries, [
                by_model(run, split, clips, mode, generation=number)
                for number in range(generations if mode.is_drawn else 1)
            ]  # fmt: skip
    keep_real(run, split, clips)
    if run.config.controls:
        yield from ((name, clips, queries, [samples]) for name, samples in controls(run, clips, queries))


def controls(run: Run, clips: Sequence[Clip], queries: Sequence[CaptionQuery]) -> Iterator[tuple[str, Samples]]:
    """Yield the motions of each control."""
    yield "real", of_clips(run, clips, clips, queries, "the set itself")
    if not run.has_training:
        return
    training, embedded = run.training if run.evaluator is not None else ([], np.zeros((0, 0)))
    if training:
        _, nearest = rare.nearest_distance(run.embed_clips(clips), embedded)
        yield "nearest_training", of_clips(run, clips, [training[at] for at in nearest], queries, "nearest training")
    if run.model is not None and run.own_database_hash:
        by_id = {clip.id: clip for clip in training or run.motions.clips("train")}
        found = run.model.examples_for_texts(
            [query.text for query in queries], run.database, [own_ids(clip) for clip in clips],
            GenerationOptions(**run.config.shown),
        )  # fmt: skip
        # A database of other motions may use the same ids; its captions tell.
        own = [
            next((by_id[one.id] for one in row if one.id in by_id and one.caption in by_id[one.id].captions), None)
            for row in found
        ]
        if all(found) and any(own):
            yield "retrieved", _first_retrieved(run, clips, queries, found, own)


def _first_retrieved(
    run: Run, clips: Sequence[Clip], queries: Sequence[CaptionQuery], found: Sequence[Sequence[FoundExample]],
    own: Sequence[Clip | None],
) -> Samples:  # fmt: skip
    """Take the motion that is retrieved first for each caption: the set's own, or else as the database keeps it."""
    ids = [row[0].id if clip is None else clip.id for row, clip in zip(found, own, strict=True)]

    def load(index: int) -> np.ndarray:
        clip = own[index]
        if clip is not None:
            return run.motions.features(clip)
        assert run.model is not None
        return run.model.retrieved_motion(found[index][0], run.database).features

    items = [
        {"id": clip.id, "caption": query.text, "examples": [first]}
        for clip, query, first in zip(clips, queries, ids, strict=True)
    ]
    card: Card = {"made_by": "first retrieved", **run.config.shown, "captions": DRAWN}
    return Samples(items, load, {**card, "shown_sha256": sha256_of(ids)})


def protocol(run: Run, clips: Sequence[Clip], samples: Sequence[Samples]) -> Card:
    """Return card entries of what `score` does."""
    return {
        "generations": len(samples), "repeats": _repeats(run, samples), "pool": min(generation.POOL, len(clips)),
        "real": "every clip of the split",
        "memorisation": f"train {sha256_of(run.motions.ids('train'))}" if _has_memorisation(run) else None,
    }  # fmt: skip


def score(
    run: Run, split: str, clips: Sequence[Clip], queries: Sequence[CaptionQuery], samples: Sequence[Samples],
    multimodal: np.ndarray | None = None,
) -> Result:  # fmt: skip
    """Score one or more generations of a list of clips."""
    first, text = samples[0], run.embed_queries(queries)
    made = np.stack([embed(run, one) for one in samples])
    real = run.embed_clips(run.subset(split, 0))
    scores = generation.evaluate(
        text, made, real, multimodal=multimodal, repeats=_repeats(run, samples), group=min(generation.POOL, len(clips)),
        seed=run.config.seed,
        multimodal_pairs=min(10, run.config.multimodal_generations),
    )  # fmt: skip
    distances = np.linalg.norm(np.asarray(text, np.float64) - made[0], axis=1)
    items = [item | {"mm_dist": float(value)} for item, value in zip(first.items, distances, strict=True)]
    result: Result = {"evaluator": scores, **bodies(run, clips, first), "num_items": len(items), "items": items}
    result |= run.marked(evaluator_marks(text, made[0]))
    if _has_memorisation(run):
        training, gallery = run.training
        distance, nearest = rare.nearest_distance(made[0], gallery)
        result["memorisation"] = rare.nearness(distance, rare.nearest_distance(run.embed_clips(clips), gallery)[0])
        for item, row, value in zip(items, nearest, distance, strict=True):
            item |= {"nearest_training": training[row].id, "nearest_distance": float(value)}
    if all("overlap" in item for item in items):
        overlaps = np.array([item["overlap"] for item in items])
        result |= {"copied_share": float((overlaps == 1.0).mean()), "overlap_with_examples": mean_interval(overlaps)}
    return result


def evaluator_marks(text: np.ndarray, motion: np.ndarray, *, is_distribution: bool = True) -> list[str]:
    """Return what an evaluator's scores of captions (N, D) and motions (N, D) must not be read without.

    Args:
        is_distribution: whether FID and Diversity are among them.
    """
    count, dim = motion.shape
    found = generation.marks(count, dim if is_distribution else 0, min(generation.POOL, count),
                             generation.PAIRS if is_distribution else 0)  # fmt: skip
    for what, rows in (("captions", text), ("motions", motion)):
        if are_alike(rows):
            found.append(collapsed(f"the evaluator's embeddings of the {what}"))
    return found


def _repeats(run: Run, samples: Sequence[Samples]) -> int:
    """Return the number of draws of pools and pairs: one for each generation, as papers do, where there are several."""
    return len(samples) if len(samples) > 1 else run.config.repeats


def _has_memorisation(run: Run) -> bool:
    return run.config.memorisation and run.has_training and run.evaluator is not None


def embed(run: Run, samples: Samples) -> np.ndarray:
    """Return (N, D) embeddings of samples by the evaluator."""
    return embed_motions(run.cache, run.needs_evaluator("generation"), samples.identity, len(samples), samples.load)


def bodies(run: Run, clips: Sequence[Clip], samples: Samples) -> Result:
    """Return physical quality and lengths beside those of the real motions."""
    real = [joints_in_metres(run.motions.features(clip)) for clip in clips]
    return {
        "physical": physical.evaluate(samples.joints),
        "worse_than_95_percent_of_real": physical.against_real(samples.joints, real),
        "frames": mean_interval(np.array([len(row) for row in samples.joints])),
        "frames_real": mean_interval(np.array([len(row) for row in real])),
    }


def several_motions(run: Run, split: str, clips: Sequence[Clip], mode: Mode) -> np.ndarray:
    """Return (texts, generations, D) embeddings of several motions for the first captions of a seeded order."""
    chosen = np.random.default_rng(run.config.seed).permutation(len(clips))[: run.config.num_multimodal]
    some, named = [clips[index] for index in np.sort(chosen)], replace(mode, name=f"{mode.name}_multimodal")
    made = [
        embed(run, by_model(run, split, some, named, generation=number, series="multimodal_"))
        for number in range(run.config.multimodal_generations)
    ]
    return np.stack(made, axis=1)


def _multimodal_protocol(run: Run) -> dict[str, Any]:
    if not run.config.num_multimodal:
        return {}
    return {"multimodal": f"{run.config.num_multimodal} captions x {run.config.multimodal_generations} motions"}
