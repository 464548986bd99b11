"""Prepare a set: plan it, make its motions in several processes, write lists, statistics, a report and a page."""

import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from remogpt.data.doctor.findings import Report
from remogpt.data.doctor.splits import mirror_base, read_list
from remogpt.data.importers.clip import MAX_FRAMES
from remogpt.data.importers.to_set import SHARES, shared_splits
from remogpt.data.prepare.page import write_page
from remogpt.data.prepare.plan import Plan, Recording, plan_set
from remogpt.data.prepare.work import RECORDS, Record, Settings, prepare_recording
from remogpt.data.writer import finish_set
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.progress import progress

REPORT, PAGE = "report.json", "report.html"
_CHUNK = 4
"""Recordings that a process takes at a time."""


def prepare_set(
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    captions: str | Path | None = None,
    index: str | Path | None = None,
    texts: str | Path | None = None,
    splits: str | Path | None = None,
    mirror: bool = True,
    max_frames: int | None = MAX_FRAMES,
    test_share: float = SHARES["test"] / 100,
    val_share: float = SHARES["val"] / 100,
    seed: int = 0,
    workers: int = 2,
    name: str = "",
    licence: str = "unknown",
    **reading: Any,
) -> dict[str, Any]:
    """Make a set in HumanML3D's layout of recordings in any format that `load_motion` reads.

    A run that was killed goes on where it was: what is done for a file, its captions and these settings is not done
    again.

    Args:
        sources: folders of recordings: AMASS (with `body_model`), HumanAct12, BVH, glb, and so on, mixed as they come.
        folder: of the set.
        captions, index, texts: where captions come from, see `plan`.
        splits: folder with train.txt, val.txt, test.txt of ids, or of recordings' paths; default: by shares.
        mirror: add the mirror image of every motion, with mirrored captions.
        max_frames: longer stretches are cut into windows of nearly equal length; None: never.
        test_share, val_share, seed: as `import_recordings`; windows and mirror images of a recording stay together.
        workers: processes.
        name, licence: of the set.
        reading: further keywords of `load_motion`.

    Returns:
        the report, as in `report.json`.

    Raises:
        RemogptError: as `plan_set`; if nothing can be used; if the folder holds a set that was not prepared.
    """
    folder = Path(folder)
    if (folder / "set.json").is_file() and read_json(folder / "set.json").get("made_from") != "prepare":
        raise RemogptError(f"{folder} holds another set already; prepare into a folder of its own")
    plan = plan_set(sources, captions=captions, index=index, texts=texts, known=_known(folder))
    settings = Settings(folder, mirror, max_frames, licence, {**reading})
    records = _work(settings, plan, workers)
    clips = {clip: (record, frames) for record in records for clip, frames in record["clips"].items()}
    left_out = {name: why for record in records for name, why in record["left_out"].items()} | plan.left_out
    if not clips:
        raise RemogptError(f"none of {len(plan.recordings)} recordings can be used, the first: {_first(left_out)}")
    if splits is not None:
        lists = _given_splits(Path(splits), clips)
    else:
        lists = _shared(clips, test_share, val_share, seed)
    finish_set(folder, name or folder.resolve().name, licence, lists, made_from="prepare", mirrored=mirror)
    report = _report(plan, records, lists, left_out)
    write_json(folder / REPORT, report)
    write_page(folder, report, folder / PAGE)
    return report


def _known(folder: Path) -> dict[tuple[str, float], int]:
    """Return the numbers of stretches that earlier runs have done."""
    known: dict[tuple[str, float], int] = {}
    for path in sorted((folder / RECORDS).glob("[!.]*.json")):
        try:
            record: Record = read_json(path, Record)
        except RemogptError:
            continue  # is done anew
        known |= {(record["recording"], float(start)): number for start, number in record["numbers"].items()}
    return known


