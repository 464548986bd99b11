"""The benchmark of loading processes, with few clips: every process is weighed, and one that ends is told."""

import json
from pathlib import Path

import pytest

from benchmarks import loader_memory
from remogpt.runtime.errors import RemogptError


@pytest.mark.slow
def test_every_trainers_processes_are_weighed(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    loader_memory.main(["--clips", "12", "--processes", "1", "--batches", "1", "--out", str(out)])
    found = json.loads(out.read_text())["trainers"]
    assert found.keys() == loader_memory.LOADERS.keys()
    for one in found.values():
        assert 0.05 < one["gigabytes_pss"] < 2 and one["cpu_milliseconds_a_batch"] > 0


@pytest.mark.slow
def test_a_process_that_ends_is_told(tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="ended with exit code 1 before it was weighed"):
        loader_memory.measure(tmp_path / "none", "tokenizer", 1, 1)
