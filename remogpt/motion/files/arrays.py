"""Read motions from NumPy files: .npy holds one array, .npz several by name. Pickles are refused."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from remogpt.motion.checks import check_features, check_joints
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import FPS, NUM_FEATURES, NUM_JOINTS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy

DAMAGE = (
    ValueError, TypeError, AttributeError, KeyError, EOFError, OSError, OverflowError, MemoryError, RuntimeError,
    SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""Errors of NumPy and zipfile on damaged files: headers are parsed as Python, a flipped bit may mean "encrypted"."""


def read_npy_motion(path: Path, fps: float = FPS) -> Motion:
    """Read features (T, 263), joints (T, 22, 3) or flat joints (T, 66) from one array.

    Args:
        path: the file.
        fps: frames a second of joints; features are at 20 by definition.
    """
    try:
        array = read_npy(path)
    except tokenize.TokenError as error:
        raise RemogptError(f"{path} is not a readable .npy array ({error}); save it again with numpy.save") from error
    return motion_from_array(array, fps, str(path), path.stem)


def motion_from_array(array: np.ndarray, fps: float, origin: str, name: str) -> Motion:
    """Build a motion from an array, whose shape tells its content.

    Raises:
        RemogptError: for any other shape, a type that holds no numbers, NaN, or fewer than two frames.
    """
    shape = array.shape
    if array.ndim == 2 and shape[1] == NUM_JOINTS * 3:
        array = array.reshape(-1, NUM_JOINTS, 3)
    if array.ndim == 3:
        motion = Motion.from_joints(_in_file(array, origin), fps, name=name)
    elif array.ndim == 2:
        if fps != FPS:
            raise RemogptError(f"{origin}: features are at {FPS:g} fps by definition, got fps={fps:g}. Leave fps out")
        motion = Motion.from_features(_in_file(array, origin), name=name)
    else:
        raise RemogptError(
            f"{origin}: expected features (T, {NUM_FEATURES}), joints (T, {NUM_JOINTS}, 3) or (T, {NUM_JOINTS * 3}), "
            f"found shape {shape}. Save one motion a file in one of these shapes"
        )
    return motion


def _in_file(array: np.ndarray, origin: str) -> np.ndarray:
    """Check the array with the file's full name in the message; `Motion` only knows the stem."""
    if array.ndim == 3:
        return check_joints(array, where=origin)
    check_features(array, where=origin)
    return array


def read_npz_motion(path: Path, fps: float | None = None) -> Motion:
    """Read `joints` (T, 22, 3) or `features` (T, 263) from a .npz, with `fps` and `caption` if it has them.

    If a file holds both, joints are used and features are kept beside them.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {key: archive[key] for key in archive.files if key in ("joints", "features", "fps", "caption")}
            found = ", ".join(f"{key} {archive[key].shape}" for key in archive.files[:8])
    except DAMAGE as error:
        # NumPy reports any unknown file as a pickle and suggests loading it unsafely.
        why = "it holds Python objects or is no .npz file" if "pickle" in str(error) else str(error)
        raise RemogptError(
            f"{path} is not a readable .npz of numeric arrays ({why}); save it again with numpy.savez(joints=...)"
        ) from error
    key = "features" if "features" in content else "joints"
    if key not in content:
        raise RemogptError(
            f"{path}: expected an array named joints (T, {NUM_JOINTS}, 3) or features (T, {NUM_FEATURES}), found "
            f"{found or 'nothing'}. Save it with numpy.savez(path, joints=..., fps=20)"
        )
    stored = float(content["fps"]) if "fps" in content and content["fps"].size == 1 else FPS
    motion = motion_from_array(
        content[key], FPS if key == "features" else (stored if fps is None else fps), f"{path} ({key})", path.stem
    )
    caption = str(content["caption"]) if "caption" in content else None
    joints = content.get("joints")
    if key == "features" and joints is not None and joints.shape == motion.joints.shape:
        motion = Motion(_in_file(joints, f"{path} (joints)"), FPS, path.stem, caption, motion.given_features)
    return Motion(motion.joints, motion.fps, motion.name, caption, motion.given_features)
