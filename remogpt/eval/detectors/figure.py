"""Measure a moving figure for the detectors: places, frames of reference, centre of mass, feet on the floor.

Metres, y up, 20 frames a second; the floor is at 0. A triple (forward, up, left) is an offset as the figure sees it.
Positions are smoothed by a polynomial in a short window (Savitzky and Golay 1964), which keeps the height of peaks.
"""

from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from remogpt.motion.skeleton import BONE_LENGTHS, FPS, JOINT_INDEX, NUM_JOINTS, PARENTS
from remogpt.runtime.errors import RemogptError

MIN_FRAMES = 16
SIGN = {"left": 1.0, "right": -1.0}
OTHER = {"left": "right", "right": "left"}
FEET = (10, 11)
"""Joints of the balls of the feet."""
ARM_LENGTH, LEG_LENGTH = 0.53, 0.82
"""Metres from shoulder to wrist and from hip to ankle on the common skeleton."""

_MASS = {
    "pelvis": 0.14, "spine2": 0.15, "spine3": 0.16, "head": 0.08, "left_knee": 0.11, "right_knee": 0.11,
    "left_hip": 0.04, "right_hip": 0.04, "left_ankle": 0.04, "right_ankle": 0.04, "left_elbow": 0.03,
    "right_elbow": 0.03, "left_wrist": 0.015, "right_wrist": 0.015,
}  # fmt: skip
"""Shares of the body's mass lumped at joints, after the segment masses of de Leva (1996)."""


