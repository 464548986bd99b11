"""Reconstruction metrics of joint positions: MPJPE (root-relative and global), PA-MPJPE, ACCEL, in millimetres.

Conventions: joints are (T, 22, 3) or (B, T, 22, 3) in metres, y up, 20 fps; both arguments have one shape. A clip's
value is the mean over its own frames; a set's value weighs every frame equally, as MotionGPT reports it.

Source: MotionGPT (NeurIPS 2023), metrics of motion reconstruction; differs: padded frames never enter a sum.
"""

from collections.abc import Sequence

import numpy as np

from remogpt.eval.interval import half_width
from remogpt.runtime.errors import RemogptError

Array = np.ndarray
MM = 1000.0


def validate(predicted: Array, reference: Array) -> tuple[Array, Array]:
    """Check two (..., T, J, 3) joint arrays of one shape and return them as float64."""
    predicted, reference = np.asarray(predicted), np.asarray(reference)
    if predicted.shape != reference.shape:
        raise RemogptError(
            f"predicted joints {predicted.shape} and reference joints {reference.shape} differ in shape; "
            "cut both to the shorter length first."
        )
    if predicted.ndim < 3 or predicted.shape[-1] != 3 or predicted.size == 0:
        raise RemogptError(
            f"joints must be (T, J, 3) in metres with T > 0, came {predicted.shape}; are these features?"
        )
    return predicted.astype(np.float64), reference.astype(np.float64)


def mpjpe(predicted: Array, reference: Array, root_relative: bool = True) -> Array:
    """Return mean joint errors per frame in mm, (..., T); root-relative subtracts joint 0 of each frame from both."""
    predicted, reference = validate(predicted, reference)
    if root_relative:
        predicted = predicted - predicted[..., :1, :]
        reference = reference - reference[..., :1, :]
    return MM * np.linalg.norm(predicted - reference, axis=-1).mean(-1)


def pa_mpjpe(predicted: Array, reference: Array) -> Array:
    """Return the mean joint error per frame in mm, (..., T), after the best similarity transform of each frame.

    Source: Procrustes analysis with scale; Umeyama 1991.
    """
    predicted, reference = validate(predicted, reference)
    mean_p, mean_r = predicted.mean(-2, keepdims=True), reference.mean(-2, keepdims=True)
    centred_p, centred_r = predicted - mean_p, reference - mean_r
    left, values, right = np.linalg.svd(np.swapaxes(centred_p, -1, -2) @ centred_r)
    # A reflection would fit better than a rotation in some frames; the last axis is flipped there.
    sign = np.sign(np.linalg.det(left @ right))
    flip = np.ones_like(values)
    flip[..., -1] = sign
    rotation = (left * flip[..., None, :]) @ right
    size = (centred_p**2).sum((-1, -2))
    scale = (values * flip).sum(-1) / np.where(size > 0, size, 1.0)
    aligned = scale[..., None, None] * centred_p @ rotation
    return MM * np.linalg.norm(aligned - centred_r, axis=-1).mean(-1)


def acceleration_error(predicted: Array, reference: Array) -> Array:
    """Return the mean difference of joint accelerations per inner frame in mm per frame squared, (..., T - 2)."""
    predicted, reference = validate(predicted, reference)
    if predicted.shape[-3] < 3:
        raise RemogptError(f"acceleration needs at least 3 frames, came {predicted.shape[-3]}.")
    return MM * np.linalg.norm(np.diff(predicted, 2, axis=-3) - np.diff(reference, 2, axis=-3), axis=-1).mean(-1)


def evaluate(predicted: Sequence[Array], reference: Sequence[Array]) -> dict[str, float]:
    """Return all errors in mm over pairs of clips, every frame counted once, with a 95 % interval over clips.

    Args:
        predicted, reference: lists of (T, J, 3), metres; a pair of different lengths is cut to the shorter.
    """
    if len(predicted) != len(reference) or not predicted:
        raise RemogptError(f"need as many predicted as reference clips, came {len(predicted)} and {len(reference)}.")
    sums: dict[str, list[tuple[float, int]]] = {"mpjpe": [], "mpjpe_global": [], "pa_mpjpe": [], "accel": []}
    for left, right in zip(predicted, reference, strict=True):
        num_frames = min(len(left), len(right))
        left, right = left[:num_frames], right[:num_frames]
        for name, frames in (
            ("mpjpe", mpjpe(left, right)),
            ("mpjpe_global", mpjpe(left, right, root_relative=False)),
            ("pa_mpjpe", pa_mpjpe(left, right)),
            ("accel", acceleration_error(left, right) if num_frames > 2 else np.zeros(0)),
        ):
            sums[name].append((float(frames.sum()), len(frames)))
    result: dict[str, float] = {"num_items": float(len(predicted))}
    for name, pairs in sums.items():
        totals, counts = np.array(pairs).T
        per_clip = (totals / np.maximum(counts, 1))[counts > 0]
        result[name] = float(totals.sum() / max(counts.sum(), 1))
        result[f"{name}_ci95"] = half_width(per_clip) if len(per_clip) else 0.0
    return result
