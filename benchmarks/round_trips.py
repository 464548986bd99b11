"""Write recordings as BVH and read them with another program: what a skeleton with fixed bones keeps of them.

  OMP_NUM_THREADS=1 python -m benchmarks.round_trips FOLDER ... --out benchmarks/results/round_trips.json

For every motion of each folder: `skeleton_mm`, the mean distance of the joints from the recording's once bones have
constant lengths; `reader_mm` and `reader_degrees`, the largest difference between what we meant to write and what bvhio
poses, over 30 frames; `pivots`, in how many the hips turn against the waist. Needs bvhio, of the extra [dev].
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt import Motion, load_motion
from remogpt.motion.files.read import READABLE, clips_of
from remogpt.motion.rig import SKELETONS, rig_motion
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

FRAMES = 30
"""Frames that the other reader poses of each motion."""


def main(words: list[str] | None = None) -> None:
    """Measure, print a table and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of motion files")
    parser.add_argument("--skeleton", default="mixamo", choices=SKELETONS)
    parser.add_argument("--out", default=None, help="JSON file")
    args = parser.parse_args(words)
    rows = {folder.name: measure(folder, args.skeleton) for folder in args.folders}
    keys = ("read", "refused", "skeleton_mm", "worst_mm", "reader_mm", "reader_degrees", "pivots")
    print("| source | " + " | ".join(keys) + " |\n" + "|---" * (len(keys) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[key]:g}" for key in keys) + " |")
    if args.out:
        write_json(args.out, {"command": command(), "sources": rows})


def measure(folder: Path, skeleton: str) -> dict[str, Any]:
    """Return the numbers of one folder's motions: means over motions, and the worst."""
    files = sorted(folder.rglob("[!.]*"))
    motions = [clip for file in files if file.suffix.lower() in READABLE for clip in clips_of(file)]
    fitted, posed, turned, pivots, refused = [], [], [], 0, 0
    started = time.perf_counter()
    for path in progress(motions, desc=folder.name, unit="motion"):
        try:
            motion = load_motion(path, rate=None)
        except RemogptError:
            refused += 1
            continue
        moving = rig_motion(motion.joints, motion.fps, skeleton)
        found = moving.positions()[:, list(moving.rig.places)]
        fitted.append(1000 * float(np.linalg.norm(found - motion.joints, axis=-1).mean()))
        pivots += len(moving.rig.names) > len(SKELETONS[skeleton])
        millimetres, degrees = other_reader(motion, skeleton)
        posed.append(millimetres)
        turned.append(degrees)
    return {
        "read": len(fitted), "refused": refused, "pivots": pivots, "seconds": round(time.perf_counter() - started, 1),
        "skeleton_mm": round(float(np.mean(fitted)), 2), "worst_mm": round(max(fitted), 2),
        "reader_mm": round(max(posed), 4), "reader_degrees": round(max(turned), 4),
    }  # fmt: skip


def other_reader(motion: Motion, skeleton: str) -> tuple[float, float]:
    """Return the largest difference, in millimetres and degrees, between bvhio's poses and ours."""
    import bvhio
    from scipy.spatial.transform import Rotation

    frames = np.unique(np.linspace(0, motion.num_frames - 1, FRAMES).astype(int))
    part = Motion(motion.joints[frames], motion.fps)
    moving = rig_motion(part.joints, part.fps, skeleton)
    with tempfile.TemporaryDirectory() as folder:
        part.save(f"{folder}/motion.bvh", skeleton=skeleton)
        root = bvhio.readAsHierarchy(f"{folder}/motion.bvh")
    joints = {joint.Name: joint for joint, _, _ in root.layout()}
    root.loadRestPose()
    rest = {name: _rotation(joint) for name, joint in joints.items()}  # bvhio lays bones along y
    world = [moving.rotations[:, 0]]
    for joint, parent in enumerate(moving.rig.parents[1:], start=1):
        world.append(world[parent] @ moving.rotations[:, joint])
    positions = moving.positions()
    millimetres = degrees = 0.0
    first = root.getKeyframeRange()[0]
    for frame in range(part.num_frames):
        root.loadPose(first + frame)
        for index, name in enumerate(moving.rig.names):
            away = np.array(list(joints[name].PositionWorld)) * 10 - positions[frame, index] * 1000
            millimetres = max(millimetres, float(np.abs(away).max()))
            turn = _rotation(joints[name]) * rest[name].inv() * Rotation.from_matrix(world[index][frame]).inv()
            degrees = max(degrees, float(np.degrees(turn.magnitude())))
    return millimetres, degrees


def _rotation(joint: Any) -> Any:
    from scipy.spatial.transform import Rotation

    turn = joint.RotationWorld
    return Rotation.from_quat([turn.x, turn.y, turn.z, turn.w])


if __name__ == "__main__":
    main()
