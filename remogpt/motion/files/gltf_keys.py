"""Interpolate the keys of a glTF animation and build the transforms of its nodes.

Source: glTF 2.0 specification (Khronos), appendix C (interpolation) and section 3.5.3 (translation, rotation, scale).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Track:
    """Keys of one property of a node."""

    times: np.ndarray
    """(K,) seconds, ascending."""
    values: np.ndarray
    """(K, width), or (3 K, width) for splines: the tangent into each key, its value, the tangent out of it."""
    mode: str
    """LINEAR, STEP or CUBICSPLINE."""

    @property
    def keys(self) -> np.ndarray:
        """(K, width), without the tangents of splines."""
        return self.values[1::3] if self.mode == "CUBICSPLINE" else self.values


def sample(track: Track, times: np.ndarray) -> np.ndarray:
    """Return a property at some times, (T, width); before the first and after the last key it stays.

    A property of width 4 is a rotation: quaternions are interpolated along the shorter arc and have length one.
    """
    keys = track.keys
    if len(keys) == 1:
        return _whole(np.repeat(keys, len(times), axis=0))
    after = np.clip(np.searchsorted(track.times, times, side="right"), 1, len(keys) - 1)
    before = after - 1
    span = (track.times[after] - track.times[before])[:, None]
    share = np.clip((times - track.times[before])[:, None] / np.maximum(span, 1e-12), 0.0, 1.0)
    if track.mode == "STEP":
        return _whole(np.where(share < 1, keys[before], keys[after]))
    if track.mode == "CUBICSPLINE":
        tangents = track.values.reshape(len(track.times), 3, -1)
        return _whole(_hermite(keys[before], span * tangents[before, 2], keys[after], span * tangents[after, 0], share))
    if keys.shape[1] == 4:
        return _slerp(keys[before], keys[after], share)
    return np.asarray(keys[before] * (1 - share) + keys[after] * share)


def _hermite(start: np.ndarray, out: np.ndarray, end: np.ndarray, into: np.ndarray, share: np.ndarray) -> np.ndarray:
    square, cube = share**2, share**3
    return np.asarray(
        (2 * cube - 3 * square + 1) * start
        + (cube - 2 * square + share) * out
        + (3 * square - 2 * cube) * end
        + (cube - square) * into
    )


def _slerp(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    start, end = _whole(start), _whole(end)
    cosine = (start * end).sum(-1, keepdims=True)
    end = np.where(cosine < 0, -end, end)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine = np.maximum(np.sin(angle), 1e-9)
    near = angle < 1e-4
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / sine)
    second = np.where(near, share, np.sin(share * angle) / sine)
    return _whole(first * start + second * end)


def _whole(values: np.ndarray) -> np.ndarray:
    """Give quaternions length one; leave other values as they are."""
    if values.shape[1] != 4:
        return values
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12))


def matrices(node: Any, moved: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """Return the transforms of a node against its parent, (T, 4, 4): translation, rotation, scale, or its matrix."""
    if not moved and "matrix" in node:
        fixed = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T  # stored column by column
        return np.broadcast_to(fixed, (count, 4, 4))
    default = {"translation": [0, 0, 0], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]}
    parts = {
        path: moved[path] if path in moved else np.tile(np.array(node.get(path, rest), np.float64), (count, 1))
        for path, rest in default.items()
    }
    from scipy.spatial.transform import Rotation  # slow to import

    made = np.zeros((count, 4, 4))
    made[:, :3, :3] = Rotation.from_quat(_whole(parts["rotation"])).as_matrix() * parts["scale"][:, None, :]
    made[:, :3, 3], made[:, 3, 3] = parts["translation"], 1.0
    return made
