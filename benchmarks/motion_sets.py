"""Random clips a second from files and from packed motions; motions a second made into features.

  OMP_NUM_THREADS=1 python -m benchmarks.motion_sets --out benchmarks/results/motion_sets.json
  ... --against ../older-checkout      its joints_to_features on the same motions, in turns, in the same run
  ... --reference ../HumanML3D         HumanML3D's own process_file (needs torch, scipy, tqdm), likewise

Motions are made here, with HumanML3D's lengths (40 to 199 frames). Seconds are CPU time of one thread, the least of
several turns, since other programs may run beside. `largest_difference` compares features with ours, motion by motion.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt.data.clip import Caption
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.packed_motions import NAME, PackedMotions
from remogpt.data.writer import SetItem, finish_set, write_item
from remogpt.motion import joints_to_features, joints_to_features_batch
from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.skeleton import NUM_JOINTS, TARGET_OFFSETS
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

READ_ONCE = 20_000
"""Random clips read in a turn."""

OURS_ELSEWHERE = """
import json, sys, time
import numpy as np
from remogpt.motion import joints_to_features
with np.load(sys.argv[1]) as file:
    motions = [file[str(i)] for i in range(len(file.files))]
joints_to_features(motions[0])
start = time.process_time()
features = [joints_to_features(motion) for motion in motions]
print(json.dumps(time.process_time() - start))
np.save(sys.argv[2], np.concatenate(features))
"""

HUMANML3D = """
import ast, json, sys, time
from pathlib import Path
sys.path.insert(0, ".")
import numpy as np, torch
from common.skeleton import Skeleton
from common.quaternion import *
from paramUtil import *
torch.set_num_threads(1)
book = Path("motion_representation.ipynb")
code = Path("motion_representation.py").read_text() if not book.is_file() else "\\n".join(
    "".join(cell["source"]) for cell in json.loads(book.read_text())["cells"] if cell["cell_type"] == "code")
wanted = [node for node in ast.parse(code).body if getattr(node, "name", "") in ("uniform_skeleton", "process_file")]
exec(compile(ast.Module(wanted, []), "HumanML3D", "exec"))
l_idx1, l_idx2, fid_r, fid_l, face_joint_indx = 5, 8, [8, 11], [7, 10], [2, 1, 17, 16]
n_raw_offsets, kinematic_chain = torch.from_numpy(t2m_raw_offsets), t2m_kinematic_chain
tgt_offsets = torch.from_numpy(np.load(sys.argv[3]))
with np.load(sys.argv[1]) as file:
    motions = [file[str(i)] for i in range(len(file.files))]
process_file(motions[0].copy(), 0.002)
start = time.process_time()
features = [process_file(motion.copy(), 0.002)[0] for motion in motions]
print(json.dumps(time.process_time() - start))
np.save(sys.argv[2], np.concatenate(features))
"""
"""Runs in a user's checkout of HumanML3D: its functions are taken from there, with the constants of its main cell."""


