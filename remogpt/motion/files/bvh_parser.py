"""Parse Biovision hierarchies (BVH): any joint tree, any channel order, with or without positions on inner joints."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from remogpt.runtime.errors import RemogptError

_MANY = 20_000_000
"""Positions that are held at once, half a gigabyte: an hour of 46 joints at 120 fps."""


@dataclass(frozen=True)
class BvhJoint:
    """One node of the hierarchy; end sites are not joints."""

    name: str
    parent: int
    """Index of the parent, -1 for a root; always smaller than the joint's own."""
    offset: tuple[float, float, float]
    channels: tuple[str, ...]
    """Lower case, such as ("xposition", "zrotation"), in file order."""
    end: tuple[float, float, float] | None = None
    """Offset of the joint's end site, if it has one."""


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
        fps = 1.0 / self.frame_seconds if self.frame_seconds else np.inf
        return float(round(fps)) if np.isfinite(fps) and abs(fps - round(fps)) < 1e-3 * fps / 10 else fps


def parse_bvh(text: str, origin: str) -> BvhFile:
    """Parse the text of a BVH file; `origin` names it in messages."""
    lines = text.splitlines(keepends=True)
    start = next((number for number, line in enumerate(lines) if line.strip() == "MOTION"), None)
    if not text.lstrip("\ufeff \r\n\t").startswith("HIERARCHY") or start is None:
        raise RemogptError(
            f"{origin}: expected a BVH file with the words HIERARCHY and MOTION, found neither or only one; "
            f"the file is cut off or is not BVH. Export or download it again"
        )
    joints = _parse_hierarchy(lines[:start], origin)
    num_frames, seconds, first = _parse_header(lines, start + 1, origin)
    num_channels = sum(len(joint.channels) for joint in joints)
    block = "".join(lines[first:])
    values = _parse_values(block, first + 1, num_frames, num_channels, origin)
    if not num_channels or num_frames * len(joints) > _MANY:
        raise RemogptError(
            f"{origin}: {num_frames} frames of {len(joints)} joints with {num_channels} channels cannot be read at "
            f"once; cut the recording"
        )
    return BvhFile(joints, values, seconds)


_HEADER = re.compile(r"Frames:\s*(\d{1,18})\s+Frame\s+Time:\s*(\S+)")


def _parse_header(lines: Sequence[str], start: int, origin: str) -> tuple[int, float, int]:
    """Return frame count, seconds a frame, and the index of the first line of values."""
    words = ""
    for number in range(start, min(len(lines), start + 1000)):
        words = " ".join((*words.split(), *lines[number].split()))
        found = _HEADER.fullmatch(words)
        if found is not None:
            try:
                seconds = float(found[2])
            except ValueError:
                break
            if not 0 <= seconds < np.inf:
                break
            return int(found[1]), seconds, number + 1
        if len(words) > 200:
            break
    raise RemogptError(
        f"{origin}, line {start + 1}: expected 'Frames: <count>' and 'Frame Time: <seconds>' after MOTION, found "
        f"{words[:60]!r}; repair the header or export the file again"
    )


def _parse_hierarchy(lines: Sequence[str], origin: str) -> tuple[BvhJoint, ...]:
    tree = _Tree()
    for number, line in enumerate(lines, start=1):
        for statement in re.split(r"([{}])", line) if line.strip() else ():
            words = statement.split()
            try:
                tree.take(words)
            except (ValueError, IndexError) as error:
                raise RemogptError(
                    f"{origin}, line {number}: cannot read {statement.strip()[:60]!r} in the joint hierarchy "
                    f"({error}); expected ROOT, JOINT, End Site, OFFSET x y z, CHANNELS n names, or a brace. Export "
                    f"the file again"
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
            if word == "OFFSET":
                offset = (float(words[1]), float(words[2]), float(words[3]))
                if not np.isfinite(offset).all():
                    raise ValueError("an offset is not a finite number")
                owner = joint if joint is not None else next((one for one in reversed(self.open) if one is not None), 0)
                old = self.joints[owner]
                self.joints[owner] = replace(old, end=offset) if joint is None else replace(old, offset=offset)
            elif joint is not None:
                self.joints[joint] = replace(self.joints[joint], channels=_channel_names(words))
        elif word != "HIERARCHY":
            raise ValueError(f"unknown word {words[0]!r}")


def _channel_names(words: list[str]) -> tuple[str, ...]:
    found = tuple(word.lower() for word in words[2:])
    if len(found) != int(words[1]) or not all(re.fullmatch(r"[xyz](position|rotation)", name) for name in found):
        raise ValueError(f"{words[1]} channels announced, found {' '.join(found) or 'none'}")
    return found


def _parse_values(block: str, first_line: int, num_frames: int, num_channels: int, origin: str) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            # np.fromstring is 20 times faster than str.split on long files.
            values = np.fromstring(block, sep=" ")
        except (DeprecationWarning, ValueError):
            values = np.empty(0)
    if values.size != num_frames * num_channels or num_frames == 0:
        raise _explain_values(block, first_line, num_frames, num_channels, origin)
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
