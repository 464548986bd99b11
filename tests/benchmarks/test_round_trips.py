"""The benchmark of BVH files that another program reads, on two motions."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import round_trips
from tests.motion.made_motions import made_motion


def test_another_reader_sees_what_we_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("bvhio", reason="bvhio reads BVH files; it comes with the extra [dev]")
    folder, out = tmp_path / "made", tmp_path / "found.json"
    folder.mkdir()
    np.save(folder / "away.npy", made_motion("away")[0])
    np.save(folder / "broken.npy", np.zeros((5, 7)))
    round_trips.main([str(folder), "--out", str(out)])
    found = json.loads(out.read_text())["sources"]["made"]
    assert (found["read"], found["refused"], found["pivots"]) == (1, 1, 0)
    assert found["skeleton_mm"] < 0.1 and found["reader_mm"] < 0.1 and found["reader_degrees"] < 0.01
    assert "| made | 1 | 1 |" in capsys.readouterr().out
