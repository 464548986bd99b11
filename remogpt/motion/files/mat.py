"""Read the Kinect skeletons of UTD-MHAD: MATLAB files that hold `d_skel` (20, 3, T), metres in the camera's frame."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from remogpt.motion.retarget import SourceMotion
from remogpt.runtime.errors import RemogptError

_DAMAGE = (
    MatReadError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError, OverflowError,
    OSError, MemoryError, EOFError, struct.error, zlib.error,
)  # fmt: skip
KINECT_FPS = 30.0
KINECT_JOINTS = (
    "head", "shoulder_center", "spine", "hip_center", "left_shoulder", "left_elbow", "left_wrist", "left_hand",
    "right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip", "left_knee", "left_ankle", "left_foot",
    "right_hip", "right_knee", "right_ankle", "right_foot",
)  # fmt: skip
"""Names of the first Kinect's 20 joints, in the order of the files."""


def read_mat(path: str | Path) -> SourceMotion:
    """Read one UTD-MHAD skeleton file.

    Raises:
        RemogptError: if it is no MATLAB file of version 5-7, or has no `d_skel` of 20 joints.
    """
    try:
        content = scipy.io.loadmat(Path(path), variable_names=["d_skel"])
    except _DAMAGE as error:
        raise RemogptError(
            f"{path}: cannot be read as a MATLAB file of version 5-7 ({error}); download it again, or save it with -v7"
        ) from error
    skeleton = content.get("d_skel")
    if skeleton is None:
        found = ", ".join(name for name, *_ in scipy.io.whosmat(Path(path))) or "nothing"
        raise RemogptError(
            f"{path}: expected the variable d_skel of a UTD-MHAD skeleton file, found {found}. Take the files that end "
            f"in _skeleton.mat (inertial and depth files hold no joints)"
        )
    if skeleton.ndim != 3 or skeleton.shape[:2] != (len(KINECT_JOINTS), 3) or skeleton.dtype.kind not in "fiu":
        raise RemogptError(
            f"{path}: expected d_skel as (20 joints, 3, frames), found {skeleton.shape} of {skeleton.dtype}; "
            f"download it again"
        )
    return SourceMotion(KINECT_JOINTS, np.moveaxis(skeleton, 2, 0).astype(np.float64), KINECT_FPS, str(path))
