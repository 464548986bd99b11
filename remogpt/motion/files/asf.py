"""Read Acclaim bodies (.asf): bones, their axes and how they hang together.

Source: the Acclaim format as CMU describes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt.motion.files.euler import euler_to_matrix
from remogpt.runtime.errors import MissingPathError, RemogptError

_INCH = 0.0254
Row = tuple[int, list[str]]
"""Line number and words of a line."""


@dataclass(frozen=True)
class Bone:
    """One bone of an ASF body."""

    name: str
    parent: str
    offset: np.ndarray
    """(3,) from the bone's start to its end in the rest pose, in file units."""
    frame: np.ndarray
    """(3, 3) the bone's own axes, in which its angles are given."""
    dof: tuple[str, ...]
    """Angles in the AMC line, such as ("rx", "rz")."""


@dataclass(frozen=True)
class Body:
    """A parsed ASF file."""

    bones: tuple[Bone, ...]
    """Parents before children; the root is not among them."""
    root_order: tuple[str, ...]
    """Order of the root line's numbers: a permutation of tx, ty, tz, rx, ry, rz."""
    metres_per_unit: float


def find_asf(path: Path) -> Path:
    """Find the body of an .amc file beside it or one folder up.

    It has the same subject number, leading zeros aside, or a name with which the motion's begins, the longest such; or
    it is the only one in the folder and no other subject's.

    Raises:
        MissingPathError: if there is none.
    """
    beside = _bodies(path.parent)
    for bodies in (beside, _bodies(path.parent.parent)):
        named = [
            body for body in bodies
            if same_subject(body.stem, path.stem) or path.stem.lower().startswith(body.stem.lower())
        ]  # fmt: skip
        if named:
            return max(named, key=lambda body: len(body.stem))
    subject = path.stem.split("_")[0]
    if len(beside) == 1 and not (beside[0].stem.isdigit() and subject.isdigit()):
        return beside[0]
    there = f"the folder has {', '.join(body.name for body in beside[:8])}" if beside else "the folder has no .asf"
    raise MissingPathError(
        f"{path}: an .amc motion needs its body; expected {subject}.asf in {path.parent}, but {there}. Put the "
        f"subject's .asf into that folder, or name it with asf= (--asf)"
    )


def _bodies(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".asf" and file.name[0] != ".")


def same_subject(body: str, motion: str) -> bool:
    """Return whether the stems of a body's and a motion's file name one subject, leading zeros aside."""
    subject = motion.split("_")[0].lstrip("0").lower()
    return body.lstrip("0").lower() in (subject, motion.lower())


class _LineError(ValueError):
    """A line that cannot be used."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")


def parse_asf(text: str, origin: str) -> Body:
    """Parse the text of a body file.

    Raises:
        RemogptError: if it is no body; names the line.
    """
    try:
        sections = _sections(text)
        unit = _INCH / _positive(_row("length", sections["units"]))
        angle = _row("angle", sections["units"])
        if not angle[1][1:2] or not angle[1][1].lower().startswith("deg"):
            raise _LineError(angle[0], "angles must be in degrees")
        parents = _parse_hierarchy(sections["hierarchy"])
        bones = {bone.name: bone for bone in _parse_bones(sections["bonedata"], parents)}
        if missing := [name for name in parents if name not in bones]:
            raise ValueError(f"bone {missing[0]!r} of the hierarchy has no data")
        order = _root_order(_row("order", sections["root"]))
    except _LineError as fault:
        raise RemogptError(f"{origin}, {fault}; repair the body or download the .asf again") from fault
    except (KeyError, ValueError, IndexError) as error:
        raise RemogptError(
            f"{origin}: expected an Acclaim body with :units, :root, :bonedata and :hierarchy, but it cannot be read "
            f"({error}); download the .asf again"
        ) from error
    return Body(tuple(bones[name] for name in parents), order, unit)


def _sections(text: str) -> dict[str, list[Row]]:
    """Return the lines of each section that hold words, without comments."""
    found: dict[str, list[Row]] = {}
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if words and words[0].startswith(":"):
            rows = found.setdefault(words[0][1:].lower(), [])
            words = words[1:]
        if words:
            rows.append((number, words))
    return found


def _row(key: str, rows: Sequence[Row]) -> Row:
    """Return the line that begins with `key`."""
    for number, words in rows:
        if words[0].lower() == key:
            return number, words
    raise ValueError(f"no {key!r}")


def _positive(row: Row) -> float:
    value = _numbers(row, 1)[0]
    if not value > 0:
        raise _LineError(row[0], f"wanted a {row[1][0]} above 0, got {row[1][1]}")
    return value


def _numbers(row: Row, count: int) -> list[float]:
    """Return the numbers that follow the key of a line."""
    number, words = row
    try:
        values = [float(word) for word in words[1 : 1 + count]]
    except ValueError as error:
        raise _LineError(number, f"{words[0]} wants numbers ({error})") from error
    if len(values) < count or not np.isfinite(values).all():
        raise _LineError(number, f"{words[0]} wants {count} finite numbers, found {' '.join(words[1:]) or 'none'}")
    return values


def _root_order(row: Row) -> tuple[str, ...]:
    order = tuple(word.lower() for word in row[1][1:7])
    if sorted(order) != ["rx", "ry", "rz", "tx", "ty", "tz"]:
        raise _LineError(
            row[0], f"the root's order must hold TX TY TZ RX RY RZ once each, found {' '.join(row[1][1:])}"
        )
    return order


def _parse_bones(rows: Sequence[Row], parents: dict[str, str]) -> Iterator[Bone]:
    block: list[Row] = []
    for number, words in rows:
        if words[0].lower() == "end":
            if block:
                yield _parse_bone(block, parents)
            block = []
        elif words[0].lower() != "begin":
            block.append((number, words))
    if block:
        raise _LineError(block[0][0], "this bone has no end")


def _parse_bone(block: Sequence[Row], parents: dict[str, str]) -> Bone:
    named = _row("name", block)
    name = named[1][1] if len(named[1]) > 1 else ""
    if name not in parents:
        raise _LineError(named[0], f"bone {name!r} is not in the hierarchy")
    axis = _row("axis", block)
    turns = _numbers(axis, 3)
    order = axis[1][4].lower() if len(axis[1]) > 4 else "xyz"
    if sorted(order) != ["x", "y", "z"]:
        raise _LineError(axis[0], f"wanted an axis order such as XYZ, found {order!r}")
    # The first axis is applied first, so it is the rightmost factor.
    frame = euler_to_matrix(np.array(turns)[::-1], order[::-1])
    dof: tuple[str, ...] = ()
    for number, words in block:
        if words[0].lower() == "dof":
            dof = tuple(word.lower() for word in words[1:])
            if unknown := set(dof) - {"rx", "ry", "rz"}:
                raise _LineError(
                    number, f"bone {name} moves by {', '.join(sorted(unknown))}, only rx, ry, rz are known"
                )
    offset = np.array(_numbers(_row("direction", block), 3)) * _numbers(_row("length", block), 1)[0]
    return Bone(name, parents[name], offset, frame, dof)


def _parse_hierarchy(rows: Sequence[Row]) -> dict[str, str]:
    """Return child -> parent, parents before children."""
    children = {words[0]: words[1:] for _, words in rows if len(words) > 1}
    parents: dict[str, str] = {}
    waiting = ["root"]
    while waiting:
        parent = waiting.pop(0)
        for child in children.pop(parent, []):
            parents[child] = parent
            waiting.append(child)
    return parents
