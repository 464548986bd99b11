"""Examine a whole set."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from remogpt.data.doctor.annotations import examine_annotations
from remogpt.data.doctor.captions import CaptionFile
from remogpt.data.doctor.examination import Examination, Item, stems
from remogpt.data.doctor.findings import Finding, Report
from remogpt.data.doctor.joints import joints_fault
from remogpt.data.doctor.layouts import find_layout
from remogpt.data.doctor.mirrors import mirror_fault, unmirrored_captions
from remogpt.data.doctor.motions import MotionFault, read_motion
from remogpt.data.doctor.splits import (
    HELD_OUT,
    examine_copies,
    examine_official,
    examine_overlap,
    mirror_base,
    read_list,
)

_LEAVE_OUT = "take its id out of the split files"


def examine(folder: str | Path, *, official: str | Path | None = None) -> Report:
    """Examine a set of captioned motions in any layout of `layouts`.

    Args:
        folder: the set; nothing in it is changed.
        official: folder with the published split files, or HumanML3D or KIT-ML for their counts; None compares counts
            only where a set is so large that it must be the published one.

    Raises:
        MissingPathError, RemogptError: as `find_layout`.
    """
    layout = find_layout(folder)
    report = Report(str(folder), layout.name)
    if layout.motions is None:
        examine_annotations(layout, report)
    else:
        _examine_files(Examination(layout, report))
    splits = {name: read_list(path, Report("", "")) for name, path in layout.splits.items() if path.suffix == ".txt"}
    examine_official(layout.name, splits, official, report)
    report.findings = _told_once(report.findings, report.num_motions)
    return report


def _examine_files(examination: Examination) -> None:
    """Examine lists, statistics and every motion with its captions."""
    layout, report, splits = examination.layout, examination.report, examination.splits
    _ = examination.statistics
    homes: dict[str, str] = {}
    for split, names in splits.items():
        homes |= {name: split for name in names if name not in homes}
    texts: dict[str, CaptionFile] = {}
    twins: dict[str, str] = {}
    good: set[str] = set()
    has_joints = layout.joints is not None and len(stems(layout.joints, ".npy")) > len(examination.names) / 2
    for item in examination.items():
        _tell_item(examination, item, homes.get(item.name))
        if item.text is not None:
            texts[item.name] = item.text
        if item.array is not None and item.fault is None:
            if twin := examination.twin_of(item.array, item.name):
                twins[item.name] = twin
            if has_joints:
                _examine_joints(examination, item)
            good.add(item.name)
            if (base := mirror_base(item.name)) in good:  # originals come before their mirror images
                _examine_mirror(examination, item, str(base))
        _examine_mirrored_captions(examination, item, texts)
    report.num_motions, report.splits = len(examination.names), {name: len(ids) for name, ids in splits.items()}
    report.num_captions = sum(len(text.captions) for text in texts.values())
    unused = sorted(stems(layout.texts, ".txt") - set(examination.names))
    if unused:
        report.notes.append(f"{len(unused)} caption files belong to no motion and no list ({unused[0]}.txt)")
    _examine_tokens(examination, texts)
    examine_overlap(splits, report)
    _tell_twins(examination, twins, splits)
    captions = {name: [caption.text for caption in text.captions] for name, text in texts.items()}
    examine_copies(splits, captions, report, told={*twins, *twins.values()})


def _tell_item(examination: Examination, item: Item, home: str | None) -> None:
    """Note what is missing of an item, and the faults of its files."""
    report = examination.report
    motion, text = (examination.place(file(item.name)) for file in (examination.motion_file, examination.text_file))
    listed = f"{home}.txt lists it" if home else "no list names it"
    if item.array is None and item.fault is None:
        what = "not there" if item.text is not None else f"not there, nor {text}"
        report.add("missing", motion, f"{what}; {listed}", f"Make or copy it, or {_LEAVE_OUT}")
    elif item.text is None:
        report.add("missing", text, f"not there; {listed}", f"Write captions, or {_LEAVE_OUT}")
    if item.fault is not None:
        report.add(item.fault.kind, motion, item.fault.what, item.fault.remedy)
    for kind, where, what, remedy in item.text.faults if item.text is not None else ():
        report.add(kind, f"{text}, {where}" if where else text, what, remedy)


def _examine_joints(examination: Examination, item: Item) -> None:
    """Compare the joint positions of a set with its features."""
    assert examination.layout.joints is not None and item.array is not None
    path = examination.layout.joints / f"{item.name}.npy"
    remedy = "Make it anew with remogpt.motion.features_to_joints, or let --fix do it"
    fault = joints_fault(path, item.array)
    if fault is not None:
        examination.report.add(fault[0], examination.place(path), fault[1], remedy)


def _examine_mirror(examination: Examination, item: Item, base: str) -> None:
    """Compare a mirror image with its original: `M000001` with `000001`."""
    original = read_motion(examination.motion_file(base), examination.layout.channels)
    assert item.array is not None and not isinstance(original, MotionFault)
    what = mirror_fault(item.array, original, examination.layout.channels)
    if what:
        place = examination.place(examination.motion_file(item.name))
        remedy = "Mirror the joints of the original, and make features of them"
        examination.report.add("mirror", place, what.format(base=base), remedy)


def _examine_mirrored_captions(examination: Examination, item: Item, texts: dict[str, CaptionFile]) -> None:
    """Compare the captions of a mirror image with its original's."""
    base = mirror_base(item.name)
    own, theirs = item.text, texts.get(base or "")
    if own is not None and theirs is not None and (same := unmirrored_captions(own.captions, theirs.captions)):
        what = f"{len(same)} captions are those of {base}: {same[0].text!r}"
        remedy = "Exchange left and right with remogpt.motion.mirror_caption, or let --fix do it"
        examination.report.add("sides", examination.place(examination.text_file(item.name)), what, remedy)


