"""Batches drawn ahead are those drawn in time, and trainings end alike."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from remogpt.runtime.training import loop as loops
from remogpt.runtime.training.draw_ahead import in_order
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage


@pytest.mark.parametrize("ahead", [False, True])
def test_every_step_is_drawn_once_and_in_order(ahead: bool) -> None:
    drawn: list[int] = []

    def draw(step: int) -> int:
        drawn.append(step)
        return step * step

    assert list(in_order(draw, range(3, 8), ahead=ahead)) == [9, 16, 25, 36, 49]
    assert drawn == [3, 4, 5, 6, 7] and list(in_order(abs, range(0), ahead=ahead)) == []


def test_the_next_step_is_drawn_while_the_caller_works() -> None:
    begun = threading.Event()

    def draw(step: int) -> int:
        if step == 1:
            begun.set()
        return step

    batches = in_order(draw, range(3), ahead=True)
    assert next(batches) == 0 and begun.wait(10)
    assert list(batches) == [1, 2]


def test_an_error_is_raised_where_its_batch_is_wanted() -> None:
    batches = in_order(lambda step: 1 // (2 - step), range(4), ahead=True)
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_a_training_ends_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dropout, whose draws a thread that seeds torch would disturb."""

    def train(folder: Path) -> Tensor:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))

        def draw(indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, int]:
            return torch.from_numpy(rng.normal(size=(len(indices), 4))).float(), len(indices)

        def loss(model: nn.Module, batch: Tensor, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
            return model(batch).square().mean(), {}

        config = LoopConfig(steps=8, batch_size=4, accumulation=2, save_every=100, cpu=True)
        fit(Stage(model, 16, loss, config={}, data="d", draw=draw), config, folder)
        return torch.cat([weight.flatten() for weight in model.state_dict().values()])

    plain = train(tmp_path / "plain")
    monkeypatch.setattr(loops, "in_order", lambda draw, steps, ahead: in_order(draw, steps, ahead=True))
    assert torch.equal(train(tmp_path / "ahead"), plain)
