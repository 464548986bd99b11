"""Define the 22-joint body of every motion in this project.

Conventions: metres, y up, right-handed, 20 frames a second; a person who faces +z has the left side at +x.
The joint order is that of the SMPL body without hands, as in HumanML3D.

Source: HumanML3D, arXiv 2204.14277 (Guo et al. 2022), sec. 4 and its released processing (9176e8f).
"""

from __future__ import annotations

import numpy as np

FPS = 20.0
"""Frames a second of every motion, unless a name says otherwise."""

NUM_JOINTS = 22
NUM_FEATURES = 263
KIT_NUM_FEATURES = 251
"""Channels of a KIT-ML motion of 21 joints; usable only by a retriever that was trained on KIT-ML."""
KIT_FPS = 12.5
"""Frames a second of KIT-ML's features."""

JOINT_NAMES: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip

JOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(JOINT_NAMES)}

CHAINS: tuple[tuple[int, ...], ...] = (
    (0, 2, 5, 8, 11),  # right leg
    (0, 1, 4, 7, 10),  # left leg
    (0, 3, 6, 9, 12, 15),  # backbone
    (9, 14, 17, 19, 21),  # right arm
    (9, 13, 16, 18, 20),  # left arm
)
"""Kinematic chains, root first. The arms start at spine3, so the backbone must be solved before them."""

PARENTS: tuple[int, ...] = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Parent of each joint; every parent has a smaller index than its child, so one pass in order is a tree walk."""

MIRROR_PAIRS: tuple[tuple[int, int], ...] = (
    (1, 2), (4, 5), (7, 8), (10, 11), (13, 14), (16, 17), (18, 19), (20, 21),
)  # fmt: skip
"""(left, right) joints that mirroring swaps."""

FACE_JOINTS: tuple[int, int, int, int] = (2, 1, 17, 16)
"""Right hip, left hip, right shoulder, left shoulder: the joints that define the facing direction."""

LEG_JOINTS: tuple[int, int] = (5, 8)
"""Right thigh and shin: the bones whose lengths set the scale between two skeletons."""

LEFT_FOOT: tuple[int, int] = (7, 10)
RIGHT_FOOT: tuple[int, int] = (8, 11)

_DIRECTIONS: dict[tuple[int, int, int], tuple[int, ...]] = {
    (1, 0, 0): (1, 13),
    (-1, 0, 0): (2, 14),
    (0, 1, 0): (3, 6, 9, 12),
    (0, -1, 0): (4, 5, 7, 8, 16, 17, 18, 19, 20, 21),
    (0, 0, 1): (10, 11, 15),
}


def _raw_offsets() -> np.ndarray:
    offsets = np.zeros((NUM_JOINTS, 3), dtype=np.float32)
    for direction, joints in _DIRECTIONS.items():
        offsets[list(joints)] = direction
    offsets.flags.writeable = False
    return offsets


def _frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values


RAW_OFFSETS: np.ndarray = _raw_offsets()
"""(22, 3) unit direction of the bone that ends at each joint, in the rest pose; the root's is zero."""

BONE_LENGTHS: np.ndarray = _frozen(
    np.array(
        [
            0.0, 0.10307396948337555, 0.1098833680152893, 0.13156823813915253, 0.3936232030391693,
            0.39018821716308594, 0.14319021999835968, 0.4324330687522888, 0.42564335465431213, 0.05736473575234413,
            0.14338181912899017, 0.14941906929016113, 0.21936005353927612, 0.1374867707490921, 0.14338283240795135,
            0.1030392199754715, 0.13161404430866241, 0.122984379529953, 0.2568399906158447, 0.2630917429924011,
            0.26601171493530273, 0.2698763906955719,
        ],
        dtype=np.float32,
    )
)  # fmt: skip
"""(22,) metres, length of the bone that ends at each joint. All digits matter: every feature value depends on them."""

TARGET_OFFSETS: np.ndarray = _frozen(RAW_OFFSETS * BONE_LENGTHS[:, None])
"""(22, 3) metres: the body to which every person is scaled before features are computed."""
