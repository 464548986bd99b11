"""Write a corrected copy of a set: what is certain is mended, what is not is left out."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.analysis.statistics import mean_and_std
from remogpt.data.clip import Caption
from remogpt.data.doctor.annotations import label_lists, stretch_fault, stretches
from remogpt.data.doctor.captions import decode
from remogpt.data.doctor.examination import Examination, Item
from remogpt.data.doctor.findings import Report
from remogpt.data.doctor.joints import joints_fault
from remogpt.data.doctor.layouts import Layout, find_layout
from remogpt.data.doctor.mirrors import mirror_fault, mirrored, unmirrored_captions
from remogpt.data.doctor.motions import MotionFault, read_motion
from remogpt.data.doctor.splits import HELD_OUT, mirror_base, read_list
from remogpt.motion.feature_body import KIT
from remogpt.motion.features import features_to_joints
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_folder, read_npy, write_json, write_npy, write_text

_FIRST = ("test", "val", "test_unseen", "train")
"""Which split keeps an id that is in several: the one in which a copy would cost most."""


@dataclass
class Mended:
    """What was done to a set."""

    motions: dict[str, str] = field(default_factory=dict)
    """Motions made anew, and what was wrong with them."""
    captions: int = 0
    """Caption files written anew."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Motions that the copy lacks, and why."""


def mend(folder: str | Path, out: str | Path) -> Mended:
    """Write a corrected copy of a set into a new folder.

    Motions whose right values are certain (normalised, scaled, turned, sides exchanged, joints in place of features)
    are made anew, captions are written as UTF-8 without the lines that cannot be used, ids are kept in one split
    (test before val before train), joints and statistics are computed anew where they are not the set's. Everything
    else that is faulty is left out. Captions that stand in two splits stay.

    Raises:
        MissingPathError, RemogptError: no set, or a folder that is there already.
    """
    layout, out = find_layout(folder), Path(out)
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise RemogptError(f"{out} is there already; name a new folder for the corrected copy")
    done = Mended()
    with atomic_folder(out) as copy:
        if layout.motions is None:
            _mend_annotations(layout, copy, done)
        else:
            _mend_files(Examination(layout, Report("", "")), copy, done)
        for path in layout.folder.glob("[!.]*"):
            if path.is_file() and not (copy / path.name).exists():
                shutil.copy2(path, copy / path.name)
    return done


def _mend_files(examination: Examination, copy: Path, done: Mended) -> None:
    changed: set[str] = set()
    kept: list[str] = []
    homes = _homes(examination.splits)
    originals: dict[str, Sequence[Caption]] = {}
    for item in examination.items(lambda name: _rank(name, homes)):
        array, why = _mended_motion(examination, item, homes, done)
        captions = item.text.captions if item.text is not None else []
        if array is None or not captions:
            done.left_out[item.name] = why or "no caption that can be used"
            continue
        originals[item.name] = captions
        base = mirror_base(item.name)
        if base in originals and unmirrored_captions(captions, originals[base]):
            captions = [mirrored(caption) for caption in captions]
        _write_item(examination, copy, item, array, captions)
        done.captions += _is_other(examination, copy, item.name)
        if item.fault is not None:
            changed.add(item.name)
        kept.append(item.name)
    _write_lists(examination, copy, homes, set(kept))
    _write_statistics(examination, copy, kept, is_changed=bool(changed or done.left_out))


def _homes(splits: dict[str, list[str]]) -> dict[str, str]:
    """Return the split that keeps each id, or its mirror image."""
    homes: dict[str, str] = {}
    for split in _FIRST:
        for name in splits.get(split, ()):
            homes.setdefault(mirror_base(name) or name, split)
    return {name: homes[mirror_base(name) or name] for split in HELD_OUT for name in splits.get(split, ())}


def _rank(name: str, homes: dict[str, str]) -> tuple[int, str, str]:
    """Order held-out ids first, originals before mirror images: of equal motions the first is kept."""
    split = homes.get(name)
    return _FIRST.index(split) if split in _FIRST else len(_FIRST), mirror_base(name) or name, name


def _mended_motion(
    examination: Examination, item: Item, homes: dict[str, str], done: Mended
) -> tuple[np.ndarray | None, str]:
    """Return the motion to be written, or why there is none."""
    array = item.array
    if item.fault is not None:
        if array is None or item.fault.mend is None:
            return None, item.fault.what
        array = np.asarray(item.fault.mend(array), dtype=np.float32)
        again = examination.fault_of(array)
        if again is not None:
            return None, f"{item.fault.what}; mended, {again.what}"
        done.motions[item.name] = item.fault.what
    if array is None:
        return None, "no motion"
    twin = examination.twin_of(array, item.name)
    if twin is not None and homes.get(twin) != homes.get(item.name):
        return None, f"the same numbers as {twin}, which is in another split"
    base = mirror_base(item.name)
    if base is not None and examination.motion_file(base).is_file():
        original = read_motion(examination.motion_file(base), examination.layout.channels)
        if not isinstance(original, MotionFault) and examination.fault_of(original) is None:
            what = mirror_fault(array, original, examination.layout.channels)
            if what is not None:
                return None, what.format(base=base)
    return array, ""


