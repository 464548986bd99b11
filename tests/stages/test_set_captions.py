"""Counting a set's captions by Python functions."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from remogpt import stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.runtime.errors import RemogptError


def test_a_set_is_described_as_on_the_command_line(run: Any, tiny_set: Path) -> None:
    described = stages.describe_set(MotionTextSet.open(tiny_set))
    assert described == json.loads(run("data", "stats", tiny_set, "--json").out)
    assert described["splits"]["train"]["clips"] == 12


def test_counting_loads_no_model_code(tiny_set: Path) -> None:
    code = f"import sys, remogpt.stages; remogpt.stages.describe_set({str(tiny_set)!r}); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "remogpt.stages.set_captions" in loaded and not {"torch", "transformers"} & set(loaded)


def test_a_list_is_written_only_where_it_fits(tiny_set: Path, tiny_text_model: Path, tmp_path: Path) -> None:
    named = {"split": "train", "out": tmp_path / "nsim.txt", "text_model": str(tiny_text_model)}
    for wrong, message in (({"size": 1}, "--size must lie between 2 and"), ({"seed": -1}, "--seed must be 0 or more")):
        with pytest.raises(RemogptError, match=message):
            stages.list_dissimilar(tiny_set, **named, **wrong)
    assert not (tmp_path / "nsim.txt").exists()