class Figure:
    """A motion's joints, scaled to a common stature, with what the detectors measure."""

    def __init__(self, joints: np.ndarray) -> None:
        """Take joints (T, 22, 3), metres, y up, 20 fps; raises RemogptError for other shapes and for NaN."""
        joints = np.asarray(joints, dtype=np.float64)
        if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3) or len(joints) < MIN_FRAMES:
            raise RemogptError(f"facts need joints of shape (T >= {MIN_FRAMES}, 22, 3), got {joints.shape}")
        if not np.isfinite(joints).all():
            raise RemogptError("facts need finite joints, got NaN or infinity")
        bones = np.linalg.norm(joints[:, 1:] - joints[:, list(PARENTS[1:])], axis=-1)
        self.scale = float(max(np.median(bones, axis=0).sum(), 1e-3) / BONE_LENGTHS[1:].sum())
        """Size of this figure relative to the common skeleton; ways over the floor are measured in true metres."""
        self.joints = joints / self.scale
        self.joints[..., 1] -= np.quantile(self.joints[:, FEET, 1].min(axis=1), 0.15) - 0.01
        self._smooth: dict[int, np.ndarray] = {}
        self.memory: dict[tuple[Any, ...], Any] = {}
        """What functions decorated by `measured` found in this figure."""

    def __len__(self) -> int:
        return len(self.joints)

    def smooth(self, window: int) -> np.ndarray:
        """(T, 22, 3) joints, smoothed over a window of an odd number of frames."""
        if window not in self._smooth:
            self._smooth[window] = smooth(self.joints, window)
        return self._smooth[window]

    def at(self, joint: str, window: int = 5) -> np.ndarray:
        """(T, 3) places of a joint."""
        return self.smooth(window)[:, JOINT_INDEX[joint]]

    def height(self, joint: str, window: int = 5) -> np.ndarray:
        """(T,) height of a joint above the floor."""
        return self.at(joint, window)[:, 1]

    def gap(self, joint: str, other: str) -> np.ndarray:
        """(T,) distance between two joints."""
        return np.asarray(np.linalg.norm(self.at(joint) - self.at(other), axis=-1))

    def across(self, part: str, window: int = 9) -> np.ndarray:
        """(T, 3) from the right to the left joint of a pair, as "hip" or "shoulder"."""
        return self.at(f"left_{part}", window) - self.at(f"right_{part}", window)

    @cached_property
    def mass_centre(self) -> np.ndarray:
        """(T, 3) centre of mass."""
        total = sum(_MASS.values())
        return np.asarray(sum(share * self.at(joint) for joint, share in _MASS.items()) / total)

    @cached_property
    def foot_yaw(self) -> np.ndarray:
        """(T,) radians, where the two feet point on average: 0 is +z, growing to the left; unwrapped."""
        ways = []
        for side in SIGN:
            way = self.at(f"{side}_foot", 7) - self.at(f"{side}_ankle", 7)
            ways.append(way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6))
        total = ways[0] + ways[1]
        return np.unwrap(np.arctan2(total[:, 0], total[:, 2]))

    def yaw(self, part: str, window: int = 9) -> np.ndarray:
        """(T,) radians, where hips or shoulders face; unwrapped."""
        across = self.across(part, window)
        return np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))

    @cached_property
    def facing(self) -> np.ndarray:
        """(T,) radians, the figure's heading: the mean of feet, hips and shoulders; unwrapped."""
        yaws = np.stack([self.foot_yaw, self.yaw("hip"), self.yaw("shoulder")])
        return np.unwrap(np.arctan2(np.sin(yaws).sum(axis=0), np.cos(yaws).sum(axis=0)))

    def seen(self, vectors: np.ndarray, yaw: np.ndarray | None = None) -> np.ndarray:
        """Turn vectors (T, 3) into (forward, up, left) of the heading."""
        yaw = self.facing if yaw is None else yaw
        forward = np.sin(yaw) * vectors[:, 0] + np.cos(yaw) * vectors[:, 2]
        left = np.cos(yaw) * vectors[:, 0] - np.sin(yaw) * vectors[:, 2]
        return np.stack([forward, vectors[:, 1], left], axis=-1)

    @cached_property
    def chest(self) -> np.ndarray:
        """(T, 3, 3) unit vectors forward, up and left of the chest: up along the spine, left along the shoulders."""
        up = self.at("neck", 7) - self.at("spine1", 7)
        up /= np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6)
        left = self.across("shoulder", 7)
        left -= (left * up).sum(-1, keepdims=True) * up
        left /= np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-6)
        return np.stack([np.cross(left, up), up, left], axis=1)

    def in_chest(self, joint: str, origin: str, side: str | None = None, window: int = 5) -> np.ndarray:
        """(T, 3) offset of a joint as (forward, up, left) of the chest; with a side, (forward, up, outward)."""
        offset = np.einsum("tij,tj->ti", self.chest, self.at(joint, window) - self.at(origin, window))
        return offset * [1.0, 1.0, SIGN[side]] if side else offset

    def lean(self) -> np.ndarray:
        """(T, 2) degrees that the line from pelvis to neck leans forward and to the left of the heading."""
        line = self.seen(self.at("neck", 7) - self.at("pelvis", 7))
        return np.degrees(np.stack([np.arctan2(line[:, 0], line[:, 1]), np.arctan2(line[:, 2], line[:, 1])], axis=-1))

    def bend(self, side: str, limb: str) -> np.ndarray:
        """(T,) degrees of the angle at a knee or an elbow; 180 is straight."""
        names = ("hip", "knee", "ankle") if limb == "leg" else ("shoulder", "elbow", "wrist")
        a, b, c = (self.at(f"{side}_{name}") for name in names)
        size = np.linalg.norm(a - b, axis=-1) * np.linalg.norm(c - b, axis=-1)
        cosine = ((a - b) * (c - b)).sum(-1) / np.maximum(size, 1e-6)
        return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Smooth (T, ...) along time by a parabola in a window of an odd number of frames."""
    length = min(window, len(values) - (1 - len(values) % 2))
    return np.asarray(savgol_filter(values, length, min(2, length - 1), axis=0, mode="nearest"))


def rate(values: np.ndarray) -> np.ndarray:
    """Return the change of (T, ...) a second."""
    return np.gradient(values, axis=0) * FPS


def steady(values: np.ndarray, frames: float) -> np.ndarray:
    """Blur (T, ...) along time by a Gaussian of some frames, so that steps and strokes vanish and trends stay."""
    return np.asarray(gaussian_filter1d(values, frames, axis=0, mode="nearest"))


def measured(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of a figure keep what it found in the figure's memory, for each set of further arguments."""

    @wraps(function)
    def remembered(figure: Figure, *args: Any) -> Any:
        key = (function.__module__, function.__name__, *args)
        if key not in figure.memory:
            figure.memory[key] = function(figure, *args)
        return figure.memory[key]

    return remembered
