"""Examine motions that are not our 263 channels: KIT-ML's 251 of 21 joints, Motion-X's 322 SMPL-X parameters."""

from itertools import pairwise

import numpy as np

from remogpt.data.doctor.motions import MotionFault
from remogpt.motion.door.sides import check_sides
from remogpt.motion.feature_body import KIT
from remogpt.motion.features import features_to_joints
from remogpt.motion.skeleton import NUM_JOINTS
from remogpt.runtime.errors import RemogptError

_LEG = (300.0, 1300.0)
"""KIT-ML's units, about millimetres, from hip to ankle."""
_ELASTIC = 0.9
"""Share of its length by which a typical bone of a body that is none changes."""
_FASTEST = 15.0
"""Metres a second that nobody keeps up."""
_OURS = (0, 16, 11, 1, 17, 12, 2, 18, 13, 3, 19, 14, 3, 3, 3, 4, 8, 5, 9, 6, 10, 7)
"""KIT-ML's joint in the place of each of ours; the collars lie on the neck."""
_AGAIN = "Make the features anew with remogpt.motion.joints_to_features(joints, body=KIT)"
_ROTATIONS = slice(0, 159)
"""Motion-X: axis-angle of root, body, hands and jaw."""
_PLACE = slice(309, 312)


def examine_kit(features: np.ndarray, mean: np.ndarray | None, std: np.ndarray | None) -> MotionFault | None:
    """Find the first fault of KIT-ML's features (T, 251) of finite numbers."""
    joints = features_to_joints(features, body=KIT)
    leg, change = _shape(joints)
    if not np.abs(features).max() > 0:
        return MotionFault("malformed", "all values are zero", "Copy the file again")
    if change >= _ELASTIC:
        what = f"bones change their lengths by {change:.0%}; the features seem to be normalised, (x - mean) / std"
        if mean is not None and std is not None:
            raw = _shape(features_to_joints((features * std + mean).astype(np.float32), body=KIT))
            if raw[1] < _ELASTIC and _LEG[0] < raw[0] < _LEG[1]:
                what = "normalised, (x - mean) / std: with the set's Mean.npy and Std.npy they are a body's"
                return MotionFault("normalised", what, "Multiply by Std.npy and add Mean.npy", lambda x: x * std + mean)
        return MotionFault("normalised", what, _AGAIN)
    if not _LEG[0] < leg < _LEG[1]:
        what = f"a leg measures {leg:.4g}, in KIT-ML's own features {_LEG[0]:g} to {_LEG[1]:g} (millimetres)"
        return MotionFault("scale", what, f"{_AGAIN} in millimetres")
    step = np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1) / 1000 * KIT.fps
    if np.median(step) > _FASTEST:
        return MotionFault("limits", f"moves at {np.median(step):.0f} m/s in half of the frames", _AGAIN)
    try:
        check_sides(_as_ours(joints), "")
    except RemogptError as error:
        what = str(error).removeprefix(": ").partition("; left")[0]
        return MotionFault("sides", f"left and right are swapped: {what}", _AGAIN)
    return None


def _shape(joints: np.ndarray) -> tuple[float, float]:
    """Return the length of a leg, and by which share of its length a typical bone changes."""
    lengths = {
        joint: np.linalg.norm(joints[:, joint] - joints[:, parent], axis=-1)
        for chain in KIT.chains
        for parent, joint in pairwise(chain)
    }
    legs = [float(np.median(lengths[thigh] + lengths[shin])) for thigh, shin in ((12, 13), (17, 18))]
    low, middle, high = np.percentile(np.stack(list(lengths.values())), [10, 50, 90], axis=1)
    return float(np.mean(legs)), float(np.median((high - low) / np.maximum(middle, 1e-9)))


def _as_ours(joints: np.ndarray) -> np.ndarray:
    """Return KIT-ML's joints (T, 21, 3) in the places of ours, (T, 22, 3)."""
    assert len(_OURS) == NUM_JOINTS
    return joints[:, list(_OURS)]


def examine_smplx(motion: np.ndarray) -> MotionFault | None:
    """Find the first fault of Motion-X's parameters (T, 322) of finite numbers, 30 frames a second."""
    if not np.abs(motion[:, _ROTATIONS]).max() > 0:
        return MotionFault("malformed", "all rotations are zero", "Copy the file again")
    largest = float(np.linalg.norm(motion[:, _ROTATIONS].reshape(len(motion), -1, 3), axis=-1).max())
    if largest > 4 * np.pi:
        what = f"a joint is turned by {largest:.0f} rad; are the angles degrees, or normalised?"
        return MotionFault("scale", what, "Give axis-angle rotations in radians")
    step = np.linalg.norm(np.diff(motion[:, _PLACE], axis=0), axis=-1) * 30
    if np.median(step) > _FASTEST:
        what = f"the root moves at {np.median(step):.0f} m/s in half of the frames"
        return MotionFault("scale", what, "Is it in millimetres? Give the place of the root in metres")
    up = _up(motion[:, :3])
    if (up[:, 1] < -np.cos(np.pi / 4)).mean() > 0.9:
        return MotionFault("up", "the body stands on its head in 90 % of the frames", "Turn it by half a turn about x")
    if (np.abs(up[:, 2]) > np.cos(np.pi / 4)).mean() > 0.9:
        return MotionFault("up", "the body stands along z in 90 % of the frames", "Turn it so that y points up")
    return None


def _up(root: np.ndarray) -> np.ndarray:
    """Return where the body's own up (T, 3) points, by the root's axis-angle (T, 3)."""
    from scipy.spatial.transform import Rotation  # slow to import

    return np.asarray(Rotation.from_rotvec(root).apply([0.0, 1.0, 0.0]))
