"""A real process that was killed ends with the weights of a run that nobody broke."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

TRAIN = """
import sys
import torch
from torch import nn
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage

torch.manual_seed(3)
model = nn.Sequential(nn.Linear(2, 300), nn.Dropout(0.3), nn.Linear(300, 1))

def compute_loss(model, indices, rng):
    x = torch.from_numpy(rng.normal(size=(len(indices), 2))).float()
    return model(x).square().mean(), {}

loop = LoopConfig(steps=120, batch_size=4, learning_rate=1e-2, save_every=7, log_every=1, evaluate_every=11, cpu=True)
score = {"score": 0.0}
stage = Stage(model, 20, compute_loss, config={}, data="d", evaluate=lambda model: score, best=("score", "min"))
fit(stage, loop, sys.argv[1])
"""


def start(run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(run)], stderr=subprocess.DEVNULL)


def lines(run: Path) -> int:
    log = run / "log.jsonl"
    return len(log.read_text().splitlines()) if log.is_file() else 0


@pytest.mark.slow
def test_a_kill(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    process = start(broken)
    while process.poll() is None and lines(broken) < 40:
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL and 40 <= lines(broken) < 120
    unbroken = start(whole)
    assert start(broken).wait() == 0 and unbroken.wait() == 0
    for name in ("log.jsonl", "best.safetensors"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    ours, theirs = (torch.load(run / "training.pt", weights_only=True) for run in (broken, whole))
    assert all(torch.equal(value, theirs["model"][name]) for name, value in ours["model"].items())
    for number, state in ours["optimizer"]["state"].items():
        assert all(torch.equal(value, theirs["optimizer"]["state"][number][name]) for name, value in state.items())
    assert {path.name for path in broken.iterdir()} == {path.name for path in whole.iterdir()}
