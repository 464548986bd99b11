"""Hold a motion with its name and caption; read and write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.motion.arrays import to_numpy
from remogpt.motion.checks import check_features, check_joints
from remogpt.motion.feature_body import HUMANML3D, FeatureBody
from remogpt.motion.features import joints_in_metres, joints_to_features
from remogpt.motion.mirror import mirror_caption, mirror_joints
from remogpt.motion.resample import resample
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True, eq=False)
class Motion:
    """Joint positions of one person, with name and caption."""

    joints: np.ndarray
    """(T, 22, 3) float32 metres, y up; (T, 21, 3) of KIT-ML's body."""

    fps: float = FPS
    """Frames a second of `joints`; 20 unless the motion was built with another rate on purpose."""

    name: str = ""
    """An identifier: a file's stem, a clip's id."""

    caption: str | None = None
    """What the person does, in one sentence."""

    given_features: np.ndarray | None = field(default=None, repr=False)
    """(T, 263) float32 as read from a file; kept because a round trip through joints loses precision."""

    notices: tuple[str, ...] = ()
    """What was understood and mended when the motion was read, one phrase each."""

    body: FeatureBody = field(default=HUMANML3D, repr=False)
    """Whose joints and features these are: HumanML3D's, or KIT-ML's, of which a model for KIT-ML alone makes use."""

    def __post_init__(self) -> None:
        joints = check_joints(self.joints, where=self.name or "joints", num_joints=self.body.num_joints)
        object.__setattr__(self, "joints", np.ascontiguousarray(joints, dtype=np.float32))
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise RemogptError(f"fps: wanted frames a second above 0, got {self.fps}.")

    @classmethod
    def from_joints(
        cls, joints: np.ndarray, fps: float = FPS, *, name: str = "", caption: str | None = None, method: str = "linear"
    ) -> Motion:
        """Build a motion at 20 fps from joint positions at any rate.

        Args:
            joints: (T, 22, 3) in metres, y up.
            fps: frames a second of `joints`.
            name: where they are from; stands in errors.
            caption: what happens in it.
            method: how frames are drawn at another rate, see `resample`.

        Raises:
            RemogptError: wrong shape, NaN, a rate that is not a positive number.
        """
        return cls(resample(check_joints(joints, where=name or "joints"), fps, method=method), FPS, name, caption)

    @classmethod
    def from_features(
        cls, features: np.ndarray, *, name: str = "", caption: str | None = None, body: FeatureBody = HUMANML3D
    ) -> Motion:
        """Build a motion from features, which are kept unchanged.

        Args:
            features: (T, 263) as HumanML3D has them, or those of `body`.
            name: where they are from; stands in errors.
            caption: what happens in it.
            body: whose features they are.

        Raises:
            RemogptError: wrong shape (KIT-ML's 251 channels are named), NaN.
        """
        values = to_numpy(features)
        check_features(values, where=name or "features", num_features=body.num_features)
        if values.ndim != 2:
            raise RemogptError(
                f"{name or 'features'}: wanted one motion (T, {body.num_features}), got {values.shape}. "
                "Build one Motion for each."
            )
        values = np.ascontiguousarray(values, dtype=np.float32)
        return cls(joints_in_metres(values), body.fps, name, caption, values, body=body)

    @property
    def num_frames(self) -> int:
        """T, the number of frames of `joints`."""
        return len(self.joints)

    @property
    def seconds(self) -> float:
        """How long the motion plays."""
        return self.num_frames / self.fps

    @cached_property
    def features(self) -> np.ndarray:
        """(T', 263) float32 at 20 fps: the given features (T' = T), or computed from the joints (T' = T - 1).

        Raises:
            RemogptError: fewer than 2 frames at 20 fps, a joint that lies on its parent.
        """
        if self.given_features is not None:
            return self.given_features
        self.check_our_body("features are not made of its joints")
        return joints_to_features(resample(self.joints, self.fps))

    def mirrored(self) -> Motion:
        """Return the motion and caption with left and right swapped."""
        self.check_our_body("it cannot be mirrored")
        caption = None if self.caption is None else mirror_caption(self.caption)
        return Motion(mirror_joints(self.joints), self.fps, f"M{self.name}" if self.name else "", caption)

    def check_our_body(self, why: str) -> None:
        """Refuse a motion of another body than the 22 joints that most of this package knows.

        Raises:
            RemogptError: with the body, and `why` it matters.
        """
        if self.body.num_joints != HUMANML3D.num_joints:
            raise RemogptError(
                f"{self.name or 'this motion'} has {self.body.name}'s {self.body.num_joints} joints, not our "
                f"{HUMANML3D.num_joints}: {why}; write its features or joints as .npy"
            )

    def save(self, path: str | Path, **options: Any) -> Path:
        """Write the motion in the format that the suffix names; see `save_motion` for formats and options.

        Raises:
            RemogptError: a suffix that cannot be written, or an option that the format has no place for.
        """
        from remogpt.motion.files.write import save_motion  # keep reading cheap

        return save_motion(self, path, **options)