def _write_item(
    examination: Examination, copy: Path, item: Item, array: np.ndarray, captions: Sequence[Caption]
) -> None:
    """Write a motion, its captions, its joints and what else is known of it."""
    layout = examination.layout
    if item.fault is None:
        _copy(examination.motion_file(item.name), layout, copy)
    else:
        write_npy(copy / examination.place(examination.motion_file(item.name)), array)
    lines = [one.to_line() if layout.has_tokens else one.text for one in captions]
    write_text(copy / examination.place(examination.text_file(item.name)), "".join(f"{line}\n" for line in lines))
    record = layout.folder / "items" / f"{item.name}.json"
    if record.is_file():
        _copy(record, layout, copy)
    if layout.joints is None:
        return
    path = layout.joints / f"{item.name}.npy"
    if item.fault is None and joints_fault(path, array) is None:
        _copy(path, layout, copy)
    else:
        joints = features_to_joints(array, body=KIT) if layout.name == "KIT-ML" else features_to_joints(array)
        write_npy(copy / path.relative_to(layout.folder), joints)


def _copy(path: Path, layout: Layout, copy: Path) -> None:
    place = copy / path.relative_to(layout.folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, place)


def _is_other(examination: Examination, copy: Path, name: str) -> bool:
    """Return whether the copy's captions are written differently."""
    path = examination.text_file(name)
    return (copy / examination.place(path)).read_bytes().split() != path.read_bytes().split()


def _write_lists(examination: Examination, copy: Path, homes: dict[str, str], kept: set[str]) -> None:
    for split, names in examination.splits.items():
        is_held = split in HELD_OUT
        ours = [name for name in names if name in kept and (not is_held or homes[name] == split)]
        write_text(copy / f"{split}.txt", "".join(f"{name}\n" for name in ours))


def _write_statistics(examination: Examination, copy: Path, kept: list[str], is_changed: bool) -> None:
    """Keep the statistics where they are the set's; compute them over the training split otherwise."""
    layout = examination.layout
    if layout.name == "Motion-X" or (examination.statistics[0] is not None and not is_changed):
        return
    lists = {name: read_list(copy / f"{name}.txt", Report("", "")) for name in examination.splits}
    train = lists.get("train") or kept
    if not train:
        raise RemogptError(f"{layout.folder}: no motion can be used; nothing is written")
    assert layout.motions is not None
    folder = copy / layout.motions.relative_to(layout.folder)
    mean, std = mean_and_std(read_npy(folder / f"{name}.npy") for name in train)
    write_npy(copy / "Mean.npy", mean)
    write_npy(copy / "Std.npy", std)


def _mend_annotations(layout: Layout, copy: Path, done: Mended) -> None:
    """Write annotations without the stretches and keys that cannot be used."""
    names = ["annotations.json"] if layout.name == "TMR" else [path.name for path in layout.splits.values()]
    seen: set[str] = set()
    usable: set[str] = set()
    for name in sorted(names, key=lambda name: _FIRST.index(stem) if (stem := Path(name).stem) in _FIRST else 9):
        text, _ = decode(layout.folder / name)
        try:
            content = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise RemogptError(f"{layout.folder / name} cannot be mended: no JSON object; download it again")
        good: dict[str, Any] = {}
        for key, record in content.items():
            why = "in another split" if key in seen else _mend_record(record)
            if why:
                done.left_out[key] = why
            else:
                good[key] = record
        seen |= good.keys()
        usable |= good.keys()
        write_json(copy / name, good)
    if layout.name == "TMR":
        lists = {split: read_list(path, Report("", "")) for split, path in layout.splits.items()}
        homes = _homes(lists)
        for split, ids in lists.items():
            kept = [one for one in ids if one in usable or one.removeprefix("M") in usable]
            kept = [one for one in kept if split not in HELD_OUT or homes[one] == split]
            write_text(copy / "splits" / f"{split}.txt", "".join(f"{one}\n" for one in kept))


def _mend_record(record: Any) -> str:
    """Take out the labels of a sequence that cannot be used; say why nothing is left."""
    if not isinstance(record, dict):
        return "no object"
    path = record.get("path", record.get("feat_p"))
    if not isinstance(path, str) or not path.strip():
        return "names no sequence"
    duration = record.get("duration", record.get("dur"))
    seconds = float(duration) if isinstance(duration, int | float) and 0 < duration < 1e5 else None
    if duration is not None and seconds is None:
        return f"a duration of {duration!r} s"
    faults = [stretch_fault(stretch, seconds) for stretch in stretches(record)]
    numbers = iter(faults)
    for _, labels in label_lists(record):
        labels[:] = [label for label in labels if next(numbers) is None]
    return "" if any(fault is None for fault in faults) else "no label that can be used"
