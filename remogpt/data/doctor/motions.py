"""Examine one motion of a set: its file, its numbers, the body that they describe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt.data.doctor.findings import Kind
from remogpt.motion.door.bones import judge_features
from remogpt.motion.door.sides import check_sides
from remogpt.motion.door.takes import check_speed
from remogpt.motion.door.upright import find_up
from remogpt.motion.features import features_to_joints, joints_to_features
from remogpt.motion.inverse_kinematics import heading
from remogpt.motion.mirror import MIRROR_ORDER
from remogpt.motion.skeleton import FPS, NUM_FEATURES, NUM_JOINTS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy

LARGEST = 1e4
"""Metres, or metres a frame, that no feature of a body reaches."""
_TURNED = np.deg2rad(45.0)
"""Angle between +z and the body of frame 0, and turn within that frame, from which a clip was never turned to +z."""
Mend = Callable[[np.ndarray], np.ndarray]
_COPY = "Copy the file again, or take its id out of the split files"
_AGAIN = "Make the features anew with remogpt.motion.joints_to_features, or let --fix do it"


@dataclass(frozen=True)
class MotionFault:
    """What is wrong with a motion."""

    kind: Kind
    what: str
    remedy: str
    mend: Mend | None = None
    """Turns the file's array into what it should hold; None where that cannot be known."""


def read_motion(path: Path, channels: int) -> np.ndarray | MotionFault:
    """Read an array (T, channels) of finite numbers, or say why it is none."""
    try:
        array = read_npy(path)
    except (RemogptError, OSError) as error:
        reason = str(error).partition("(")[2].rpartition(")")[0] or str(error)
        return MotionFault("malformed", f"not a readable .npy array: {reason}", _COPY)
    if array.dtype.kind not in "fiu":
        return MotionFault("malformed", f"holds {array.dtype}, not numbers", _COPY)
    if array.shape[1:] == (NUM_JOINTS, 3) and len(array) > 1 and channels == NUM_FEATURES:
        return MotionFault("malformed", f"joint positions {array.shape}, not features", _AGAIN, joints_to_features)
    if array.ndim != 2 or array.shape[1] != channels:
        return MotionFault("malformed", f"shape {array.shape}, not (T, {channels})", _COPY)
    if len(array) < 2:
        return MotionFault("limits", f"{len(array)} frames; a motion has at least 2", _COPY)
    bad = ~(np.isfinite(array) & (np.abs(array) < LARGEST * (1000 if channels == 251 else 1)))
    if bad.any():
        frame, channel = (int(index) for index in np.argwhere(bad)[0])
        count = int(bad.any(axis=1).sum())
        what = f"{array[frame, channel]:g} in frame {frame}, channel {channel} ({count} of {len(array)} frames)"
        return MotionFault("nan", what, "Take the id out of the split files, or make the motion anew from its source")
    return array


def examine_features(features: np.ndarray, mean: np.ndarray | None, std: np.ndarray | None) -> MotionFault | None:
    """Find the first fault of HumanML3D's features (T, 263) of finite numbers.

    Args:
        features: of the motion.
        mean, std: (263,) of the set, by which normalised features can be told and mended.
    """
    fault = judge_features(features)
    if fault is not None:
        if fault.kind == "scaled":
            return MotionFault("scale", fault.what, _AGAIN, _anew)
        if fault.kind == "zero":
            return MotionFault("malformed", fault.what, _COPY)
        if mean is not None and std is not None and judge_features(features * std + mean) is None:
            what = "normalised, (x - mean) / std: with the set's Mean.npy and Std.npy they are a body's"
            return MotionFault("normalised", what, "Multiply by Std.npy and add Mean.npy", lambda x: x * std + mean)
        kind: Kind = "normalised" if fault.kind == "normalised" else "scale"
        return MotionFault(kind, fault.what, "Give raw features in metres; make them anew from the joints")
    joints = features_to_joints(features)
    return _of_body(joints) or _of_place(features, joints) or _of_speed(joints)


def _anew(features: np.ndarray) -> np.ndarray:
    """Make features anew from their joints: scaled, turned and put on the floor; one row less."""
    return joints_to_features(features_to_joints(features))


def _of_body(joints: np.ndarray) -> MotionFault | None:
    """Examine sides; the joints (T, 22, 3) are a body's."""
    try:
        check_sides(joints, "")
    except RemogptError as error:
        what = str(error).removeprefix(": ").partition("; left")[0]
        return MotionFault("sides", f"left and right are swapped: {what}", _AGAIN, _swapped)
    return None


def _swapped(features: np.ndarray) -> np.ndarray:
    return joints_to_features(features_to_joints(features)[:, list(MIRROR_ORDER)])


def _of_place(features: np.ndarray, joints: np.ndarray) -> MotionFault | None:
    """Examine the heading of frame 0, which the processing turns to +z: else it jumps there in the next frame."""
    facing = heading(joints[:1], hip_swap=False)[0]
    angle = float(np.arctan2(facing[0], facing[2]))
    if abs(angle) > _TURNED and abs(2 * float(features[0, 0])) > _TURNED:
        what = f"frame 0 faces {np.rad2deg(angle):.0f} degrees from +z and is turned back within a frame"
        return MotionFault("facing", what, _AGAIN, _anew)
    return None


def _of_speed(joints: np.ndarray) -> MotionFault | None:
    try:
        jumps = check_speed(joints, FPS, "")
    except RemogptError as error:
        what = str(error).removeprefix(": ").partition(", which")[0]
        return MotionFault("limits", what, "Was it recorded at another rate than 20 frames a second? Make it anew")
    if jumps:
        return MotionFault("limits", jumps[0].removesuffix(", kept as it is"), "Cut the motion there, or leave it out")
    return None


def stands_elsewhere(joints: np.ndarray) -> str | None:
    """Return the axis along which a body stands throughout, if that is not y; a person who lies does so too."""
    try:
        axis = find_up(joints, None, "")
        if axis != "y":
            return axis
    except RemogptError:
        pass
    body = joints[:, 15] - (joints[:, 7] + joints[:, 8]) / 2
    shares = np.abs(body) / np.maximum(np.linalg.norm(body, axis=-1, keepdims=True), 1e-9)
    along = [float((shares[:, axis] > np.cos(np.pi / 5)).mean()) for axis in range(3)]
    best = int(np.argmax(along))
    return "xyz"[best] if best != 1 and along[best] > 0.9 and along[1] == 0 else None
