"""Write captioned motions in HumanML3D's layout.

Several processes and interrupted runs may write items: an item counts as written when its `items/<id>.json`, the last
of its files, exists. `finish_set` then writes the files of the whole set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.analysis.statistics import mean_and_std
from remogpt.data.clip import Caption
from remogpt.data.humanml3d import ItemFile
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, read_npy, write_json, write_npy, write_text
from remogpt.runtime.inside import path_inside


@dataclass(frozen=True)
class SetItem:
    """One captioned motion to be written to a set."""

    id: str
    """Stem of its files."""
    features: np.ndarray
    """(T, 263) float32, raw."""
    captions: Sequence[Caption]
    """At least one."""
    joints: np.ndarray | None = None
    """(T, 22, 3) float32 metres; optional."""
    source_id: str | None = None
    """Recording that the motion was cut from; default: `id`."""
    mirror_of: str | None = None
    """Item of which it is the mirror image."""
    tags: Mapping[str, Any] = field(default_factory=dict)
    """Factors, action, style: JSON-ready."""
    facts: Sequence[Mapping[str, Any]] = ()
    """Checkable facts as JSON (`Fact.to_json`)."""
    claims: Sequence[Sequence[Sequence[Mapping[str, Any]]]] = ()
    """What each caption claims, where that is known: steps of facts as JSON."""
    stretches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Tags of stretches by their times (`Caption.times`), which there replace those of the whole."""
    provenance: str = ""
    """Origin of motion and captions."""


def is_written(folder: Path, item_id: str) -> bool:
    """Return whether an item is completely written; after a power cut its last file may be there and others empty."""
    if not path_inside(folder / "items", item_id, ".json").is_file():
        return False
    try:
        read_json(path_inside(folder / "items", item_id, ".json"), ItemFile)
        features = read_npy(path_inside(folder / "new_joint_vecs", item_id, ".npy"))
    except RemogptError:
        return False
    texts = path_inside(folder / "texts", item_id, ".txt")
    return features.ndim == 2 and texts.is_file() and texts.stat().st_size > 0


def is_current(
    folder: Path, item_id: str, captions: Sequence[Caption], tags: Mapping[str, Any], source_id: str
) -> bool:
    """Return whether an item is written with these captions, tags and source; features are not compared."""
    if not is_written(folder, item_id):
        return False
    record = read_json(path_inside(folder / "items", item_id, ".json"), ItemFile)
    if (record.get("tags"), record.get("source_id")) != (dict(tags), source_id):
        return False
    path = path_inside(folder / "texts", item_id, ".txt")
    return path.is_file() and path.read_bytes() == _lines(captions).encode()


def write_item(folder: Path, item: SetItem) -> None:
    """Write one item's files."""
    write_npy(path_inside(folder / "new_joint_vecs", item.id, ".npy"), item.features.astype(np.float32))
    if item.joints is not None:
        write_npy(path_inside(folder / "new_joints", item.id, ".npy"), item.joints.astype(np.float32))
    write_text(path_inside(folder / "texts", item.id, ".txt"), _lines(item.captions))
    record: dict[str, Any] = {
        "source_id": item.source_id or item.id,
        "provenance": item.provenance,
        "tags": dict(item.tags),
        "facts": [dict(fact) for fact in item.facts],
    }
    if item.mirror_of is not None:
        record["mirror_of"] = item.mirror_of
    if item.claims:
        record["claims"] = [[[dict(fact) for fact in step] for step in steps] for steps in item.claims]
    if item.stretches:
        record["stretches"] = {times: dict(tags) for times, tags in item.stretches.items()}
    write_json(path_inside(folder / "items", item.id, ".json"), record, indent=None)


def _lines(captions: Sequence[Caption]) -> str:
    return "".join(f"{caption.to_line()}\n" for caption in captions)


def finish_set(folder: Path, name: str, licence: str, splits: Mapping[str, Sequence[str]], **about: Any) -> None:
    """Write split files, `set.json`, and last the statistics of the training split (or of all items).

    Args:
        folder: where the items were written.
        name: of the set.
        licence: of its motions.
        splits: ids of each split; `all` is added.
        about: further entries of `set.json`: seed, version, command.
    """
    everything = sorted({item_id for ids in splits.values() for item_id in ids})
    for split, ids in {**splits, "all": everything}.items():
        write_text(path_inside(folder, split, ".txt"), "".join(f"{item_id}\n" for item_id in ids))
    counts = {split: len(ids) for split, ids in splits.items()}
    # Before the statistics, by which a set without this file counts as somebody else's.
    write_json(folder / "set.json", {"name": name, "licence": licence, "counts": counts, **about})
    training = splits.get("train") or everything
    mean, std = mean_and_std(read_npy(folder / "new_joint_vecs" / f"{item_id}.npy") for item_id in training)
    write_npy(folder / "Mean.npy", mean)
    write_npy(folder / "Std.npy", std)
