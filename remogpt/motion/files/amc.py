"""Read Acclaim motion capture: a body (.asf) and its motion (.amc), as the CMU database distributes them.

A bone's position here is where it ends: `lfemur` is the left knee. AMC files do not hold their frame rate;
CMU used 120 fps for most subjects and 60 for some.

Source: the Acclaim format as CMU describes it: a bone turns by C M inv(C) from its parent, where C is its `axis` and M
its angles, and both apply x first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt.motion.files.euler import euler_to_matrix
from remogpt.motion.retarget import SourceMotion
from remogpt.runtime.errors import MissingPathError, RemogptError

CMU_FPS = 120.0
_INCH = 0.0254


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


def read_amc(path: str | Path, asf: str | Path | None = None, fps: float = CMU_FPS) -> SourceMotion:
    """Read a motion and the body that belongs to it.

    Args:
        path: the .amc file, such as 02_01.amc.
        asf: body file; default: the .asf of the same subject number in the same folder.
        fps: frames a second of the recording, which the file does not hold.

    Returns:
        Positions in metres of the root and of every bone's end.

    Raises:
        RemogptError: if the body is missing, or a file is damaged or belongs to another body.
    """
    path = Path(path)
    asf = Path(asf) if asf is not None else find_asf(path)
    if not asf.is_file():
        raise MissingPathError(f"no file {asf}; expected the .asf body of {path.name} there")
    body = parse_asf(asf.read_text(encoding="latin-1"), str(asf))
    motion = parse_amc(path.read_text(encoding="latin-1"), body, str(path))
    names = ("root", *(bone.name for bone in body.bones))
    return SourceMotion(names, pose(body, motion), fps, str(path))


def find_asf(path: Path) -> Path:
    """Find the body of an .amc file beside it: the same subject number, leading zeros aside."""
    subject = path.stem.split("_")[0].lstrip("0").lower()
    bodies = sorted(file for file in path.parent.iterdir() if file.suffix.lower() == ".asf")
    for body in bodies:
        if body.stem.lstrip("0").lower() in (subject, path.stem.lower()):
            return body
    beside = f"the folder has {', '.join(body.name for body in bodies[:8])}" if bodies else "the folder has no .asf"
    raise MissingPathError(
        f"{path}: an .amc motion needs its body; expected {path.stem.split('_')[0]}.asf in {path.parent}, but "
        f"{beside}. Download the subject's .asf into that folder, or name it with asf="
    )


def parse_asf(text: str, origin: str) -> Body:
    """Parse the text of a body file."""
    sections = {
        name.lower(): rest for name, rest in re.findall(r"^:(\w+)([^:]*)", _without_comments(text), re.MULTILINE)
    }
    try:
        unit = _INCH / float(_after("length", sections["units"])[0])
        if not _after("angle", sections["units"])[0].startswith("deg"):
            raise ValueError("angles must be in degrees")
        parents = _parse_hierarchy(sections["hierarchy"])
        blocks = re.findall(r"\bbegin\b(.*?)\bend\b", sections["bonedata"], re.DOTALL)
        bones = {bone.name: bone for bone in (_parse_bone(block, parents) for block in blocks)}
        ordered = tuple(bones[name] for name in parents)
        order = tuple(word.lower() for word in _after("order", sections["root"])[:6])
    except (KeyError, ValueError, IndexError) as error:
        raise RemogptError(
            f"{origin}: expected an Acclaim body with :units, :root, :bonedata and :hierarchy, but it cannot be read "
            f"({error}); download the .asf again"
        ) from error
    return Body(ordered, order, unit)


def _without_comments(text: str) -> str:
    return re.sub(r"#.*", "", text.replace("\r", ""))


def _after(key: str, text: str) -> list[str]:
    """Return the words that follow `key` on its line."""
    match = re.search(rf"^\s*{key}\s+(.*)$", text, re.MULTILINE)
    if match is None:
        raise ValueError(f"no {key!r}")
    return match[1].split()


def _parse_bone(block: str, parents: dict[str, str]) -> Bone:
    name = _after("name", block)[0]
    direction = np.array([float(word) for word in _after("direction", block)[:3]])
    axis = _after("axis", block)
    order = axis[3].lower() if len(axis) > 3 else "xyz"
    # The first axis is applied first, so it is the rightmost factor.
    frame = euler_to_matrix(np.array([float(word) for word in axis[:3]])[::-1], order[::-1])
    dof = tuple(word.lower() for word in _after("dof", block)) if re.search(r"^\s*dof\b", block, re.MULTILINE) else ()
    if unknown := set(dof) - {"rx", "ry", "rz"}:
        raise ValueError(f"bone {name} moves by {', '.join(sorted(unknown))}, only rx, ry, rz are known")
    return Bone(name, parents[name], direction * float(_after("length", block)[0]), frame, dof)


def _parse_hierarchy(text: str) -> dict[str, str]:
    """Return child -> parent, parents before children."""
    children = {words[0]: words[1:] for line in text.splitlines() if len(words := line.split()) > 1}
    parents: dict[str, str] = {}
    waiting = ["root"]
    while waiting:
        parent = waiting.pop(0)
        for child in children.pop(parent, []):
            parents[child] = parent
            waiting.append(child)
    return parents


def parse_amc(text: str, body: Body, origin: str) -> dict[str, np.ndarray]:
    """Parse the text of a motion file.

    Returns:
        For the root and each bone that moves, (T, number of its angles) values in file order.

    Raises:
        RemogptError: if the file is cut off, damaged, or has bones that the body lacks.
    """
    lines = [line.split() for line in _without_comments(text).splitlines()]
    rows = [(number, words) for number, words in enumerate(lines, start=1) if words and not words[0].startswith(":")]
    if not rows or len(rows[0][1]) != 1:
        raise RemogptError(
            f"{origin}: expected an Acclaim motion whose frames begin with their number; not an .amc file"
        )
    layout = _frame_layout(rows, body, origin)
    _check_rows(rows, layout, origin)
    motion = {}
    for index, name in enumerate(layout, start=1):
        try:
            values = np.array([words[1:] for _, words in rows[index :: len(layout) + 1]], dtype=np.float64)
        except ValueError as error:
            raise RemogptError(
                f"{origin}: bone {name!r} has a value that is no number ({error}); download the file again"
            ) from error
        if not np.isfinite(values).all():
            raise RemogptError(f"{origin}: bone {name!r} has a value that is not finite; download the file again")
        motion[name] = values
    if "root" not in motion:
        raise RemogptError(f"{origin}: the frames have no 'root' line; download the file again")
    return motion


_Row = tuple[int, list[str]]
"""Line number and words of a line."""


def _frame_layout(rows: list[_Row], body: Body, origin: str) -> dict[str, int]:
    """Return how many values each bone has, in the order of the first frame's lines, checked against the body."""
    widths = {"root": len(body.root_order), **{bone.name: len(bone.dof) for bone in body.bones}}
    layout = {}
    for number, words in rows[1:]:
        if len(words) == 1:
            break
        if len(words) - 1 != widths.get(words[0], -1):
            raise RemogptError(
                f"{origin}, line {number}: bone {words[0]!r} has {len(words) - 1} values, its body expects "
                f"{widths.get(words[0], 'no such bone')}; is this the .asf of another subject?"
            )
        layout[words[0]] = len(words) - 1
    return layout


