"""Plan a set: which stretches of which recordings, with which captions, under which ids.

Captions come from a table (`file,caption[,start,end]`, as for `data import folder`), from text files beside the
recordings (`walk.txt` beside `walk.bvh`: a sentence a line, or HumanML3D's four fields), or, for HumanML3D itself, from
its `index.csv` and texts.

Source: HumanML3D 9176e8f: columns of its index, ids, and the seconds that it drops at the start of some parts of AMASS.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from remogpt.data.clip import Caption
from remogpt.data.doctor.captions import decode, examine_captions
from remogpt.data.importers.caption_table import read_table
from remogpt.motion.files.read import READABLE, clips_of, with_clip
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, RemogptError
from remogpt.runtime.text import read_text

DROPPED_SECONDS = {
    "Eyes_Japan_Dataset": 3.0, "MPI_HDM05": 3.0, "HDM05": 3.0, "TotalCapture": 1.0, "MPI_Limits": 1.0,
    "PosePrior": 1.0, "Transitions_mocap": 0.5, "Transitions": 0.5,
}  # fmt: skip
"""Seconds before the first frame that HumanML3D's index counts, by the folder of AMASS; some have two names."""


@dataclass(frozen=True)
class Stretch:
    """A part of a recording with its captions."""

    number: int
    """Ids are made of it."""
    start: float
    """Seconds from the recording's beginning."""
    end: float | None
    """Seconds; None: to the end."""
    captions: tuple[Caption, ...]
    mirrored: tuple[Caption, ...] = ()
    """Captions of the mirror image, where someone has written them."""


@dataclass
class Recording:
    """A recording and what is wanted of it."""

    path: str
    """File, or file#animation."""
    name: str
    """Path within its source."""
    source: str
    """Folder that was named."""
    stretches: list[Stretch] = field(default_factory=list)


@dataclass
class Plan:
    """What a set is to be made of."""

    recordings: list[Recording]
    left_out: dict[str, str]
    """Recordings, and lines of tables, that cannot be used; why."""
    silent: Counter[str] = field(default_factory=Counter)
    """How many recordings of each source are left out since they have no captions."""


def plan_set(
    sources: Sequence[str | Path],
    *,
    captions: str | Path | None = None,
    index: str | Path | None = None,
    texts: str | Path | None = None,
    known: Mapping[tuple[str, float], int] | None = None,
) -> Plan:
    """Find recordings and their captions.

    Args:
        sources: folders.
        captions: table of captions; default: text files beside the recordings, or in the folder `texts`.
        index: HumanML3D's index.csv, in place of a table.
        texts: the index's folder of texts; without an index, texts under the recordings' own paths, as Motion-X has.
        known: numbers that stretches (recording's path within its source, start) have from an earlier run.

    Raises:
        MissingPathError, RemogptError: a folder or table that is not there, or nothing to prepare.
    """
    files = _files(sources)
    if index is not None:
        if texts is None:
            raise RemogptError("an index (--index) names motions by ids: name the folder of their texts too (--texts)")
        return _by_index(files, Path(index), Path(texts))
    if captions is not None:
        wanted, left_out = _by_table(files, Path(captions))
    else:
        wanted, left_out = _by_texts(files, None if texts is None else Path(texts))
    if not wanted:
        raise RemogptError(
            f"{len(files)} recordings, and none has captions. Write a table file,caption (--captions), or a text file "
            "beside each recording, a sentence a line"
        )
    sources_of = (files[name.partition("#")[0]][1] for name in left_out if name.partition("#")[0] in files)
    return Plan(_numbered(wanted, known or {}), left_out, Counter(sources_of))


Wanted = list[tuple[Recording, list[tuple[float, float | None, list[Caption]]]]]
"""Recordings, each with start, end and captions of its stretches."""


