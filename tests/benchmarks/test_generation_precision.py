"""The benchmark of what fewer bits cost, on one clip."""

import json
from pathlib import Path

import pytest

from benchmarks import generation_precision


@pytest.mark.slow
def test_every_precision_is_compared_with_float32(tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    generation_precision.main([str(tiny_set), "--count", "1", "--out", str(out)])
    found = json.loads(out.read_text())["precisions"]
    assert set(found) == {"float32", "bfloat16", "int8"}
    assert found["float32"]["greedy_as_in_float32"]["same_code"] == 1.0
    assert all(0 < row["cross_entropy_nats"] < 10 and row["facts"]["captions"] == 1 for row in found.values())
