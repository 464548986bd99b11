"""Read Biovision hierarchies (BVH): any joint tree, any channel order, with or without positions on inner joints.

Angles are degrees. A joint's position channels replace its OFFSET, as in Bandai-Namco, LaFAN1 and Blender.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from remogpt.motion.files.euler import euler_to_matrix
from remogpt.motion.retarget import SourceMotion
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class BvhJoint:
    """One node of the hierarchy; end sites are not joints."""

    name: str
    parent: int
    """Index of the parent, -1 for a root; always smaller than the joint's own."""
    offset: tuple[float, float, float]
    channels: tuple[str, ...]
    """Lower case, such as ("xposition", "zrotation"), in file order."""


@dataclass(frozen=True)
class BvhFile:
    """A parsed file: the tree and one row of channel values a frame."""

    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    """(T, C) channel values: file units and degrees."""
    frame_seconds: float

    @property
    def fps(self) -> float:
        """Frames a second; headers round the frame time, so 0.0333333 is read as 30, not 30.00003."""
        fps = 1.0 / self.frame_seconds
        return float(round(fps)) if abs(fps - round(fps)) < 1e-3 * fps / 10 else fps


def read_bvh(path: str | Path) -> SourceMotion:
    """Read a BVH file and pose its joints.

    Returns:
        Global joint positions in file units.

    Raises:
        RemogptError: if the file is not BVH, is cut off, or holds a value that is no number; names the line.
    """
    file = parse_bvh(Path(path).read_text(encoding="utf-8", errors="replace"), str(path))
    names = tuple(joint.name for joint in file.joints)
    return SourceMotion(names, pose(file), file.fps, str(path))


def parse_bvh(text: str, origin: str) -> BvhFile:
    """Parse the text of a BVH file; `origin` names it in messages."""
    start = re.search(r"^\s*MOTION\s*$", text, re.MULTILINE)
    if not text.lstrip("\ufeff \r\n\t").startswith("HIERARCHY") or start is None:
        raise RemogptError(
            f"{origin}: expected a BVH file with the words HIERARCHY and MOTION, found neither or only one; "
            f"the file is cut off or is not BVH. Export or download it again"
        )
    joints = _parse_hierarchy(text[: start.start()], origin)
    header = re.compile(r"\s*Frames:\s*(\d+)\s+Frame\s+Time:\s*([-+.\deE]+)[^\S\n]*").match(text, start.end())
    if header is None or not float(header[2]) > 0:
        raise RemogptError(
            f"{origin}, line {_line_number(text, start.end())}: expected 'Frames: <count>' and 'Frame Time: <seconds "
            f"above 0>' after MOTION; repair the header or export the file again"
        )
    num_frames, num_channels = int(header[1]), sum(len(joint.channels) for joint in joints)
    values = _parse_values(text, header.end(), num_frames, num_channels, origin)
    return BvhFile(joints, values, float(header[2]))


def _parse_hierarchy(text: str, origin: str) -> tuple[BvhJoint, ...]:
    tree = _Tree()
    for number, line in enumerate(text.splitlines(), start=1):
        for statement in re.split(r"([{}])", line):
            words = statement.split()
            try:
                tree.take(words)
            except (ValueError, IndexError) as error:
                raise RemogptError(
                    f"{origin}, line {number}: cannot read {statement.strip()!r} in the joint hierarchy ({error}); "
                    f"expected ROOT, JOINT, End Site, OFFSET x y z, CHANNELS n names, or a brace. Export the file again"
                ) from error
    if tree.open or not tree.joints:
        raise RemogptError(
            f"{origin}: the joint hierarchy has no joints or unclosed braces; the file is damaged. Export it again"
        )
    return tuple(tree.joints)


