"""The table of sources, on a folder with a set of packed joints, files, and one that is broken."""

import json
import tarfile
from pathlib import Path

import numpy as np

from benchmarks import sources
from remogpt.motion import Motion
from tests.motion.test_features import moving


def test_every_kind_of_source_is_measured(tmp_path: Path) -> None:
    for folder in ("mocap", "raw/foreign", "humanml3d_sample", "loose"):
        (tmp_path / folder).mkdir(parents=True)
    joints = moving(80)
    Motion.from_joints(joints).save(tmp_path / "loose" / "walk.bvh")
    with tarfile.open(tmp_path / "mocap" / "some.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "loose", "loose")
    Motion.from_joints(moving(50, seed=1)).save(tmp_path / "raw" / "a.npy")
    (tmp_path / "raw" / "broken.bvh").write_text("nothing")
    np.save(tmp_path / "humanml3d_sample" / "Mean.npy", np.zeros(263))
    Motion.from_joints(moving(4, seed=2)).save(tmp_path / "raw" / "foreign" / "short.npy")
    Motion.from_joints(moving(40, seed=2)).save(tmp_path / "raw" / "foreign" / "c.npy")
    (tmp_path / "humanml3d_sample" / "Mean.npy").rename(tmp_path / "Mean.npy")
    np.save(tmp_path / "humanml3d_sample" / "joints.npy", joints)
    sources.main([str(tmp_path), "--out", str(tmp_path / "found.json")])
    rows = json.loads((tmp_path / "found.json").read_text())["sources"]
    assert {name: row["read"] for name, row in rows.items()} == {
        "mocap/some.tar.xz": 1, "raw": 1, "raw/foreign": 2, "humanml3d_sample": 1,
    }  # fmt: skip
    assert list(rows["raw"]["refused"]) == ["broken.bvh"] and rows["raw/foreign"]["too_short_to_measure"] == 1
    sample = rows["humanml3d_sample"]
    assert sample["round_trip_mm"]["positions"]["worst"] < 0.1 and sample["round_trip_mm"]["fixed"]["worst"] < 0.1
    assert np.allclose(sample["head_m"], (joints[:, 15, 1] - joints[:, [10, 11], 1].mean(axis=1)).max(), atol=1e-3)
    assert 0 <= sample["slide"] <= 1 and sample["speed"][0] < sample["speed"][2] < 15 and sample["lowest_mm"][0] >= 0
