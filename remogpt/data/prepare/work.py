"""Make the motions of one recording: read it, cut it, mirror it, write its items, and a record of what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from remogpt.data.clip import Caption
from remogpt.data.doctor.mirrors import mirrored
from remogpt.data.importers.clip import cut_windows
from remogpt.data.prepare.plan import Recording, Stretch
from remogpt.data.writer import SetItem, write_item
from remogpt.motion import features_to_joints, joints_to_features_batch, mirror_joints
from remogpt.motion.files.read import load_motion, with_clip
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import ITEM_ERRORS, RemogptError, why
from remogpt.runtime.files import fingerprint, read_json, write_json

RECORDS = "prepared"
"""Folder of a set that holds a record for each recording that is done."""
MIN_FRAMES = 9
"""Shorter stretches have less than two codes."""


class Record(TypedDict):
    """Content of `prepared/<name>.json`: a recording that is done."""

    key: str
    """Of the recording, its captions and the settings; anything else is done anew."""
    recording: str
    source: str
    numbers: dict[str, int]
    """Number of each stretch by its start in seconds."""
    clips: dict[str, int]
    """Frames of each clip written, mirror images too."""
    left_out: dict[str, str]
    notices: list[str]


@dataclass(frozen=True)
class Settings:
    """What holds for all recordings."""

    folder: Path
    """Of the set."""
    mirror: bool
    max_frames: int | None
    licence: str
    reading: Mapping[str, Any]
    """Keywords of `load_motion`."""


def prepare_recording(settings: Settings, recording: Recording) -> Record:
    """Make the motions of a recording, unless an earlier run has done so."""
    path = record_path(settings.folder, recording)
    key = _key(settings, recording)
    if path.is_file():
        try:
            record: Record = read_json(path, Record)
        except RemogptError:
            record = {**_empty(recording), "key": "damaged"}
        if record["key"] == key:
            return record
    record = _empty(recording)
    record["key"] = key
    try:
        motion = load_motion(recording.path, **settings.reading)
        record["notices"] = list(motion.notices)
        for stretch in recording.stretches:
            _prepare_stretch(settings, recording, stretch, motion.joints, record)
    except ITEM_ERRORS as error:
        record["left_out"][recording.name] = why(error)
    write_json(path, record, indent=None)
    return record


def record_path(folder: Path, recording: Recording) -> Path:
    """Return where a recording's record lies."""
    return folder / RECORDS / f"{fingerprint([recording.name])[:16]}.json"


def _empty(recording: Recording) -> Record:
    numbers = {f"{stretch.start:g}": stretch.number for stretch in recording.stretches}
    return {
        "key": "", "recording": recording.name, "source": recording.source, "numbers": numbers, "clips": {},
        "left_out": {}, "notices": [],
    }  # fmt: skip


def _key(settings: Settings, recording: Recording) -> str:
    """Identify everything that decides the result: file, captions, settings."""
    file = with_clip(recording.path)[0]
    stamp = file.stat() if file.is_file() else None
    about = [recording.name, repr(recording.stretches), settings.mirror, settings.max_frames, settings.licence]
    about += [sorted(settings.reading.items()), stamp and (stamp.st_size, stamp.st_mtime_ns)]
    return fingerprint([str(one) for one in about])


def _prepare_stretch(
    settings: Settings, recording: Recording, stretch: Stretch, joints: np.ndarray, record: Record
) -> None:
    """Cut a stretch, mirror it, and write its clips."""
    place = f"{recording.name} from {stretch.start:g} s"
    first = round(stretch.start * FPS)
    part = joints[first : None if stretch.end is None else round(stretch.end * FPS)]
    if len(part) < MIN_FRAMES:
        record["left_out"][place] = (
            f"{len(part)} frames there (the recording has {len(joints)}), wanted {MIN_FRAMES} or more"
        )
        return
    windows = cut_windows(len(part), settings.max_frames)
    names = [f"{stretch.number:06d}{f'{at:02d}' if len(windows) > 1 else ''}" for at in range(len(windows))]
    shown = [part[begin:end] for begin, end in windows]
    texts = [stretch.captions] * len(shown)
    if settings.mirror:
        names += [f"M{name}" for name in names]
        shown += [mirror_joints(one) for one in shown]
        texts += [stretch.mirrored or tuple(mirrored(caption) for caption in stretch.captions)] * len(windows)
    for name, captions, features in zip(names, texts, joints_to_features_batch(shown), strict=True):
        write_item(settings.folder, _item(name, recording, stretch, captions, features))
        record["clips"][name] = len(features)


def _item(
    name: str, recording: Recording, stretch: Stretch, captions: tuple[Caption, ...], features: np.ndarray
) -> SetItem:
    tags = {"file": recording.name, "source": recording.source, "start": round(stretch.start, 3)}
    return SetItem(
        name, features, captions, joints=features_to_joints(features), source_id=recording.name, tags=tags,
        provenance=f"{recording.name} of {recording.source}",
    )  # fmt: skip
