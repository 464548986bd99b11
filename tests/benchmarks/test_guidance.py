"""The benchmark of what guidance costs, on short motions."""

import json
from pathlib import Path

import pytest

from benchmarks import guidance


@pytest.mark.slow
def test_every_case_has_a_ratio(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    guidance.main(["--seconds", "0.4", "--repeats", "1", "--out", str(out)])
    found = json.loads(out.read_text())["cpu_seconds"]
    assert set(found) == set(guidance.CASES)
    assert all(0.2 < row["ratio"] < 20 and row["guided"] > 0 for row in found.values())
