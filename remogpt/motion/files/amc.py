"""Read Acclaim motion capture: a motion (.amc) with its body (.asf), as the CMU database distributes them.

A bone's position here is where it ends: `lfemur` is the left knee. AMC files do not hold their frame rate;
CMU used 120 fps for most subjects and 60 for some.

Source: the Acclaim format as CMU describes it: a bone turns by C M inv(C) from its parent, where C is its `axis` and M
its angles, and both apply x first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from remogpt.motion.files.asf import Body, Row, find_asf, parse_asf, same_subject
from remogpt.motion.files.euler import euler_to_matrix
from remogpt.motion.retarget import SourceMotion
from remogpt.runtime.errors import MissingPathError, RemogptError

CMU_FPS = 120.0


def read_amc(path: str | Path, asf: str | Path | None = None, fps: float = CMU_FPS) -> SourceMotion:
    """Read a motion and the body that belongs to it.

    Args:
        path: the .amc file, such as 02_01.amc.
        asf: body file; default: see `find_asf`.
        fps: frames a second of the recording, which the file does not hold.

    Returns:
        Positions in metres: with CMU's bone names of the root and of every bone's end; with other names of where each
        bone begins, and of the ends that no other bone begins at.

    Raises:
        RemogptError: if the body is missing, or a file is damaged or belongs to another body.
    """
    path = Path(path)
    chosen = Path(asf) if asf is not None else find_asf(path)
    if not chosen.is_file():
        raise MissingPathError(f"no file {chosen}; expected the .asf body of {path.name} there")
    body = parse_asf(chosen.read_text(encoding="latin-1"), str(chosen))
    motion = parse_amc(path.read_text(encoding="latin-1"), body, str(path))
    ends = pose(body, motion)
    names = ("root", *(bone.name for bone in body.bones))
    said = () if asf is not None or same_subject(chosen.stem, path.stem) else (f"body taken from {chosen.name}",)
    if {"lfemur", "rfemur"} <= {name.lower() for name in names}:
        return SourceMotion(names, ends, fps, str(path), notices=said)
    parents = [-1, *(names.index(bone.parent) for bone in body.bones)]
    tips = [index for index in range(1, len(names)) if index not in parents]
    begins = ends[:, [max(parent, 0) for parent in parents]]
    return SourceMotion(
        (*names, *(f"{names[tip]} (end)" for tip in tips)), np.concatenate([begins, ends[:, tips]], axis=1), fps,
        str(path), (*parents, *tips), metres_per_unit=1.0, notices=said,
    )  # fmt: skip


def parse_amc(text: str, body: Body, origin: str) -> dict[str, np.ndarray]:
    """Parse the text of a motion file.

    Returns:
        For the root and each bone that moves, (T, number of its angles) values in file order.

    Raises:
        RemogptError: if the file is cut off, damaged, or has bones that the body lacks.
    """
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
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


def _frame_layout(rows: list[Row], body: Body, origin: str) -> dict[str, int]:
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


def _check_rows(rows: list[Row], layout: dict[str, int], origin: str) -> None:
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
