"""The benchmark of the first answer's cost, with one command in place of all."""

import json
from pathlib import Path

import pytest

from benchmarks import cold_start


def test_every_command_is_timed_beside_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_start, "COMMANDS", {"import torch": ["-c", "import json"], "other": ["-c", "import csv"]})
    cold_start.main(["--repeats", "1", "--out", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert set(found["seconds"]["this"]) == {"import torch", "other"}
    assert found["seconds"]["this"]["import torch"]["beyond_torch_s"] == 0.0
