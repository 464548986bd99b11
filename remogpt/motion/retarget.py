"""Convert other skeletons to our 22 joints: metres, y up, right-handed, the person's left at our left.

A table in `skeletons/*.yaml` says, for each of our joints, which joint of the source it is, or which weighted mean
of several (weights sum to one). Bodies are not scaled: except for a few tilted bones (below) positions are as measured,
and `joints_to_features` scales every person to the one body of the feature format.

Keys of a table:
    title            name for people
    joints           ours -> theirs, or ours -> {theirs: weight, ...}
    axes             our x, y, z as signed source axes, such as [x, z, -y]; must be a rotation
    metres_per_unit  candidates, likeliest first; the first that gives a leg of human length is taken
    tilt_degrees     optional: ours -> turn of the bone that ends there, in degrees towards the front of the body
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from remogpt.motion.skeleton import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS, PARENTS
from remogpt.runtime.errors import RemogptError

_FOLDER = Path(__file__).parent / "skeletons"
_HUMAN_LEG = (0.5, 1.3)
"""Metres from hip to ankle along the bones, from a child of six to a giant."""


@dataclass(frozen=True)
class SourceMotion:
    """Joint positions of another skeleton, as a file holds them."""

    names: tuple[str, ...]
    """Joint names of the source, one for each column of `positions`."""
    positions: np.ndarray
    """(T, J, 3) in the units and axes of the source."""
    fps: float
    """Frames a second."""
    origin: str
    """File, and where in it, for error messages."""
    parents: tuple[int, ...] | None = None
    """Parent of each joint, -1 for a root; None where the source has no tree."""
    rest: np.ndarray | None = None
    """(J, 3) positions in the rest pose, in the file's units and axes."""
    metres_per_unit: float | None = None
    """Length of the unit where the format fixes it."""
    up: str | None = None
    """Axis that points up where the format fixes it."""


@dataclass(frozen=True)
class SkeletonTable:
    """Conversion of one skeleton to ours; read from `skeletons/<name>.yaml`."""

    name: str
    title: str
    joints: Mapping[str, Mapping[str, float]]
    axes: np.ndarray
    """(3, 3) rotation from source axes to ours."""
    metres_per_unit: tuple[float, ...]
    tilt_degrees: Mapping[str, float]

    @property
    def source_names(self) -> tuple[str, ...]:
        """Source joints that a file must have, each once."""
        return tuple(dict.fromkeys(name for sources in self.joints.values() for name in sources))


@cache
def skeleton_tables() -> dict[str, SkeletonTable]:
    """Return all skeleton tables by name."""
    return {path.stem: _read_table(path) for path in sorted(_FOLDER.glob("*.yaml"))}


def _read_table(path: Path) -> SkeletonTable:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    joints = {ours: {theirs: 1.0} if isinstance(theirs, str) else theirs for ours, theirs in raw["joints"].items()}
    axes = np.zeros((3, 3))
    for row, axis in enumerate(raw["axes"]):
        axes[row, "xyz".index(axis[-1])] = -1.0 if axis.startswith("-") else 1.0
    assert tuple(joints) == JOINT_NAMES, f"{path.name}: joints must be our {NUM_JOINTS}, in order"
    assert all(abs(sum(sources.values()) - 1) < 1e-6 for sources in joints.values()), (
        f"{path.name}: weights must sum to 1"
    )
    assert np.isclose(np.linalg.det(axes), 1.0), f"{path.name}: axes would mirror the person"
    return SkeletonTable(
        path.stem, raw["title"], joints, axes, tuple(raw["metres_per_unit"]), raw.get("tilt_degrees", {})
    )


