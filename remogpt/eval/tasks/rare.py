"""Rare captions: scores on the rarest ones, balanced over ranges of rareness, and what retrieval gains there.

Rareness of a caption is 1 minus its largest cosine with the captions of the training split, and once more with those of
the database. Motions are those of `generation`, with retrieval and without.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval import rare
from remogpt.eval.cards import sha256_of
from remogpt.eval.runs.modes import modes
from remogpt.eval.runs.motion_files import from_folder
from remogpt.eval.runs.run import CaptionQuery, Named, Result, Run
from remogpt.eval.runs.samples import Samples, by_model, of_clips
from remogpt.eval.tasks.generation import embed
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_npy

SHOWN = 5
"""Rarest captions that are shown with their motions."""


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the results of a split: with retrieval (and its gain and the rarest captions), without, and real motions.

    A model without a database answers without retrieval alone. Somebody's files are one result, `files`.
    """
    run.needs_evaluator("the rare-motion evaluation")
    if run.generated is not None:
        clips, queries, given = from_folder(run, split, run.generated)
        made = {"files": given[0]}
    else:
        clips = run.subset(split, run.config.num_generation)
        queries = run.queries(clips)
        made = {mode.name: by_model(run, split, clips, mode) for mode in modes(run)}
    rareness = _Rareness.of(run, queries)
    made["real"] = of_clips(run, clips, clips, queries, "the set itself")
    for mode, samples in made.items():
        card = run.card(
            split, clips, **samples.protocol, sentences=rareness.encoder, rare_share=run.config.rare_share,
            num_bins=run.config.num_bins, rareness_training=rareness.training_sha256,
            rareness_database=run.own_database_hash, **run.evaluator_card(),
        )  # fmt: skip
        other = made.get(f"no_{mode}") if mode.startswith("retrieval") else None
        folder = f"rarest/{split}{mode.removeprefix('retrieval')}"

        def work(samples: Samples = samples, other: Samples | None = other, folder: str = folder) -> Result:
            scores = _score(run, queries, samples, rareness)
            if other is not None:
                scores |= _gained(run, clips, queries, samples, other, rareness, folder)
            return scores

        yield run.finish(f"rare/{split}/{mode}", card, work)


@dataclass(frozen=True)
class _Rareness:
    """Rareness of each caption against the captions of a gallery."""

    encoder: str
    training_sha256: str
    """Hash of the captions of the training split."""
    values: dict[str, np.ndarray]
    """training and database -> (N,)."""
    nearest: list[str]
    """The most similar training caption of each query."""
    entries: dict[str, frozenset[str]]
    """Captions of each entry of the database."""

    @classmethod
    def of(cls, run: Run, queries: Sequence[CaptionQuery]) -> "_Rareness":
        vectors = run.embed_sentences([query.text for query in queries])
        training, entries = _captions_of_training(run), _captions_of_database(run)
        values, rows = rare.rareness_and_nearest(vectors, run.embed_sentences(training))
        found = {"training": values}
        if entries:
            database = sorted(frozenset().union(*entries.values()))
            found["database"] = rare.rareness(vectors, run.embed_sentences(database))
        assert run.sentences is not None
        encoder = f"{run.sentences.name} {run.sentences.hash[:12]}"
        return cls(encoder, sha256_of(training), found, [training[row] for row in rows], entries)


def _score(run: Run, queries: Sequence[CaptionQuery], samples: Samples, rareness: _Rareness) -> Result:
    text, motion = run.embed_queries(queries), embed(run, samples)
    result: Result = {"encoder": rareness.encoder, "num_items": len(queries)}
    for gallery, values in rareness.values.items():
        result[gallery] = rare.evaluate(
            text, motion, values, share=run.config.rare_share, num_bins=run.config.num_bins, seed=run.config.seed
        )
    return result


def _gained(
    run: Run, clips: Sequence[Clip], queries: Sequence[CaptionQuery], samples: Samples, other: Samples,
    rareness: _Rareness, folder: str,
) -> Result:  # fmt: skip
    """Return retrieval's gain over rareness (fall of MM-dist), and the rarest captions with their motions."""
    text, values = run.embed_queries(queries), rareness.values["training"]
    distance, without = (np.linalg.norm(text - embed(run, one), axis=1) for one in (samples, other))
    rarest = [
        {"id": clips[at].id, "caption": queries[at].text, "rareness": float(values[at]),
         "nearest_caption": rareness.nearest[at], "mm_dist": float(distance[at]),
         "mm_dist_without_retrieval": float(without[at]),
         "motions": _shown(run, clips[at], samples, other, int(at), rareness.entries, folder)}
        for at in rare.rarest(values, 1.0)[:SHOWN]
    ]  # fmt: skip
    return {"gain": rare.curve(without - distance, values, run.config.num_bins).to_json(), "rarest": rarest}


def _captions_of_training(run: Run) -> list[str]:
    if not run.has_training:
        raise RemogptError(f"{run.motions.folder} has no split train, against which rareness is measured")
    return sorted({caption for clip in run.motions.clips("train") for caption in clip.captions})


def _captions_of_database(run: Run) -> dict[str, frozenset[str]]:
    """Return the captions of each entry of the database that examples come from, none where the model has none."""
    if run.model is None or run.own_database_hash is None:
        return {}
    return {info.id: frozenset(info.captions) for info in run.model.database(run.database).infos()}


def _shown(
    run: Run, clip: Clip, samples: Samples, other: Samples, index: int, entries: dict[str, frozenset[str]], folder: str
) -> dict[str, str]:
    """Write the motions of one caption beside the report; their files, relative to the results' folder."""
    shown = {
        "real": run.motions.features(clip),
        "generated": samples.load(index),
        "without_retrieval": other.load(index),
    }
    example = next(iter(samples.items[index]["examples"]), None)
    if example is not None and _is_of_the_set(run, example, entries.get(example, frozenset())):
        shown["retrieved"] = run.motions.features(example)
    where = f"{folder}/{clip.id.replace(':', '_')}"
    for name, features in shown.items():
        write_npy(run.out / where / f"{name}.npy", features)
    return {name: f"{where}/{name}.npy" for name in shown}


def _is_of_the_set(run: Run, name: str, captions: frozenset[str]) -> bool:
    """Whether an entry of the database is a motion of the set; another set may use the same ids."""
    folder = run.motions.folder
    is_there = all((folder / path).is_file() for path in (f"new_joint_vecs/{name}.npy", f"texts/{name}.txt"))
    return is_there and not captions.isdisjoint(caption.text for caption in run.motions.captions(name))
