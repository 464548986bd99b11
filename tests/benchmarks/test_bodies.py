"""The benchmark of bodies, on a few motions."""

import json
from pathlib import Path

import pytest

from benchmarks import bodies


@pytest.mark.slow
def test_cleaned_bodies_are_measured_beside_raw_and_real_ones(tiny_set: Path, data_dir: Path, tmp_path: Path) -> None:
    if not (data_dir / "mocap" / "cmu_captions.json").is_file():
        pytest.skip(f"needs the recordings in {data_dir}/mocap")
    out = tmp_path / "bodies.json"
    bodies.WALKS, bodies.PLAIN, bodies.ACTIONS = bodies.WALKS[:1], bodies.PLAIN[:1], bodies.ACTIONS[:1]
    bodies.main([str(data_dir), "--data", str(tiny_set), "--split", "train", "--clips", "2", "--seeds", "1",
                 "--real", "2", "--out", str(out)])  # fmt: skip
    rows = json.loads(out.read_text())["rows"]
    names = {f"{kind}/{way}" for kind in ("walks", "plain", "actions", "truth") for way in ("raw", "clean")}
    assert set(rows) == {*names, "truth/real", "real/bandai", "real/cmu"}
    for name in names:
        rigid = rows[name]["bone_range_mm"][2] < 0.1
        assert rigid == name.endswith("clean")
    assert rows["walks/clean"]["slide_cm_s"][1] < rows["walks/raw"]["slide_cm_s"][1]
    assert rows["real/bandai"]["bone_range_mm"][2] < 0.1 and rows["truth/raw"]["from_truth_mm"] > 0
