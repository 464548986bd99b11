"""Motions to be scored, whoever made them: a model, the set itself, a database, or files (`motion_files`).

A folder of samples written here holds one `<clip id>.npy` for each clip, raw features (T, F) (`:` in an id is written
`_`), and `samples.json`: the card, and for each clip the caption, the examples and how much of them was copied.
Subfolders `generation_01`, ... hold further generations of the same clips. Files that `samples.json` does not name are
of an earlier evaluation with other settings.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval.cards import Card, ItemsFile, sha256_of
from remogpt.eval.runs.modes import Mode, NamesModes
from remogpt.eval.runs.run import CaptionQuery, Run, own_ids
from remogpt.eval.runs.shown import keep_examples
from remogpt.eval.text.rouge import lcs_length
from remogpt.interfaces import GeneratedMotion
from remogpt.motion.features import joints_in_metres
from remogpt.runtime.files import fingerprint, read_json, read_npy, write_json, write_npy
from remogpt.runtime.inside import path_inside

_log = logging.getLogger(__name__)

LONGEST_FRAMES = 196
"""Longest motion that a generator is asked for, as in the field's evaluations; HumanML3D's clips reach 199."""
INDEX = "samples.json"
DRAWN = "one of each clip, drawn with the seed"
"""Captions that motions are written for, as a card says it."""


@dataclass(frozen=True)
class Samples:
    """One motion for each clip of a list."""

    items: list[dict[str, Any]]
    """For each clip: id, caption, and how its motion was made (examples, overlap)."""
    load: Callable[[int], np.ndarray]
    """Index -> (T, F) raw features."""
    card: Card
    """Protocol entries that say how the motions were made."""

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def joints(self) -> list[np.ndarray]:
        """(T, J, 3) metres of each motion."""
        return [joints_in_metres(self.load(index)) for index in range(len(self))]

    @cached_property
    def identity(self) -> str:
        """SHA-256 of all the motions, in their order."""
        return fingerprint([self.load(index) for index in range(len(self))])

    @property
    def protocol(self) -> Card:
        """Return card entries of a result: how the motions were made, and a hash of the captions in order."""
        return {**self.card, "prompts_sha256": sha256_of([item["caption"] for item in self.items])}


def of_clips(
    run: Run, clips: Sequence[Clip], shown: Sequence[Clip], queries: Sequence[CaptionQuery], made: str,
    how: Mapping[str, Any] | None = None,
) -> Samples:  # fmt: skip
    """Take motions of the set itself: `shown[i]` stands for `clips[i]`; `how`: card entries of the choice."""
    items = [
        {"id": clip.id, "caption": query.text, "examples": [other.id] if other is not clip else []}
        for clip, other, query in zip(clips, shown, queries, strict=True)
    ]
    card = {"made_by": made, **(how or {}), "captions": DRAWN, "shown_sha256": sha256_of([clip.id for clip in shown])}
    return Samples(items, lambda index: run.motions.features(shown[index]), card)


def file_name(clip_id: str) -> str:
    """Return the name of the file of a clip's sample.

    Raises:
        RemogptError: for an id that cannot name a file within a folder.
    """
    return path_inside("", clip_id.replace(":", "_"), ".npy").as_posix()


def by_model(
    run: Run, split: str, clips: Sequence[Clip], mode: Mode, *,
    generation: int = 0, series: str = "", database: tuple[Any, str] | None = None,
) -> Samples:  # fmt: skip
    """Let the model write a motion for each clip's caption; goes on where an interrupted run with this card ended.

    Args:
        mode: how the model answers; its name is the folder's.
        generation: number of this generation of the same clips.
        series: namespace for the random seed, so that two experiments do not share draws.
        database: (database, hash) instead of the run's own.

    Source: MotionGPT's evaluation; differs: a motion is scored at the length that it was written at, neither cut nor
    filled up with zeros to the real one's.
    """
    queries = run.queries(clips)
    opened, its_hash = database if database is not None else (run.database, run.own_database_hash)
    protocol = _protocol(run, mode, its_hash if mode.retrieval else None)
    card = run.card(split, clips, **protocol, generation=f"{series}{generation}")
    folder = run.out / "motions" / split / (f"{mode.name}/generation_{generation:02d}" if generation else mode.name)
    items = _already_there(folder, card)
    for start, batch in run.batches(clips, f"{split} {mode.name}"):
        if start + len(batch) <= len(items):
            continue
        asked = queries[start : start + len(batch)]
        seed = run.batch_seed(start, *([f"{series}{generation}"] if generation or series else []))
        items, answers = items[:start], _written(run, mode, batch, asked, opened, seed)
        for clip, query, one in zip(batch, asked, answers, strict=True):
            write_npy(folder / file_name(clip.id), one.motion.features)
            items.append({
                "id": clip.id, "caption": query.text, "examples": [example.id for example in one.examples],
                "example_captions": [example.caption for example in one.examples], "overlap": _overlap(one),
            })  # fmt: skip
        if not (generation or series):
            found = {clip.id: one.examples for clip, one in zip(batch, answers, strict=True)}
            keep_examples(run, split, f"generation/{mode.name}", clips, found, opened)
        write_json(folder / INDEX, {"card": card, "items": items})
    return Samples(items, lambda index: read_npy(folder / file_name(clips[index].id)), protocol)


def _written(
    run: Run, mode: Mode, clips: Sequence[Clip], queries: Sequence[CaptionQuery], database: Any, seed: int
) -> Sequence[GeneratedMotion]:
    """Ask the model for one motion for each clip, written from its caption or from the clip itself."""
    model = run.needs_model("generating motions")
    if mode.reads_motion:
        assert isinstance(model, NamesModes)  # the mode is one of its own
        return model.reconstruct_batch([run.motions.features(clip)[:LONGEST_FRAMES] for clip in clips])
    seconds = [min(clip.num_frames, LONGEST_FRAMES) / run.motions.fps for clip in clips]
    answers = model.generate(
        [query.text for query in queries], seconds=seconds if mode.gives_length(run) else None, seed=seed,
        database=database, options=mode.options(run, [sorted(own_ids(clip)) for clip in clips]),
    )  # fmt: skip
    return [one for (one,) in answers]


def _overlap(answer: GeneratedMotion) -> float:
    """Return how much of an answer is an example's motion: 1 where it is a retrieved motion, or is joined of some."""
    if getattr(answer, "copied_from", None) or getattr(answer, "joined_from", None):
        return 1.0
    guides = [one.guide for one in getattr(answer, "segments", ()) if one.guide is not None]
    return max((overlap(answer.codes, example.codes) for example in (*answer.examples, *guides)), default=0.0)