def _files(sources: Sequence[str | Path]) -> dict[str, tuple[Path, str]]:
    """Return every recording by its path within its source: the file, and the source."""
    found: dict[str, tuple[Path, str]] = {}
    for source in map(Path, sources):
        if not source.is_dir():
            raise MissingPathError(f"no folder {source}; name folders of recordings")
        for path in sorted(source.rglob("[!.]*")):
            if path.suffix.lower() in READABLE and path.is_file():
                name = path.relative_to(source).as_posix()
                found[name if name not in found else f"{source.name}/{name}"] = (path, source.name)
    if not found:
        raise RemogptError(f"{', '.join(map(str, sources))}: no recording ({', '.join(READABLE)}); name other folders")
    return found


def _recordings(name: str, path: Path, source: str) -> Iterator[Recording]:
    """Yield the recordings of a file: itself, or one for each animation."""
    for clip in clips_of(path):
        animation = with_clip(clip)[1]
        yield Recording(str(clip), f"{name}#{animation}" if animation else name, source)


def _by_table(files: Mapping[str, tuple[Path, str]], table: Path) -> tuple[Wanted, dict[str, str]]:
    """Take the captions of a table; its paths lie within a source, or are paths of their own."""
    by_path = {path.resolve(): name for name, (path, _) in files.items()}
    wanted: Wanted = []
    left_out: dict[str, str] = {}
    for file, stretches in read_table(table, left_out).items():
        name, animation = _named(file, files, by_path, table.parent)
        if name is None:
            left_out[file] = f"{table} names it, but no source holds it"
            continue
        parts = [(start, end, [Caption(text) for text in captions]) for (start, end), captions in stretches.items()]
        for recording in _recordings(name, *files[name]):
            if animation is None or recording.name in (name, f"{name}#{animation}"):
                wanted.append((recording, parts))
    named = {recording.name.partition("#")[0] for recording, _ in wanted}
    left_out |= {name: f"{table} has no caption of it" for name in files if name not in named}
    return wanted, left_out


def _named(
    file: str, files: Mapping[str, tuple[Path, str]], by_path: Mapping[Path, str], beside: Path
) -> tuple[str | None, str | None]:
    """Return the recording that a table means, and which animation of it: `moves.glb#Walk`."""
    bare, mark, animation = file.rpartition("#")
    for name, chosen in ((file, None), (bare, animation)) if mark else ((file, None),):
        if name in files:
            return name, chosen
        for path in (Path(name), beside / name):
            if path.resolve() in by_path:
                return by_path[path.resolve()], chosen
    return None, None


def _by_texts(files: Mapping[str, tuple[Path, str]], folder: Path | None) -> tuple[Wanted, dict[str, str]]:
    """Take the captions of text files beside the recordings, or under the same paths in a folder of texts."""
    if folder is not None and not folder.is_dir():
        raise MissingPathError(f"no folder of texts {folder}; name the folder that holds <path of a recording>.txt")
    wanted: Wanted = []
    left_out: dict[str, str] = {}
    for name, (path, source) in files.items():
        beside = path if folder is None else folder / name
        for recording in _recordings(name, path, source):
            animation = recording.name.partition("#")[2]
            places = [beside.with_name(f"{path.stem}_{animation}.txt")] if animation else []
            text = next((place for place in [*places, beside.with_suffix(".txt")] if place.is_file()), None)
            if text is None:
                where = "beside it" if folder is None else f"in {folder}"
                wanted_name = beside.with_suffix(".txt").name
                left_out[recording.name] = f"no caption: neither a table nor {wanted_name} {where}"
                continue
            captions = _read_captions(text)
            if not captions:
                left_out[recording.name] = f"{text} holds no caption that can be used"
                continue
            parts: dict[tuple[float, float], list[Caption]] = defaultdict(list)
            for caption in captions:
                parts[caption.start, caption.end].append(caption)
            whole = [(start, None if (start, end) == (0, 0) else end, own) for (start, end), own in parts.items()]
            wanted.append((recording, whole))
    return wanted, left_out


