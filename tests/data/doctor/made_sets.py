"""Small sets in the layouts of HumanML3D, KIT-ML, Motion-X, BABEL and TMR's annotations, made here."""

import json
from pathlib import Path

import numpy as np

from remogpt.data.analysis.statistics import mean_and_std
from remogpt.motion import joints_to_features, mirror_caption, mirror_joints
from remogpt.motion.feature_body import KIT
from tests.motion.test_feature_bodies import kit_motion
from tests.motion.test_features import moving

VERBS = ("walks", "runs", "jogs", "strolls", "marches", "paces", "dances", "skips")
SIDES = ("left", "right")


def caption(number: int) -> str:
    """A caption of its own for each number, with a side."""
    return f"a person {VERBS[number % 8]} to the {SIDES[number % 2]} side, take number {number} of the day"


def line(text: str) -> str:
    """A line of HumanML3D's caption files."""
    tokens = " ".join(f"{word.strip(',')}/NOUN" for word in text.split())
    return f"{text}#{tokens}#0.0#0.0\n"


def _write_lists(folder: Path, ids: list[str]) -> None:
    held = 2 * (len(ids) // 12) or 1  # mirror images stand behind their originals
    train, val, test = ids[: -2 * held], ids[-2 * held : -held], ids[-held:]
    lists = {"train": train, "val": val, "test": test, "train_val": train + val, "all": ids}
    for name, own in lists.items():
        (folder / f"{name}.txt").write_text("".join(f"{one}\n" for one in own))


def humanml3d(folder: Path, count: int = 6) -> Path:
    """A set with mirror images, of motions that have sides."""
    for name in ("new_joint_vecs", "new_joints", "texts"):
        (folder / name).mkdir(parents=True)
    ids = []
    for number in range(count):
        joints = moving(50 + number, seed=number)
        joints[:, [18, 20]] += [0.0, 0.1, 0.0]  # the left elbow higher than the right one
        for name, shown, text in (
            (f"{number:06d}", joints, caption(number)),
            (f"M{number:06d}", mirror_joints(joints), mirror_caption(caption(number))),
        ):
            features = joints_to_features(shown)
            np.save(folder / "new_joint_vecs" / f"{name}.npy", features)
            np.save(folder / "new_joints" / f"{name}.npy", shown[:-1].astype(np.float32))
            (folder / "texts" / f"{name}.txt").write_text(line(text) + line(f"{text} again"))
            ids.append(name)
    _write_lists(folder, ids)
    _write_statistics(folder)
    return folder


def _write_statistics(folder: Path) -> None:
    mean, std = mean_and_std(np.load(path) for path in sorted((folder / "new_joint_vecs").glob("*.npy")))
    np.save(folder / "Mean.npy", mean)
    np.save(folder / "Std.npy", std)


def kit(folder: Path, count: int = 6) -> Path:
    """A set of 251 channels."""
    for name in ("new_joint_vecs", "texts"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        features = joints_to_features(kit_motion(40 + number, seed=number), body=KIT)
        np.save(folder / "new_joint_vecs" / f"{number:05d}.npy", features)
        (folder / "texts" / f"{number:05d}.txt").write_text(line(caption(number)))
    _write_lists(folder, [f"{number:05d}" for number in range(count)])
    _write_statistics(folder)
    return folder


def motion_x(folder: Path, count: int = 6) -> Path:
    """SMPL-X parameters in subsets' folders, a sentence a line."""
    rng = np.random.default_rng(0)
    ids = []
    for number in range(count):
        motion = np.zeros((60 + number, 322), dtype=np.float32)
        motion[:, :159] = 0.2 * np.cumsum(rng.normal(size=(60 + number, 159)), axis=0) / 10
        motion[:, 1] = np.linspace(0, 2, 60 + number)
        motion[:, 309:312] = np.linspace((0, 0.9, 0), (0.1, 0.9, 2.0), 60 + number)
        name = f"dance/subset0/clip_{number}"
        for place, suffix in (("motion_data/smplx_322", ".npy"), ("texts/semantic_labels", ".txt")):
            (folder / place / name).with_suffix(suffix).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / "motion_data/smplx_322" / f"{name}.npy", motion)
        (folder / "texts/semantic_labels" / f"{name}.txt").write_text(f"{caption(number)}\n")
        ids.append(name)
    _write_lists(folder, ids)
    return folder


def babel(folder: Path, count: int = 6) -> Path:
    """BABEL's files: whole sequences and stretches, labelled."""
    folder.mkdir(parents=True)
    records = {
        str(number): {
            "babel_sid": number, "feat_p": f"CMU/CMU/{number:02d}/{number:02d}_01_poses.npz", "dur": 10.5,
            "seq_ann": {"labels": [{"raw_label": "walk", "proc_label": "walk", "act_cat": ["walk"]}]},
            "frame_ann": None if number % 2 else {
                "labels": [{"raw_label": "turns", "proc_label": "turn", "start_t": 0, "end_t": 2.5},
                           {"raw_label": "walks", "proc_label": "walk", "start_t": 2.5, "end_t": 10.5}]},
        } for number in range(count)
    }  # fmt: skip
    names = list(records)
    for split, own in (("train", names[:-2]), ("val", names[-2:-1]), ("test", names[-1:])):
        (folder / f"{split}.json").write_text(json.dumps({name: records[name] for name in own}))
    return folder


def tmr(folder: Path, count: int = 6) -> Path:
    """TMR's annotations of sequences that are kept apart."""
    (folder / "splits").mkdir(parents=True)
    records = {
        f"{number:06d}": {
            "path": f"KIT/3/walk{number}_poses", "duration": 6.0,
            "annotations": [{"seg_id": f"{number:06d}_0", "text": caption(number), "start": 0.0, "end": 6.0}],
        } for number in range(count)
    }  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(records))
    for split, own in (("train", list(records)[:-2]), ("val", list(records)[-2:-1]), ("test", list(records)[-1:])):
        (folder / "splits" / f"{split}.txt").write_text("".join(f"{name}\n" for name in own))
    return folder
