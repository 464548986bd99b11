"""Flipped bits and kills, in short; the whole runs are `python -m fuzz.bits` and `python -m fuzz.kills`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fuzz import bits


def test_flipped_bits_are_noticed_or_change_no_answer(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "bits.json"
    assert bits.main(["--flips", "24", "--seed", "3", "--model", str(tiny_model), "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["all_noticed"] and {one["verify noticed"] for one in found["folders"].values()} == {12}


def test_a_use_that_changes_in_silence_is_found(tmp_path: Path) -> None:
    """A folder that no sum covers."""
    (tmp_path / "CURRENT").write_text("0" * 64)
    counts, passed = bits.flip_all(
        tmp_path, lambda folder: (folder / "CURRENT").read_text("latin-1"), 3, np.random.default_rng(0)
    )
    assert counts["use: other answers"] == len(passed) == 3


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="commands run in forked processes")
def test_killed_commands_run_again_leave_what_undisturbed_ones_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fuzz.kills", "--kills", "6", "--only", "data make", "--out", tmp_path / "k.json"]
    root = Path(__file__).parents[2]
    subprocess.run(command, check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"})
    found = json.loads((tmp_path / "k.json").read_text())
    rows = found["commands"]["data make"]["kills"]
    assert found["all_good"] and len(rows) == 6 and found["kills"] >= 4
    assert all(not row["different"] and not row["lost"] and not row["half_written"] for row in rows)
