"""What databases are built from: sets, recordings with or without captions, and other databases.

A source is cut into blocks of clips that are read, embedded and written together, in whichever process. What becomes of
a block depends on nothing but its clips, so that any number of processes makes the same database.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.data.importers.clip import ImportedClip
from remogpt.data.importers.recordings import Recordings
from remogpt.motion import Motion
from remogpt.motion.door.bones import check_features
from remogpt.motion.files.read import READABLE, with_clip
from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.retriever import DatabaseEntry, MotionDatabase
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.stages.inputs import is_database

_log = logging.getLogger(__name__)

CLIPS, FILES = 1024, 64
"""Clips of a set, and files of recordings, in a block; a multiple of the batch in which motions are embedded."""
_CAPTIONED = 32
"""Motions that are captioned together."""
_LOOKED_AT = 12
"""Clips that are looked at for what all clips of a set share."""

_Item = TypeVar("_Item")


class Captioner(Protocol):
    """Captions what has no caption."""

    @property
    def name(self) -> str:
        """How entries call it."""

    def write(self, motions: list[Motion]) -> list[str]:
        """Return a caption for each motion."""


@dataclass
class Notes:
    """What is told of the sources when a database is built."""

    left_out: dict[str, str] = field(default_factory=dict)
    """Reason by clip, caption, file or line of a table that could not be used."""
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What was understood and mended while a recording was read, by file."""
    captioned: int = 0
    """Motions that the model captioned."""

    def add(self, other: "Notes") -> None:
        """Add what was told of other sources."""
        self.left_out |= other.left_out
        self.notices |= other.notices
        self.captioned += other.captioned


@dataclass(frozen=True)
class SetBlock:
    """Some clips of a set."""

    folder: Path
    clips: tuple[Clip, ...]
    with_tags: bool

    @property
    def needs_captions(self) -> bool:
        """Whether the model captions some of its motions: never, a set has captions."""
        return False

    def __len__(self) -> int:
        return len(self.clips)

    def identity(self) -> str:
        """Return a hash of everything that decides the entries."""
        motions = _opened(self.folder)
        said = [f"{clip.source_id} {clip.mirror_of} {clip.captions} {clip.tags}" for clip in self.clips]
        return fingerprint([motions.name, motions.licence, motions.identity(self.clips), *said, str(self.with_tags)])

    def entries(self, notes: Notes, captioner: Captioner) -> Iterator[DatabaseEntry]:
        """Read the clips."""
        motions = _opened(self.folder)
        for clip in self.clips:
            yield DatabaseEntry(
                id=clip.id, source_id=clip.source_id, mirror_of=clip.mirror_of, captions=clip.captions,
                features=motions.features(clip), provenance=motions.name, licence=motions.licence,
                tags=clip.tags if self.with_tags else {},
            )  # fmt: skip


