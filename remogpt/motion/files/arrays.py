"""Read motions from NumPy files: .npy holds one array, .npz several by name. Pickles are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from remogpt.motion.checks import check_features, check_joints
from remogpt.motion.files.amass import is_amass, read_amass
from remogpt.motion.files.archives import Archive, open_npy, open_npz
from remogpt.motion.files.rates import stored_rate
from remogpt.motion.files.recording import Recording
from remogpt.motion.retarget import SourceMotion
from remogpt.motion.skeleton import FPS, JOINT_NAMES, NUM_FEATURES, NUM_JOINTS, PARENTS
from remogpt.runtime.errors import RemogptError

SMPL_SIZES = (22, 24, 45, 52, 55, 73, 127, 144)
"""Joints that SMPL, SMPL-H and SMPL-X give, with and without hands, face and landmarks; the first 22 are ours."""
_MOTION_KEYS = ("joints", "features", "positions", "motion", "arr_0")


def read_npy_recording(path: Path, fps: float | None = None) -> Recording:
    """Read features (T, 263), joints (T, 22, 3) or more of SMPL's, or flat joints (T, 66) from one array.

    Args:
        path: the file.
        fps: frames a second of joints, default 20; features are at 20 by definition.

    Raises:
        RemogptError: any other shape, a type that holds no numbers, NaN.
    """
    return from_array(open_npy(path), fps, str(path), path.stem)


def from_array(array: np.ndarray, fps: float | None, origin: str, name: str) -> Recording:
    """Take an array, whose shape tells its content."""
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2 and array.shape[1] == NUM_JOINTS * 3:
        array = array.reshape(-1, NUM_JOINTS, 3)
    if array.ndim == 3 and array.shape[:2] == (NUM_JOINTS, 3) and array.shape[2] != 3:
        array = np.moveaxis(array, 2, 0)  # as diffusion models write them
    if array.ndim == 2:
        if fps not in (None, FPS):
            raise RemogptError(f"{origin}: features are at {FPS:g} fps by definition, got fps={fps:g}. Leave fps out")
        check_features(array, where=origin)
        return Recording(name, features=array)
    if array.ndim == 3 and array.shape[1] in SMPL_SIZES:
        joints = check_joints(array[:, :NUM_JOINTS], where=origin)
        return Recording(name, SourceMotion(JOINT_NAMES, joints, FPS if fps is None else fps, origin, PARENTS))
    raise _unknown(array.shape, origin)


def _unknown(shape: tuple[int, ...], origin: str) -> RemogptError:
    wanted = f"features (T, {NUM_FEATURES}), joints (T, {NUM_JOINTS}, 3) or (T, {NUM_JOINTS * 3})"
    if len(shape) == 4 and shape[-1] == 3 and 2 in shape[:2]:
        hint = "These seem to be two people; save each as a file of its own"
    elif shape[-2:] == (21, 3):
        hint = "21 joints are KIT-ML's skeleton; bring them to SMPL's 22 first"
    else:
        hint = f"Of SMPL's joints any of {', '.join(map(str, SMPL_SIZES))} will do. Save one motion a file"
    return RemogptError(f"{origin}: expected {wanted}, found shape {shape}. {hint}")


def read_npz_recording(path: Path, fps: float | None = None, body_model: str | Path | None = None) -> Recording:
    """Read joints or features from a .npz, with the frame rate and `caption` if it has them, or AMASS's poses.

    If a file holds both, joints are used and features are kept beside them.

    Raises:
        RemogptError: none of them, an unusable rate, or AMASS's poses without a body model.
    """
    with open_npz(path) as archive:
        rate = fps
        if rate is None:
            rate = stored_rate({key: archive.read(key) for key in archive.keys if _is_small(archive, key)}, str(path))
        caption = str(archive.read("caption")) if "caption" in archive and _is_small(archive, "caption") else None
        if is_amass(archive):
            return Recording(path.stem, read_amass(archive, path, rate, body_model), caption=caption)
        key = _motion_key(archive, path)
        array, origin = archive.read(key), f"{path} ({key})"
        if array.ndim == 2 and array.shape[1] == NUM_FEATURES:
            kept = _joints_beside(archive, array, path)
            found = from_array(array, None if rate == FPS or fps is None else rate, origin, path.stem)
            return Recording(path.stem, kept, found.features, caption)
        return Recording(path.stem, from_array(array, rate, origin, path.stem).source, caption=caption)


def _is_small(archive: Archive, key: str) -> bool:
    """Return whether a key holds a handful of values, as a rate or a caption does."""
    shape = archive.shape(key)
    return shape is not None and int(np.prod(shape)) <= 16


def _motion_key(archive: Archive, path: Path) -> str:
    """Choose the array that holds the motion: by its name, or the only one of a motion's shape."""
    named = [key for key in ("features", *_MOTION_KEYS) if key in archive]
    shapes = {key: archive.shape(key) or () for key in archive.keys}
    fitting = [
        key for key, shape in shapes.items()
        if (len(shape) == 3 and shape[1] in SMPL_SIZES and shape[2] == 3) or shape[1:] == (NUM_FEATURES,)
    ]  # fmt: skip
    if named or len(fitting) == 1:
        return named[0] if named else fitting[0]
    raise RemogptError(
        f"{path}: expected an array named joints (T, {NUM_JOINTS}, 3) or features (T, {NUM_FEATURES}), found "
        f"{archive.describe()}. Save it with numpy.savez(path, joints=..., fps=20)"
    )


def _joints_beside(archive: Archive, features: np.ndarray, path: Path) -> SourceMotion | None:
    """Return the joints that are stored beside features of the same frames."""
    if archive.shape("joints") != (len(features), NUM_JOINTS, 3) if "joints" in archive else True:
        return None
    joints = check_joints(archive.read("joints"), where=f"{path} (joints)")
    return SourceMotion(JOINT_NAMES, joints, FPS, str(path), PARENTS)
