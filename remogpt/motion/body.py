"""Measure a moving body for facts: heights, headings, speeds, reaches, frame by frame.

Conventions: metres on the common skeleton (every body is scaled to its leg length), y up with the floor at 0, left is
positive to the side, angles in degrees, heading grows when the body turns left. Arrays are (T,) or (T, 3).
"""

from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from remogpt.motion.skeleton import BONE_LENGTHS, FPS, JOINT_INDEX, NUM_JOINTS
from remogpt.runtime.errors import RemogptError

LEG_LENGTH = float(BONE_LENGTHS[[4, 5, 7, 8]].sum() / 2.0)
"""Metres from hip to ankle on the common skeleton."""
ARM_LENGTH = float(BONE_LENGTHS[[18, 19, 20, 21]].sum() / 2.0)
"""Metres from shoulder to wrist on the common skeleton."""
STANDING_HEIGHT = 0.94
"""Metres from floor to pelvis of a person who stands straight."""
MIN_FRAMES = 16

LIGHT, MEDIUM, HEAVY = 0.7, 2.0, 4.0
"""Standard deviations of the Gaussian smoothing in frames: for fast hands, for poses, for gait."""

SIDES = ("left", "right")


def other(side: str) -> str:
    """Name the opposite side."""
    return "right" if side == "left" else "left"


_Arguments = ParamSpec("_Arguments")
_Measured = TypeVar("_Measured")


