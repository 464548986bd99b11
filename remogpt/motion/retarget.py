"""Convert other skeletons to our 22 joints: metres, y up, right-handed, the person's left at our left.

Bodies are not scaled: except for a few tilted bones (below) positions are as measured, and `joints_to_features` scales
every person to the one body of the feature format. Which joint is which is told by a `SkeletonTable`: a known one whose
names the file has, or one that `anatomy` makes from the file's names and tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from remogpt.motion.anatomy.people import one_person
from remogpt.motion.anatomy.recognise import Understood, guesses
from remogpt.motion.skeleton import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS, PARENTS
from remogpt.motion.skeleton_table import SkeletonTable, read_table, skeleton_tables, to_yaml
from remogpt.runtime.errors import RemogptError

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
    notices: tuple[str, ...] = ()
    """What the reader had to decide, one phrase each."""


def of_one_person(source: SourceMotion, person: str | None = None) -> SourceMotion:
    """Keep the joints of one person of a file; things and other people are left out.

    Raises:
        RemogptError: several people and none named, or no such person.
    """
    if source.parents is None:
        return source
    kept = one_person(source.names, source.parents, person, source.origin)
    if len(kept) == len(source.names):
        return source
    place = {joint: index for index, joint in enumerate(kept)}
    return replace(
        source, names=tuple(source.names[joint] for joint in kept), positions=source.positions[:, kept],
        parents=tuple(place.get(source.parents[joint], -1) for joint in kept),
        rest=None if source.rest is None else source.rest[kept],
    )  # fmt: skip


def find_table(source: SourceMotion, skeleton: str | Path | None = None) -> SkeletonTable:
    """Choose the table whose joints a source has, or make one by the anatomy of its names and tree.

    Args:
        source: the motion.
        skeleton: required table: the name of a known one, or the path of a user's; by default the largest that fits.

    Raises:
        RemogptError: if no table fits and no body is found; names what is missing and how to go on.
    """
    tables = skeleton_tables()
    if skeleton is not None:
        table = _named(skeleton, source.names)
        if missing := table.missing(source.names):
            raise RemogptError(
                f"{source.origin}: the skeleton {table.name} wants joints that the file lacks: {_some(missing)}; the "
                f"file has {_some(source.names)}. Leave skeleton out (--skeleton), or correct the table"
            )
        return table
    for spelled in (list(tables.values()), [table.spelled_as(source.names) for table in tables.values()]):
        fitting = [one for one in spelled if not one.missing(source.names) and not set(one.without) & set(source.names)]
        if fitting:
            return max(fitting, key=lambda table: len(table.source_names))
    return by_anatomy(source)


def by_anatomy(source: SourceMotion) -> SkeletonTable:
    """Make a table from a source's names and tree.

    Raises:
        RemogptError: if no body is found in them.
    """
    if source.parents is None:
        raise RemogptError(f"{source.origin}: joint names fit no known skeleton: {_some(source.names)}")
    found = Understood(source.names, source.parents, source.positions, source.rest)
    if found.limbs is None:
        raise RemogptError(
            f"{source.origin}: no human body found in its {len(source.names)} joints: {found.missing}; the file has "
            f"{_some(source.names)}. Write which joint is which into a table, which 'remogpt data map FILE' drafts, "
            f"and give it with skeleton= (--skeleton TABLE.yaml)"
        )
    return SkeletonTable(
        "anatomy", found.title, found.joints, metres_per_unit=() if found.unit is None else (found.unit,),
        tilt_degrees=found.tilt_degrees, notice=found.notice,
    )  # fmt: skip


def draft_table(source: SourceMotion) -> str:
    """Write a skeleton table for a file as YAML: what was understood, or what single names suggest, to be corrected."""
    try:
        table = find_table(source)
    except RemogptError:
        guessed = guesses(source.names)
        joints = {ours: {guessed.get(ours, "?"): 1.0} for ours in JOINT_NAMES}
        table = SkeletonTable("draft", "not understood", joints, notice="write a joint of the file for every ?")
    return to_yaml(table, source.names)


def _named(skeleton: str | Path, names: Sequence[str]) -> SkeletonTable:
    tables = skeleton_tables()
    if str(skeleton) in tables:
        return tables[str(skeleton)].spelled_as(names)
    if Path(skeleton).suffix.lower() in (".yaml", ".yml") or Path(skeleton).is_file():
        return read_table(Path(skeleton)).spelled_as(names)
    raise RemogptError(
        f"no skeleton named {str(skeleton)!r}; known: {', '.join(tables)}, or the path of a table (.yaml). Or leave it "
        f"out to detect it"
    )


def _some(names: Sequence[str], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def to_joints(source: SourceMotion, skeleton: str | None = None) -> np.ndarray:
    """Convert a motion of a known data set's skeleton to our joints.

    Returns:
        (T, 22, 3) float64 metres, y up; frame rate, position and heading as in the source.

    Raises:
        RemogptError: if the skeleton is unknown, or none of its known units gives a leg of human length.
    """
    table = find_table(source, skeleton)
    joints = place_joints(source, table)
    joints *= _metres_per_unit(joints, table, source.origin)
    return tilt(joints, table.tilt_degrees)


def place_joints(source: SourceMotion, table: SkeletonTable) -> np.ndarray:
    """Return our joints (T, 22, 3) float64 in the source's units and the table's axes."""
    weights = np.zeros((NUM_JOINTS, len(source.names)))
    for ours, sources in table.joints.items():
        for theirs, weight in sources.items():
            weights[JOINT_INDEX[ours], source.names.index(theirs)] = weight
    return np.asarray(weights @ source.positions @ table.axes.T)


def _metres_per_unit(joints: np.ndarray, table: SkeletonTable, origin: str) -> float:
    hip, knee, ankle = (joints[:, JOINT_INDEX[name]] for name in ("right_hip", "right_knee", "right_ankle"))
    leg = float(np.median(np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)))
    for scale in table.metres_per_unit or (1.0,):
        if _HUMAN_LEG[0] <= leg * scale <= _HUMAN_LEG[1]:
            return scale
    units = ", ".join(f"{scale:g} m" for scale in table.metres_per_unit)
    raise RemogptError(
        f"{origin}: expected a leg of {_HUMAN_LEG[0]}-{_HUMAN_LEG[1]} m, but the leg measures {leg:.4g} file units "
        f"and none of the units known for {table.name} ({units}) makes that human. Export the file in one of these"
    )


def tilt(joints: np.ndarray, degrees: Mapping[str, float]) -> np.ndarray:
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
