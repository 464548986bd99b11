"""The benchmark of writing speed, on the embedded model and one prompt."""

import json
from pathlib import Path

import pytest

from benchmarks import generation_speed


@pytest.mark.slow
def test_every_writer_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "found.json"
    monkeypatch.setattr(generation_speed, "NUM_IDS", 4)
    generation_speed.main(["--shapes", "mini", "--batches", "1", "--rounds", "1", "--out", str(out)])
    writers = json.loads(out.read_text())["shapes"]["mini"]["batch 1"]["writers"]
    assert set(writers) == {"motiongpt", "greedy", *generation_speed.PRECISIONS}
    assert all(row["seconds"] > 0 for row in writers.values())
    assert writers["float32"]["greedy_ids_agree"] == 1.0
