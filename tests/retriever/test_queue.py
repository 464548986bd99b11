"""The queue of earlier batches."""

from pathlib import Path

import numpy as np
import torch

from remogpt.retriever.pl_tmr import PLTMR, PLTMRConfig
from remogpt.retriever.queue import NegativeQueue, WithQueue
from remogpt.retriever.untrained import new_retriever


def test_the_oldest_leave_and_everything_is_in_the_state() -> None:
    queue = NegativeQueue(5, 2)
    assert len(queue.read()[0]) == 0
    for batch in range(3):
        rows = torch.full((2, 2), float(batch))
        queue.push_(rows, -rows, torch.tensor([2 * batch, 2 * batch + 1]), torch.tensor([batch, batch]))
    texts, motions, items, numbers = queue.read()
    assert items.tolist() == [1, 2, 3, 4, 5] and numbers.tolist() == [0, 1, 1, 2, 2]
    assert texts[:, 0].tolist() == [0.0, 1.0, 1.0, 2.0, 2.0] and torch.equal(motions, -texts)
    again = NegativeQueue(5, 2)
    again.load_state_dict(queue.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(queue.read(), again.read(), strict=True))


def test_a_batch_larger_than_the_queue() -> None:
    queue = NegativeQueue(2, 1)
    queue.push_(torch.arange(4.0)[:, None], torch.arange(4.0)[:, None], torch.arange(4), torch.zeros(4))
    assert queue.read()[2].tolist() == [2, 3]


def test_reading_before_pushing_survives_the_backward_pass() -> None:
    queue, rows = NegativeQueue(2, 3), torch.ones(2, 3, requires_grad=True)
    queue.push_(torch.ones(2, 3), torch.ones(2, 3), torch.arange(2), torch.zeros(2))
    loss = (rows @ queue.read()[0].T).sum()
    queue.push_(rows, rows, torch.arange(2), torch.zeros(2))
    loss.backward()
    assert rows.grad is not None and torch.equal(rows.grad, torch.full((2, 3), 2.0))


def test_the_follower_follows_and_all_is_in_the_state(tiny_text_model: Path) -> None:
    config = PLTMRConfig(
        part_width=8, num_layers=1, num_heads=2, feedforward=16, patch=8, projection_dim=8, head_dropout=0.5,
        text_width=16, text_layers=1, text_heads=2, text_feedforward=16,
    )  # fmt: skip
    retriever = new_retriever(config, str(tiny_text_model), False, np.zeros(263), np.ones(263))
    network = retriever.network
    assert isinstance(network, PLTMR)
    whole, weight = WithQueue(network, 4, momentum=0.99), network.motion_head.fc.weight
    start = weight.detach().clone()
    with torch.no_grad():
        weight.add_(1.0)
    for kept in (1 / 10, 2 / 11):  # the share of itself that each of the first updates leaves
        before = whole.slow.motion_head.fc.weight.clone()
        whole.follow_()
        torch.testing.assert_close(whole.slow.motion_head.fc.weight, weight - (weight - before) * kept)
    torch.testing.assert_close(whole.slow.motion_head.fc.weight, start + 1 - 1 / 10 * 2 / 11)
    assert {name.split(".")[0] for name in whole.state_dict()} == {"network", "slow", "queue", "updates"}
    assert not any(parameter.requires_grad for parameter in whole.slow.parameters())
    inputs = *retriever.text.prepare(["a person walks"]), torch.randn(1, 16, 263), torch.tensor([16])
    whole.train()
    one, other = (whole.embed_slowly(*inputs).motions for _ in range(2))
    assert torch.equal(one, other) and not one.requires_grad  # no dropout
