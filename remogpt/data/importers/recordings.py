"""Import own recordings, in any readable format, with captions in a table.

The table is CSV with a header: `file`, `caption`, and optionally `start` and `end` in seconds. Several rows of one file
(and of one stretch) are several captions. `file` is the path inside the folder of the recordings, or any other
path; `moves.glb#Walk` is one animation of a file, and a file of several gives a clip for each. Other columns are
ignored, so that a table of `remogpt caption --out` can be corrected and used.
"""

from __future__ import annotations

import csv
import io
import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from remogpt.data.importers.clip import MAX_FRAMES, ImportedClip, cut_motion, windowed
from remogpt.motion.files.read import READABLE, clips_of, load_motion, with_clip
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, RemogptError, why
from remogpt.runtime.files import fingerprint, sha256_file
from remogpt.runtime.text import read_text, text_of_csv_cell

_log = logging.getLogger(__name__)

Stretch = tuple[float, float | None]
"""Start and end in seconds; an end of None is the end of the recording."""


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

    def clips(self) -> Iterator[ImportedClip]:
        """Yield a clip for each stretch, windowed; files that cannot be read go to `failed`."""
        self.failed.clear()
        self.failed.update(self.unusable)
        self.notices.clear()
        texts = {
            clip.relative_to(self.folder).as_posix() if clip.is_relative_to(self.folder) else str(clip): stretches
            for file, stretches in self.texts.items()
            for clip in clips_of(self.folder / file)
        }
        names = clip_names(list(texts))
        self._count_silent()
        for file, stretches in texts.items():
            path = self.folder / file
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

    def _count_silent(self) -> None:
        """Warn about recordings without captions."""
        named = {with_clip(self.folder / file)[0].resolve() for file in self.texts}
        found = [path for path in self.folder.rglob("[!.]*") if path.suffix.lower() in READABLE]
        silent = sorted(path for path in found if path.resolve() not in named)
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


def read_table(path: Path, left_out: dict[str, str]) -> dict[str, dict[Stretch, list[str]]]:
    """Read captions by file and stretch, as the module's docstring describes.

    Args:
        path: the table.
        left_out: gets the reason of each row that cannot be used, by its line.

    Raises:
        MissingPathError: if there is no such file.
        RemogptError: if it is not such a table, or none of its rows can be used; the message names the first one.
    """
    if not path.is_file():
        raise MissingPathError(f"no file {path}; wanted a CSV table with the columns file, caption[, start, end]")
    text = read_text(path)
    header = text.partition("\n")[0].strip()
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    rows.fieldnames = [(name or "").strip().lower() for name in rows.fieldnames or []]
    if absent := {"file", "caption"} - set(rows.fieldnames):
        raise RemogptError(
            f"{path}: wanted a header with the columns file, caption[, start, end], got {header!r} without "
            f"{', '.join(sorted(absent))}; add it as the first line"
        )
    texts: dict[str, dict[Stretch, list[str]]] = {}
    known = len(left_out)
    try:
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            try:
                _add_row(texts, row, where, path.parent)
            except RemogptError as error:
                left_out[where] = str(error)
    except csv.Error as error:  # a field of more than 128 KiB: a quote that is never closed
        raise RemogptError(f"{path}, line {rows.line_num}: {error}; is a quotation mark missing there?") from error
    if not texts:
        first = list(left_out.values())[known:]
        raise RemogptError(first[0] if first else f"{path} has no rows; write one line for each caption")
    return texts


def _add_row(texts: dict[str, dict[Stretch, list[str]]], row: dict[Any, Any], where: str, folder: Path) -> None:
    """Add a row's caption to those of its file and stretch; raises `RemogptError` if it cannot be used."""
    if None in row:
        raise RemogptError(f"{where} has more fields than the header; put a caption with commas in quotes")
    file, caption = (text_of_csv_cell((row[name] or "").strip()) for name in ("file", "caption"))
    if not caption and (row.get("error") or "").strip():
        return  # `remogpt caption` could not read this file either
    if not file or not caption.replace("#", " ").strip():  # which separates fields in a set
        raise RemogptError(f"{where}: wanted a file and its caption, got {file!r} and {caption!r}; fill them in")
    stretch = _stretch(row, where)
    texts.setdefault(_plain_path(folder, file), {}).setdefault(stretch, []).append(caption)


def _plain_path(folder: Path, file: str) -> str:
    """Return a file's path with forward slashes, as another system than Windows writes it."""
    is_windows = "\\" in file and not (folder / file).exists()
    return PureWindowsPath(file).as_posix() if is_windows else Path(file).as_posix()


def _stretch(row: dict[str, str], where: str) -> Stretch:
    values = [(row.get(name) or "").strip() for name in ("start", "end")]
    try:
        start, end = (float(value) if value else None for value in values)
    except ValueError as error:
        raise RemogptError(f"{where}: wanted seconds as start and end, got {values[0]!r} and {values[1]!r}") from error
    begin = 0.0 if start is None else start
    if not math.isfinite(begin) or begin < 0 or (end is not None and not begin < end < math.inf):
        raise RemogptError(f"{where}: wanted 0 <= start < end in seconds, got {values[0]!r} and {values[1]!r}")
    return begin, end


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