def _tell_twins(examination: Examination, twins: dict[str, str], splits: dict[str, list[str]]) -> None:
    """Note motions of the same numbers under two ids: a fault where one is held out from the other."""
    homes = {name: split for split in HELD_OUT for name in splits.get(split, ())}
    for name, twin in twins.items():
        if homes.get(name) != homes.get(twin):
            what = f"the same numbers as {twin}, which is in {homes.get(twin, 'no split')}"
            examination.report.add("overlap", examination.place(examination.motion_file(name)), what,
                                   f"Delete one of them, or {_LEAVE_OUT}")  # fmt: skip
    within = [name for name, twin in twins.items() if homes.get(name) == homes.get(twin)]
    if within:
        examination.report.notes.append(
            f"{len(within)} motions have the same numbers as others of their split ({within[0]}, {twins[within[0]]})"
        )


def _examine_tokens(examination: Examination, texts: dict[str, CaptionFile]) -> None:
    """Note captions without tokens where nearly all have them: evaluators read the tokens."""
    without = [name for name, text in texts.items() if text.captions and not any(one.tokens for one in text.captions)]
    if not examination.layout.has_tokens or len(without) > len(texts) / 2:
        return
    for name, text in sorted(texts.items()):
        bare = [one.text for one in text.captions if not one.tokens]
        if bare:
            place = examination.place(examination.text_file(name))
            examination.report.add("caption", place, f"no word/POS tokens behind {bare[0]!r}", "Evaluators read them")


def _told_once(findings: list[Finding], num_motions: int) -> list[Finding]:
    """Tell a fault once that more than half of the motions of a set have."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.kind, _folder(finding)].append(finding)
    told: list[Finding] = []
    for finding in findings:
        folder = _folder(finding)
        group = groups[finding.kind, folder]
        if not folder or len(group) <= max(5, num_motions / 2):
            told.append(finding)
        elif finding is group[0]:
            what = f"{len(group)} of {num_motions} motions, the first {finding.file}: {finding.what}"
            told.append(replace(finding, file=f"{folder}/", what=what))
    return told


def _folder(finding: Finding) -> str:
    return finding.file.partition("/")[0] if "/" in finding.file else ""
