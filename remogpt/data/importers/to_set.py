"""Turn a motion-capture dataset into a set in HumanML3D's layout."""

import zlib
from pathlib import Path

from remogpt.data.humanml3d import Caption
from remogpt.data.importers import IMPORTERS
from remogpt.data.writer import SetItem, finish_set, is_written, write_item
from remogpt.motion import joints_to_features
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.progress import progress

MIN_FRAMES = 9
"""A shorter recording has no two codes; it is left out and counted."""
SHARES = {"test": 15, "val": 5}
"""Percent of the recordings in each split; the rest is for training."""


def import_set(source: str, path: Path, folder: Path) -> dict[str, int]:
    """Import a dataset; an interrupted import goes on where it stopped.

    Args:
        source: a name in `IMPORTERS`.
        path: the dataset as it was downloaded, or packed joints.
        folder: the set to write.

    Returns:
        counts: "clips" written and "too short" left out.

    Raises:
        RemogptError: for an unknown source, or a path that holds none of its files.
    """
    if source not in IMPORTERS:
        raise RemogptError(f"no importer for {source!r}; there are {', '.join(IMPORTERS)}")
    _check_same_source(folder, source)
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    licences, short = set(), 0
    for clip in progress(IMPORTERS[source](path), desc=f"import {source}", unit="clip"):
        if clip.motion.num_frames < MIN_FRAMES:
            short += 1
            continue
        licences.add(clip.licence)
        splits[split_of(clip.source_id)].append(clip.id)
        if not is_written(folder, clip.id):
            captions = [Caption(text) for text in clip.captions]
            item = SetItem(
                clip.id, joints_to_features(clip.motion.joints), captions, source_id=clip.source_id,
                tags=dict(clip.tags), provenance=clip.provenance,
            )  # fmt: skip
            write_item(folder, item)
    if not any(splits.values()):
        raise RemogptError(f"no usable {source} recording in {path}; is it the folder as it was downloaded?")
    finish_set(folder, source, "; ".join(sorted(licences)), splits, made_from=source, too_short=short)
    return {"clips": sum(map(len, splits.values())), "too short": short}


def _check_same_source(folder: Path, source: str) -> None:
    """Refuse a folder that holds another set: its split files would be overwritten."""
    about = folder / "set.json"
    made_from = read_json(about).get("made_from") if about.is_file() else source
    if made_from != source or (not about.is_file() and (folder / "Mean.npy").is_file()):
        raise RemogptError(f"{folder} holds another set already; import {source} into a folder of its own")


def split_of(source_id: str) -> str:
    """Return the split of a recording: a function of its name, so that windows of one recording stay together."""
    place = zlib.crc32(source_id.encode()) % 100
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    return "train"
