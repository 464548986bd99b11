"""Write our 22 joints as a BVH file that animation programs open.

Conventions: centimetres (as Bandai-Namco, LaFAN1 and Mixamo; import into Blender with scale 0.01), y up, rest pose is a
T-pose that faces +z, root with six channels, every other joint with the rotations Zrotation Xrotation Yrotation.

Positions do not tell how a limb is twisted about its own bone; the smallest twist is written. Bones of generated
motions may also change their lengths from frame to frame, which rotations cannot express. So a rigid skeleton (mean
bone lengths) is fitted first, and only joints that it would misplace get position channels too. Programs that ignore
position channels show the rigid skeleton; other programs show the joints as given.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt.motion.checks import check_joints
from remogpt.motion.files.euler import matrix_to_zxy
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.rotations import quaternion_to_matrix, shortest_arc
from remogpt.motion.skeleton import FPS, JOINT_NAMES, NUM_JOINTS, PARENTS
from remogpt.runtime.files import write_text

CENTIMETRES = 0.01
RIGID_TOLERANCE = 1e-4
"""Error of a bone in metres above which its joint gets position channels; seven bones in a row stay below 1 mm."""

_CHILDREN = tuple(tuple(child for child in range(NUM_JOINTS) if PARENTS[child] == joint) for joint in range(NUM_JOINTS))
_PROCRUSTES_ROUNDS = 4


def _t_pose() -> np.ndarray:
    directions = np.zeros((NUM_JOINTS, 3))
    for index, name in enumerate(JOINT_NAMES):
        side = 1.0 if name.startswith("left") else -1.0
        joint_kind = name.split("_")[-1]
        if joint_kind == "hip":
            directions[index] = (0.5 * side, -0.8, 0.0)
        elif joint_kind == "collar":
            directions[index] = (0.5 * side, 0.8, 0.0)
        elif joint_kind in ("knee", "ankle"):
            directions[index] = (0.0, -1.0, 0.0)
        elif joint_kind == "foot":
            directions[index] = (0.0, 0.0, 1.0)
        elif joint_kind in ("shoulder", "elbow", "wrist"):
            directions[index] = (side, 0.0, 0.0)
        elif joint_kind != "pelvis":
            directions[index] = (0.0, 1.0, 0.0)
    return directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-9)


_T_POSE = _t_pose()
"""(22, 3) unit direction in which each bone points at rest."""


@dataclass(frozen=True)
class RigidFit:
    """A skeleton with fixed bones, its rotations in each frame, and the remaining translations."""

    offsets: np.ndarray
    """(22, 3) metres, offset of each joint from its parent at rest."""
    rotations: np.ndarray
    """(T, 22, 3, 3) rotation of each joint relative to its parent."""
    translations: np.ndarray
    """(T, 22, 3) metres: exact offset of each joint in its parent's frame; for the root its position."""

    @property
    def is_moving(self) -> np.ndarray:
        """(22,) True where the fixed offset misplaces the joint by more than the tolerance."""
        gap = np.linalg.norm(self.translations - self.offsets, axis=-1).max(0)
        gap[0] = np.inf
        return gap > RIGID_TOLERANCE


def write_bvh(path: str | Path, joints: np.ndarray, fps: float = FPS, metres_per_unit: float = CENTIMETRES) -> None:
    """Write joints (T, 22, 3) in metres so that posing the file gives them back within 1 mm.

    Args:
        path: the file to write; an existing one is replaced.
        joints: (T, 22, 3) metres, y up.
        fps: frames a second.
        metres_per_unit: 0.01 for centimetres, 1.0 for metres.

    Raises:
        RemogptError: if joints have another shape or hold NaN.
    """
    positions = check_joints(joints, where="joints").astype(np.float64)
    fit = fit_rigid(positions)
    is_moving = fit.is_moving
    angles = matrix_to_zxy(fit.rotations)
    columns = []
    for joint in _depth_first():
        if is_moving[joint]:
            columns.append(fit.translations[:, joint] / metres_per_unit)
        columns.append(angles[:, joint])
    rows = io.StringIO()
    np.savetxt(rows, np.concatenate(columns, axis=1), fmt="%.6f")
    lines = ["HIERARCHY", *_hierarchy(0, 0, fit.offsets / metres_per_unit, is_moving)]
    lines += ["MOTION", f"Frames: {len(positions)}", f"Frame Time: {1.0 / fps:.9f}"]
    write_text(path, "\n".join(lines) + "\n" + rows.getvalue())