def find_table(names: Sequence[str], origin: str, skeleton: str | None = None) -> SkeletonTable:
    """Choose the table whose joints a source has.

    Args:
        names: joint names of the source.
        origin: file of the names, for messages.
        skeleton: required table; by default the largest table that fits.

    Raises:
        RemogptError: if no table fits; names the joints that the nearest table misses and the known skeletons.
    """
    tables = skeleton_tables()
    if skeleton is not None and skeleton not in tables:
        raise RemogptError(f"no skeleton named {skeleton!r}; known: {', '.join(tables)}. Or leave it out to detect it")
    candidates = [tables[skeleton]] if skeleton is not None else list(tables.values())
    missing = {table.name: [name for name in table.source_names if name not in names] for table in candidates}
    fitting = [table for table in candidates if not missing[table.name]]
    if fitting:
        return max(fitting, key=lambda table: len(table.source_names))
    nearest = min(candidates, key=lambda table: len(missing[table.name]) / len(table.source_names))
    known = "; ".join(f"{table.name} ({table.title})" for table in tables.values())
    raise RemogptError(
        f"{origin}: joint names fit no known skeleton. Nearest is {nearest.name}, without "
        f"{_some(missing[nearest.name])}; the file has {_some(names)}. Known skeletons: {known}. Rename the joints to "
        f"one of these, or add a table in remogpt/motion/skeletons"
    )


def _some(names: Sequence[str], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def to_joints(source: SourceMotion, skeleton: str | None = None) -> np.ndarray:
    """Convert a motion of another skeleton to our joints.

    Returns:
        (T, 22, 3) float64 metres, y up; frame rate, position and heading as in the source.

    Raises:
        RemogptError: if the skeleton is unknown, or none of its known units gives a leg of human length.
    """
    table = find_table(source.names, source.origin, skeleton)
    weights = np.zeros((NUM_JOINTS, len(source.names)))
    for ours, sources in table.joints.items():
        for theirs, weight in sources.items():
            weights[JOINT_INDEX[ours], source.names.index(theirs)] = weight
    joints = weights @ source.positions @ table.axes.T
    joints *= _metres_per_unit(joints, table, source.origin)
    return _tilt(joints, table.tilt_degrees)


def _metres_per_unit(joints: np.ndarray, table: SkeletonTable, origin: str) -> float:
    hip, knee, ankle = (joints[:, JOINT_INDEX[name]] for name in ("right_hip", "right_knee", "right_ankle"))
    leg = float(np.median(np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)))
    for scale in table.metres_per_unit:
        if _HUMAN_LEG[0] <= leg * scale <= _HUMAN_LEG[1]:
            return scale
    units = ", ".join(f"{scale:g} m" for scale in table.metres_per_unit)
    raise RemogptError(
        f"{origin}: expected a leg of {_HUMAN_LEG[0]}-{_HUMAN_LEG[1]} m, but the leg measures {leg:.4g} file units "
        f"and none of the units known for {table.name} ({units}) makes that human. Export the file in one of these"
    )


def _tilt(joints: np.ndarray, degrees: Mapping[str, float]) -> np.ndarray:
    """Turn single bones of `joints` towards the front of the body, moving the joints below with them.

    Other skeletons have a straight spine and a head joint right above the neck; ours curves, and its head joint sits in
    front of the neck. Without the tilt, heads would be 5 cm further back than in the models' training data.
    """
    for name, angle in degrees.items():
        joint = JOINT_INDEX[name]
        bone = joints[:, joint] - joints[:, PARENTS[joint]]
        # The spine turns about the hips' axis, so the pelvis stays rigid, as a BVH file needs.
        across = _right_to_left(joints, "hip" if name.startswith("spine") else "shoulder")
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        along = (bone * across).sum(-1, keepdims=True) * across
        # Rodrigues' formula; a turn about the right-to-left axis moves up to front.
        turned = bone * cosine + np.cross(across, bone) * sine + along * (1 - cosine)
        joints[:, _hanging_on(joint)] += (turned - bone)[:, None]
    return joints


@cache
def _hanging_on(joint: int) -> list[int]:
    """Return a joint and everything below it in the tree."""
    below = [joint]
    for other in range(joint + 1, NUM_JOINTS):
        if PARENTS[other] in below:
            below.append(other)
    return below


def _right_to_left(joints: np.ndarray, part: str) -> np.ndarray:
    """Return the unit direction (T, 3) from the right joint of a pair to the left one."""
    across = joints[:, JOINT_INDEX[f"left_{part}"]] - joints[:, JOINT_INDEX[f"right_{part}"]]
    return across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-9)
