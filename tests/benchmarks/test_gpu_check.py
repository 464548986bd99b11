"""The check of everything that wants a GPU, tried on the CPU: all of it runs, and what fails is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import generation_speed, gpu_check
from remogpt.commands.cli_parts.settings_files import settings_file


@pytest.mark.slow
def test_every_check_runs_and_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_speed, "bandwidth", lambda: 1e9)
    monkeypatch.setattr(gpu_check, "STEPS", (1, 2))
    out = tmp_path / "found.json"
    assert gpu_check.main(["--device", "cpu", "--small", "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert (
        found["is_trial"] and found["machine"]["device"] == "cpu" and found["checks"].keys() == gpu_check.CHECKS.keys()
    )
    assert found["checks"]["precision"]["float32"]["equal_codes"] == 1.0
    assert found["checks"]["cuda_graphs"]["same_ids"] and found["checks"]["faiss_gpu"]["same_rows"]
    for config in gpu_check.TRAININGS:
        assert Path(settings_file(config)).is_file() and found["checks"]["training"][config]["seconds_a_step"] != 0


def test_a_check_that_fails_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(small: bool) -> dict[str, Any]:
        raise RuntimeError("CUDA error: device-side assert\ntriggered")

    monkeypatch.setitem(gpu_check.CHECKS, "precision", broken)
    out = tmp_path / "found.json"
    assert gpu_check.main(["--device", "cpu", "--small", "--only", "precision", "faiss_gpu", "--out", str(out)]) == 1
    checks = json.loads(out.read_text())["checks"]
    assert checks["precision"]["failed"] == "RuntimeError: CUDA error: device-side assert triggered"
    assert checks["faiss_gpu"]["same_rows"]
    assert gpu_check.failures({"training": {"a": {"failed": "x"}, "b": {}}, "precision": {}}) == ["training a"]