def fit_rigid(joints: np.ndarray) -> RigidFit:
    """Fit a skeleton with fixed bones to joint positions (T, 22, 3)."""
    bones = bone_offsets(joints)  # (T, 22, 3)
    offsets = _rest_offsets(bones)
    world = np.empty((len(joints), NUM_JOINTS, 3, 3))
    local = np.empty_like(world)
    translations = np.empty_like(joints)
    translations[:, 0] = joints[:, 0]
    for joint, children in enumerate(_CHILDREN):
        parent = world[:, PARENTS[joint]] if joint else np.broadcast_to(np.eye(3), (len(joints), 3, 3))
        if len(children) > 1:
            local[:, joint] = parent.swapaxes(1, 2) @ _best_rotation(offsets[list(children)], bones[:, children])
        elif children:
            wanted = np.einsum("tji,tj->ti", parent, bones[:, children[0]])
            local[:, joint] = quaternion_to_matrix(shortest_arc(offsets[children[0]], wanted).astype(np.float64))
        else:
            local[:, joint] = np.eye(3)
        world[:, joint] = parent @ local[:, joint]
        for child in children:
            translations[:, child] = np.einsum("tji,tj->ti", world[:, joint], bones[:, child])
    return RigidFit(offsets, local, translations)


def _rest_offsets(bones: np.ndarray) -> np.ndarray:
    """Return fixed bone offsets (22, 3) in a T-pose: mean lengths; at a fork, the mean shape of its bones."""
    lengths = np.linalg.norm(bones, axis=-1).mean(0)
    offsets = _T_POSE * lengths[:, None]
    for children in (list(group) for group in _CHILDREN if len(group) > 1):
        upright = offsets[children]
        shape = upright
        for _ in range(_PROCRUSTES_ROUNDS):
            turned = _best_rotation(shape, bones[:, children])
            shape = np.einsum("tji,tcj->ci", turned, bones[:, children]) / len(bones)
        offsets[children] = shape @ _best_rotation(shape, upright[None])[0].T
    return offsets


def _best_rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotations (T, 3, 3) that bring the vectors `source` (C, 3) closest to `target` (T, C, 3).

    Source: Kabsch, Acta Crystallographica A32 (1976) 922, by singular values.
    """
    left, _, right = np.linalg.svd(np.einsum("tci,cj->tij", target, source))
    # Where a reflection fits better than any rotation, the last axis is flipped back.
    left[..., 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return left @ right


def _depth_first(joint: int = 0) -> list[int]:
    """Return the joints in the order in which BVH writes their channels."""
    return [joint, *(later for child in _CHILDREN[joint] for later in _depth_first(child))]


def _hierarchy(joint: int, depth: int, offsets: np.ndarray, is_moving: np.ndarray) -> list[str]:
    pad, inner = "\t" * depth, "\t" * (depth + 1)
    positions = "Xposition Yposition Zposition " if is_moving[joint] else ""
    lines = [
        f"{pad}{'JOINT' if joint else 'ROOT'} {JOINT_NAMES[joint]}",
        f"{pad}{{",
        f"{inner}OFFSET {_numbers(offsets[joint])}",
        f"{inner}CHANNELS {6 if is_moving[joint] else 3} {positions}Zrotation Xrotation Yrotation",
    ]
    for child in _CHILDREN[joint]:
        lines += _hierarchy(child, depth + 1, offsets, is_moving)
    if not _CHILDREN[joint]:
        # Half the parent's bone, so that programs draw head, hands and toes in a sensible size.
        end = 0.5 * np.linalg.norm(offsets[joint]) * _T_POSE[joint]
        lines += [f"{inner}End Site", f"{inner}{{", f"{inner}\tOFFSET {_numbers(end)}", f"{inner}}}"]
    return [*lines, f"{pad}}}"]


def _numbers(vector: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in vector)
