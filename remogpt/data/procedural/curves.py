"""Curves over time and small geometry, all vectorised over frames.

Angles are radians. Pitch turns about x (positive leans forward), yaw about y (positive turns to the left), roll
about z (positive leans to the right).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

FPS = 20.0


def ease(u: np.ndarray) -> np.ndarray:
    """Go from 0 to 1 with zero speed and acceleration at both ends; u is clipped to [0, 1].

    Source: minimum-jerk reaching, Flash and Hogan 1985.
    """
    u = np.clip(u, 0.0, 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


def window(t: np.ndarray, start: float, end: float, rise: float, fall: float | None = None) -> np.ndarray:
    """Rise from 0 to 1 after `start`, fall back to 0 before `end` (seconds)."""
    fall = rise if fall is None else fall
    return ease((t - start) / max(rise, 1e-6)) * ease((end - t) / max(fall, 1e-6))


def keyframes(times: Sequence[float], values: ArrayLike, t: np.ndarray) -> np.ndarray:
    """Pass through keyframes smoothly and without overshoot; rest at the first and the last one.

    Args:
        times: (M,) increasing seconds.
        values: (M,) or (M, C).
        t: (T,) seconds.

    Returns:
        (T,) or (T, C).

    Source: monotone cubic interpolation, Fritsch and Butland 1984 (harmonic mean of slopes).
    """
    x = np.asarray(times, dtype=float)
    y = np.asarray(values, dtype=float)
    flat = y.reshape(len(x), -1)
    step = np.diff(x)[:, None]
    slope = np.diff(flat, axis=0) / step
    tangent = np.zeros_like(flat)
    before, after = slope[:-1], slope[1:]
    same = before * after > 0
    total = np.where(same, before + after, 1.0)
    tangent[1:-1] = np.where(same, 2.0 * before * after / total, 0.0)
    t = np.clip(t, x[0], x[-1])
    i = np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(x) - 2)
    h = step[i]
    u = ((t - x[i]) / h[:, 0])[:, None]
    u2, u3 = u * u, u * u * u
    out = (
        (2 * u3 - 3 * u2 + 1) * flat[i] + (u3 - 2 * u2 + u) * h * tangent[i]
        + (3 * u2 - 2 * u3) * flat[i + 1] + (u3 - u2) * h * tangent[i + 1]
    )  # fmt: skip
    return out.reshape((len(t), *y.shape[1:]))


def smooth_noise(
    rng: np.random.Generator, frames: int, channels: int, low: float = 0.1, high: float = 0.7
) -> np.ndarray:
    """Give slow random curves of about unit size, (frames, channels); low and high are Hz."""
    frequency = rng.uniform(low, high, (4, 1, channels))
    phase = rng.uniform(0.0, 2.0 * np.pi, (4, 1, channels))
    t = np.arange(frames)[None, :, None] / FPS
    return np.sin(2.0 * np.pi * frequency * t + phase).sum(axis=0) / np.sqrt(2.0)


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Blur (T, ...) along time with a Gaussian of `sigma` frames; the ends are held."""
    if sigma <= 0 or len(values) < 2:
        return values
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    ends = (np.repeat(values[:1], reach, axis=0), np.repeat(values[-1:], reach, axis=0))
    padded = np.concatenate([ends[0], values, ends[1]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return windows @ kernel


def rotation(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> np.ndarray:
    """Compose yaw, then pitch, then roll about the body's own axes: (..., 3, 3)."""
    yaw, pitch, roll = np.broadcast_arrays(np.asarray(yaw, float), np.asarray(pitch, float), np.asarray(roll, float))
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    rows = (
        (cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp),
        (cp * sr, cp * cr, -sp),
        (-sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def heading_vector(yaw: ArrayLike, x: ArrayLike, z: ArrayLike) -> np.ndarray:
    """Turn (x to the left, z forward) by yaw: (..., 3) with y = 0."""
    yaw = np.asarray(yaw, float)
    c, s = np.cos(yaw), np.sin(yaw)
    px, pz = c * x + s * z, -s * x + c * z
    return np.stack([px, np.zeros_like(px), pz], axis=-1)


def apply(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotate (..., 3) vectors by (..., 3, 3) matrices."""
    return (matrices @ vectors[..., None])[..., 0]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale (..., 3) to length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def two_bone(
    root: np.ndarray, target: np.ndarray, upper: float, lower: float, bend: np.ndarray, most: float = 0.999
) -> tuple[np.ndarray, np.ndarray]:
    """Place the middle and the end joint of a two-bone limb.

    Args:
        root: (..., 3) first joint. target: (..., 3) wanted end. upper, lower: bone lengths in metres.
        bend: (..., 3) where the middle joint should point; need not be perpendicular to the limb.
        most: share of the full length that may be used; farther targets are pulled in.

    Returns:
        Middle and end joints, both (..., 3).
    """
    way = target - root
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    axis = way / np.maximum(distance, 1e-9)
    reach = np.clip(distance, abs(upper - lower) + 0.05, most * (upper + lower))
    along = (upper**2 - lower**2 + reach**2) / (2.0 * reach)
    height = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    side = unit(bend - (bend * axis).sum(-1, keepdims=True) * axis)
    return root + along * axis + height * side, root + reach * axis