def _read_captions(path: Path) -> list[Caption]:
    """Return the captions of a text file that can be used, whatever its encoding; none where it cannot be read."""
    try:
        text, _ = decode(path)
    except ITEM_ERRORS:
        return []
    return examine_captions(path, None, any(line.count("#") == 3 for line in text.splitlines())).captions


def _numbered(wanted: Wanted, known: Mapping[tuple[str, float], int]) -> list[Recording]:
    """Give every stretch a number: the one that it had, or its place in the order of names."""
    taken = set(known.values())
    free = max(taken, default=-1)
    recordings: list[Recording] = []
    place = 0
    for recording, parts in sorted(wanted, key=lambda pair: pair[0].name):
        for start, end, captions in sorted(parts, key=lambda part: part[0]):
            number = known.get((recording.name, start), place)
            if (recording.name, start) not in known and number in taken:
                free = max(free, len(wanted)) + 1
                number = free
            taken.add(number)
            place += 1
            recording.stretches.append(Stretch(number, start, end, _whole(captions)))
        recordings.append(recording)
    return recordings


def _whole(captions: Iterable[Caption]) -> tuple[Caption, ...]:
    """Return captions of a stretch as captions of the whole motion that it becomes."""
    return tuple(Caption(one.text, one.tokens) for one in captions)


def _by_index(files: Mapping[str, tuple[Path, str]], index: Path, texts: Path) -> Plan:
    """Take the stretches of HumanML3D's index: source_path, start_frame, end_frame (at 20 fps), new_name."""
    if not index.is_file():
        raise MissingPathError(f"no file {index}; name HumanML3D's index.csv")
    rows = list(csv.DictReader(io.StringIO(read_text(index), newline="")))
    columns = {"source_path", "start_frame", "end_frame", "new_name"}
    if not rows or columns - set(rows[0]):
        raise RemogptError(f"{index}: wanted the columns {', '.join(sorted(columns))}; is it HumanML3D's index.csv?")
    by_stem = {PurePosixPath(name).with_suffix("").as_posix().replace(" ", "_"): name for name in files}
    recordings: dict[str, Recording] = {}
    left_out: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        ident = PurePosixPath(row["new_name"] or "").stem
        name = _in_sources(row["source_path"] or "", by_stem)
        try:
            first, last, number = int(row["start_frame"]), int(row["end_frame"]), int(ident)
        except (TypeError, ValueError):
            left_out[f"{index.name}, line {line}"] = f"wanted frames and a number as id, got {row}"
            continue
        text = texts / f"{ident}.txt"
        if name is None or not text.is_file():
            left_out[ident] = f"no {row['source_path']} in the sources" if name is None else f"no {text}"
            continue
        path, source = files[name]
        mirror = texts / f"M{ident}.txt"
        dropped = next((seconds for part, seconds in DROPPED_SECONDS.items() if part in name), 0.0)
        stretch = Stretch(
            number, dropped + first / FPS, dropped + last / FPS, tuple(_read_captions(text)),
            tuple(_read_captions(mirror)) if mirror.is_file() else (),
        )  # fmt: skip
        if not stretch.captions:
            left_out[ident] = f"{text} holds no caption that can be used"
            continue
        recordings.setdefault(name, Recording(str(path), name, source)).stretches.append(stretch)
    if not recordings:
        raise RemogptError(
            f"none of the {len(rows)} motions of {index} is in the sources; name the folders that hold ACCAD/, CMU/ "
            "and so on, and humanact12/"
        )
    return Plan(list(recordings.values()), left_out)


def _in_sources(source_path: str, by_stem: Mapping[str, str]) -> str | None:
    """Find a path of the index, `./pose_data/ACCAD/<...>_poses.npy`, in the sources, whatever their suffix."""
    parts = PurePosixPath(source_path.replace(" ", "_")).with_suffix("").parts
    for begin in range(len(parts)):
        found = by_stem.get("/".join(parts[begin:]))
        if found is not None and begin < len(parts) - 1:
            return found
    return by_stem.get(parts[-1]) if parts else None