def _protocol(run: Run, mode: Mode, database_hash: str | None) -> Card:
    """Return card entries of motions that a model writes."""
    sampling = {} if run.model is None else run.model.manifest.get("generation", {})
    return {
        "made_by": "the model from the real motion" if mode.reads_motion else "the model",
        "retrieval": mode.retrieval, "database_sha256": database_hash, "best_of": mode.best_of,
        **mode.card(run),
        "captions": DRAWN, "true_length": mode.gives_length(run),
        "batch_size": run.config.batch_size,  # sampling is seeded by batch
        "sampling": {key: value for key, value in sampling.items() if key != "best_of"},  # in no hash
    }  # fmt: skip


def _already_there(folder: Path, card: Card) -> list[dict[str, Any]]:
    """Return items of an earlier run with this card whose files are still there, none if there was none.

    Motions with another card took somebody hours or days: they are set aside, not written over.
    """
    if not (folder / INDEX).is_file():
        return []
    index = read_json(folder / INDEX, ItemsFile)
    if index["card"] != card:
        aside = folder.with_name(f"{folder.name}_before_{sha256_of(index['card'])[:8]}")
        if not aside.exists():
            folder.rename(aside)
            _log.warning("%s holds motions of another model or other settings; they are now in %s", folder, aside.name)
        return []
    items: list[dict[str, Any]] = index["items"]
    missing = [row for row, item in enumerate(items) if not (folder / file_name(item["id"])).is_file()]
    return items[: missing[0]] if missing else items


def overlap(codes: np.ndarray, example: np.ndarray) -> float:
    """Return the longest common subsequence of two code sequences over the longer one; 1 means a copy."""
    left, right = [str(code) for code in codes], [str(code) for code in example]
    return lcs_length(left, right) / max(len(left), len(right), 1)
