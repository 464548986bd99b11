"""Trackers are told the numbers of log.jsonl, each step once, whatever was killed."""

import json
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training import tracking
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage

LOOP = LoopConfig(steps=8, batch_size=4, save_every=3, log_every=1, evaluate_every=4, cpu=True, tracker="tensorboard")


def train(folder: Path, kill_at: int | None = None, loop: LoopConfig = LOOP) -> None:
    calls = iter(range(100))

    def compute_loss(model: nn.Module, indices: object, rng: object) -> tuple[Tensor, dict[str, float]]:
        if next(calls) == kill_at:
            raise KeyboardInterrupt
        noise = torch.rand(4, 2)
        return model(noise).square().mean(), {"noise": float(noise.mean())}

    torch.manual_seed(0)
    stage = Stage(nn.Linear(2, 2), 9, compute_loss, config={}, data="d", evaluate=lambda model: {"val/x": 0.5})
    fit(stage, loop, folder)


def test_tensorboard_shows_the_log(tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, kill_at=5)  # the fourth and fifth step are logged, and lost with their checkpoint
    train(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    wanted = {
        name: [(line["step"], pytest.approx(line[name], abs=1e-6)) for line in lines if name in line]
        for name in ("loss", "rate", "noise", "val/x")
    }
    events = reader.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    shown = {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}
    assert shown == wanted and len(shown["loss"]) == LOOP.steps and len(shown["val/x"]) == 2


def test_who_looks_on_may_change_when_a_run_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, kill_at=5, loop=replace(LOOP, tracker=None))
    assert not (tmp_path / "tensorboard").exists()
    train(tmp_path)
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


@pytest.mark.parametrize("spec", [None, ModuleSpec("wandb", None)], ids=["nothing", "a folder of its logs"])
@pytest.mark.parametrize("tracker", ["tensorboard", "wandb"])
def test_a_tracker_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracker: Literal["tensorboard", "wandb"], spec: ModuleSpec | None
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: spec)
    with pytest.raises(RemogptError, match=rf"loop.tracker {tracker} needs .* pip install 'remogpt\[{tracker}\]'"):
        train(tmp_path, loop=replace(LOOP, tracker=tracker))
    assert not (tmp_path / "config.yaml").exists()
