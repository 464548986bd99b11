"""Motions to be scored, whoever made them: a model, the set itself, a database, or a folder of files.

A folder of samples holds one `<clip id>.npy` for each clip, raw features (T, 263) or joints (T, 22, 3) in metres, y up,
20 fps (`:` in an id is written `_`). Subfolders `generation_01`, ... hold further generations of the same clips.
`captions.json` ({id: caption}), where it is there, names the captions that they were made for. Folders written here
have `samples.json` in its place: the card, and for each clip the caption, the examples and how much of them was copied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval.modes import Mode, NamesModes
from remogpt.eval.protocols import Card, GeneratedMotion, sha256_of
from remogpt.eval.rouge import lcs_length
from remogpt.eval.run import Prompt, Run, own_ids
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.skeleton import FPS, NUM_FEATURES
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, read_npy, sha256_file, write_json, write_npy

LONGEST_FRAMES = 196
"""Longest motion that a generator is asked for, as in the field's evaluations; HumanML3D's clips reach 199."""
INDEX = "samples.json"
DRAWN = "one of each clip, drawn with the seed"
"""Which captions motions are written for, as a card says it."""


@dataclass(frozen=True)
class Samples:
    """One motion for each clip of a list."""

    items: list[dict[str, Any]]
    """Of each clip: id, caption, and what is known of the making (examples, overlap)."""
    load: Callable[[int], np.ndarray]
    """Place -> (T, 263) raw features."""
    card: Card
    """Protocol entries that say how they were made."""
    generation: str = ""
    """Which of several generations of the same clips."""

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def joints(self) -> list[np.ndarray]:
        """(T, 22, 3) of each motion."""
        return [features_to_joints(self.load(place)) for place in range(len(self))]

    @property
    def version(self) -> str:
        """Names these motions, for caches."""
        number = {"generation": self.generation} if self.generation else {}
        return sha256_of([self.card | number, self.items])

    @property
    def protocol(self) -> Card:
        """Card entries of a result: how they were made, and a hash of the prompts in their order."""
        return {**self.card, "prompts_sha256": sha256_of([item["caption"] for item in self.items])}


def of_clips(run: Run, clips: Sequence[Clip], shown: Sequence[Clip], prompts: Sequence[Prompt], made: str) -> Samples:
    """Take motions of the set itself: `shown[i]` stands for `clips[i]`."""
    items = [
        {"id": clip.id, "caption": prompt.text, "examples": [other.id] if other is not clip else []}
        for clip, other, prompt in zip(clips, shown, prompts, strict=True)
    ]
    return Samples(items, lambda place: run.motions.features(shown[place]), {"made_by": made, "captions": DRAWN})


def file_name(clip_id: str) -> str:
    """Return the file of a clip's sample."""
    return f"{clip_id.replace(':', '_')}.npy"


# ---- written by a model ----------------------------------------------------------------------------------------------


def by_model(
    run: Run, split: str, clips: Sequence[Clip], mode: Mode, *,
    generation: int = 0, series: str = "", database: tuple[Any, str] | None = None,
) -> Samples:  # fmt: skip
    """Let the model write a motion for each clip's prompt; goes on where an interrupted run with this card ended.

    Args:
        mode: how the model answers; its name is the folder's.
        generation: number of this generation of the same clips.
        series: tells generations of one purpose from those of another, which get other seeds.
        database: (database, hash) instead of the run's own.
    """
    prompts = run.prompts(clips)
    opened, its_hash = database if database is not None else (run.database, run.own_database_hash)
    protocol = _protocol(run, mode, its_hash if mode.retrieval else None)
    card = run.card(split, clips, **protocol, generation=f"{series}{generation}")
    folder = run.out / "motions" / split / (f"{mode.name}/generation_{generation:02d}" if generation else mode.name)
    items = _already_there(folder, card)
    for start, batch in run.batches(clips, f"{split} {mode.name}"):
        if start + len(batch) <= len(items):
            continue
        asked = prompts[start : start + len(batch)]
        seed = run.batch_seed(start, *([f"{series}{generation}"] if generation or series else []))
        items = items[:start]
        for clip, prompt, one in zip(batch, asked, _written(run, mode, batch, asked, opened, seed), strict=True):
            write_npy(folder / file_name(clip.id), one.motion.features)
            items.append({
                "id": clip.id, "caption": prompt.text, "examples": [example.id for example in one.examples],
                "overlap": max((overlap(one.codes, example.codes) for example in one.examples), default=0.0),
            })  # fmt: skip
        write_json(folder / INDEX, {"card": card, "items": items})
    return Samples(
        items, lambda place: read_npy(folder / file_name(clips[place].id)), protocol, f"{series}{generation}"
    )


def _written(
    run: Run, mode: Mode, clips: Sequence[Clip], prompts: Sequence[Prompt], database: Any, seed: int
) -> Sequence[GeneratedMotion]:
    """Ask the model for one motion for each clip, written from its prompt or from the clip itself."""
    model = run.needs_model("generating motions")
    if mode.reads_motion:
        assert isinstance(model, NamesModes)  # the mode is one of its own
        return model.reconstruct_batch([run.motions.features(clip)[:LONGEST_FRAMES] for clip in clips])
    seconds = [min(clip.num_frames, LONGEST_FRAMES) / FPS for clip in clips]
    return model.generate_batch(
        [prompt.text for prompt in prompts], database, seconds if mode.gives_length(run) else None, seed,
        mode.retrieval, [own_ids(clip) for clip in clips], mode.best_of,
    )  # fmt: skip