class _Tree:
    """Parser state: the joints read so far and the open braces."""

    def __init__(self) -> None:
        self.joints: list[BvhJoint] = []
        self.open: list[int | None] = []  # index of the joint of each open brace; None for an end site
        self._next: int | None = None  # joint whose brace opens next

    def take(self, words: list[str]) -> None:
        """Parse one statement; raises ValueError or IndexError if it is not allowed here."""
        word = words[0].upper().lstrip("\ufeff") if words else "HIERARCHY"
        if word in ("ROOT", "JOINT"):
            parent = next((joint for joint in reversed(self.open) if joint is not None), -1)
            self._next = len(self.joints)
            self.joints.append(BvhJoint(" ".join(words[1:]), parent, (0.0, 0.0, 0.0), ()))
        elif word == "END":
            self._next = None
        elif word == "{":
            self.open.append(self._next)
        elif word == "}":
            self.open.pop()
        elif word in ("OFFSET", "CHANNELS"):
            joint = self.open[-1]
            if joint is not None and word == "OFFSET":
                offset = (float(words[1]), float(words[2]), float(words[3]))
                self.joints[joint] = replace(self.joints[joint], offset=offset)
            elif joint is not None:
                self.joints[joint] = replace(self.joints[joint], channels=_channel_names(words))
        elif word != "HIERARCHY":
            raise ValueError(f"unknown word {words[0]!r}")


def _channel_names(words: list[str]) -> tuple[str, ...]:
    found = tuple(word.lower() for word in words[2:])
    if len(found) != int(words[1]) or not all(re.fullmatch(r"[xyz](position|rotation)", name) for name in found):
        raise ValueError(f"{words[1]} channels announced, found {' '.join(found) or 'none'}")
    return found


def _parse_values(text: str, start: int, num_frames: int, num_channels: int, origin: str) -> np.ndarray:
    block = text[start:]
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            # np.fromstring is 20 times faster than str.split on long files.
            values = np.fromstring(block, sep=" ")
        except (DeprecationWarning, ValueError):
            values = np.empty(0)
    if values.size != num_frames * num_channels or num_frames == 0:
        raise _explain_values(block, _line_number(text, start), num_frames, num_channels, origin)
    if not np.isfinite(values).all():
        frame, channel = divmod(int(np.flatnonzero(~np.isfinite(values))[0]), num_channels)
        raise RemogptError(
            f"{origin}: frame {frame}, channel {channel} is not a finite number; repair or drop the frame"
        )
    return values.reshape(num_frames, num_channels)


def _explain_values(block: str, first_line: int, num_frames: int, num_channels: int, origin: str) -> RemogptError:
    """Find the wrong line of the motion block; slow, and only called after an error."""
    found, number = 0, first_line
    for number, line in enumerate(block.splitlines(), start=first_line):
        words = line.split()
        bad = next(
            (word for word in words if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|inf", word)), None
        )
        if bad is not None:
            return RemogptError(f"{origin}, line {number}: {bad!r} is not a number; export or download the file again")
        if words and len(words) != num_channels:
            return RemogptError(
                f"{origin}, line {number}: expected {num_channels} values in frame {found + 1} of {num_frames}, found "
                f"{len(words)}; the file is cut off or damaged after {found} whole frames. Download it again, or set "
                f"'Frames:' to {found} and delete the rest"
            )
        found += bool(words)
    return RemogptError(
        f"{origin}, line {number}: expected {num_frames} frames as 'Frames:' says, found {found}; the file is cut "
        f"off or its header is wrong. Download it again, or set 'Frames:' to {found}"
    )


def _line_number(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def pose(file: BvhFile) -> np.ndarray:
    """Compute global joint positions (T, J, 3) of every frame, in file units."""
    num_frames = len(file.values)
    positions = np.empty((num_frames, len(file.joints), 3))
    rotations: list[np.ndarray] = []
    column = 0
    for index, joint in enumerate(file.joints):
        values = file.values[:, column : column + len(joint.channels)]  # (T, channels of this joint)
        column += len(joint.channels)
        translation = np.tile(np.array(joint.offset), (num_frames, 1))
        turns = [channel for channel, name in enumerate(joint.channels) if name.endswith("rotation")]
        for channel, name in enumerate(joint.channels):
            if name.endswith("position"):
                translation[:, "xyz".index(name[0])] = values[:, channel]
        local = euler_to_matrix(values[:, turns], "".join(joint.channels[channel][0] for channel in turns))
        if joint.parent < 0:
            positions[:, index], rotation = translation, local
        else:
            parent = rotations[joint.parent]
            positions[:, index] = positions[:, joint.parent] + np.einsum("tij,tj->ti", parent, translation)
            rotation = parent @ local
        rotations.append(rotation)
    return positions
