"""The benchmark of killed trainings: one small training, killed once."""

import json
from pathlib import Path

import pytest

from benchmarks import kills


@pytest.mark.slow
def test_a_broken_training_ends_like_an_unbroken_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "CLIPS", 10)
    monkeypatch.setattr(kills, "STEPS", 12)
    loop = kills.LOOP | {"steps": 12, "batch_size": 4}
    monkeypatch.setitem(kills.SETTINGS, "tokenizer", kills.SETTINGS["tokenizer"] | {"width": 16, "loop": loop})
    monkeypatch.setattr(kills, "moments_of", lambda number, start_seconds: [kills.Moment("step", 8.0)])
    kills.main(["--work", str(tmp_path / "work"), "--trainings", "1", "--out", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["all_equal"] is True and found["kills"] == 1
    (killed,) = found["trainings"]["tokenizer"]["kills"]
    assert killed["logged_step"] >= 8 and killed["checkpoint_step"] == 7
