"""Read Biovision hierarchies (BVH) and pose their joints.

Angles are degrees. A joint's position channels replace its OFFSET, as in Bandai-Namco, LaFAN1 and Blender.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from remogpt.motion.files.bvh_parser import BvhFile, BvhJoint, parse_bvh
from remogpt.motion.files.euler import euler_to_matrix
from remogpt.motion.files.rates import check_rate
from remogpt.motion.retarget import SourceMotion
from remogpt.runtime.errors import RemogptError

_CHUNK = 4096
"""Frames that are posed at once."""


def read_bvh(path: str | Path, fps: float | None = None) -> SourceMotion:
    """Read a BVH file and pose its joints.

    Args:
        path: the file.
        fps: frames a second, where the header does not say so or says it wrong.

    Returns:
        Global positions of the joints, and after them of the end sites, in file units.

    Raises:
        RemogptError: if the file is not BVH, is cut off, has a frame time that no recording has, or holds a value that
            is no number; names the line.
    """
    file = parse_bvh(Path(path).read_text(encoding="utf-8", errors="replace"), str(path))
    if fps is None and not file.frame_seconds:
        raise RemogptError(f"{path}: its Frame Time is 0; say the frames a second with fps= (--fps)")
    if fps is None:
        check_rate(file.fps, f"{path}: Frame Time {file.frame_seconds:g}")
    parents = tuple(joint.parent for joint in file.joints)
    ends = [index for index, joint in enumerate(file.joints) if joint.end is not None]
    names = _unique([*(joint.name for joint in file.joints), *(f"{file.joints[index].name} (end)" for index in ends)])
    return SourceMotion(
        names, pose(file), file.fps if fps is None else fps, str(path), (*parents, *ends), _rest(file, ends)
    )


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Number names that occur more than once."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def _rest(file: BvhFile, ends: Sequence[int]) -> np.ndarray:
    """Return the positions of joints and end sites with all angles zero, (J, 3)."""
    places: list[np.ndarray] = []
    for joint in file.joints:
        places.append(np.array(joint.offset) + (places[joint.parent] if joint.parent >= 0 else 0.0))
    return np.stack([*places, *(places[index] + np.array(file.joints[index].end) for index in ends)])


def pose(file: BvhFile) -> np.ndarray:
    """Compute global positions (T, J, 3) of joints, and after them of end sites, of every frame, in file units."""
    parts = [_pose(file.joints, file.values[start : start + _CHUNK]) for start in range(0, len(file.values), _CHUNK)]
    return np.concatenate(parts)


def _pose(joints: Sequence[BvhJoint], all_values: np.ndarray) -> np.ndarray:
    num_frames = len(all_values)
    positions = np.empty((num_frames, len(joints), 3))
    rotations: list[np.ndarray] = []
    column = 0
    for index, joint in enumerate(joints):
        values = all_values[:, column : column + len(joint.channels)]  # (T, channels of this joint)
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
    ends = [
        positions[:, index] + rotations[index] @ np.array(joint.end)
        for index, joint in enumerate(joints) if joint.end is not None
    ]  # fmt: skip
    return np.concatenate([positions, np.stack(ends, axis=1)], axis=1) if ends else positions
