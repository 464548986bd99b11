"""How bodies hold: generated motions before and after the cleanup, beside real walks, and beside the truth.

  OMP_NUM_THREADS=1 python -m benchmarks.bodies RECORDINGS --data runs/mini/set

walks, plain, actions: one motion for each of a list of captions and seeds, always written, one candidate; raw and
cleaned are the same codes. plain: walks straight ahead, as most of the real ones are. real: walks of Bandai-Namco and
CMU in the feature format's body, some from each.
truth: motions of a split's clips through the tokenizer and back, raw and cleaned, and how far both lie from the clips.

The cleanup finds resting feet by speed. Feet are measured where they stand by their heights alone
(`remogpt.eval.physical.standing_feet`), but what is measured there is what the cleanup holds: slide_cm_s (ankle and
toe) and toe_slide_cm_s. It aims at none of: standing_share, mean_slide_cm_s (frames that it missed weigh most),
skating, feet_m_s2 (95 % of the accelerations of ankles and toes lie below), jerk, clearance_m (how high toes rise, 95th
less 5th percentile), path_m_s, pelvis_cm (deviation of its height), facts, and the distances from the truth.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.command import command
from remogpt import GenerationOptions, ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.importers.packed import read_packed
from remogpt.eval import facts, physical
from remogpt.motion import clean_features, features_to_joints
from remogpt.motion.facts import Fact
from remogpt.motion.files.read import motion_from_source
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.skeleton import FPS, LEFT_FOOT, RIGHT_FOOT
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

WALKS = (
    "a person walks forward", "a man walks straight ahead for three meters", "someone walks forward slowly",
    "a person walks in a circle", "the person walks forward quickly", "a woman walks backward",
    "a person walks forward and then turns around", "the figure strolls forward",
)  # fmt: skip
PLAIN = (
    "a person walks forward", "a person walks forward at a normal pace", "someone is walking straight ahead",
    "a man walks forward for about four meters",
)  # fmt: skip
ACTIONS = (
    "a person runs forward", "a person jumps up", "a person jumps forward with both feet",
    "a person kicks with the right leg", "a person turns around to the left", "a person sits down on a chair",
    "a person stands up from a chair", "a person squats", "someone hops on the left leg",
    "a person takes two steps to the right", "a person waves with the right hand", "a person kneels down",
)  # fmt: skip
WRITTEN = GenerationOptions(best_of=1, retrieved=0, verify=False, fact_weight=0.0, cleanup=False)
FEET = [LEFT_FOOT[0], RIGHT_FOOT[0], LEFT_FOOT[1], RIGHT_FOOT[1]]
LEAST = 30
"""Frames of a real walk."""
LEVELS = (10, 50, 90)

Joints = list[np.ndarray]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, help="folder with mocap/bandai.npz and mocap/cmu.npz")
    parser.add_argument("--data", type=Path, required=True, help="set whose clips the tokenizer decodes")
    parser.add_argument("--split", default="val")
    parser.add_argument("--clips", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--real", type=int, default=60, help="walks of each source")
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "bodies.json")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    model = ReMoGPT.from_pretrained(args.model, "cpu")
    rows: dict[str, Any] = {f"real/{name}": summary(found) for name, found in real_walks(args.recordings, args.real)}
    for name, captions in (("walks", WALKS), ("plain", PLAIN), ("actions", ACTIONS)):
        raw = written(model, captions, args.seeds)
        rows |= {f"{name}/raw": summary(joints_of(raw)), f"{name}/clean": summary(joints_of(map(clean_features, raw)))}
    real, decoded, known = through_tokenizer(model, MotionTextSet.open(args.data), args.split, args.clips)
    cleaned = joints_of(map(clean_features, decoded))
    for name, own in (("real", real), ("raw", joints_of(decoded)), ("clean", cleaned)):
        rows[f"truth/{name}"] = summary(own) | distances(own, real) | facts_of(known, own)
    result = {
        "command": command(), "model": model.manifest["hashes"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread", "percentiles": LEVELS,
        "rows": rows, "cost": cost(model),
    }  # fmt: skip
    for name, row in rows.items():
        print(name, {key: value[1] if isinstance(value, list) else value for key, value in row.items()})
    print(result["cost"])
    write_json(args.out, result)


def joints_of(motions: Any) -> Joints:
    """Return the joints of features."""
    return [features_to_joints(features) for features in motions]


def written(model: ReMoGPT, captions: Sequence[str], seeds: int) -> list[np.ndarray]:
    """Return the features of one motion for each caption and seed, as decoded."""
    found = []
    for seed in progress(range(seeds), desc="generate", unit="seed"):
        found += [answer.motion.features for (answer,) in model.generate(list(captions), seed=seed, options=WRITTEN)]
    return found


def real_walks(recordings: Path, count: int) -> list[tuple[str, Joints]]:
    """Return walks of each source, evenly drawn: clips that its labels or captions call a walk."""
    captions = json.loads((recordings / "mocap" / "cmu_captions.json").read_text(encoding="utf-8"))
    found = []
    for name in ("bandai", "cmu"):
        clips = [
            clip for clip in read_packed(recordings / "mocap" / f"{name}.npz")
            if "_walk_" in clip.id or "walk" in json.dumps(captions.get(clip.id, "")).lower()
        ]  # fmt: skip
        motions = []
        for clip in clips[:: max(1, len(clips) // count)]:
            try:
                motions.append(motion_from_source(clip.source, clip.id).features)
            except RemogptError:
                continue  # a clip that the importers refuse
        found.append((name, joints_of(features for features in motions if len(features) >= LEAST)))
    return found


def through_tokenizer(
    model: ReMoGPT, motions: MotionTextSet, split: str, count: int
) -> tuple[Joints, list[np.ndarray], list[list[Fact]]]:
    """Return the joints of a split's first clips, their features after encoding and decoding, and their facts."""
    clips = [clip for clip in motions.clips(split) if clip.id == clip.file_id and clip.num_frames >= LEAST][:count]
    features = [motions.features(clip) for clip in clips]
    features = [one[: len(one) // 4 * 4] for one in features]
    decoded = model.tokenizer.decode_batch(model.tokenizer.encode_batch(features))
    return joints_of(features), decoded, [motions.facts(clip.id) for clip in clips]


def summary(motions: Joints) -> dict[str, Any]:
    """Return percentiles over motions of every measure, and how many motions there are."""
    table = [measure(joints) for joints in motions]
    found: dict[str, Any] = {"motions": len(motions)}
    for name in table[0]:
        values = [row[name] for row in table]
        found[name] = [round(float(value), 3) for value in np.percentile(values, LEVELS)]
    return found


def measure(joints: np.ndarray) -> dict[str, float]:
    """Return what the module's docstring names, and what `remogpt.eval.physical` measures."""
    own = physical.measure(joints)
    standing = physical.standing_feet(joints)
    rests = standing[1:] & standing[:-1]
    steps = 100 * FPS * np.linalg.norm(np.diff(joints[:, FEET][..., [0, 2]], axis=0), axis=-1)
    ankles, toes = steps[:, :2][rests], steps[:, 2:][rests]
    path = np.linalg.norm(np.diff(joints[:, 0, [0, 2]], axis=0), axis=-1)
    rise = np.percentile(joints[:, FEET[2:], 1], [5, 95], axis=0)
    bones = np.linalg.norm(bone_offsets(joints.astype(np.float64)), axis=-1)
    return {
        "slide_cm_s": own["foot_slide"], "toe_slide_cm_s": float(np.median(toes)) if len(toes) else 0.0,
        "standing_share": float(standing.mean()),
        "mean_slide_cm_s": float((ankles + toes).mean() / 2) if len(toes) else 0.0,
        "skating": own["foot_skating"], "penetration_mm": own["penetration"], "floating_mm": own["floating"],
        "feet_m_s2": float(np.percentile(np.linalg.norm(np.diff(joints[:, FEET], 2, axis=0), axis=-1), 95)) * FPS**2,
        "jerk": own["jerk"], "clearance_m": float((rise[1] - rise[0]).mean()),
        "path_m_s": float(path.mean()) * FPS, "pelvis_cm": float(100 * joints[:, 0, 1].std()),
        "bone_range_mm": float(1000 * np.ptp(bones, axis=0).max()),
    }  # fmt: skip


def distances(motions: Joints, truth: Joints) -> dict[str, float]:
    """Return mean distances from the truth, in mm: of all joints, of feet; and of the pose, the pelvis laid upon it."""
    pairs = list(zip(motions, truth, strict=True))
    apart = [np.linalg.norm(own - real, axis=-1) for own, real in pairs]
    posed = [np.linalg.norm(own - own[:, :1] - real + real[:, :1], axis=-1) for own, real in pairs]
    return {
        "from_truth_mm": round(1000 * float(np.mean([one.mean() for one in apart])), 1),
        "feet_from_truth_mm": round(1000 * float(np.mean([one[:, FEET].mean() for one in apart])), 1),
        "pose_from_truth_mm": round(1000 * float(np.mean([one.mean() for one in posed])), 1),
    }


def facts_of(known: list[list[Fact]], motions: Joints) -> dict[str, float]:
    """Return the percentage of facts that hold, by the predicates and by the second detectors."""
    return {
        name: round(100 * facts.evaluate(known, motions, second=second)["share"], 1)
        for name, second in (("facts", False), ("facts_second", True))
    }


def cost(model: ReMoGPT, times: int = 3) -> dict[str, float]:
    """Return milliseconds of processor time that answers take by default, with the cleanup and without."""
    found = {"clean": 0.0, "raw": 0.0}
    for text in ("warm up", *WALKS[:4], *ACTIONS[:4]):
        for name in ("raw", "clean"):
            options, started = GenerationOptions(cleanup=name == "clean"), time.process_time()
            for seed in range(times if text != "warm up" else 1):
                model.generate(text, seed=seed, options=options)
            found[name] += 0.0 if text == "warm up" else 1000 * (time.process_time() - started) / (8 * times)
    return {f"{name}_ms": round(value, 1) for name, value in found.items()} | {
        "ratio": round(found["clean"] / found["raw"], 3)
    }


if __name__ == "__main__":
    main()
