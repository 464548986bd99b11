"""Randomness as a function of the step number."""

import random

import numpy as np
import pytest
import torch

from remogpt.runtime.training.seeding import StepSampler, step_rng


def draws(seed: int, step: int, share: int = 0) -> tuple[float, float, float]:
    rng = step_rng(seed, step, share)
    return rng.random(), torch.rand(()).item(), random.random()


def test_a_step_draws_the_same_whatever_came_before() -> None:
    first = draws(3, 7)
    random.random(), torch.rand(100), step_rng(3, 8)
    assert draws(3, 7) == first


def test_steps_and_seeds_differ_in_every_generator() -> None:
    for others in zip(draws(0, 0), draws(0, 1), draws(1, 0), strict=True):
        assert len(set(others)) == 3


def test_shares_differ_in_every_generator() -> None:
    for others in zip(*(draws(5, 9, share) for share in range(3)), strict=True):
        assert len(set(others)) == 3
    # What runs drew before there were shares to tell apart: they go on bit for bit.
    assert step_rng(5, 9).integers(1 << 30) == 981892885 and torch.initial_seed() == 1612803600


def test_an_epoch_shows_every_item_once() -> None:
    sampler = StepSampler(20, 5, 0)
    epochs = [np.concatenate([sampler.indices(step) for step in range(4 * e, 4 * e + 4)]) for e in range(2)]
    assert all(sorted(epoch.tolist()) == list(range(20)) for epoch in epochs)
    assert not np.array_equal(*epochs)


def test_the_incomplete_batch_is_dropped_and_others_get_their_turn() -> None:
    sampler = StepSampler(7, 3, 0)
    assert all(len(set(sampler.indices(step).tolist())) == 3 for step in range(20))
    assert len({int(item) for step in range(20) for item in sampler.indices(step)}) == 7


def test_order_follows_from_the_step_alone() -> None:
    forward = [StepSampler(50, 8, 1).indices(step) for step in range(13)]
    one = StepSampler(50, 8, 1)
    for step in (12, 0, 7, 3):
        assert np.array_equal(one.indices(step), forward[step])
    assert not np.array_equal(StepSampler(50, 8, 2).indices(0), forward[0])


def test_fewer_items_than_a_batch_are_repeated() -> None:
    sampler = StepSampler(3, 8, 0)
    assert sampler.indices(0).shape == (8,) and set(sampler.indices(0).tolist()) <= {0, 1, 2}


@pytest.mark.parametrize(("items", "batch"), [(0, 4), (4, 0)])
def test_nothing_to_draw_from_is_refused(items: int, batch: int) -> None:
    with pytest.raises(ValueError, match="at least one item and a batch of at least 1"):
        StepSampler(items, batch, 0)
