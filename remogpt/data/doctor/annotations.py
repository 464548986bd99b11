"""Examine annotations of motions that are kept apart: BABEL's own JSON, and TMR's for HumanML3D, KIT-ML and BABEL."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remogpt.data.doctor.captions import decode
from remogpt.data.doctor.findings import Report
from remogpt.data.doctor.layouts import Layout
from remogpt.data.doctor.splits import examine_copies, examine_overlap, read_list
from remogpt.runtime.errors import RemogptError

_LATE = 1.0
"""Seconds by which a stretch may end after its sequence."""
_MAX_SECONDS = 1e5


@dataclass(frozen=True)
class Stretch:
    """A label of a stretch of a sequence, as it stands in the file."""

    where: str
    text: Any
    start: Any
    end: Any


def examine_annotations(layout: Layout, report: Report) -> None:
    """Examine every sequence and stretch, and what the splits share."""
    if layout.name == "TMR":
        content = _read(layout.folder / "annotations.json", report)
        splits = {name: read_list(path, report) for name, path in layout.splits.items()}
        _examine_keys(content, splits, report)
        files = {"annotations.json": content}
    else:
        files = {path.name: _read(path, report) for path in layout.splits.values()}
        splits = {Path(name).stem: list(content) for name, content in files.items()}
    captions: dict[str, list[str]] = {}
    for file, content in files.items():
        for key, record in content.items():
            captions[key] = _examine_record(file, key, record, report)
    report.num_motions, report.splits = len(captions), {name: len(keys) for name, keys in splits.items()}
    report.num_captions = sum(map(len, captions.values()))
    examine_overlap(splits, report)
    if layout.name == "TMR":  # BABEL's labels are a word or two, the same everywhere
        examine_copies(splits, captions, report)


def _read(path: Path, report: Report) -> dict[str, Any]:
    """Read an object by key; what is wrong with the file is noted."""
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for key, value in pairs:
            if key in known:
                repeated.append(key)
            known[key] = value
        return known

    try:
        text, encoding = decode(path)
        content = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=unique)
    except (RemogptError, OSError, ValueError, RecursionError) as error:
        report.add("malformed", path.name, f"not valid JSON: {error}", "Download it again")
        return {}
    if encoding is not None:
        report.add("encoding", path.name, f"{encoding}, not UTF-8", "Save it as UTF-8 without a mark")
    for key in repeated:
        report.add("duplicate", path.name, f"{key} stands there twice", "Keep one of the entries")
    if not isinstance(content, dict):
        report.add("malformed", path.name, "no object of sequences by key", "Download it again")
        return {}
    return content


def _examine_keys(content: Mapping[str, Any], splits: Mapping[str, list[str]], report: Report) -> None:
    for split, names in splits.items():
        for name in names:
            # A mirror image is annotated with its original.
            if content and name not in content and name.removeprefix("M") not in content:
                report.add("missing", f"splits/{split}.txt", f"{name} has no annotations", "Take it out of the list")


def _examine_record(file: str, key: str, record: Any, report: Report) -> list[str]:
    """Examine one sequence; return the texts that can be used."""
    place = f"{file}, {key}"
    if not isinstance(record, dict):
        report.add("malformed", place, f"{type(record).__name__}, not an object", "Download it again")
        return []
    path = record.get("path", record.get("feat_p"))
    if not isinstance(path, str) or not path.strip():
        report.add("missing", place, "names no sequence of AMASS (path or feat_p)", "Leave the key out")
        return []
    duration = record.get("duration", record.get("dur"))
    seconds = float(duration) if isinstance(duration, int | float) and math.isfinite(duration) else None
    if duration is not None and (seconds is None or not 0 < seconds < _MAX_SECONDS):
        report.add("limits", place, f"a duration of {duration!r} s", "Correct it by the sequence's length")
        seconds = None
    texts, is_labelled = [], False
    for stretch in stretches(record):
        is_labelled = True
        fault = stretch_fault(stretch, seconds)
        if fault is None:
            texts.append(stretch.text)
        else:
            report.add("caption", f"{place}, {stretch.where}", fault, "Correct it, or leave the stretch out")
    if not is_labelled:
        report.add("caption", place, "no label", "Label it, or leave the key out")
    return texts


def label_lists(record: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists of labels of a sequence by the key under which they stand.

    BABEL has one annotator's under seq_ann and frame_ann, several annotators' under seq_anns and frame_anns.
    """
    if isinstance(record.get("annotations"), list):
        yield "annotations", record["annotations"]
    for key in ("seq_ann", "frame_ann", "seq_anns", "frame_anns"):
        found = record.get(key)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, dict) and isinstance(one.get("labels"), list):
                yield key, one["labels"]


def stretches(record: Mapping[str, Any]) -> Iterator[Stretch]:
    """Yield the labels of a sequence, of all of it and of its stretches, in the order of `label_lists`."""
    for key, labels in label_lists(record):
        for number, label in enumerate(labels):
            one = label if isinstance(label, dict) else {}
            if key == "annotations":
                yield Stretch(f"annotation {number}", one.get("text"), one.get("start"), one.get("end"))
                continue
            text = one.get("proc_label") or one.get("raw_label")
            times = (0.0, math.inf) if key.startswith("seq") else (one.get("start_t"), one.get("end_t"))
            yield Stretch(f"{key} {number}", text, *times)


def stretch_fault(stretch: Stretch, seconds: float | None) -> str | None:
    """Say what is wrong with a label; None: nothing."""
    if not isinstance(stretch.text, str) or not stretch.text.strip():
        return "an empty label"
    times = (stretch.start, stretch.end)
    if not all(isinstance(value, int | float) for value in times) or any(math.isnan(value) for value in times):
        return f"times {stretch.start!r} and {stretch.end!r}, not seconds"
    if stretch.start < 0 or stretch.end <= stretch.start:
        return f"from {stretch.start:g} to {stretch.end:g} s"
    if seconds is not None and (stretch.start >= seconds or seconds + _LATE < stretch.end < math.inf):
        return f"from {stretch.start:g} to {stretch.end:g} s of a sequence of {seconds:g} s"
    return None
