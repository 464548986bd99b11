"""Bring joints from a file through the one door: as the user says, then as the body itself shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.motion.checks import check_joints
from remogpt.motion.door.bones import check_reach, check_rigid, to_our_proportions
from remogpt.motion.door.given import UP_AXES, Given
from remogpt.motion.door.legs import hold_legs
from remogpt.motion.door.missing import fill_missing
from remogpt.motion.door.scale import metres_per_unit
from remogpt.motion.door.sides import check_sides
from remogpt.motion.door.takes import check_speed, inserted_frames
from remogpt.motion.door.upright import find_up
from remogpt.motion.mirror import MIRROR_ORDER
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Format:
    """What a file's format and skeleton say about its bodies."""

    units: Sequence[float] = ()
    """Metres in a unit, likeliest first; none: metres, or what makes a person."""
    is_unit_fixed: bool = False
    """The first of `units` holds, whatever the size."""
    up: str | None = None
    """Axis that points up, where the format fixes it."""
    rest: np.ndarray | None = None
    """(22, 3) the rest pose in the file's units and axes, if it is a person's who stands."""
    is_rig: bool = False
    """The joints are a rig's, not our own."""
    is_guessed: bool = False
    """The skeleton was told by its anatomy; its proportions may be a toy's or lack a part of the spine."""


@dataclass(frozen=True)
class Checked:
    """A body that passed."""

    joints: np.ndarray
    """(T, 22, 3) metres, y up, left at the person's left."""
    notices: tuple[str, ...]
    """What was mended, one phrase each."""


def check_body(joints: np.ndarray, fps: float, given: Given, origin: str, known: Format | None = None) -> Checked:
    """Check joints of a recording, mend what is certain and refuse what is not.

    Args:
        joints: (T, 22, 3) positions in the file's units and axes.
        fps: frames a second of them.
        given: what the user says, which is not doubted.
        origin: file, for messages.
        known: what the format says.

    Raises:
        RemogptError: what was found, and the option that settles it.
    """
    known = known or Format()
    joints = check_joints(joints, where=origin)
    notices: list[str] = []
    left_out: tuple[str, ...] = ()
    if given.first_frame is not None:
        joints = _from_frame(joints, given.first_frame, origin)
    if given.swap_sides:
        joints = joints[:, list(MIRROR_ORDER)]
    if given.metres_per_unit is not None:
        joints = joints * given.metres_per_unit
    else:
        scale, said = metres_per_unit(joints, known.units, known.is_unit_fixed, origin)
        notices += said
        joints = joints if scale == 1 else joints * scale
    if given.first_frame is None:
        joints, left_out = _without_inserted(joints, fps)
    check_reach(joints, origin)
    check_rigid(joints, origin)
    if not given.swap_sides:
        check_sides(joints, origin)
    up = given.up or known.up
    if up is None:
        up = find_up(joints, known.rest, origin)
        if up != "y":
            notices.append(f"turned: {up} pointed up")
    if up != "y":
        joints = joints @ UP_AXES[up].T.astype(joints.dtype)
    joints, said = fill_missing(joints, origin)
    notices += said
    joints, said = hold_legs(joints)
    notices += said
    if known.is_rig:
        joints, said = to_our_proportions(joints, known.is_guessed)
        notices += said
    notices += (*left_out, *check_speed(joints, fps, origin))
    return Checked(joints, tuple(notices))


def _from_frame(joints: np.ndarray, first: int, origin: str) -> np.ndarray:
    if first >= len(joints):
        raise RemogptError(f"{origin}: first_frame: wanted one of the file's {len(joints)} frames, from 0, got {first}")
    return joints[first:]


def _without_inserted(joints: np.ndarray, fps: float) -> tuple[np.ndarray, tuple[str, ...]]:
    """Drop rest and calibration frames at both ends."""
    with np.errstate(over="ignore", invalid="ignore"):  # such frames are refused after this
        start, end = inserted_frames(joints, fps)
    said = [
        f"{count} frame{'s' if count > 1 else ''} at the {where} left out: from another pose, a jump away"
        for count, where in ((start, "start"), (end, "end")) if count
    ]  # fmt: skip
    return joints[start : len(joints) - end], tuple(said)
