"""The benchmark of training steps, with small numbers: it fails unless all ways have the same loss."""

import json
from pathlib import Path

import pytest

from benchmarks import training_speed
from remogpt.lm import T5Size


@pytest.mark.slow
def test_every_way_is_timed_at_both_sizes(tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_speed, "T5Size", lambda: T5Size(16, 32, 1, 1, 2, 8))
    monkeypatch.setattr(training_speed, "MINI_BATCH", 1)
    monkeypatch.setattr(training_speed, "MINI_ROUNDS", 1)
    out = tmp_path / "found.json"
    training_speed.main([str(tiny_set), "--clips", "6", "--batch", "3", "--rounds", "1", "--out", str(out)])
    measured = json.loads(out.read_text())["measured"]
    assert set(measured) == {f"{size}, {stage}" for size in ("mini", "T5-base") for stage in ("pretrain", "instruct")}
    for row in measured.values():
        assert len(row["seconds_per_step"]) == 3 and all(value > 0 for value in row["tokens_per_second"].values())
