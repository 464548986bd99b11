"""Motions whose rotations are known: a body with constant bones, posed by random smooth turns of its joints."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.skeleton import NUM_JOINTS, TARGET_OFFSETS

NUM_FRAMES = 41
HEADINGS = {"ahead": (0.0, 0.0), "away": (180.0, 180.0), "turns 540 degrees": (0.0, 540.0)}
"""Heading in the first and the last frame, degrees."""


def made_motion(heading: str, *, seed: int = 0, offsets: np.ndarray = TARGET_OFFSETS) -> tuple[np.ndarray, np.ndarray]:
    """Return joints (T, 22, 3) float64 in metres and the pelvis's rotations (T, 3, 3)."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, (NUM_JOINTS, 3))
    times = np.linspace(0, 4 * np.pi, NUM_FRAMES)[:, None, None]
    turns = 0.5 * np.sin(times * rng.uniform(0.3, 1.0, (NUM_JOINTS, 3)) + phase)
    local = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(NUM_FRAMES, NUM_JOINTS, 3, 3)
    yaw = np.radians(np.linspace(*HEADINGS[heading], NUM_FRAMES))[:, None] * (0.0, 1.0, 0.0)
    local[:, 0] = Rotation.from_rotvec(yaw).as_matrix() @ local[:, 0]
    root = np.linspace((0.0, 0.95, 2.0), (1.0, 0.95, 0.0), NUM_FRAMES)
    return np.asarray(forward_kinematics(local, root, np.asarray(offsets, dtype=np.float64))), local[:, 0]


def degrees_between(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest angle between rotations (..., 3, 3)."""
    return float(
        np.degrees(Rotation.from_matrix((first.swapaxes(-1, -2) @ second).reshape(-1, 3, 3)).magnitude()).max()
    )
