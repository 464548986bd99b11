"""The queue of earlier batches."""

import torch

from remogpt.retriever.queue import NegativeQueue, WithQueue


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


def test_the_pair_computes_what_the_network_does() -> None:
    network = torch.nn.Linear(3, 2)
    whole, rows = WithQueue(network, NegativeQueue(2, 2)), torch.ones(4, 3)
    assert torch.equal(whole(rows), network(rows))
    assert {name.split(".")[0] for name in whole.state_dict()} == {"network", "queue"}
