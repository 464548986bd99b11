"""The benchmark of moments in long motions, on joined clips of the tiny set."""

import json
from pathlib import Path

import pytest

from benchmarks import moments


@pytest.mark.slow
def test_every_way_to_choose_is_scored(tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    moments.main(["--procedural", str(tiny_set), "--groups", "procedural_val", "procedural", "--count", "2",
                  "--out", str(out)])  # fmt: skip
    groups = json.loads(out.read_text())["groups"]
    assert set(groups["procedural"]["scores"]) == set(moments.methods())
    for scores in groups["procedural"]["scores"].values():
        assert 0 <= scores["mean_iou"] <= scores["ceiling/mean_iou"] <= 1
    assert groups["procedural_val"]["sequences"] == 2
