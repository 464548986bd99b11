"""The benchmark of resident memory runs, and says what it saw."""

import sys
from pathlib import Path

import pytest

from benchmarks import steady_memory
from remogpt.runtime.files import read_json


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
def test_a_short_run_writes_what_it_saw(tmp_path: Path) -> None:
    steady_memory.main(["--calls", "2", "--every", "1", "--out", str(tmp_path / "out.json")])
    result = read_json(tmp_path / "out.json")
    assert list(result["resident_mb_after_calls"]) == ["1", "2"] and result["kernels_kept"] == "32"
    assert all(50 < seen < 5000 for seen in result["resident_mb_after_calls"].values())
