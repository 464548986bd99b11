"""Check motions at public entrances; internal functions trust shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from remogpt.motion.arrays import to_numpy
from remogpt.motion.skeleton import KIT_NUM_FEATURES, NUM_FEATURES, NUM_JOINTS
from remogpt.runtime.errors import RemogptError


def check_joints(
    joints: Any, *, where: str = "joints", min_frames: int = 1, num_joints: int = NUM_JOINTS
) -> np.ndarray:
    """Return joints as a (T, 22, 3) floating array, or raise an error that says what is wrong.

    Args:
        joints: array, tensor or nested list, (T, 22, 3) metres.
        where: name of the joints in the message: a variable or a file's path.
        min_frames: fewest frames the caller can use.
        num_joints: 21 for KIT-ML's skeleton.

    Raises:
        RemogptError: other shape, not numbers, NaN or infinity, too few frames.
    """
    array = _numbers(joints, where)
    if array.ndim != 3 or array.shape[1:] != (num_joints, 3):
        raise RemogptError(
            f"{where}: wanted joints of shape (T, {num_joints}, 3), got {array.shape}. {_shape_hint(array)}"
        )
    if len(array) < min_frames:
        raise RemogptError(
            f"{where}: wanted at least {min_frames} frames, got {len(array)}. Give a longer motion."
            + (" Velocities need the next frame." if min_frames == 2 else "")
        )
    _check_finite(array, where)
    return array


def check_features(
    features: Any, *, where: str = "features", min_frames: int = 1, num_features: int = NUM_FEATURES
) -> None:
    """Refuse features that are not (..., T, 263), with a hint for KIT-ML's 251 channels.

    Tensors are not copied and keep their gradient; NaN is refused in NumPy arrays only, since looking into a tensor
    would stall a GPU.

    Raises:
        RemogptError: other shape, not numbers, NaN or infinity, too few frames.
    """
    shape = tuple(getattr(features, "shape", ()))
    if len(shape) < 2 or shape[-1] != num_features:
        raise RemogptError(
            f"{where}: wanted features of shape (..., T, {num_features}), got {shape}. {_channel_hint(shape)}"
        )
    if shape[-2] < min_frames:
        raise RemogptError(f"{where}: wanted at least {min_frames} frames, got {shape[-2]}. Give a longer motion.")
    if isinstance(features, np.ndarray):
        _check_finite(_numbers(features, where), where)


def _numbers(values: Any, where: str) -> np.ndarray:
    try:
        array = to_numpy(values)
    except ValueError as error:  # ragged nested lists
        raise RemogptError(f"{where}: wanted an array of numbers, got lists of unequal length ({error}).") from error
    if array.dtype.kind in "iu":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise RemogptError(
            f"{where}: wanted an array of real numbers, got dtype {array.dtype}. Convert it with .astype('float32')."
        )
    return array


def _check_finite(array: np.ndarray, where: str) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    first = tuple(int(index) for index in np.argwhere(~finite)[0])
    raise RemogptError(
        f"{where}: wanted finite numbers, got {array[first]} at index {first} "
        f"({array.size - int(finite.sum())} of {array.size} values). Cut or interpolate the missing frames."
    )


def _channel_hint(shape: tuple[int, ...]) -> str:
    if shape and shape[-1] == KIT_NUM_FEATURES:
        return (
            "251 channels are KIT-ML's 21 joints at 12.5 fps; retarget its joints to the 22-joint skeleton at 20 fps "
            "and call joints_to_features."
        )
    if len(shape) >= 2 and shape[-2:] == (NUM_JOINTS, 3):
        return "These are joint positions; call joints_to_features first."
    return "Features are made by joints_to_features."


def _shape_hint(array: np.ndarray) -> str:
    if array.shape[-1:] == (NUM_FEATURES,):
        return "These are features; call features_to_joints first."
    if array.shape[-1:] == (KIT_NUM_FEATURES,):
        return _channel_hint(array.shape)
    if array.shape[-2:] == (21, 3):
        return "21 joints are KIT-ML's skeleton; load the file with load_motion, which retargets known skeletons."
    if array.ndim == 3 and array.shape[2] == 3:
        return (
            "Keep the first 22 SMPL joints if this is SMPL-H or SMPL-X, or load the file with load_motion, "
            "which retargets known skeletons."
        )
    if array.ndim == 2 and array.shape[1] == NUM_JOINTS * 3:
        return "Reshape it with .reshape(-1, 22, 3)."
    if array.ndim == 4:
        return "Pass one motion at a time."
    return "The joint order is remogpt.motion.skeleton.JOINT_NAMES."
