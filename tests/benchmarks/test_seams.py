"""The benchmark of long motions' seams, on one caption."""

import json
from pathlib import Path

from benchmarks import seams


def test_seams_are_compared_with_other_places(tiny_set: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    seams.main(["--model", str(tiny_model), "--data", str(tiny_set), "--captions", "1", "--out", str(out)])
    found = json.loads(out.read_text())
    assert found["motions"] == 1 and found["places"]["seams"] == 2
    assert found["speed_m_s"]["seams"]["median"] >= 0 and found["acceleration_m_s2"]["elsewhere"]["p95"] >= 0