def _check_rows(rows: list[_Row], layout: dict[str, int], origin: str) -> None:
    """Refuse a motion whose frames are not all laid out like the first."""
    expected = [("", 1), *((name, width + 1) for name, width in layout.items())]
    for index, (number, words) in enumerate(rows):
        name, width = expected[index % len(expected)]
        if len(words) != width or (name and words[0] != name):
            what = f"expected {name or 'a frame number'} with {width - 1} values, found {' '.join(words[:2])!r}"
            raise _broken(origin, number, index // len(expected), what)
    if over := len(rows) % len(expected):
        what = f"only {over} of {len(expected)} lines are there"
        raise _broken(origin, rows[-1][0], len(rows) // len(expected), what)


def _broken(origin: str, line: int, frames: int, what: str) -> RemogptError:
    return RemogptError(
        f"{origin}, line {line}: frame {frames + 1} is broken, {what}; the file is cut off or damaged after "
        f"{frames} whole frames. Download it again"
    )


def pose(body: Body, motion: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the positions of the root and of each bone's end, (T, 1 + bones, 3) metres."""
    root = {name: motion["root"][:, index] for index, name in enumerate(body.root_order)}
    turns = [name for name in body.root_order if name.startswith("r")]
    angles = np.stack([root[name] for name in reversed(turns)], axis=-1)
    ends = {"root": np.stack([root["tx"], root["ty"], root["tz"]], axis=-1)}
    rotations = {"root": euler_to_matrix(angles, "".join(name[1] for name in reversed(turns)))}
    for bone in body.bones:
        rotation = rotations[bone.parent]
        if bone.dof and bone.name in motion:
            own = euler_to_matrix(motion[bone.name][:, ::-1], "".join(name[1] for name in reversed(bone.dof)))
            rotation = rotation @ bone.frame @ own @ bone.frame.T
        rotations[bone.name] = rotation
        ends[bone.name] = ends[bone.parent] + rotation @ bone.offset
    return np.stack(list(ends.values()), axis=1) * body.metres_per_unit
