"""Convert and compose rotations: quaternions, 6-D columns and matrices.

Quaternions are (..., 4), real part first, and rotate column vectors. The 6-D form is the first column of the rotation
matrix followed by the second. Every function takes NumPy or torch and returns the same type.

Source: 6-D form: Zhou et al., "On the Continuity of Rotation Representations", arXiv 1812.07035, sec. 4.2.
"""

from __future__ import annotations

import numpy as np

from remogpt.motion.arrays import Array, like, namespace, stack_last

_TINY = 1e-8


def quaternion_conjugate(quaternion: Array) -> Array:
    """Return the inverse of unit quaternions (..., 4)."""
    return quaternion * like(np.array([1.0, -1.0, -1.0, -1.0]), quaternion)


def quaternion_multiply(first: Array, second: Array) -> Array:
    """Compose rotations (..., 4): the result turns by `second`, then by `first`."""
    a, b, c, d = first[..., 0], first[..., 1], first[..., 2], first[..., 3]
    w, x, y, z = second[..., 0], second[..., 1], second[..., 2], second[..., 3]
    return stack_last(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ]
    )


def dot(first: Array, second: Array) -> Array:
    """Return the scalar product of vectors (..., 3) over the last axis; both sides broadcast."""
    return first[..., 0] * second[..., 0] + first[..., 1] * second[..., 1] + first[..., 2] * second[..., 2]


def cross(first: Array, second: Array) -> Array:
    """Return the cross product over the last axis; both sides broadcast."""
    a, b, c = first[..., 0], first[..., 1], first[..., 2]
    x, y, z = second[..., 0], second[..., 1], second[..., 2]
    return stack_last([b * z - c * y, c * x - a * z, a * y - b * x])


def quaternion_rotate(quaternion: Array, vector: Array) -> Array:
    """Turn vectors (..., 3) by unit quaternions (..., 4); leading axes broadcast."""
    twice = 2 * cross(quaternion[..., 1:], vector)
    return vector + quaternion[..., :1] * twice + cross(quaternion[..., 1:], twice)


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Turn quaternions (..., 4) into rotation matrices (..., 3, 3); any non-zero length is accepted."""
    xp = namespace(quaternion)
    w, x, y, z = (quaternion[..., index] for index in range(4))
    scale = 2.0 / (w * w + dot(quaternion[..., 1:], quaternion[..., 1:]))
    rows = [
        xp.stack([1 - scale * (y * y + z * z), scale * (x * y - z * w), scale * (x * z + y * w)], axis=-1),
        xp.stack([scale * (x * y + z * w), 1 - scale * (x * x + z * z), scale * (y * z - x * w)], axis=-1),
        xp.stack([scale * (x * z - y * w), scale * (y * z + x * w), 1 - scale * (x * x + y * y)], axis=-1),
    ]
    return xp.stack(rows, axis=-2)


def quaternion_to_6d(quaternion: Array) -> Array:
    """Return the first two columns (..., 6) of the matrices of quaternions (..., 4) of any length but zero."""
    w, x, y, z = (quaternion[..., index] for index in range(4))
    scale = 2.0 / (w * w + x * x + y * y + z * z)
    xy, zw, xz, yw, yz, xw = x * y, z * w, x * z, y * w, y * z, x * w
    xx, yy, zz = x * x, y * y, z * z
    first = 1 - scale * (yy + zz), scale * (xy + zw), scale * (xz - yw)
    second = scale * (xy - zw), 1 - scale * (xx + zz), scale * (yz + xw)
    return stack_last([*first, *second])


def matrix_to_6d(matrix: Array) -> Array:
    """Keep the first two columns of rotation matrices (..., 3, 3) as (..., 6)."""
    return namespace(matrix).concatenate([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def matrix_from_6d(columns: Array) -> Array:
    """Turn 6-D rotations (..., 6) into matrices (..., 3, 3) by Gram-Schmidt; any six finite numbers give one.

    The first column is kept, the second is made orthogonal to it. Columns that vanish give a zero matrix rather
    than NaN, so that a network's first outputs cannot poison a gradient.
    """
    xp = namespace(columns)
    x = _normalized(columns[..., :3])
    z = _normalized(cross(x, columns[..., 3:]))
    return xp.stack([x, cross(z, x), z], axis=-1)


def _normalized(vector: Array) -> Array:
    squared = (vector * vector).sum(-1)[..., None]
    return vector / namespace(vector).sqrt(squared + _TINY * _TINY)


def shortest_arc(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the unit quaternions of the smallest turn that takes each `source` direction onto its `target`.

    Args:
        source: (..., 3); need not be unit, leading axes broadcast with those of `target`.
        target: (..., 3).

    Returns:
        (..., 4) float32, real part never negative.

    Source: HumanML3D 9176e8f, `qbetween`, in float32 as there; differs: opposite directions (and a zero vector) give
        half a turn (no turn) instead of NaN.
    """
    source, target = source.astype(np.float32), target.astype(np.float32)
    real = np.sqrt(dot(source, source) * dot(target, target)) + dot(source, target)
    vector = cross(source, target)
    length = np.asarray(np.sqrt(real * real + dot(vector, vector)))
    undefined = length < _TINY
    quaternion = stack_last([real, vector[..., 0], vector[..., 1], vector[..., 2]])
    if undefined.any():
        quaternion[undefined] = _half_turn(np.broadcast_to(source, vector.shape)[undefined])
        length[undefined] = 1.0
    quaternion /= length[..., None]
    return quaternion


def _half_turn(direction: np.ndarray) -> np.ndarray:
    """Return half turns (M, 4) about the upright axis, or about x for upright directions; identity for zeros."""
    quaternion = np.zeros((len(direction), 4), dtype=np.float32)
    size = np.abs(direction).max(-1)
    upright = np.abs(direction[:, 1]) > 0.5 * size
    quaternion[:, 1] = upright
    quaternion[:, 2] = ~upright
    quaternion[size == 0] = (1.0, 0.0, 0.0, 0.0)
    return quaternion
