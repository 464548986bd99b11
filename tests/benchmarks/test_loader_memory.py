"""The benchmark of loading processes, with few clips: every process is weighed."""

import json
from pathlib import Path

from benchmarks import loader_memory


def test_every_process_is_weighed(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    loader_memory.main(["--clips", "12", "--processes", "2", "--batches", "1", "--out", str(out)])
    found = json.loads(out.read_text())
    assert (found["clips"], found["processes"], len(found["gigabytes_pss_of_each"])) == (12, 2, 2)
    assert 0.1 < found["gigabytes_pss"] < 4 and min(found["cpu_milliseconds_a_batch"].values()) > 0
