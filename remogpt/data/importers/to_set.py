"""Turn captioned recordings into a set in HumanML3D's layout."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.doctor.mirrors import mirrored
from remogpt.data.humanml3d import Caption, MotionTextSet, SetFile
from remogpt.data.importers import IMPORTERS, ImportedClip
from remogpt.data.importers.recordings import Recordings
from remogpt.data.writer import SetItem, finish_set, is_current, write_item
from remogpt.motion import features_to_joints, joints_to_features, mirror_caption, mirror_joints
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.progress import progress

MIN_FRAMES = 9
"""Shorter recordings have less than two codes; they are left out and counted."""
SHARES = {"test": 15, "val": 5}
"""Percent of the recordings in each split; the rest is for training."""


def import_set(source: str, path: Path, folder: Path, *, mirror: bool = False) -> dict[str, int]:
    """Import a dataset; an interrupted import resumes.

    Args:
        source: a name in `IMPORTERS`.
        path: the downloaded dataset, or packed joints.
        folder: the set to write.
        mirror: add the mirror image of each training clip, with left and right exchanged in captions and labels.

    Returns:
        counts: "clips" written, with mirror images, and "too short" left out.

    Raises:
        RemogptError: for an unknown source, or a path that holds none of its files.
    """
    if source not in IMPORTERS:
        raise RemogptError(f"no importer for {source!r}; there are {', '.join(IMPORTERS)}")
    _check_same_source(folder, source, {})
    what = f"{source} recording in {path}"
    return _write(source, IMPORTERS[source](path), folder, _hashed_splits, what, source, {}, mirror)


def import_recordings(
    recordings: Recordings,
    folder: Path,
    *,
    name: str = "",
    test_share: float = SHARES["test"] / 100,
    val_share: float = SHARES["val"] / 100,
    seed: int = 0,
    mirror: bool = False,
) -> dict[str, int]:
    """Import own captioned recordings; an interrupted import resumes, and corrected captions are updated.

    Args:
        recordings: what to read; its `failed` lists unreadable files afterwards.
        folder: the set to write.
        name: of the set; default: the folder's name.
        test_share, val_share: shares of the recordings in these splits, at least one recording each where there are
            three or more; the rest is for training. 0 leaves a split empty.
        seed: selects the recordings.
        mirror: as in `import_set`.

    Returns:
        counts, as `import_set`.

    Raises:
        RemogptError: if a share is out of range, nothing can be read, or the folder holds another set.
    """
    if min(test_share, val_share) < 0 or test_share + val_share >= 1:
        raise RemogptError(
            f"the shares of test and val must be 0 or more and leave something to train on, got {test_share} and "
            f"{val_share}"
        )
    origin = {"recordings": recordings.folder.resolve().name}
    _check_same_source(folder, "folder", origin)
    splits = partial(shared_splits, shares={"test": test_share, "val": val_share}, seed=seed)
    about = {**origin, "seed": seed, "test_share": test_share, "val_share": val_share}
    recordings.warn_of_silent()
    what = f"captioned recording in {recordings.folder}"
    return _write("folder", recordings.clips(), folder, splits, what, name or folder.resolve().name, about, mirror)


def _write(
    source: str,
    clips: Iterable[ImportedClip],
    folder: Path,
    assign: Callable[[Sequence[str]], Mapping[str, str]],
    what: str,
    name: str,
    about: Mapping[str, Any],
    mirror: bool,
) -> dict[str, int]:
    """Write clips and the files of the whole set; `assign` maps recordings to splits."""
    homes: dict[str, str] = {}
    licences, short = set(), 0
    for clip in progress(clips, desc=f"import {source}", unit="clip"):
        if clip.motion.num_frames < MIN_FRAMES:
            short += 1
            continue
        if clip.id in homes:
            raise RemogptError(f"two clips would be called {clip.id!r}; rename one of their recordings")
        licences.add(clip.licence)
        homes[clip.id] = clip.source_id
        captions = [Caption(text) for text in clip.captions]
        if not is_current(folder, clip.id, captions, clip.tags, clip.source_id):
            item = SetItem(
                clip.id, clip.motion.features, captions, source_id=clip.source_id, tags=dict(clip.tags),
                provenance=clip.provenance,
            )  # fmt: skip
            write_item(folder, item)
    if not homes:
        raise RemogptError(f"no usable {what}; is it the folder that you mean?")
    split_of_source = assign(list(dict.fromkeys(homes.values())))
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for clip_id, source_id in homes.items():
        splits[split_of_source[source_id]].append(clip_id)
    if mirror:
        splits["train"] += _mirror_images(folder, splits["train"], homes, source != "folder")
        about = {**about, "mirrored": True}
    finish_set(folder, name, "; ".join(sorted(licences)), splits, made_from=source, too_short=short, **about)
    return {"clips": sum(map(len, splits.values())), "too short": short}


def _mirror_images(folder: Path, ids: Sequence[str], homes: Mapping[str, str], has_labels: bool) -> list[str]:
    """Write the mirror images of some clips, and return their ids; tags that are labels may name a side."""
    motions = MotionTextSet(folder)
    added = []
    for clip_id in progress(ids, desc="mirror images", unit="clip"):
        name, source_id = f"M{clip_id}", homes[clip_id]
        if name in homes:
            raise RemogptError(f"the mirror image of {clip_id!r} would have the name of clip {name!r}; rename that one")
        item = motions.item(clip_id)
        captions = [mirrored(caption) for caption in motions.captions(clip_id)]
        tags = {key: mirror_caption(tag) if has_labels else tag for key, tag in item.get("tags", {}).items()}
        if not is_current(folder, name, captions, tags, source_id):
            joints = mirror_joints(features_to_joints(motions.features(clip_id)))
            features = joints_to_features(np.concatenate([joints, joints[-1:]]))  # which have a frame less than joints
            provenance = item.get("provenance", "")
            write_item(folder, SetItem(name, features, captions, None, source_id, clip_id, tags, provenance=provenance))
        added.append(name)
    return added


def _check_same_source(folder: Path, source: str, origin: Mapping[str, Any]) -> None:
    """Refuse a folder that holds another set, whose split files would be overwritten."""
    about = folder / "set.json"
    held = read_json(about, SetFile) if about.is_file() else {"made_from": source, **origin}
    is_same = held.get("made_from") == source and all(held.get(key) == value for key, value in origin.items())
    if not is_same or (not about.is_file() and (folder / "Mean.npy").is_file()):
        what = "the recordings" if source == "folder" else source
        raise RemogptError(f"{folder} holds another set already; import {what} into a folder of its own")


def split_of(source_id: str) -> str:
    """Return the split of a recording, by its name, so that windows of one recording stay together."""
    percentile = zlib.crc32(source_id.encode()) % 100
    for split, share in SHARES.items():
        if percentile < share:
            return split
        percentile -= share
    return "train"


def _hashed_splits(source_ids: Sequence[str]) -> dict[str, str]:
    return {source_id: split_of(source_id) for source_id in source_ids}


def shared_splits(source_ids: Sequence[str], shares: Mapping[str, float], seed: int = 0) -> dict[str, str]:
    """Return the split of each recording, meeting the shares also for few recordings.

    Recordings are ordered by a hash of seed and name, so that adding one later moves few others.
    """
    order = sorted(source_ids, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    result = dict.fromkeys(order, "train")
    begin = 0
    for split, share in shares.items():
        at_least = 1 if share > 0 and len(order) >= 3 else 0
        count = max(at_least, round(share * len(order)))
        result |= dict.fromkeys(order[begin : begin + count], split)
        begin += count
    return result
