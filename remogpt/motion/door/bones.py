"""See whether bones keep their lengths and stand in a person's proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from remogpt.motion.door.measure import OUR_LEG, bone_lengths, leg_length, trunk_length
from remogpt.motion.features import features_to_joints
from remogpt.motion.skeleton import BONE_LENGTHS, FPS, JOINT_INDEX, JOINT_NAMES, PARENTS
from remogpt.runtime.errors import RemogptError

_ELASTIC = 0.6
"""Share of its length by which a typical bone of a body that is none changes (10th to 90th percentile)."""
_LOOSE = 0.9
"""The same for features, which models write with some noise on every joint."""
_SCALED = 0.08
"""Share by which all bones of features differ from the one body that features have, if they are scaled."""
_OTHER_BODY = 0.25
"""Share by which the typical bone of features may differ: some sets keep each person's own body."""
_OUR_TRUNK = float(BONE_LENGTHS[[JOINT_INDEX[name] for name in ("spine1", "spine2", "spine3", "neck")]].sum())
_REACH, _FARTHEST = 5.0, 1e5
"""Largest distance of a joint from the pelvis, in medians of the frames' largest; metres from the origin."""
_PROPORTIONS = (0.6, 1.0)
"""Trunk over leg of people, by the joints of common rigs; the feature format's body has 0.67."""
_NOBODYS = 0.45
"""Trunk over leg that no recording of a person has: CMU's bodies have 0.55 to 0.58, Kinect's 0.49."""
_LOWER = ("pelvis", "hip", "knee", "ankle", "foot")
_UPPER = [joint for joint, name in enumerate(JOINT_NAMES) if not name.endswith(_LOWER)]
"""Joints above the pelvis."""


def check_reach(joints: np.ndarray, origin: str) -> None:
    """Refuse a body of which a joint lies, in some frame, where no body reaches or no recording goes.

    Args:
        joints: (T, 22, 3) metres.
        origin: file, for messages.

    Raises:
        RemogptError: with the first such frame and joint.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.linalg.norm(np.asarray(joints, dtype=np.float64) - joints[:, :1], axis=-1)  # (T, 22)
        most = max(_REACH * float(np.nanmedian(reach.max(axis=1))), 1e-6)
        is_off = ~(reach <= most) | ~(np.abs(joints).max(axis=-1) < _FARTHEST)
    if is_off.any():
        frame, joint = np.argwhere(is_off)[0]
        where = ", ".join(f"{value:.4g}" for value in joints[frame, joint])
        raise RemogptError(
            f"{origin}: in frame {frame} the {JOINT_NAMES[joint]} lies at ({where}) m, where no joint of this body can "
            f"be ({int(is_off.any(axis=1).sum())} of {len(joints)} frames). Cut or interpolate these frames."
        )


def check_rigid(joints: np.ndarray, origin: str) -> None:
    """Refuse a body whose bones change their lengths as no body's do.

    Raises:
        RemogptError: with the bones that change most.
    """
    lengths = bone_lengths(joints)[:, 1:]
    low, middle, high = np.percentile(lengths, [10, 50, 90], axis=0)
    change = (high - low) / np.maximum(middle, 1e-9)
    if np.median(change) > _ELASTIC:
        worst = int(np.argmax(change))
        raise RemogptError(
            f"{origin}: bones change their lengths by {np.median(change):.0%} (the one to {JOINT_NAMES[worst + 1]} "
            f"from {low[worst]:.2g} to {high[worst]:.2g}), so these are no joint positions of one body. Is the joint "
            f"order that of remogpt.motion.skeleton.JOINT_NAMES, and are the values neither normalised nor angles?"
        )


def to_our_proportions(joints: np.ndarray, is_guessed: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    """Pose our upper body by the directions of the bones where a figure is not built like a person.

    Toys have large heads, and some rigs lose a part of the spine; the directions of their bones still say what the
    body does. Pelvis and legs stay as they are, and so do features but for a degree of the head, since every body gets
    our bones for them.

    Args:
        joints: (T, 22, 3) metres.
        is_guessed: the joints were told by their anatomy; a skeleton that we know is left as it was recorded unless
            nobody is built so: Bandai-Namco's rig, whose head joint stands 1.3 m over the feet of an adult.

    Returns:
        The joints, and what is to be said.
    """
    ratio = trunk_length(joints) / leg_length(joints)
    if (_PROPORTIONS[0] if is_guessed else _NOBODYS) < ratio < _PROPORTIONS[1]:
        return joints, ()
    size = leg_length(joints) / OUR_LEG
    posed = joints.copy()
    lengths = np.maximum(bone_lengths(joints), 1e-9)
    for joint in _UPPER:
        direction = (joints[:, joint] - joints[:, PARENTS[joint]]) / lengths[:, joint, None]
        posed[:, joint] = posed[:, PARENTS[joint]] + direction * float(BONE_LENGTHS[joint]) * size
    built = f"it has {ratio:.2f} of the leg, people {_OUR_TRUNK / OUR_LEG:.2f}"
    return posed, (f"upper body posed with a usual trunk by the directions of the bones: {built}",)


@dataclass(frozen=True)
class FeatureFault:
    """Why features are no body's in metres."""

    kind: str
    """zero, scaled, normalised or body."""
    what: str
    """For messages."""
    ratio: float
    """Typical length of the bones over a body's."""


def judge_features(features: np.ndarray) -> FeatureFault | None:
    """Find out whether the joints of features (T, 263) are a body's; None if they are."""
    joints = features_to_joints(np.asarray(features, dtype=np.float64))
    lengths = bone_lengths(joints)[:, 1:]
    low, middle, high = np.percentile(lengths, [10, 50, 90], axis=0)
    found, change = middle / BONE_LENGTHS[1:], float(np.median((high - low) / np.maximum(middle, 1e-9)))
    ratio = float(np.median(found))
    is_scaled = abs(ratio - 1) > _SCALED and np.abs(found / max(ratio, 1e-9) - 1).max() < _SCALED
    step = np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1) if len(joints) > 1 else np.zeros(1)
    if not is_scaled and np.median(np.abs(found - 1)) < _OTHER_BODY and change < _LOOSE and np.median(step) < 1.0:
        return None
    if not np.abs(features).max() > 0:
        return FeatureFault("zero", "all values are zero", ratio)
    if is_scaled:
        what = f"all bones are {ratio:.3g} times those of a body; the features seem to be scaled"
        return FeatureFault("scaled", what, ratio)
    if change >= _LOOSE:
        what = (
            f"bones are {ratio:.2g} times those of a body and change their lengths by {change:.0%}; the features seem "
            f"to be normalised, (x - mean) / std"
        )
        return FeatureFault("normalised", what, ratio)
    what = f"bones are {ratio:.2g} times those of a body, and it moves {np.median(step) * FPS:.2g} m/s"
    return FeatureFault("body", what, ratio)


def check_features(features: np.ndarray, origin: str) -> None:
    """Refuse features whose joints are no body's: normalised, scaled, or something else.

    Args:
        features: (T, 263).
        origin: file, for messages.

    Raises:
        RemogptError: with what they seem to be.
    """
    fault = judge_features(features)
    if fault is None:
        check_reach(features_to_joints(np.asarray(features, dtype=np.float64)), origin)
        return
    hint = ". Multiply by std and add the mean of their set" if fault.kind == "normalised" else ""
    raise RemogptError(
        f"{origin}: wanted features in metres as joints_to_features makes them, but {fault.what}{hint}. Give raw "
        f"features, or joints"
    )
