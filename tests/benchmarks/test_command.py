"""The command that results name."""

import sys

import pytest

from benchmarks.command import command


def test_private_folders_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["seams.py", "--data", "runs/set", "--model", "/home/me/model", "../db"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert command() == "OMP_NUM_THREADS=1 python seams.py --data runs/set --model model db"