def _protocol(run: Run, mode: Mode, database_hash: str | None) -> Card:
    """Card entries of motions that a model writes."""
    sampling = {} if run.model is None else run.model.manifest.get("generation", {})
    return {
        "made_by": "the model from the real motion" if mode.reads_motion else "the model",
        "retrieval": mode.retrieval, "database_sha256": database_hash, "best_of": mode.best_of,
        "captions": DRAWN, "true_length": mode.gives_length(run),
        "batch_size": run.config.batch_size,  # sampling is seeded by batch
        "sampling": {key: value for key, value in sampling.items() if key != "best_of"},  # no part's hash covers it
    }  # fmt: skip


def _already_there(folder: Path, card: Card) -> list[dict[str, Any]]:
    """Items of an earlier run with this card whose files are still there, none if there was none."""
    if not (folder / INDEX).is_file():
        return []
    index = read_json(folder / INDEX)
    if index["card"] != card:
        return []
    items: list[dict[str, Any]] = index["items"]
    missing = [place for place, item in enumerate(items) if not (folder / file_name(item["id"])).is_file()]
    return items[: missing[0]] if missing else items


def overlap(codes: np.ndarray, example: np.ndarray) -> float:
    """Longest common subsequence of two code sequences over the longer one; 1 means a copy."""
    left, right = [str(code) for code in codes], [str(code) for code in example]
    return lcs_length(left, right) / max(len(left), len(right), 1)


# ---- read from a folder ----------------------------------------------------------------------------------------------


def from_folder(run: Run, split: str, folder: Path) -> tuple[list[Clip], list[Prompt], list[Samples]]:
    """Read somebody's motions for the clips of a split.

    Returns:
        clips of which there is a motion, their prompts, and one `Samples` for each generation.

    Raises:
        MissingPathError: if the folder is not there, holds no motion of the split, or lacks some in one generation.
        RemogptError: if a file is neither features nor joints.
    """
    if not folder.is_dir():
        raise MissingPathError(f"no folder of motions {folder}; give one that holds <clip id>.npy")
    places = [folder, *sorted(path for path in folder.glob("generation_*") if path.is_dir())]
    places = [place for place in places if any(place.glob("*.npy"))]
    wanted = sorted(run.motions.clips(split), key=lambda clip: clip.id)
    clips = [clip for clip in wanted if places and (places[0] / file_name(clip.id)).is_file()]
    if not clips:
        raise MissingPathError(
            f"{folder} holds no motion of split {split} of {run.motions.name} (its first clip would be "
            f"{file_name(wanted[0].id)}); name files by the clips that they were generated for"
        )
    for place in places:
        missing = [clip.id for clip in clips if not (place / file_name(clip.id)).is_file()]
        if missing:
            raise MissingPathError(f"{place} lacks {len(missing)} motions that {places[0]} has, first {missing[0]}")
    given = _given_captions(folder)
    prompts = [_prompt(clip, given.get(clip.id)) for clip in clips]
    items = [{"id": clip.id, "caption": prompt.text} for clip, prompt in zip(clips, prompts, strict=True)]
    paths = [[place / file_name(clip.id) for clip in clips] for place in places]
    digests = [sha256_of([sha256_file(path) for path in row]) for row in paths]
    card = {
        "made_by": "files", "files_sha256": sha256_of(digests),
        "captions": "given with the files" if given else "first of each clip",
        "clips_without_file": len(wanted) - len(clips),
    }  # fmt: skip
    return clips, prompts, [_files(row, items, card, digest) for row, digest in zip(paths, digests, strict=True)]


def _files(paths: Sequence[Path], items: list[dict[str, Any]], card: Card, digest: str) -> Samples:
    return Samples(items, lambda place: load_features(paths[place]), card, digest)


def _given_captions(folder: Path) -> dict[str, str]:
    """Captions that the motions of a folder were made for, by the ids of their clips."""
    named, index = folder / "captions.json", folder / INDEX
    if named.is_file():
        given = read_json(named)
    elif index.is_file():
        given = {item["id"]: item["caption"] for item in read_json(index)["items"]}
    else:
        return {}
    if not isinstance(given, dict) or not all(isinstance(caption, str) for caption in given.values()):
        raise RemogptError(
            f"{named} should hold {{id: caption}}; correct it, or leave it out for each clip's first one"
        )
    return given


def _prompt(clip: Clip, caption: str | None) -> Prompt:
    """Return the caption given for a clip, else its first, with its tokens if it is one of the clip's own."""
    text = clip.captions[0] if caption is None else caption
    tokens = clip.tokens[clip.captions.index(text)] if text in clip.captions else ()
    return Prompt(text, tokens)


def load_features(path: Path) -> np.ndarray:
    """Read (T, 263) features, or (T + 1, 22, 3) joints from which they are made.

    Raises:
        RemogptError: if it is neither.
    """
    array = read_npy(path)
    if array.ndim == 2 and array.shape[1] == NUM_FEATURES:
        return array.astype(np.float32)
    if array.ndim == 3 and array.shape[1:] == (22, 3):
        return joints_to_features(array)
    raise RemogptError(
        f"{path} holds {array.shape}, wanted features (frames, {NUM_FEATURES}) or joints (frames, 22, 3) in metres"
    )
