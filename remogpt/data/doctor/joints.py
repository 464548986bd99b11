"""Compare the joint positions that a set keeps beside its features with what the features say."""

from pathlib import Path

import numpy as np

from remogpt.data.doctor.findings import Kind
from remogpt.motion.checks import check_joints
from remogpt.motion.features import features_to_joints
from remogpt.motion.mirror import MIRROR_ORDER
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy

_APART = 0.15
"""Metres by which joints, seen from the pelvis, may lie elsewhere than their features say: people's own bodies."""
_COMPARED = 20
"""Frames at the start that are compared place by place: further on, the reference's headings drift."""
_SCALED = 1.25
"""Times by which a body may be larger or smaller."""


def joints_fault(path: Path, features: np.ndarray) -> tuple[Kind, str] | None:
    """Say what is wrong with a file of joint positions, given the motion's features; None: nothing.

    Args:
        path: of the file.
        features: (T, 263) or (T, 251), without fault.
    """
    channels = features.shape[1]
    if not path.is_file():
        return "missing", "not there, though others are"
    try:
        joints = check_joints(read_npy(path), where="it", num_joints=channels // 12 + 1)
    except (RemogptError, OSError) as error:
        what = str(error).partition(". ")[0].replace(str(path), "it")
        return ("nan" if "finite" in what else "malformed"), what
    if abs(len(joints) - len(features)) > 1:
        return "mismatch", f"{len(joints)} frames, its features have {len(features)} rows"
    if channels != 263:
        return None
    length = min(len(joints), len(features))
    theirs, ours = (found[:length] - found[:length, :1] for found in (joints, features_to_joints(features)))
    far, near = (np.linalg.norm(found[:, 1:], axis=-1) for found in (theirs, ours))
    ratio = float(np.median(far / np.maximum(near, 1e-6)))
    if not 1 / _SCALED < ratio < _SCALED:
        return "scale", f"all distances are {ratio:.3g} times those of its features; are they in metres?"
    if np.abs(far - near).mean() > _APART:
        return "mismatch", f"{len(joints)} frames that are not those of its features"
    theirs, ours = theirs[:_COMPARED], ours[:_COMPARED]
    if _apart(theirs, ours) < _APART:
        return None
    if _apart(theirs[:, list(MIRROR_ORDER)], ours) < _APART:
        return "sides", "left and right are exchanged: its features have the joints the other way round"
    if np.abs(theirs[..., 1] - ours[..., 1]).mean() > _APART / 2:
        return "up", "heights are not those of its features: another axis points up"
    return "facing", "its first frames face elsewhere than its features, which begin facing +z"


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second, axis=-1).mean())
