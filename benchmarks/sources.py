"""Read every source of real motion and measure it: what is read, what features keep, how bodies stand and move.

  OMP_NUM_THREADS=1 python -m benchmarks.sources ../shared/data --out benchmarks/results/sources.json

The folder holds `mocap/` (packed joints, an archive of BVH), `raw/` (files as users have them), `humanml3d_sample/`.
Every motion is read as users read it, at 20 fps.

read: motions read, of all. refused: why the others were not.
head_m: height of the head joint over the feet in the most upright frame, as recorded (5th, 50th, 95th percentile of
  motions); standing_m: the same once the body has the feature format's bones.
round_trip_mm: mean distance of the joints that features give back (by positions, by rotations, by `fixed` features)
  from those that they were made of; median of the motions, the worst, and the share of motions above 1 mm.
slide: share of frames in which a toe near the floor moves (`remogpt.eval.physical`), mean of the motions.
lowest_mm: height of the lowest joint over the motion's floor (5th, 50th, 95th percentile of frames).
speed, jerk: of all joints in all frames, metres a second and m/s^3 (50th, 95th, 99th percentile).
"""

import argparse
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt import Motion, load_motion
from remogpt.data.importers.packed import read_packed
from remogpt.eval.physical import foot_skating
from remogpt.motion import features_to_joints, features_to_joints_from_rotations, joints_to_features
from remogpt.motion.features import canonicalize, to_target_skeleton
from remogpt.motion.files.read import READABLE, clips_of, motion_from_source
from remogpt.motion.inverse_kinematics import turned_angle
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

LEVELS = {"head_m": (5, 50, 95), "standing_m": (5, 50, 95), "lowest_mm": (5, 50, 95), "speed": (50, 95, 99),
          "jerk": (50, 95, 99)}  # fmt: skip
LEAST = 5
"""Frames that a jerk needs, and one more."""
Read = tuple[str, Motion | str]
"""A motion's name, and the motion or why it is refused."""


def main(words: list[str] | None = None) -> None:
    """Measure every source, print a table and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the sources")
    parser.add_argument("--every", type=int, default=1, help="measure every n-th motion of a packed source")
    parser.add_argument("--out", default=None, help="JSON file")
    args = parser.parse_args(words)
    rows = {name: measure(name, motions) for name, motions in sources(args.data, args.every)}
    print(table(rows))
    if args.out:
        write_json(args.out, {"command": command(), "sources": rows})


def sources(data: Path, every: int) -> Iterator[tuple[str, Iterator[Read]]]:
    """Yield every source that is there, by name."""
    for path in sorted((data / "mocap").glob("*.npz")):
        yield f"mocap/{path.name}", packed(path, every)
    for path in sorted((data / "mocap").glob("*.tar.*")):
        yield f"mocap/{path.name}", archive(path)
    for folder in ("raw", "raw/foreign", "raw/glb", "humanml3d_sample"):
        if (data / folder).is_dir():
            yield folder, files(sorted((data / folder).iterdir()))


def packed(path: Path, every: int) -> Iterator[Read]:
    """Read packed joints, as the importers do."""
    for number, clip in enumerate(read_packed(path)):
        if number % every:
            continue
        try:
            yield clip.id, motion_from_source(clip.source, clip.id)
        except RemogptError as error:
            yield clip.id, str(error)


def archive(path: Path) -> Iterator[Read]:
    """Read the motion files in an archive."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as content:
        content.extractall(folder, filter="data")
        yield from files(sorted(Path(folder).rglob("*")))


def files(paths: list[Path]) -> Iterator[Read]:
    """Read motion files, every animation of each; statistics are none."""
    for path in paths:
        if path.suffix.lower() in READABLE and path.stem not in ("Mean", "Std"):
            for clip in clips_of(path):
                try:
                    yield clip.name, load_motion(clip)
                except RemogptError as error:
                    yield clip.name, str(error)


