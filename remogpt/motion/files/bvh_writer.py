"""Write a moving skeleton as a BVH file that animation programs open.

Conventions: the root has six channels, every other joint three rotations (Zrotation Xrotation Yrotation), so that any
program can read the file and retarget it. Centimetres and y up unless asked for otherwise (import into Blender with
scale 0.01), rest pose a T that faces +z.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from remogpt.motion.checks import check_joints
from remogpt.motion.files.euler import matrix_to_zxy
from remogpt.motion.rig import Rig, RigMotion, rig_motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.files import write_text

CENTIMETRES = 0.01


def write_bvh(path: str | Path, joints: np.ndarray, fps: float = FPS, metres_per_unit: float = CENTIMETRES) -> None:
    """Write joints (T, 22, 3) in metres on our own skeleton; an existing file is replaced.

    Raises:
        RemogptError: if joints have another shape or hold NaN.
    """
    write_text(path, bvh_text(rig_motion(check_joints(joints), fps), metres_per_unit))


def bvh_text(motion: RigMotion, metres_per_unit: float = CENTIMETRES) -> str:
    """Return the content of a BVH file.

    Args:
        motion: the skeleton and its rotations; axes are written as they are.
        metres_per_unit: 0.01 for centimetres, 1.0 for metres.
    """
    rig, angles = motion.rig, matrix_to_zxy(motion.rotations)
    order = _depth_first(rig)
    table = np.concatenate([motion.root / metres_per_unit, *(angles[:, joint] for joint in order)], axis=1)
    rows = io.StringIO()
    np.savetxt(rows, table, fmt="%.6f")
    lines = ["HIERARCHY", *_hierarchy(rig, 0, 0, metres_per_unit)]
    lines += ["MOTION", f"Frames: {len(table)}", f"Frame Time: {1.0 / motion.fps:.9f}"]
    return "\n".join(lines) + "\n" + rows.getvalue()


def _depth_first(rig: Rig, joint: int = 0) -> list[int]:
    """Return the joints in the order in which BVH writes their channels."""
    return [joint, *(later for child in rig.children[joint] for later in _depth_first(rig, child))]


def _hierarchy(rig: Rig, joint: int, depth: int, metres_per_unit: float) -> list[str]:
    pad, inner = "\t" * depth, "\t" * (depth + 1)
    lines = [
        f"{pad}{'JOINT' if joint else 'ROOT'} {rig.names[joint]}",
        f"{pad}{{",
        f"{inner}OFFSET {_numbers(rig.offsets[joint] / metres_per_unit)}",
        f"{inner}CHANNELS {'3' if joint else '6 Xposition Yposition Zposition'} Zrotation Xrotation Yrotation",
    ]
    for child in rig.children[joint]:
        lines += _hierarchy(rig, child, depth + 1, metres_per_unit)
    if joint in rig.ends:  # programs draw head, hands and toes by it
        lines += [f"{inner}End Site", f"{inner}{{", f"{inner}\tOFFSET {_numbers(rig.ends[joint] / metres_per_unit)}"]
        lines += [f"{inner}}}"]
    return [*lines, f"{pad}}}"]


def _numbers(vector: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in vector)
