"""Make small whole inputs of every kind, to be damaged."""

import csv
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from remogpt.data.procedural.make import make_procedural_set
from remogpt.motion import Motion
from remogpt.motion.files.read import READABLE
from remogpt.motion.files.write import WRITABLE
from remogpt.retriever import DatabaseEntry, MotionDatabase
from remogpt.retriever.database.leave_one_out import find_neighbours
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.component import save_component

ASF = """:version 1.10
:name fuzz
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name lhipjoint
    direction 0.6 -0.7 0.3
    length 2.4
    axis 0 0 0 XYZ
  end
  begin
    id 2
    name lfemur
    direction 0.34 -0.93 0
    length 7.1
    axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
:hierarchy
  begin
    root lhipjoint
    lhipjoint lfemur
  end
"""
AMC = ":FULLY-SPECIFIED\n:DEGREES\n" + "".join(
    f"{frame}\nroot 9.3 17.8 -17.3 -2.0 -3.8 2.2\nlfemur 5.4 {frame} 2.1\n" for frame in range(1, 7)
)


COMMANDS = """data stats set
search walks --route t2m -k 3 --database database
db info database
verify component database
caption motions/walk.npy --model component
convert motions/walk.npy --out out.bvh --fps 30
generate walk --seconds 3 --model component
eval compare results.json results.json
train tokenizer --config settings.yaml --data nowhere --out t
encode walks --out e.npy --retriever component"""
"""Cheap commands, of words without spaces."""


class Toy:
    """Embeds and tokenizes by a motion's mean and a caption's letters."""

    dim, hash, statistics_hash = 8, "t" * 64, "s" * 64

    def encode_motion(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        """Embed motions, (T, 263) each: (N, 8) unit rows."""
        return self._unit(np.stack([motion.mean(axis=0)[:8] for motion in motions]))

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed captions: (N, 8) unit rows."""
        digests = [hashlib.sha256(text.encode()).digest()[:8] for text in texts]
        return self._unit(np.array([list(digest) for digest in digests], dtype=np.float64) - 100.0)

    def encode_batch(self, motions: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Encode motions: (T / 4,) codes each."""
        return [np.arange(len(motion) // 4) % 32 for motion in motions]

    def decode_batch(self, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Decode codes: (4N, 263) each."""
        return [np.zeros((4 * len(row), 263), np.float32) for row in codes]

    def _unit(self, rows: np.ndarray) -> np.ndarray:
        rows = rows + 1e-3
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def make_seeds(folder: Path) -> None:
    """Write every kind of input to a folder, unless it is there."""
    if (folder / "done").is_file():
        return
    make_procedural_set(folder / "whole_set", 6, 0, 1, 0.0)
    joints = np.load(sorted((folder / "whole_set" / "new_joints").iterdir())[0])[:16]
    motion = Motion(joints)
    (folder / "motions").mkdir(exist_ok=True)
    for suffix in READABLE:
        if suffix in WRITABLE:
            motion.save(folder / "motions" / f"walk{suffix}")
    np.save(folder / "motions" / "features.npy", motion.features)
    for name, text in (("02.asf", ASF), ("02_01.amc", AMC)):
        (folder / "motions" / name).write_text(text)
    _make_small_set(folder)
    _make_tables(folder)
    _make_models(folder)
    (folder / "done").touch()


def _make_small_set(folder: Path) -> None:
    """Cut the set's motions short, so that thousands of damaged copies are quick to read."""
    source, small = folder / "whole_set", folder / "set"
    for kind in ("new_joint_vecs", "texts", "items"):
        (small / kind).mkdir(parents=True, exist_ok=True)
    names = sorted(path.stem for path in (source / "new_joint_vecs").iterdir())[:3]
    for name in names:
        np.save(small / "new_joint_vecs" / f"{name}.npy", np.load(source / "new_joint_vecs" / f"{name}.npy")[:45])
        for kind, suffix in (("texts", "txt"), ("items", "json")):
            (small / kind / f"{name}.{suffix}").write_bytes((source / kind / f"{name}.{suffix}").read_bytes())
    (small / "train.txt").write_text("\n".join(names))
    for name in ("Mean.npy", "Std.npy", "set.json"):
        (small / name).write_bytes((source / name).read_bytes())


def _make_tables(folder: Path) -> None:
    with (folder / "captions.csv").open("w", newline="") as file:
        rows = [
            ("file", "caption", "start", "end"),
            ("walk.npy", "a person walks", "", ""),
            ("b.bvh", "waves", "0", "1.5"),
        ]
        csv.writer(file).writerows(rows)
    write_json(folder / "predictions.json", [{"id": "000000", "caption": "a person walks", "references": ["walks"]}])
    annotations = folder / "tmr"
    (annotations / "splits").mkdir(parents=True, exist_ok=True)
    note = {"seg_id": "a", "text": "a person walks", "start": 0.0, "end": 2.2}
    write_json(annotations / "annotations.json", {"00001": {"path": "seq", "duration": 4.0, "annotations": [note]}})
    (annotations / "splits" / "train.txt").write_text("00001\n")
    shutil.copy(sorted((folder / "whole_set" / "new_joint_vecs").iterdir())[0], annotations / "seq.npy")
    (folder / "prompts.txt").write_text("a person walks forward\nsomeone waves twice with the left hand\n")
    (folder / "settings.yaml").write_text("width: 64\nnum_codes: 32\nloop:\n  steps: 10\n  learning_rate: 1.0e-3\n")
    result = {"card": {"set": "x"}, "scores": {"fid": 1.0}}
    write_json(folder / "results.json", {"format": 1, "results": {"a/test": result}})


def _make_models(folder: Path) -> None:
    torch.manual_seed(0)
    normalizer = {"mean": torch.zeros(4), "std": torch.ones(4)}
    save_component(folder / "component", "copy", {"width": 4}, {"weight": torch.randn(4, 6)}, normalizer)
    toy, rng = Toy(), np.random.default_rng(0)
    entries = [
        DatabaseEntry(f"c{number}", f"s{number}", None, ("a person walks", f"waves {number}"),
                      rng.normal(size=(12, 263)).astype(np.float32), "fuzz", "CC0", {"n": number})
        for number in range(5)
    ]  # fmt: skip
    database = MotionDatabase.build(entries, toy, toy, folder / "database", facts=False)
    find_neighbours(database, depth=3).save(folder / "neighbours.safetensors")
    write_json(folder / "commands.json", [line.split() for line in COMMANDS.splitlines()])
