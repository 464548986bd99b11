"""Import TMR's annotations: one layout for HumanML3D, KIT-ML and BABEL over features of whole AMASS sequences.

    annotations.json    {key: {"path", "duration", "annotations": [{"seg_id", "text", "start", "end"}]}}, seconds
    splits/<split>.txt  one key a line; nsim_test.txt is the gallery of protocol (c)
    <features>/<path>.npy   (T, 263) of the whole sequence at 20 fps; M/<path>.npy is its mirror image

A key's motion is rows int(start * 20) to int(end * 20) of its sequence. Keys that begin with M are mirror images. A key
whose annotations lie on different stretches gives a clip for each of them.

Source: TMR, arXiv 2305.00976, and its released data loading (6d74688): annotations outside 2 to 10 s are dropped, but
not from a split with "test" in its name; outside training only a key's first annotation counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from remogpt.data.humanml3d import Caption, SetFile
from remogpt.data.writer import SetItem, finish_set, is_current, write_item
from remogpt.motion.checks import check_features
from remogpt.motion.skeleton import FPS, KIT_NUM_FEATURES, NUM_FEATURES
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, RemogptError, why
from remogpt.runtime.files import read_json, read_npy
from remogpt.runtime.inside import why_no_name
from remogpt.runtime.progress import progress
from remogpt.runtime.schema import checked
from remogpt.runtime.text import read_text

MIN_SECONDS, MAX_SECONDS = 2.0, 10.0
"""Durations that TMR trains on, both ends included."""


MAX_TIME = 1e5
"""Longest sequence, in seconds, that an annotation may speak of."""


class _Stretch(TypedDict):
    text: str
    start: float
    end: float


class _Key(TypedDict):
    """What `annotations.json` holds for a key."""

    path: str
    annotations: list[_Stretch]


@dataclass(frozen=True)
class Annotation:
    """A caption of a stretch of a sequence."""

    text: str
    start: float
    """Seconds."""
    end: float
    """Seconds."""

    @property
    def frames(self) -> tuple[int, int]:
        """First row and the row behind the last; truncated, not rounded, as in TMR."""
        return int(self.start * FPS), int(self.end * FPS)


@dataclass
class Imported:
    """Counts and failures of an import."""

    num_clips: int = 0
    """Keys written."""
    num_dropped: int = 0
    """Keys without an annotation of 2 to 10 seconds."""
    num_silent: int = 0
    """Keys of the split files without annotations."""
    failed: dict[str, str] = field(default_factory=dict)
    """Reason by key that could not be written."""


def import_tmr(
    annotations: str | Path,
    features: str | Path,
    folder: str | Path,
    *,
    name: str = "",
    licence: str = "unknown",
    every_stretch: bool = False,
) -> Imported:
    """Cut TMR's annotated sequences into a set in HumanML3D's layout; an interrupted import goes on.

    Args:
        annotations: folder with annotations.json and splits/.
        features: folder of the sequences' features.
        folder: the set to write.
        name: of the set; default: the name of the annotations' folder.
        licence: of its motions.
        every_stretch: keep annotations of later stretches in val and test too.

    Raises:
        MissingPathError: if annotations, split files or the features' folder are not there.
        RemogptError: if they cannot be read, no motion can be written, or the folder holds another set.
    """
    annotations, features, folder = Path(annotations), Path(features), Path(folder)
    name = name or annotations.resolve().name
    (table, failed), splits = _read_annotations(annotations / "annotations.json"), _read_splits(annotations / "splits")
    if not features.is_dir():
        raise MissingPathError(f"no folder {features}; name the one with the features of whole sequences")
    about = {"made_from": "tmr", "annotations": name, "every_stretch": every_stretch}
    _check_same_set(folder, about)
    result = Imported(failed=failed)
    homes: dict[str, list[str]] = {}
    for split, keys in splits.items():
        for key in keys:
            homes.setdefault(key, []).append(split)
    written = set()
    for key, split_names in progress(homes.items(), desc=f"import {name}", unit="clip"):
        if key not in table:
            result.num_silent += key not in failed
            continue
        path, found = table[key]
        kept = keep(found, split_names, every_stretch)
        if not kept:
            result.num_dropped += 1
            continue
        try:
            _write_key(folder, key, path, kept, features, name)
        except ITEM_ERRORS as error:
            result.failed[key] = why(error)
            continue
        written.add(key)
    if not written:
        first = f"; the first failed: {next(iter(result.failed.values()))}" if result.failed else ""
        raise RemogptError(f"none of the {len(homes)} keys of {annotations} gave a motion{first}")
    result.num_clips = len(written)
    present = {split: [key for key in keys if key in written] for split, keys in splits.items()}
    finish_set(folder, name, licence, present, **about)
    return result


def annotated_sequences(
    annotations: str | Path, features: str | Path, split: str, left_out: dict[str, str]
) -> Iterator[tuple[str, np.ndarray, list[Annotation]]]:
    """Yield the sequences of a split, without mirror images: path, whole (T, 263) features, all their annotations.

    Args:
        annotations: folder with annotations.json and splits/.
        features: folder of the sequences' features.
        left_out: gets the reason of each key or sequence that cannot be used.

    Raises:
        MissingPathError: if annotations, the split file or the features' folder are not there.
    """
    annotations, features = Path(annotations), Path(features)
    table, failed = _read_annotations(annotations / "annotations.json")
    splits = _read_splits(annotations / "splits")
    if split not in splits or not features.is_dir():
        lacking = f"split {split} in {annotations / 'splits'}" if split not in splits else f"folder {features}"
        raise MissingPathError(
            f"no {lacking}; there are the splits {', '.join(splits)}, features are (T, 263) .npy files"
        )
    left_out |= failed
    sequences: dict[str, list[Annotation]] = {}
    for key in splits[split]:
        path, found = table.get(key, ("", []))
        if found and not path.startswith("M/"):
            sequences.setdefault(path, []).extend(found)
    for path, found in sequences.items():
        try:
            motion = np.array(_read_sequence(features, path), dtype=np.float32)
            check_features(motion, where=path)
        except ITEM_ERRORS as error:
            left_out[path] = why(error)
            continue
        inside = [one for one in found if one.frames[0] < one.frames[1] <= len(motion)]
        if len(inside) < len(found):
            left_out[path] = f"{path} has {len(motion)} frames, and an annotation that lies behind them"
        if inside:
            yield path, motion, inside


def keep(annotations: Sequence[Annotation], splits: Sequence[str], every_stretch: bool = False) -> list[Annotation]:
    """Return the annotations that TMR uses for a key of these splits."""
    if any("test" in split for split in splits):
        kept = list(annotations)
    else:
        kept = [one for one in annotations if MIN_SECONDS <= one.end - one.start <= MAX_SECONDS]
    if every_stretch or not kept or any(split.startswith("train") for split in splits):
        return kept
    # Keep all captions of the same stretch: they are further references of the same motion.
    return [one for one in kept if one.frames == kept[0].frames]


def _read_annotations(path: Path) -> tuple[dict[str, tuple[str, list[Annotation]]], dict[str, str]]:
    """Return path and annotations of every key, and why some keys or annotations cannot be used."""
    table = read_json(path)
    if not isinstance(table, dict):
        raise RemogptError(
            f"{path}: wanted {{key: {{path, annotations: [{{text, start, end}}]}}}} as in TMR's datasets/annotations, "
            f"got a {type(table).__name__}"
        )
    result: dict[str, tuple[str, list[Annotation]]] = {}
    failed: dict[str, str] = {}
    for key, value in table.items():
        try:
            checked(value, _Key, f"{path}, key {key!r}")
            if why_no_name(key) or set(key) & set("/:") or key.startswith("."):
                raise RemogptError(f"{path}: the key {key!r} is no file name")
        except RemogptError as error:
            failed[key] = str(error)
            continue
        found = [Annotation(one["text"], max(one["start"], 0.0), one["end"]) for one in value["annotations"]]
        good = [one for one in found if one.start < one.end < MAX_TIME and one.text.strip()]
        if len(good) < len(found):
            failed[key] = f"{path}: {key!r} has an annotation without words, or without 0 <= start < end"
        if good or not found:
            result[key] = (value["path"], good)
    return result, failed


def _read_splits(folder: Path) -> dict[str, list[str]]:
    """Return the keys of each split file except all.txt, which is rewritten."""
    files = sorted(path for path in folder.glob("[!.]*.txt") if path.stem != "all")
    if not files:
        raise MissingPathError(f"no split files in {folder}; wanted train.txt, val.txt, test.txt with one key a line")
    return {path.stem: list(dict.fromkeys(read_text(path).split())) for path in files}


def _check_same_set(folder: Path, about: Mapping[str, Any]) -> None:
    path = folder / "set.json"
    held = read_json(path, SetFile) if path.is_file() else about if not (folder / "Mean.npy").is_file() else {}
    if any(held.get(key) != value for key, value in about.items()):
        raise RemogptError(f"{folder} holds another set already; import these annotations into a folder of their own")


def _write_key(folder: Path, key: str, path: str, annotations: Sequence[Annotation], features: Path, name: str) -> None:
    """Write one key: the stretch alone, or, where there are several, the sequence up to the last one's end."""
    sequence = _read_sequence(features, path)
    stretches = sorted({one.frames for one in annotations})
    if len(stretches) == 1:
        first, stop = stretches[0]
        captions = [Caption(one.text) for one in annotations]
    else:
        first, stop = 0, max(end for _, end in stretches)
        captions = [Caption(one.text, (), one.start, one.end) for one in annotations]
    rows = np.array(sequence[first:stop], dtype=np.float32)
    if len(rows) == 0 or any(start >= len(sequence) or end == start for start, end in stretches):
        seconds = f"{annotations[0].start:g} to {annotations[0].end:g} s"
        raise RemogptError(f"{path} has {len(sequence)} frames, none of them from {seconds}; compute its features anew")
    if not np.isfinite(rows).all():
        raise RemogptError(f"{path} holds values that are not finite; compute its features anew, or do without it")
    tags = {"path": path, "frames": f"{first}-{first + len(rows)}"}
    # All clips and mirror images of a recording share its source, so none is an example of another.
    source_id = path.removeprefix("M/")
    if is_current(folder, key, captions, tags, source_id) and _is_same(folder / "new_joint_vecs" / f"{key}.npy", rows):
        return
    provenance = f"AMASS sequence {path}, cut and described by {name}"
    write_item(folder, SetItem(key, rows, captions, source_id=source_id, tags=tags, provenance=provenance))


def _read_sequence(features: Path, path: str) -> np.ndarray:
    file = features / f"{path}.npy"
    if not file.resolve().is_relative_to(features.resolve()):
        raise RemogptError(f"{path!r} leads out of {features}; correct the annotation's path")
    sequence = read_npy(file, mmap=True)
    if sequence.ndim != 2 or sequence.shape[1] != NUM_FEATURES:
        hint = " (KIT-ML's own 251 channels are another body; TMR's are computed from AMASS)"
        raise RemogptError(
            f"wanted (T, {NUM_FEATURES}) features, {file} holds {sequence.shape}"
            f"{hint if sequence.shape[-1:] == (KIT_NUM_FEATURES,) else ''}"
        )
    return sequence


def _is_same(path: Path, rows: np.ndarray) -> bool:
    return path.is_file() and np.array_equal(read_npy(path, mmap=True), rows)