@dataclass(frozen=True)
class RecordingsBlock:
    """Some files of a folder of recordings."""

    recordings: Recordings
    files: tuple[str, ...]
    min_frames: int
    with_tags: bool

    @property
    def needs_captions(self) -> bool:
        """Whether the model captions some of its motions."""
        return not all(all(self.recordings.stretches[file].values()) for file in self.files)

    def __len__(self) -> int:
        return len(self.files)

    def identity(self) -> str:
        """Return a hash of everything that decides the entries; the time of a file stands for what is in it."""
        known = []
        for file in self.files:
            path = with_clip(self.recordings.folder / file)[0]
            stamp = (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None
            known.append(f"{file} {self.recordings.names[file]} {self.recordings.stretches[file]} {stamp}")
        how = f"{self.recordings.licence} {dict(self.recordings.reading)} {self.min_frames} {self.with_tags}"
        return fingerprint([how, *known])

    def entries(self, notes: Notes, captioner: Captioner) -> Iterator[DatabaseEntry]:
        """Read the files, and caption those motions that have no caption."""
        read = self._clips(notes)
        while clips := list(islice(read, _CAPTIONED)):
            silent = [clip for clip in clips if not clip.captions]
            captions = captioner.write([clip.motion for clip in silent])
            notes.captioned += len(silent)
            written = {clip.id: caption for clip, caption in zip(silent, captions, strict=True)}
            for clip in clips:
                if clip.id in written and not written[clip.id].strip():
                    notes.left_out[clip.id] = f"{clip.id}: {captioner.name} has no words for it; caption it in a table"
                    continue
                yield self._entry(clip, written.get(clip.id), captioner)

    def _clips(self, notes: Notes) -> Iterator[ImportedClip]:
        for clip in self.recordings.clips(self.files):
            if clip.motion.num_frames < self.min_frames:
                notes.left_out[clip.id] = (
                    f"{clip.id}: {clip.motion.num_frames} frames, wanted at least {self.min_frames}"
                )
                continue
            yield clip
        for name, reason in self.recordings.failed.items():
            _log.warning("left out: %s", reason if name in reason else f"{name}: {reason}")
        notes.left_out |= self.recordings.failed
        notes.notices |= self.recordings.notices

    def _entry(self, clip: ImportedClip, written: str | None, captioner: Captioner) -> DatabaseEntry:
        by_model = {} if written is None else {"captioned_by": captioner.name}
        captions = clip.captions if written is None else (written,)
        origin = clip.provenance if written is None else f"{clip.provenance}, captioned by {captioner.name}"
        return DatabaseEntry(
            id=clip.id, source_id=clip.source_id, mirror_of=None, captions=captions,
            features=clip.motion.features, provenance=origin, licence=clip.licence,
            tags={**(clip.tags if self.with_tags else {}), **by_model},
        )  # fmt: skip


Block = SetBlock | RecordingsBlock


@dataclass(frozen=True)
class Source:
    """One thing that a database is built from: blocks, or a database whose entries are copied."""

    name: str
    ids: Sequence[str]
    """Of its clips, before long ones are cut into windows."""
    blocks: Sequence[Block] = ()
    database: MotionDatabase | None = None


@dataclass(frozen=True)
class Reading:
    """How sources are read."""

    split: str = "train"
    limit: int = 0
    min_frames: int = 8
    with_tags: bool = True
    captions: str | Path | None = None
    """Table for a folder of recordings; None: they are captioned by the model."""
    licence: str = "unknown"
    """Of recordings."""
    motions: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of `load_motion`."""


def open_source(given: str | Path | MotionTextSet | MotionDatabase, reading: Reading, notes: Notes) -> Source:
    """Find out what a source is, and cut it into blocks.

    Raises:
        MissingPathError: if it is not there, or a folder holds nothing that can be read.
        RemogptError: as `MotionTextSet.clips` and `Recordings.open`.
    """
    if isinstance(given, MotionDatabase):
        return Source(str(given.path), list(given.rows), database=given)
    if isinstance(given, MotionTextSet):
        return _set_source(given, reading, notes)
    path = Path(given)
    if is_database(path):
        return open_source(MotionDatabase.open(path), reading, notes)
    if (path / "new_joint_vecs").is_dir():
        return _set_source(_opened(path), reading, notes)
    wanted = f"wanted a set in HumanML3D's layout, a database, or recordings ({', '.join(READABLE)})"
    if not with_clip(path)[0].exists():
        raise MissingPathError(f"no {path}; {wanted}")
    if path.is_dir() and (inside := [*path.rglob("new_joint_vecs"), *path.rglob("CURRENT")]):
        raise RemogptError(f"{wanted}, but {path} has these in it: {inside[0].parent} is one; name that folder")
    return _recordings_source(path, reading)


def _set_source(motions: MotionTextSet, reading: Reading, notes: Notes) -> Source:
    motions.check_values(reading.split)
    clips = spread(motions.clips(reading.split, reading.min_frames, 10**9), reading.limit)
    _check_bodies(motions, clips)
    notes.left_out |= motions.left_out
    blocks = [SetBlock(motions.folder, block, reading.with_tags) for block in _cut(clips, CLIPS)]
    return Source(str(motions.folder), [clip.id for clip in clips], blocks)


def _recordings_source(path: Path, reading: Reading) -> Source:
    how = {"licence": reading.licence, **reading.motions}
    if reading.captions is None:
        recordings = Recordings.without_captions(path, **how)
    else:
        recordings = Recordings.open(path, reading.captions, **how)
        recordings.warn_of_silent()
    files = spread(list(recordings.stretches), reading.limit)
    blocks = [RecordingsBlock(recordings, block, reading.min_frames, reading.with_tags) for block in _cut(files, FILES)]
    return Source(str(path), [recordings.names[file] for file in files], blocks)


@lru_cache(maxsize=4)
def _opened(folder: Path) -> MotionTextSet:
    return MotionTextSet.open(folder)


def _check_bodies(motions: MotionTextSet, clips: list[Clip]) -> None:
    """Refuse a set whose features are scaled or normalised: they are so in all clips, so that some tell."""
    if motions.num_features != NUM_FEATURES:
        return
    faults = []
    some = spread(clips, _LOOKED_AT)
    for clip in some:
        try:
            check_features(motions.features(clip), f"{motions.name} ({clip.id})")
        except RemogptError as error:
            faults.append(error)
    if len(faults) > len(some) / 2:
        raise faults[0]


def _cut(items: list[_Item], size: int) -> list[tuple[_Item, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]


def spread(items: list[_Item], limit: int) -> list[_Item]:
    """Return at most `limit` items, evenly spaced; 0: all."""
    return [items[index * len(items) // limit] for index in range(min(limit, len(items)))] if limit else items
