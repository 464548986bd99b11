"""Convert Euler angles in degrees, as motion-capture files hold them, to and from rotation matrices.

Matrices turn column vectors. `axes` lists the factors from left to right: "zxy" is Rz @ Rx @ Ry, which is how BVH
means `CHANNELS 3 Zrotation Xrotation Yrotation`.
"""

from __future__ import annotations

import numpy as np

_AXIS = {"x": 0, "y": 1, "z": 2}


def axis_rotation(axis: str, degrees: np.ndarray) -> np.ndarray:
    """Return matrices (..., 3, 3) that turn by `degrees` (...) about one coordinate axis."""
    index = _AXIS[axis]
    second, third = (index + 1) % 3, (index + 2) % 3
    angle = np.deg2rad(degrees)
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., index, index] = 1.0
    matrix[..., second, second] = matrix[..., third, third] = np.cos(angle)
    matrix[..., third, second] = np.sin(angle)
    matrix[..., second, third] = -matrix[..., third, second]
    return matrix


def euler_to_matrix(degrees: np.ndarray, axes: str) -> np.ndarray:
    """Turn angles (..., len(axes)) into matrices (..., 3, 3); no axes at all give the identity."""
    matrix = np.broadcast_to(np.eye(3), (*degrees.shape[:-1], 3, 3))
    for position, axis in enumerate(axes):
        matrix = matrix @ axis_rotation(axis, degrees[..., position])
    return matrix


def matrix_to_zxy(matrix: np.ndarray) -> np.ndarray:
    """Turn matrices (T, J, 3, 3) into z, x, y angles (T, J, 3) that run on smoothly along T.

    Every rotation has two sets of angles, with x and with pi - x. The set closer to the previous frame is taken, and
    whole turns are added, so that a program that interpolates between keys does not spin a limb.
    """
    # Rz Rx Ry has sin x at [2, 1], and -cos x sin y, cos x cos y beside it in that row.
    x = np.arcsin(np.clip(matrix[..., 2, 1], -1.0, 1.0))
    y = np.arctan2(-matrix[..., 2, 0], matrix[..., 2, 2])
    z = np.arctan2(-matrix[..., 0, 1], matrix[..., 1, 1])
    # At x = +-90 degrees only z + y or z - y is defined; z gets all of it.
    locked = np.abs(matrix[..., 2, 1]) > 1 - 1e-10
    y = np.where(locked, 0.0, y)
    z = np.where(locked, np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0]), z)
    angles = np.stack([z, x, y], axis=-1)
    other = np.stack([z + np.pi, np.pi - x, y + np.pi], axis=-1)
    for frame in range(1, len(angles)):
        before = angles[frame - 1]
        near, far = _nearest_turn(angles[frame], before), _nearest_turn(other[frame], before)
        is_far_closer = np.abs(far - before).sum(-1) < np.abs(near - before).sum(-1)
        angles[frame] = np.where(is_far_closer[:, None], far, near)
    return np.rad2deg(angles)


def _nearest_turn(angles: np.ndarray, before: np.ndarray) -> np.ndarray:
    return angles - 2 * np.pi * np.round((angles - before) / (2 * np.pi))
