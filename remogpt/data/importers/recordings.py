"""Import own recordings, in any readable format, with captions in a table.

How the table is written: `caption_table`. Its files lie in the folder of the recordings, or anywhere else;
`moves.glb#Walk` is one animation of a file, and a file of several gives a clip for each.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from remogpt.data.importers.caption_table import Stretch, read_table
from remogpt.data.importers.clip import MAX_FRAMES, ImportedClip, cut_motion, windowed
from remogpt.motion.files.read import READABLE, clips_of, load_motion, recordings_in, with_clip
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, why
from remogpt.runtime.files import fingerprint, sha256_file

_log = logging.getLogger(__name__)


@dataclass
class Recordings:
    """A folder of recordings and their captions."""

    folder: Path
    texts: dict[str, dict[Stretch, list[str]]]
    """Captions of each file by stretch, in the table's order."""
    licence: str = "unknown"
    max_frames: int | None = MAX_FRAMES
    """Longest clip; longer stretches are cut into windows under one source id. None: never."""
    reading: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of `load_motion` for every recording."""
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What was understood and mended, by file; filled by `clips`."""
    unusable: Mapping[str, str] = field(default_factory=dict)
    """Reason by line of the table that could not be used."""
    failed: dict[str, str] = field(default_factory=dict)
    """Reason by line, file or stretch that could not be used; filled by `clips`."""

    @classmethod
    def open(cls, folder: str | Path, table: str | Path, licence: str = "unknown", **reading: Any) -> Recordings:
        """Read the table; the recordings themselves are read by `clips`, with the keywords of `load_motion` given here.

        Raises:
            MissingPathError: if folder or table do not exist.
            RemogptError: if the table lacks a column, or none of its rows can be used.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise MissingPathError(f"no folder {folder}; name the folder that holds the recordings")
        texts: dict[str, dict[Stretch, list[str]]] = {}
        unusable: dict[str, str] = {}
        for file, stretches in read_table(Path(table), unusable).items():
            own = texts.setdefault(_inside(folder, file), {})
            for stretch, captions in stretches.items():
                own.setdefault(stretch, []).extend(captions)
        return cls(folder, texts, licence, reading=reading, unusable=unusable)

    @classmethod
    def without_captions(cls, path: str | Path, licence: str = "unknown", **reading: Any) -> Recordings:
        """Take all recordings of a folder, or one file, whole and without captions.

        Raises:
            MissingPathError: if there are none.
        """
        path = Path(path)
        folder, files = (path, recordings_in(path)) if path.is_dir() else (path.parent, [path])
        if not files:
            raise MissingPathError(f"no motion files in {path}; looked for {', '.join(sorted(READABLE))}")
        whole: dict[str, dict[Stretch, list[str]]] = {
            file.relative_to(folder).as_posix(): {(0.0, None): []} for file in files
        }
        return cls(folder, whole, licence, reading=reading)

    @cached_property
    def stretches(self) -> dict[str, dict[Stretch, list[str]]]:
        """Captions by file and stretch, where a file of several animations stands once for each of them."""
        return {
            clip.relative_to(self.folder).as_posix() if clip.is_relative_to(self.folder) else str(clip): stretches
            for file, stretches in self.texts.items()
            for clip in clips_of(self.folder / file)
        }

    @cached_property
    def names(self) -> dict[str, str]:
        """Id of each of the files in `stretches`."""
        return clip_names(list(self.stretches))

    def clips(self, files: Sequence[str] | None = None) -> Iterator[ImportedClip]:
        """Yield a clip for each stretch, windowed; files that cannot be read go to `failed`.

        Args:
            files: some of those in `stretches`; default: all.
        """
        self.failed.clear()
        self.failed.update(self.unusable)
        self.notices.clear()
        names = self.names
        for file in self.stretches if files is None else files:
            path, stretches = self.folder / file, self.stretches[file]
            try:
                motion = load_motion(path, **self.reading)
            except ITEM_ERRORS as error:
                self.failed[file] = why(error)
                continue
            if motion.notices:
                self.notices[file] = motion.notices
            tags = {"file": file, "recording": sha256_file(with_clip(path)[0])[:16]}
            for number, ((start, end), captions) in enumerate(stretches.items()):
                first, stop = round(start * FPS), motion.num_frames if end is None else round(end * FPS)
                if first >= motion.num_frames:
                    self.failed[f"{file} from {start:g} s"] = f"the recording ends at {motion.seconds:.2f} s"
                    continue
                is_whole = first == 0 and stop >= motion.num_frames
                name = names[file] if is_whole and len(stretches) == 1 else f"{names[file]}_s{number}"
                clip = self._clip(name, names[file], motion, (first, stop), captions, tags)
                yield from windowed(clip, self.max_frames)

    def _clip(
        self,
        name: str,
        source_id: str,
        motion: Motion,
        frames: tuple[int, int],
        captions: Sequence[str],
        tags: dict[str, str],
    ) -> ImportedClip:
        start, stop = frames[0], min(frames[1], motion.num_frames)
        is_whole = (start, stop) == (0, motion.num_frames)
        # Cutting would lose given features, so a whole motion is kept as it is.
        cut = motion if is_whole else cut_motion(motion, start, stop, name)
        stretch = {} if is_whole else {"frames": f"{start}-{stop}"}
        return ImportedClip(
            name, source_id, cut, tuple(captions), f"own recording {tags['file']}", self.licence, {**tags, **stretch}
        )

    def warn_of_silent(self) -> None:
        """Warn about recordings in the folder that the table does not name."""
        named = {with_clip(self.folder / file)[0].resolve() for file in self.texts}
        silent = [path for path in recordings_in(self.folder) if path.resolve() not in named]
        if silent:
            first = silent[0].relative_to(self.folder)
            _log.warning("%s: %d recordings have no caption and are left out (%s)", self.folder, len(silent), first)


def _inside(folder: Path, file: str) -> str:
    """Return a file's path inside the folder, also if the table holds it relative to another folder."""
    if not (folder / file).is_file() and Path(file).is_file():
        path = Path(file).resolve()
        return path.relative_to(folder.resolve()).as_posix() if path.is_relative_to(folder.resolve()) else str(path)
    if Path(file).is_absolute() and Path(file).is_relative_to(folder.resolve()):
        return Path(file).relative_to(folder.resolve()).as_posix()
    return file


def clip_names(files: Sequence[str]) -> dict[str, str]:
    """Return an id for each file: its path in plain letters, with the suffix only if two files would share an id.

    Files that still share an id ("take 1.bvh", "take_1.bvh") are told apart by a hash of their paths.
    """
    stems = {file: _plain(str(Path(file).with_suffix(""))) for file in files}
    counts = Counter(stems.values())
    names = {file: stem if counts[stem] == 1 else _plain(file) for file, stem in stems.items()}
    counts = Counter(names.values())
    return {file: name if counts[name] == 1 else f"{name}_{fingerprint([file])[:8]}" for file, name in names.items()}


def _plain(name: str) -> str:
    name = re.sub(r"[^\w-]+", "_", name).strip("_") or "recording"
    # In HumanML3D's layout M and a number names the mirror image of that number.
    return f"r_{name}" if re.fullmatch(r"M\d+", name) else name
