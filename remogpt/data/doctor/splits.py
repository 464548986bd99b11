"""Examine the lists of a set: ids twice, in two splits, without files, captions of the test split in training."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from remogpt.data.doctor.captions import decode
from remogpt.data.doctor.findings import Report
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.inside import why_no_name

HELD_OUT = ("train", "val", "test", "test_unseen")
"""Splits that must not share anything; other lists (all, train_val, families) are made of them."""
MOST_COPIED = 0.05
"""Share of a split's captions that may stand word for word in training: people do write the same sentence twice."""
OFFICIAL: Mapping[str, Mapping[str, int]] = {
    "HumanML3D": {"train": 23384, "val": 1460, "test": 4384},
    "KIT-ML": {"train": 4888, "val": 300, "test": 830},
}
"""Ids in the published lists, mirror images included. Source: TMR, arXiv 2305.00976, sec. 4.1."""


def read_list(path: Path, report: Report) -> list[str]:
    """Read a split file; what is wrong with it is noted, and ids that can name no file are left out."""
    try:
        text, encoding = decode(path)
    except (RemogptError, OSError) as error:
        report.add("malformed", path.name, f"not text: {error}", "Copy the file again")
        return []
    if encoding is not None:
        report.add("encoding", path.name, f"{encoding}, not UTF-8", "Save it as UTF-8 without a mark")
    found: list[str] = []
    first: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip()
        if not name:
            continue
        why = why_no_name(name)
        if why:
            report.add("malformed", f"{path.name}, line {number}", f"{name!r} is no id: {why}", "Take the line out")
        elif name in first:
            report.add("duplicate", f"{path.name}, line {number}", f"{name} stands in line {first[name]} too",
                       "Take one of them out")  # fmt: skip
        else:
            first[name] = number
            found.append(name)
    return found


def mirror_base(name: str) -> str | None:
    """Return the id of which a name is the mirror image, as in HumanML3D: M000001."""
    return name[1:] if name.startswith("M") and name[1:].isdigit() else None


def examine_overlap(splits: Mapping[str, Sequence[str]], report: Report) -> None:
    """Find ids, and their mirror images, in two splits of which one is held out from the other."""
    homes: dict[str, list[str]] = defaultdict(list)
    for split in HELD_OUT:
        for name in splits.get(split, ()):
            homes[name].append(split)
    for name, found in homes.items():
        if len(found) > 1:
            report.add("overlap", f"{found[-1]}.txt", f"{name} is in {' and '.join(found)}", "Keep it in one of them")
        base = mirror_base(name)
        if base in homes and len(found) == len(homes[base]) == 1 and homes[base] != found:
            report.add("overlap", f"{found[0]}.txt", f"{name} is the mirror image of {base}, which is in "
                       f"{homes[base][0]}", "Keep both in one split")  # fmt: skip
    cases = Counter(name.lower() for name in homes)
    for name in sorted(name for name in homes if cases[name.lower()] > 1 and name != name.lower()):
        report.add("duplicate", f"{homes[name][0]}.txt", f"{name} is another id too, but for upper and lower case",
                   "Rename one: on Windows and macOS they are one file")  # fmt: skip


def examine_copies(
    splits: Mapping[str, Sequence[str]],
    captions: Mapping[str, Sequence[str]],
    report: Report,
    told: Collection[str] = (),
) -> None:
    """Find captions of a held-out split that stand word for word on other motions of the training split.

    Ids that are in both splits, or whose mirror images are, are passed over here, and so are those in `told`.
    """
    related = {mirror_base(name) or name for name in splits.get("train", ())}
    known = {text for name in splits.get("train", ()) for text in map(_plain, captions.get(name, ()))}
    for split in HELD_OUT[1:]:
        names = [
            name for name in splits.get(split, ()) if (mirror_base(name) or name) not in related and name not in told
        ]
        texts = {name: [_plain(text) for text in captions.get(name, ())] for name in names}
        count = sum(map(len, texts.values()))
        copied = {name: [text in known for text in own] for name, own in texts.items()}
        total = sum(map(sum, copied.values()))
        whole = [name for name, own in copied.items() if own and all(own) and len(" ".join(texts[name]).split()) > 4]
        if not total:
            continue
        share = total / count
        what = f"{share:.1%} of its captions ({total} of {count}) stand word for word in train"
        if share > MOST_COPIED:
            report.add("overlap", f"{split}.txt", what, "Leave these captions out of the evaluation, or count them")
            continue
        report.notes.append(f"{split}.txt: {what}")
        for name in whole:
            report.add("overlap", f"{split}.txt", f"all captions of {name} stand word for word in train",
                       "Is it the same motion? Keep it in one split")  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(". ")


def examine_official(
    layout: str, splits: Mapping[str, Sequence[str]], official: str | Path | None, report: Report
) -> None:
    """Compare the lists with the published ones: with lists that the user has, or by their counts.

    Args:
        layout: of the set.
        splits: ids of each split.
        official: folder with the published train.txt, val.txt, test.txt; or the name of a set in `OFFICIAL`; None: by
            counts, where a set is so large that it must be the published one.
        report: is added to.
    """
    if official is not None and str(official) not in OFFICIAL:
        _compare_lists(Path(official), splits, report)
        return
    counts = OFFICIAL.get(str(official or layout))
    numbered = sum(name.removeprefix("M").isdigit() for name in splits.get("train", ()))
    if counts is None or (official is None and numbered < counts["train"] / 2):
        return
    for split, count in counts.items():
        if len(splits.get(split, ())) != count:
            report.add("official", f"{split}.txt", f"{len(splits.get(split, ()))} ids, the published list has {count}",
                       "Take the published split files, or say in what you report that yours are others")  # fmt: skip


def _compare_lists(folder: Path, splits: Mapping[str, Sequence[str]], report: Report) -> None:
    lists = {path.stem: path for path in folder.glob("[!.]*.txt") if path.stem in HELD_OUT}
    if not lists:
        raise RemogptError(
            f"{folder}: wanted a folder with the published train.txt, val.txt or test.txt, or one of "
            f"{', '.join(OFFICIAL)}; name it with --official"
        )
    home = {name: split for split, names in splits.items() if split in HELD_OUT for name in names}
    for split, path in sorted(lists.items()):
        theirs = set(read_list(path, Report("", "")))
        ours = set(splits.get(split, ()))
        moved = sorted(name for name in theirs - ours if name in home)
        lacking = sorted(theirs - ours - set(moved))
        parts = [
            f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if names[3:] else ''})"
            for names, what in ((lacking, "missing"), (moved, "in another split"), (sorted(ours - theirs), "more"))
            if names
        ]
        if parts:
            report.add("official", f"{split}.txt", f"not as in {path}: {'; '.join(parts)}",
                       "Take the published split files, or say in what you report that yours are others")  # fmt: skip
