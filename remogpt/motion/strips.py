"""Draw motion strips: poses of a skeleton side by side along time, as SVG.

The left side of the body is blue and the right side orange, as in the player; the line is the floor. The camera
looks from the front and the person's right, so that a forward walk goes to the right. Each pose
is centred in a column of its own: a strip shows what the body does, not how far it goes.
"""

from html import escape
from pathlib import Path

import numpy as np

from remogpt.motion import features_to_joints
from remogpt.motion.skeleton import CHAINS, FACE_JOINTS, FPS, JOINT_INDEX, JOINT_NAMES, NUM_FEATURES, NUM_JOINTS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy

VIEW = np.radians(50.0)
"""Angle between the camera and the facing direction of the first frame."""
POSE_WIDTH = 92.0
"""Drawing units per pose."""
SCALE = 84.0
"""Drawing units per metre, the same in all strips."""
LOWEST, HIGHEST = 1.8, 2.8
"""Least and greatest height shown, metres."""
_FEET = 26.0
"""Drawing units below the floor, for the time labels."""


def load_joints(path: str | Path) -> np.ndarray:
    """Read (T, 22, 3) joints from a .npy of joints or of (T, 263) features.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if the array has another shape.
    """
    array = read_npy(path)
    if array.ndim == 2 and array.shape[1] == NUM_FEATURES and len(array):
        array = features_to_joints(array)
    if array.ndim != 3 or array.shape[1:] != (NUM_JOINTS, 3):
        raise RemogptError(
            f"{path}: wanted joints (T, 22, 3) or features (T, 263), came {array.shape}; is it a motion?"
        )
    return array


def strip(joints: np.ndarray, *, num_poses: int = 10, label: str = "") -> str:
    """Draw poses at equal distances in time, the first and the last frame among them.

    Args:
        joints: (T, 22, 3) in metres, y up, 20 fps.
        num_poses: poses drawn; fewer where the motion has fewer frames.
        label: text for screen readers.

    Returns:
        An `<svg>` element; every limb is a polyline of class left, right or trunk.

    Raises:
        RemogptError: if the joints have another shape, no frame, or are not finite.
    """
    joints = np.asarray(joints, dtype=np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3) or not len(joints):
        raise RemogptError(f"a strip needs joints (T, 22, 3) with T > 0, came {joints.shape}; are these features?")
    if not np.isfinite(joints).all():
        raise RemogptError("a strip needs finite joints, came NaN or infinity; were the features damaged?")
    frames = np.round(np.linspace(0, len(joints) - 1, min(num_poses, len(joints)))).astype(int)
    across, depth = (joints @ direction for direction in view_directions(joints))
    top = float(np.clip(joints[..., 1].max() + 0.15, LOWEST, HIGHEST))
    floor, width = SCALE * top, POSE_WIDTH * num_poses
    poses = []
    for column, frame in enumerate(frames):
        x = POSE_WIDTH * (column + 0.5) + SCALE * (across[frame] - across[frame, 0])
        y = floor - SCALE * joints[frame, :, 1]
        time = f'<text x="{POSE_WIDTH * (column + 0.5):.1f}" y="{floor + 18:.1f}">{frame / FPS:.1f} s</text>'
        poses.append(f"<g>{_pose(np.stack([x, y], axis=-1), depth[frame])}{time}</g>")
    return (
        f'<svg class="strip" role="img" aria-label="{escape(label or "motion", quote=True)}" '
        f'viewBox="0 0 {width:.0f} {floor + _FEET:.0f}">'
        f'<line class="ground" x1="0" x2="{width:.0f}" y1="{floor:.1f}" y2="{floor:.1f}"/>{"".join(poses)}</svg>'
    )


def side_of(chain: tuple[int, ...]) -> str:
    """Name the side of the body that a kinematic chain ends on: left, right or trunk."""
    side = JOINT_NAMES[chain[-1]].split("_")[0]
    return side if side in ("left", "right") else "trunk"


def view_directions(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors to the right in a drawing and towards its camera, for joints (T, 22, 3)."""
    right_hip, left_hip, right_shoulder, left_shoulder = joints[0, FACE_JOINTS, :]
    to_left = (left_hip - right_hip + left_shoulder - right_shoulder) * (1.0, 0.0, 1.0)
    length = np.linalg.norm(to_left)
    to_left = to_left / length if length > 1e-6 else np.array([1.0, 0.0, 0.0])
    forward = np.cross(to_left, (0.0, 1.0, 0.0))
    return np.cos(VIEW) * to_left + np.sin(VIEW) * forward, np.cos(VIEW) * forward - np.sin(VIEW) * to_left


def _pose(points: np.ndarray, depth: np.ndarray) -> str:
    """Draw one pose, far limbs first: points (22, 2), depth (22,)."""
    limbs = sorted(CHAINS, key=lambda chain: float(depth[list(chain[1:])].mean()))
    lines = "".join(
        f'<polyline class="{side_of(chain)}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points[list(chain)])}"/>'
        for chain in limbs
    )
    x, y = points[JOINT_INDEX["head"]]
    return f'{lines}<circle class="trunk" cx="{x:.1f}" cy="{y:.1f}" r="{0.1 * SCALE:.1f}"/>'
