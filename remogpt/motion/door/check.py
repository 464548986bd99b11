"""Bring joints from a file through the one door: as the user says, then as the body itself shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from remogpt.motion.door.given import UP_AXES, Given
from remogpt.motion.mirror import MIRROR_ORDER
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Checked:
    """A body that passed."""

    joints: np.ndarray
    """(T, 22, 3) metres, y up, left at the person's left."""
    notices: tuple[str, ...]
    """What was mended, one phrase each."""


def check_body(joints: np.ndarray, fps: float, given: Given, origin: str) -> Checked:
    """Check joints (T, 22, 3) of a recording, mend what is certain and refuse what is not.

    Args:
        joints: positions in the file's units and axes.
        fps: frames a second of them.
        given: what the user says.
        origin: file, for messages.

    Raises:
        RemogptError: what was found, and the option that settles it.
    """
    notices: list[str] = []
    if given.first_frame is not None:
        joints = _from_frame(joints, given.first_frame, origin)
    if given.metres_per_unit is not None:
        joints = joints * given.metres_per_unit
    if given.up is not None:
        joints = joints @ UP_AXES[given.up].T
    if given.swap_sides:
        joints = joints[:, list(MIRROR_ORDER)]
    return Checked(joints, tuple(notices))


def _from_frame(joints: np.ndarray, first: int, origin: str) -> np.ndarray:
    if first >= len(joints):
        raise RemogptError(f"{origin}: first_frame: wanted one of the file's {len(joints)} frames, from 0, got {first}")
    return joints[first:]