def measure(name: str, motions: Iterator[Read]) -> dict[str, Any]:
    """Return the numbers of one source."""
    refused: dict[str, str] = {}
    values: dict[str, list[Any]] = {key: [] for key in (*LEVELS, "slide", "trips", "seconds", "short")}
    for clip, motion in progress(motions, desc=name, unit="motion"):
        if isinstance(motion, str):
            refused[clip] = motion
            continue
        values["seconds"].append(motion.seconds)
        if motion.num_frames <= LEAST:
            values["short"].append(clip)
            continue
        joints = canonicalize(to_target_skeleton(motion.joints))
        values["head_m"].append(head_height(motion.joints))
        values["standing_m"].append(head_height(joints))
        values["trips"].append(round_trips(motion.joints, joints))
        values["slide"].append(foot_skating(joints))
        values["lowest_mm"].append(1000 * joints[..., 1].min(axis=1))
        values["speed"].append(np.linalg.norm(np.diff(joints, axis=0), axis=-1).ravel() * FPS)
        values["jerk"].append(np.linalg.norm(np.diff(joints, 3, axis=0), axis=-1).ravel() * FPS**3)
    trips = np.array(values["trips"])
    return {
        "read": len(values["seconds"]),
        "refused": refused,
        "minutes": round(sum(values["seconds"]) / 60, 1),
        "too_short_to_measure": len(values["short"]),
        "round_trip_mm": {
            way: {
                "median": round(float(np.median(column)), 5),
                "worst": round(float(column.max()), 2),
                "share_above_1mm": round(float((column > 1).mean()), 4),
            }
            for way, column in zip(("positions", "rotations", "fixed"), trips.T, strict=True)
        },
        "slide": round(float(np.mean(values["slide"])), 3),
        **{key: percentiles(values[key], levels) for key, levels in LEVELS.items()},
    }


def head_height(joints: np.ndarray) -> float:
    """Return the height of the head over the middle of the feet in the most upright frame."""
    return float((joints[:, 15, 1] - joints[:, [10, 11], 1].mean(axis=1)).max())


def round_trips(recorded: np.ndarray, joints: np.ndarray) -> tuple[float, float, float]:
    """Return mean distances in mm: by positions, by rotations, and by positions of features without the quirks."""
    features, fixed = joints_to_features(recorded), joints_to_features(recorded, fixed=True)
    angle = turned_angle(joints)[0]  # such features begin by the smoothed heading
    cos, sin = np.cos(-angle), np.sin(-angle)
    turned = joints @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    pairs = (
        (features_to_joints(features), joints),
        (features_to_joints_from_rotations(features), joints),
        (features_to_joints(fixed), turned),
    )
    a, b, c = (1000 * float(np.linalg.norm(found - true[:-1], axis=-1).mean()) for found, true in pairs)
    return a, b, c


def percentiles(values: list[Any], levels: tuple[int, ...]) -> list[float]:
    """Return percentiles of numbers, or of arrays laid one behind the other."""
    return [
        round(float(value), 3) for value in np.percentile(np.concatenate([np.ravel(one) for one in values]), levels)
    ]


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the numbers as a table in Markdown."""
    head = ("source", "read", "minutes", "head, m", "standing, m", "round trip, mm", "rotations", "fixed", "slide",
            "lowest, mm", "speed", "jerk")  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, row in rows.items():
        trips = [
            f"{way['median']:.0g} ({way['worst']:.1f}; {way['share_above_1mm']:.1%})"
            for way in row["round_trip_mm"].values()
        ]
        cells = [name, f"{row['read']} of {row['read'] + len(row['refused'])}", f"{row['minutes']:g}"]
        cells += [" / ".join(f"{value:.2f}" for value in row[key]) for key in ("head_m", "standing_m")]
        cells += [*trips, f"{row['slide']:.1%}"]
        cells += [" / ".join(f"{value:.0f}" for value in row["lowest_mm"])]
        cells += [" / ".join(f"{value:.2f}" for value in row["speed"]), " / ".join(f"{v:.0f}" for v in row["jerk"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