def main(words: list[str] | None = None) -> None:
    """Measure, print and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000, help="motions of the set")
    parser.add_argument("--extracted", type=int, default=300, help="motions of which features are made")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--against", type=Path, default=None, help="another checkout of this project")
    parser.add_argument("--reference", type=Path, default=None, help="a checkout of HumanML3D")
    parser.add_argument("--out", default=None, help="JSON file")
    args = parser.parse_args(words)
    found = {
        "command": command(),
        "reading": reading(args.clips, args.turns),
        "extraction": extraction(args.extracted, args.turns, args.against, args.reference),
    }
    print(json.dumps(found, indent=2))
    if args.out:
        write_json(args.out, found)


def made_motion(rng: np.random.Generator) -> np.ndarray:
    """Return (T, 22, 3) joints of a body that swings every limb, turns and moves along."""
    frames = int(rng.integers(41, 200))
    time_s = np.arange(frames)[:, None] / 20
    angle = 0.4 * np.sin(2 * np.pi * rng.uniform(0.1, 0.8, NUM_JOINTS) * time_s + rng.uniform(0, 6, NUM_JOINTS))
    angle[:, 0] = rng.uniform(-0.4, 0.4) * time_s[:, 0]
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    about_y = np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], -1).reshape(frames, NUM_JOINTS, 3, 3)
    about_x = np.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], -1).reshape(frames, NUM_JOINTS, 3, 3)
    rotations = np.where((np.arange(NUM_JOINTS) == 0)[:, None, None], about_y, about_x)
    root = np.concatenate([np.sin(time_s), 0.9 + 0.02 * np.sin(9 * time_s), rng.uniform(0, 1.2) * time_s], axis=1)
    return np.asarray(forward_kinematics(rotations, root), dtype=np.float32)


def least(work: Callable[[], Any], turns: int) -> float:
    """Return the least CPU seconds of some turns."""
    taken = []
    for _ in range(turns):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def reading(num_clips: int, turns: int) -> dict[str, Any]:
    """Measure random clips a second: `numpy.load`, the set from its files, the set packed, packed motions alone."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "set"
        features = joints_to_features_batch([made_motion(rng) for _ in progress(range(num_clips), desc="make")])
        ids = [f"{number:06d}" for number in range(num_clips)]
        for one, values in zip(ids, features, strict=True):
            write_item(folder, SetItem(one, values, [Caption("a person moves")]))
        finish_set(folder, "made", "CC0", {"train": ids})
        order = rng.integers(0, num_clips, READ_ONCE)

        def through_set(count: int) -> Callable[[], None]:
            opened = MotionTextSet.open(folder)
            clips = opened.clips("train", 0, 10**9)

            def read() -> None:
                for index in order[:count]:
                    opened.features(clips[index])

            return read

        few = READ_ONCE // 10
        files = [folder / "new_joint_vecs" / f"{one}.npy" for one in ids]
        rates = {
            "numpy.load": few / least(lambda: [np.load(files[index]) for index in order[:few]], turns),
            "set, its files": few / least(through_set(few), turns),
        }
        start = time.process_time()
        packed = PackedMotions.build(folder / "new_joint_vecs", folder / NAME)
        seconds = time.process_time() - start
        rates["set, packed"] = READ_ONCE / least(through_set(READ_ONCE), turns)
        rates["packed motions"] = READ_ONCE / least(lambda: [packed.read(ids[index]) for index in order], turns)
        same = all(np.array_equal(packed.read(one), values) for one, values in zip(ids, features, strict=True))
    return {
        "clips": num_clips,
        "packing_seconds": round(seconds, 2),
        "equal": same,
        "clips_per_second": {name: round(rate) for name, rate in rates.items()},
    }


def extraction(count: int, turns: int, against: Path | None, reference: Path | None) -> dict[str, Any]:
    """Measure motions a second that become features, and compare the features."""
    rng = np.random.default_rng(1)
    motions = [made_motion(rng) for _ in range(count)]
    ours = np.concatenate(joints_to_features_batch(motions))
    seconds: dict[str, list[float]] = {"one at a time": [], "in batches": []}
    differences: dict[str, float] = {}
    others = {
        name: (checkout.resolve(), code)
        for name, checkout, code in (("against", against, OURS_ELSEWHERE), ("HumanML3D", reference, HUMANML3D))
        if checkout is not None
    }
    for _ in progress(range(turns), desc="features", unit="turn"):
        seconds["one at a time"].append(least(lambda: [joints_to_features(joints) for joints in motions], 1))
        seconds["in batches"].append(least(lambda: joints_to_features_batch(motions), 1))
        for name, (checkout, code) in others.items():
            taken, features = elsewhere(checkout, code, motions)
            seconds.setdefault(name, []).append(taken)
            differences[name] = float(np.abs(features - ours).max())
    rates = {name: count / min(taken) for name, taken in seconds.items()}
    return {
        "motions": count,
        "frames": sum(map(len, motions)),
        "motions_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "batches_are_times_as_fast_as": {
            name: round(rates["in batches"] / rate, 2) for name, rate in rates.items() if name != "in batches"
        },
        "largest_difference": differences,
    }


def elsewhere(checkout: Path, code: str, motions: list[np.ndarray]) -> tuple[float, np.ndarray]:
    """Make the features in another process, with the code of another checkout; return CPU seconds and features."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as name:
        joints, features, offsets = (Path(name) / file for file in ("joints.npz", "features.npy", "offsets.npy"))
        arrays: dict[str, Any] = {str(number): motion for number, motion in enumerate(motions)}
        np.savez(joints, **arrays)
        np.save(offsets, TARGET_OFFSETS)
        words = [sys.executable, "-c", code, str(joints), str(features), str(offsets)]
        ran = subprocess.run(words, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(f"{checkout}: its code failed: {ran.stderr.strip().splitlines()[-1]}")
        return float(json.loads(ran.stdout.splitlines()[-1])), np.load(features)


if __name__ == "__main__":
    main()