def memo(
    measure: Callable[Concatenate["Body", _Arguments], _Measured],
) -> Callable[Concatenate["Body", _Arguments], _Measured]:
    """Cache a measurement of a body, a method or a function, for each set of arguments.

    Many facts are asked of one body, and they share measurements. Nobody may change what comes back.
    """

    @wraps(measure)
    def remembered(body: "Body", *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Measured:
        key = (measure, args, tuple(kwargs.items()))
        if key not in body.memory:
            body.memory[key] = measure(body, *args, **kwargs)
        found: _Measured = body.memory[key]
        return found

    return remembered


class Body:
    """A motion's joints with the measurements that predicates use, computed on first use."""

    def __init__(self, joints: np.ndarray) -> None:
        """Take joints (T, 22, 3), metres, y up, 20 fps; raises RemogptError for other shapes and for NaN."""
        joints = np.asarray(joints, dtype=np.float64)
        if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3) or len(joints) < MIN_FRAMES:
            raise RemogptError(f"facts need joints of shape (T >= {MIN_FRAMES}, 22, 3), got {joints.shape}")
        if not np.isfinite(joints).all():
            raise RemogptError("facts need finite joints, got NaN or infinity")
        bones = [(1, 4), (4, 7), (2, 5), (5, 8)]
        legs = sum(np.median(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1)) for a, b in bones) / 2.0
        self.scale = float(max(legs, 1e-3) / LEG_LENGTH)
        """Size of this body relative to the common one; path distances are measured in true metres."""
        scaled = joints / self.scale
        toes = scaled[:, [10, 11], 1].min(axis=1)
        scaled[..., 1] -= np.percentile(toes, 10) - 0.02
        self.raw = scaled
        self.memory: dict[tuple[object, ...], Any] = {}
        """What `memo` keeps."""

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.raw)

    @memo
    def smooth(self, sigma: float) -> np.ndarray:
        """(T, 22, 3) joints, smoothed along time."""
        from scipy.ndimage import gaussian_filter1d  # slow to import, and facts that are stored need no body

        return np.asarray(gaussian_filter1d(self.raw, sigma, axis=0, mode="nearest"))

    def at(self, joint: str, sigma: float = LIGHT) -> np.ndarray:
        """(T, 3) positions of a named joint."""
        return self.smooth(sigma)[:, JOINT_INDEX[joint]]

    def height(self, joint: str, sigma: float = LIGHT) -> np.ndarray:
        """(T,) height of a joint above the floor."""
        return self.at(joint, sigma)[:, 1]

    def _yaw(self, part: str, sigma: float) -> np.ndarray:
        across = self.at(f"left_{part}", sigma) - self.at(f"right_{part}", sigma)
        return np.asarray(np.unwrap(np.arctan2(-across[:, 2], across[:, 0])))

    @memo
    def heading(self, part: str = "hip", sigma: float = HEAVY) -> np.ndarray:
        """(T,) radians, where the hips (or shoulders) face: 0 = +z, growing to the left (+x), unwrapped."""
        return self._yaw(part, sigma)

    @memo
    def shoulder_turn(self, sigma: float = MEDIUM) -> np.ndarray:
        """(T,) degrees that the shoulders are turned to the left against the hips."""
        turn = self._yaw("shoulder", sigma) - self._yaw("hip", sigma)
        return np.degrees(np.arctan2(np.sin(turn), np.cos(turn)))

    @memo
    def axes(self, part: str = "hip") -> tuple[np.ndarray, np.ndarray]:
        """(T, 3) unit vectors forward and left of the heading of hips or shoulders."""
        yaw = self.heading(part, MEDIUM)
        zero = np.zeros_like(yaw)
        forward = np.stack([np.sin(yaw), zero, np.cos(yaw)], axis=-1)
        left = np.stack([np.cos(yaw), zero, -np.sin(yaw)], axis=-1)
        return forward, left

    @memo
    def offset(self, joint: str, origin: str, part: str = "hip", sigma: float = LIGHT) -> np.ndarray:
        """(T, 3) offset of a joint from another, as (forward, up, left) in the heading of hips or shoulders."""
        vector = self.at(joint, sigma) - self.at(origin, sigma)
        forward, left = self.axes(part)
        return np.stack([(vector * forward).sum(-1), vector[:, 1], (vector * left).sum(-1)], axis=-1)

    @memo
    def above(self, joint: str, origin: str) -> np.ndarray:
        """(T,) distance of a joint from another along the trunk (pelvis to neck), which may lean."""
        trunk = self.at("neck", MEDIUM) - self.at("pelvis", MEDIUM)
        between = self.at(joint) - self.at(origin, MEDIUM)
        return np.asarray((between * trunk).sum(-1) / np.maximum(np.linalg.norm(trunk, axis=-1), 1e-6))

    def outward(self, joint: str, origin: str, side: str, part: str = "hip") -> np.ndarray:
        """(T,) distance of a joint from another towards the given side of the body."""
        left = self.offset(joint, origin, part)[:, 2]
        return left if side == "left" else -left

    @memo
    def gap(self, first: str, second: str, sigma: float = LIGHT) -> np.ndarray:
        """(T,) distance between two joints."""
        return np.asarray(np.linalg.norm(self.at(first, sigma) - self.at(second, sigma), axis=-1))

    @memo
    def velocity(self, joint: str = "pelvis", sigma: float = HEAVY) -> np.ndarray:
        """(T, 3) velocity of a joint in metres a second, as (forward, up, left) in the heading of the hips."""
        speed = np.gradient(self.at(joint, sigma), axis=0) * FPS
        forward, left = self.axes()
        return np.stack([(speed * forward).sum(-1), speed[:, 1], (speed * left).sum(-1)], axis=-1)

    @memo
    def speed(self, joint: str, sigma: float = LIGHT, part: str = "hip") -> np.ndarray:
        """(T,) speed of a joint relative to the pelvis, metres a second, in the heading of hips or shoulders."""
        relative = self.offset(joint, "pelvis", part, sigma)
        return np.asarray(np.linalg.norm(np.gradient(relative, axis=0), axis=-1) * FPS)

    @cached_property
    def standing(self) -> float:
        """Pelvis height when this person stands upright; the common height if the clip never shows it."""
        return float(np.clip(np.percentile(self.height("pelvis", MEDIUM), 90), 0.88 * STANDING_HEIGHT, STANDING_HEIGHT))

    @memo
    def pelvis_ratio(self) -> np.ndarray:
        """(T,) pelvis height over standing height."""
        return self.height("pelvis", 1.0) / self.standing

    @memo
    def lift(self, side: str) -> np.ndarray:
        """(T,) height of a foot above its resting position: the smaller lift of ankle and toe."""
        lifts = []
        for joint in (f"{side}_ankle", f"{side}_foot"):
            height = self.height(joint)
            lifts.append(height - np.percentile(height, 10) if np.ptp(height) > 0.02 else height * 0.0)
        return np.minimum(*lifts)

    @memo
    def lean(self) -> np.ndarray:
        """(T, 2) degrees that the trunk (pelvis to neck) leans forward and to the left against the vertical."""
        trunk = self.offset("neck", "pelvis", "hip", MEDIUM)
        up = np.maximum(trunk[:, 1], 1e-6)
        forward = np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1]))
        return np.stack([forward, np.degrees(np.arctan2(trunk[:, 2], up))], axis=-1)
