"""Find the frame rate among the values of a file, whatever its key is called."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from remogpt.runtime.errors import RemogptError

SLOWEST, FASTEST = 1.0, 2000.0
"""Frames a second that recordings of people have."""
_RATE = re.compile(r".*(fps|frame_?rates?|frames_?per_?second|sample_?rate|sampling_?rate|frequency|hz)")
_TIME = re.compile(r".*(frame_?time|time_?step|^dt)")


def is_rate_key(key: str) -> bool:
    """Return whether a key names a frame rate or the seconds between two frames."""
    return bool(_RATE.fullmatch(key.lower()) or _TIME.fullmatch(key.lower()))


def stored_rate(values: Mapping[str, np.ndarray], origin: str) -> float | None:
    """Return the frames a second that a file's values hold, or None.

    Args:
        values: values by key; keys that name no rate are passed over.
        origin: file, for messages.

    Raises:
        RemogptError: if a rate is no single number or no recording has it, or two keys differ.
    """
    found: dict[str, float] = {}
    for key, value in values.items():
        if is_rate_key(key):
            number = _one_number(value, key, origin)
            rate = 1.0 / number if _TIME.fullmatch(key.lower()) and number else number
            check_rate(rate, f"{origin} ({key})")
            found[key] = rate
    if found and max(found.values()) > 1.001 * min(found.values()):
        said = ", ".join(f"{key} {rate:g}" for key, rate in found.items())
        raise RemogptError(f"{origin}: wanted one frame rate, got {said}. Say which with fps= (--fps)")
    return next(iter(found.values()), None)


def _one_number(value: np.ndarray, key: str, origin: str) -> float:
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "fiu":
        what = f"{array.item()!r}" if array.size == 1 else f"an array of shape {array.shape}"
        raise RemogptError(
            f"{origin}: wanted {key} as one number, the frames a second, got {what}. Say it with fps= (--fps)"
        )
    return float(array.item())


def check_rate(fps: float, origin: str) -> None:
    """Refuse a rate at which nobody is recorded.

    Raises:
        RemogptError: not between `SLOWEST` and `FASTEST`; the message begins with `origin`.
    """
    if not SLOWEST <= fps <= FASTEST:
        raise RemogptError(
            f"{origin}: wanted {SLOWEST:g} to {FASTEST:g} frames a second, got {fps:g}. Say the right rate with fps= "
            f"(--fps)"
        )
