"""Embeddings of earlier batches as further negatives: many rivals for the memory of a small batch.

Source: cross-batch memory, arXiv 1912.06798: embeddings drift so slowly that those of some batches ago still count;
MoCo, arXiv 1911.05722, for the queue, which Part_TMR has too. differs: no second, slowly moving encoder, which would
double the cost of a step; old embeddings are the network's own.
"""

import torch
from torch import Tensor, nn


class NegativeQueue(nn.Module):
    """The last `size` pairs of embeddings, and which clips and captions they are of.

    All of it lives in buffers, so that a checkpoint of the module that holds it continues exactly.

    Args:
        size: pairs that are kept.
        dim: width D of the embeddings.
    """

    texts: Tensor
    motions: Tensor
    items: Tensor
    numbers: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("texts", torch.zeros(size, dim))
        self.register_buffer("motions", torch.zeros(size, dim))
        self.register_buffer("items", torch.full((size,), -1, dtype=torch.int64))
        self.register_buffer("numbers", torch.zeros(size, dtype=torch.int64))

    def read(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return copies of what is there: texts (Q, D), motions (Q, D), clips (Q,) and numbers of captions (Q,)."""
        # Copies, and so filled: `push_` must not change what a backward pass still needs.
        real = self.items >= 0
        return self.texts[real], self.motions[real], self.items[real], self.numbers[real]

    @torch.no_grad()
    def push_(self, texts: Tensor, motions: Tensor, items: Tensor, numbers: Tensor) -> None:
        """Add B pairs, in place; the oldest leave."""
        for buffer, rows in (
            (self.texts, texts),
            (self.motions, motions),
            (self.items, items),
            (self.numbers, numbers),
        ):
            buffer.copy_(torch.cat([buffer, rows.detach().to(buffer)])[-len(buffer) :])


class WithQueue(nn.Module):
    """A network and its queue as one module, saved and moved together; it computes what the network does.

    Args:
        network: what is trained.
        queue: read and filled by the loss.
    """

    def __init__(self, network: nn.Module, queue: NegativeQueue) -> None:
        super().__init__()
        self.network, self.queue = network, queue

    def forward(self, *inputs: Tensor) -> object:
        """What the network returns."""
        return self.network(*inputs)
