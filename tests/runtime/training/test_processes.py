"""The loop with two processes on the CPU: parameters without a gradient, randomness of each, a kill."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage
from tests.two_processes import run_in_two_processes

pytestmark = pytest.mark.slow

LOOP = LoopConfig(steps=4, batch_size=8, learning_rate=1e-2, save_every=2, cpu=True)


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.used, self.spare, self.dropout = nn.Linear(4, 4), nn.Linear(4, 4), nn.Dropout(0.5)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor, is_spare_used: bool) -> Tensor:
        self.seen += len(x)
        hidden = self.dropout(self.used(x))
        return (self.spare(hidden) if is_spare_used else hidden).square().mean()


class KilledError(Exception):
    pass


class Losses:
    """Losses of a run, and what each of its calls drew and was given."""

    def __init__(self, is_spare_used: bool, kill_at: int | None = None) -> None:
        self.is_spare_used, self.kill_at = is_spare_used, kill_at
        self.calls: list[dict[str, Any]] = []

    def __call__(
        self, model: nn.Module, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        if len(self.calls) == self.kill_at:
            raise KilledError
        noise = torch.randn(len(indices), 4)
        looks = getattr(model, "find_unused_parameters", None)
        self.calls.append({"indices": indices.tolist(), "numpy": rng.random(), "torch": noise, "looks": looks})
        return model(noise + torch.from_numpy(indices)[:, None], self.is_spare_used), {}


def train(folder: Path, losses: Losses, loop: LoopConfig = LOOP) -> Toy:
    model = Toy()
    fit(Stage(model, 32, losses, config={}, data="d"), loop, folder)
    return model


def _learn(rank: int, folder: Path) -> None:
    found: dict[str, Any] = {}
    for name, is_spare_used in (("used", True), ("unused", False)):
        losses = Losses(is_spare_used)
        model = train(folder / name, losses)
        found[name] = {"calls": losses.calls, "model": model.state_dict()}
    found["rounds"] = {"model": train(folder / "rounds", Losses(True), replace(LOOP, accumulation=2)).state_dict()}
    with pytest.raises(KilledError):
        train(folder / "broken", Losses(False, kill_at=4))  # the trial, then three steps
    found["resumed"] = {"model": train(folder / "broken", Losses(False)).state_dict()}
    torch.save(found, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two processes found."""
    folder = tmp_path_factory.mktemp("two")
    run_in_two_processes(_learn, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("name", ["used", "unused"])
def test_unused_parameters_are_looked_for_where_there_are_any(two: list[dict[str, Any]], name: str) -> None:
    first, second = (found[name] for found in two)
    assert [call["looks"] for call in first["calls"]] == [None, *[name == "unused"] * LOOP.steps]
    for key, value in first["model"].items():
        assert torch.equal(value, second["model"][key]), key
    start = Toy().state_dict()
    assert not torch.equal(first["model"]["used.weight"], start["used.weight"])
    assert torch.equal(first["model"]["spare.weight"], start["spare.weight"]) == (name == "unused")


def test_the_trial_leaves_no_trace(two: list[dict[str, Any]]) -> None:
    for found in two:
        assert found["used"]["model"]["seen"] == LOOP.steps * LOOP.batch_size / 2
        trial, first = found["used"]["calls"][:2]
        assert torch.equal(trial["torch"], first["torch"]) and trial["indices"] == first["indices"]


def test_each_process_draws_what_a_round_of_one_draws(two: list[dict[str, Any]], tmp_path: Path) -> None:
    rounds = Losses(True)
    train(tmp_path, rounds, replace(LOOP, accumulation=2))
    shares = [found["used"]["calls"][1:] for found in two]
    calls = [call for step in zip(*shares, strict=True) for call in step]
    assert len(rounds.calls) == len(calls) == 2 * LOOP.steps
    for one, other in zip(rounds.calls, calls, strict=True):
        assert one["indices"] == other["indices"] and one["numpy"] == other["numpy"]
        assert torch.equal(one["torch"], other["torch"])
    for first, second in zip(*shares, strict=True):
        assert first["numpy"] != second["numpy"] and not torch.isclose(first["torch"], second["torch"]).any()
    # A step that is not split draws what the first share of one that is draws.
    half = Losses(True)
    train(tmp_path / "half", half, replace(LOOP, batch_size=4))
    assert all(torch.equal(one["torch"], other["torch"]) for one, other in zip(half.calls, shares[0], strict=True))


def test_two_processes_of_two_rounds_are_four_rounds_of_one(two: list[dict[str, Any]], tmp_path: Path) -> None:
    one = train(tmp_path, Losses(True), replace(LOOP, accumulation=4)).state_dict()
    for name in ("used.weight", "spare.weight"):
        first, second = (found["rounds"]["model"][name] for found in two)
        assert torch.equal(first, second)
        torch.testing.assert_close(first, one[name], rtol=1e-5, atol=1e-6)


def test_a_killed_run_ends_with_the_same_weights(two: list[dict[str, Any]]) -> None:
    for found in two:
        for key, value in found["unused"]["model"].items():
            assert torch.equal(value, found["resumed"]["model"][key]), key
