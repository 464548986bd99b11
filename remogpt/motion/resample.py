"""Change the frame rate of joint positions."""

from __future__ import annotations

import numpy as np

from remogpt.motion.checks import check_joints
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError

METHODS = ("linear", "cubic")


def resample(joints: np.ndarray, fps: float, target: float = FPS, *, method: str = "linear") -> np.ndarray:
    """Resample joint positions to another frame rate.

    Frame 0 is kept, and every output frame lies within the input's time span: nothing is extrapolated. Where the rates
    divide (120, 60, 40 → 20) frames are picked, not interpolated. `linear` never overshoots but slightly shortens
    fast-turning bones (`joints_to_features` restores their lengths); `cubic` (Catmull-Rom) keeps speed smooth, which
    matters when the rate is raised. No filter precedes a lower rate, since people move well below 10 Hz.

    Args:
        joints: (T, 22, 3) metres.
        fps: frames a second of `joints`.
        target: frames a second wanted.
        method: "linear" or "cubic".

    Returns:
        (floor((T - 1) * target / fps) + 1, 22, 3), dtype of the input.

    Raises:
        RemogptError: bad joints, a rate that is not a positive number, another method.

    Source: HumanML3D takes every int(fps/20)-th frame; differs: taking frames slows 30 fps down to two
        thirds, resampling keeps the speed.
    """
    positions = check_joints(joints)
    for name, rate in (("fps", fps), ("target", target)):
        if not (np.isfinite(rate) and rate > 0):
            raise RemogptError(f"{name}: wanted frames a second above 0, got {rate}. Look it up in the file's header.")
    if method not in METHODS:
        raise RemogptError(f"method: wanted one of {', '.join(METHODS)}, got {method!r}.")
    if fps == target or len(positions) == 1:
        return positions.copy()
    last = len(positions) - 1
    count = int(np.floor(last * target / fps + 1e-6)) + 1
    times = np.minimum(np.arange(count) * (fps / target), last)
    nearest = np.round(times)
    times = np.where(np.abs(times - nearest) < 1e-6, nearest, times)
    before = times.astype(np.int64)
    fraction = (times - before)[:, None, None]
    weights = _linear(fraction) if method == "linear" else _cubic(fraction)
    padded = _with_straight_ends(positions)
    first = before + 2 - len(weights) // 2
    mixed = sum(weight * padded[np.minimum(first + step, last + 2)] for step, weight in enumerate(weights))
    return np.asarray(mixed, dtype=positions.dtype)


def _with_straight_ends(positions: np.ndarray) -> np.ndarray:
    """Add one linearly extrapolated frame at each end, as the spline needs."""
    start, end = positions[:1], positions[-1:]
    return np.concatenate([2 * start - positions[1:2], positions, 2 * end - positions[-2:-1]])


def _linear(fraction: np.ndarray) -> list[np.ndarray]:
    return [1 - fraction, fraction]


def _cubic(fraction: np.ndarray) -> list[np.ndarray]:
    """Return the four Catmull-Rom weights of the frames at -1, 0, 1, 2 around the wanted time."""
    square, cube = fraction**2, fraction**3
    return [
        (-cube + 2 * square - fraction) / 2,
        (3 * cube - 5 * square + 2) / 2,
        (-3 * cube + 4 * square + fraction) / 2,
        (cube - square) / 2,
    ]
