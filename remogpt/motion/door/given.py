"""Hold what a user says about a recording: up axis, unit, sides, first frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from remogpt.runtime.errors import RemogptError

UNITS: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "foot": 0.3048, "dm": 0.1}
"""Metres in each unit of length that recordings come in."""
_OTHER_NAMES = {
    "metre": "m", "meter": "m", "metres": "m", "meters": "m", "centimetre": "cm", "centimeter": "cm",
    "centimetres": "cm", "centimeters": "cm", "millimetre": "mm", "millimeter": "mm", "millimetres": "mm",
    "millimeters": "mm", "in": "inch", "inches": "inch", "ft": "foot", "feet": "foot",
}  # fmt: skip

UP_AXES: dict[str, np.ndarray] = {
    "y": np.eye(3),
    "-y": np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]]),
    "z": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "-z": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "x": np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "-x": np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
}
"""Rotation (3, 3) that brings each up axis to +y; none mirrors."""


@dataclass(frozen=True)
class Given:
    """What is known about a recording beside its file; None or False leaves it to the check."""

    up: str | None = None
    """Axis that points up, a key of `UP_AXES`."""
    metres_per_unit: float | None = None
    """Length of the file's unit."""
    swap_sides: bool = False
    """Exchange left and right joints."""
    first_frame: int | None = None
    """Frame of the file, counted from 0, at which the motion begins; nothing is cut by itself then."""

    @classmethod
    def read(cls, up: str | None, unit: str | float | None, swap_sides: bool, first_frame: int | None) -> Given:
        """Take a user's words.

        Raises:
            RemogptError: an unknown axis or unit, a negative frame.
        """
        axis = None if up is None else up.strip().lower().removeprefix("+")
        if axis is not None and axis not in UP_AXES:
            raise RemogptError(f"up: wanted the axis that points up, one of {', '.join(UP_AXES)}, got {up!r}")
        if first_frame is not None and first_frame < 0:
            raise RemogptError(f"first_frame: wanted a frame of the file, counted from 0, got {first_frame}")
        return cls(axis, None if unit is None else metres_in(unit), swap_sides, first_frame)


def metres_in(unit: str | float) -> float:
    """Return the metres in a unit: its name, or metres as a number.

    Raises:
        RemogptError: if it is neither.
    """
    word = str(unit).strip().lower()
    word = _OTHER_NAMES.get(word, word)
    if word in UNITS:
        return UNITS[word]
    try:
        metres = float(word)
    except ValueError:
        metres = 0.0
    if not 0 < metres < np.inf:
        raise RemogptError(f"unit: wanted one of {', '.join(UNITS)}, or its metres as a number, got {str(unit)!r}")
    return metres
