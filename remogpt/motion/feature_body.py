"""Describe the bodies for which features exist: HumanML3D's 22 joints and KIT-ML's 21.

Source: HumanML3D 9176e8f, its skeleton parameters for both sets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from remogpt.motion.skeleton import (
    BONE_LENGTHS,
    CHAINS,
    FACE_JOINTS,
    FPS,
    KIT_FPS,
    LEFT_FOOT,
    LEG_JOINTS,
    RAW_OFFSETS,
    RIGHT_FOOT,
)
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True, eq=False)
class FeatureBody:
    """Joints, rest pose and conventions of a feature format."""

    name: str
    chains: tuple[tuple[int, ...], ...]
    """Kinematic chains, root first: right leg, left leg, backbone, right arm, left arm."""
    raw_offsets: np.ndarray
    """(J, 3) unit direction of the bone that ends at each joint, in the rest pose; the root's is zero."""
    face_joints: tuple[int, int, int, int]
    """Right hip, left hip, right shoulder, left shoulder."""
    leg_joints: tuple[int, int]
    """The bones, by the joints at which they end, whose lengths set the scale between two bodies."""
    left_foot: tuple[int, int]
    right_foot: tuple[int, int]
    contact_threshold: float
    """Squared length: a foot joint whose squared displacement to the next frame is below this rests."""
    fps: float
    """Frames a second of the features."""
    bone_lengths: np.ndarray | None = None
    """(J,) lengths to which every person is scaled; None: each person keeps their own."""
    unit: float = 1.0
    """Metres of one unit of length."""

    @property
    def num_joints(self) -> int:
        """J."""
        return len(self.raw_offsets)

    @property
    def num_features(self) -> int:
        """F: four of the root, 9 of each other joint, velocities of all, four contacts."""
        return 12 * self.num_joints - 1

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Parent of each joint; -1 of the root."""
        found = [-1] * self.num_joints
        for chain in self.chains:
            for parent, joint in pairwise(chain):
                found[joint] = parent
        return tuple(found)

    @cached_property
    def tree_order(self) -> tuple[int, ...]:
        """Joints but the root, every parent before its children."""
        return tuple(joint for chain in self.chains for joint in chain[1:])

    @cached_property
    def mirror_order(self) -> tuple[int, ...]:
        """Joint of the other side in the place of each joint."""
        order = list(range(self.num_joints))
        right_leg, left_leg, _, right_arm, left_arm = self.chains
        for right, left in (*zip(right_leg, left_leg, strict=True), *zip(right_arm, left_arm, strict=True)):
            order[right], order[left] = left, right
        return tuple(order)

    @property
    def positions(self) -> slice:
        """Channels of the positions of joints 1 to J - 1."""
        return slice(4, 4 + 3 * (self.num_joints - 1))

    @property
    def rotations(self) -> slice:
        """Channels of their rotations, six each."""
        return slice(self.positions.stop, self.positions.stop + 6 * (self.num_joints - 1))

    @property
    def velocities(self) -> slice:
        """Channels of the displacement of all joints to the next frame."""
        return slice(self.rotations.stop, self.rotations.stop + 3 * self.num_joints)

    @property
    def contacts(self) -> slice:
        """Channels of the contacts: left ankle, left foot, right ankle, right foot."""
        return slice(self.velocities.stop, self.velocities.stop + 4)

    def with_target(self, joints: np.ndarray) -> FeatureBody:
        """Return this body with the bone lengths of a pose (J, 3), to which every person is then scaled."""
        pose = np.asarray(joints, dtype=np.float32)
        lengths = np.linalg.norm(pose - pose[[max(parent, 0) for parent in self.parents]], axis=-1)
        return replace(self, bone_lengths=lengths)


HUMANML3D = FeatureBody(
    "HumanML3D", CHAINS, RAW_OFFSETS, FACE_JOINTS, LEG_JOINTS, LEFT_FOOT, RIGHT_FOOT, 0.002, FPS, BONE_LENGTHS
)
"""263 channels of 22 joints in metres."""


def _kit_offsets() -> np.ndarray:
    offsets = np.zeros((21, 3), dtype=np.float32)
    offsets[[1, 2, 3, 4]] = (0, 1, 0)
    offsets[[5, 11]] = (1, 0, 0)
    offsets[[8, 16]] = (-1, 0, 0)
    offsets[[6, 7, 9, 10, 12, 13, 17, 18]] = (0, -1, 0)
    offsets[[14, 15, 19, 20]] = (0, 0, 1)
    offsets.flags.writeable = False
    return offsets


KIT = FeatureBody(
    "KIT-ML",
    ((0, 11, 12, 13, 14, 15), (0, 16, 17, 18, 19, 20), (0, 1, 2, 3, 4), (3, 5, 6, 7), (3, 8, 9, 10)),
    _kit_offsets(),
    (11, 16, 5, 8),
    (17, 18),
    (19, 20),
    (14, 15),
    0.05,
    KIT_FPS,
    unit=0.001,
)
"""251 channels of 21 joints, in millimetres or whatever unit the joints have.

KIT-ML's own features are scaled to frame 0 of its clip 03950, which its code does not hold: where you have that clip,
`KIT.with_target(joints[0])` repeats it.
"""


def body_of(num_features: int) -> FeatureBody:
    """Return whose features have so many channels.

    Raises:
        RemogptError: nobody's.
    """
    for body in (HUMANML3D, KIT):
        if num_features == body.num_features:
            return body
    raise RemogptError(f"wanted features of 263 channels (HumanML3D) or 251 (KIT-ML), got {num_features}")