def _work(settings: Settings, plan: Plan, workers: int) -> list[Record]:
    """Make the motions of all recordings, in their order."""
    one = partial(prepare_recording, settings)
    if workers <= 1 or len(plan.recordings) <= _CHUNK:
        return [one(recording) for recording in progress(plan.recordings, desc="prepare", unit="recording")]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        done = pool.imap(one, plan.recordings, _CHUNK)
        return list(progress(done, total=len(plan.recordings), desc="prepare", unit="recording"))


def _shared(
    clips: Mapping[str, tuple[Record, int]], test_share: float, val_share: float, seed: int
) -> dict[str, list[str]]:
    """Divide the recordings among the splits."""
    if min(test_share, val_share) < 0 or test_share + val_share >= 1:
        raise RemogptError(f"the shares of test and val must leave something, got {test_share} and {val_share}")
    homes = {clip: record["recording"] for clip, (record, _) in clips.items()}
    split_of = shared_splits(list(dict.fromkeys(homes.values())), {"test": test_share, "val": val_share}, seed)
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for clip in sorted(homes):
        lists[split_of[homes[clip]]].append(clip)
    return lists


def _given_splits(folder: Path, clips: Mapping[str, tuple[Record, int]]) -> dict[str, list[str]]:
    """Take published lists of ids, or of recordings by their paths without endings, as Motion-X has them.

    Names that are not there are passed over; mirror images stand where the lists have them, or beside their clips.
    """
    made_of: dict[str, list[str]] = defaultdict(list)
    for clip, (record, _) in clips.items():
        made_of[PurePosixPath(record["recording"]).with_suffix("").as_posix()].append(clip)
    lists = {}
    for path in sorted(folder.glob("[!.]*.txt")):
        listed = read_list(path, Report("", ""))
        has_mirrors = any(mirror_base(one) for one in listed)
        both = listed if has_mirrors else [one for base in listed for one in (base, f"M{base}")]
        if path.stem != "all":
            lists[path.stem] = [one for name in both for one in ([name] if name in clips else made_of.get(name, []))]
    if not any(lists.values()):
        raise RemogptError(
            f"{folder}: wanted train.txt, val.txt and test.txt with ids of this set, or with paths of its recordings; "
            "none names any"
        )
    return lists


def _first(left_out: Mapping[str, str]) -> str:
    return next((f"{name}: {why}" for name, why in left_out.items()), "")


def _report(
    plan: Plan, records: Sequence[Record], lists: Mapping[str, Sequence[str]], left_out: Mapping[str, str]
) -> dict[str, Any]:
    """Count what was made of each source, and list what was left out and what was mended."""
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for source, count in plan.silent.items():
        sources[source]["recordings"] += count
    notices: dict[str, list[str]] = defaultdict(list)
    for record in records:
        counts = sources[record["source"]]
        counts["recordings"] += 1
        counts["used"] += bool(record["clips"])
        counts["clips"] += sum(mirror_base(clip) is None for clip in record["clips"])
        counts["frames"] += sum(frames for clip, frames in record["clips"].items() if mirror_base(clip) is None)
        if record["notices"]:
            notices["; ".join(record["notices"])].append(record["recording"])
    return {
        "sources": {
            source: {**counts, "minutes": round(counts["frames"] / FPS / 60, 2)} for source, counts in sources.items()
        },
        "splits": {split: len(ids) for split, ids in lists.items()},
        "mirror_images": sum(mirror_base(clip) is not None for record in records for clip in record["clips"]),
        "clips": _clip_rows(plan.recordings, records),
        "left_out": dict(left_out),
        "notices": {text: {"recordings": len(names), "first": names[0]} for text, names in notices.items()},
    }


def _clip_rows(recordings: Sequence[Recording], records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return id, recording and frames of every clip but mirror images."""
    return [
        {"id": clip, "recording": record["recording"], "frames": frames}
        for _, record in zip(recordings, records, strict=True)
        for clip, frames in record["clips"].items()
        if mirror_base(clip) is None
    ]
