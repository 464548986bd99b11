"""The benchmark of large databases, on a small one."""

from pathlib import Path

from benchmarks import database_scale
from remogpt.runtime.files import read_json


def test_it_measures_what_it_built(tmp_path: Path) -> None:
    out = tmp_path / "scale.json"
    assert database_scale.main(["--entries", "1500", "--queries", "5", "--out", str(out)]) == 0
    (found,) = read_json(out)["sizes"]
    assert found["entries"] == 1500 and found["recall_at_10"] == 1.0 and found["disk_mib"] > 0
    assert found["search_ms"]["p50"] <= found["search_ms"]["p95"]
