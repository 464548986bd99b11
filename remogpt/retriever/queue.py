"""Embeddings of earlier batches as further negatives: many rivals for the memory of a small batch.

They come from a second network that follows the trained one slowly, and count only later: a network that moves fast
tells its past from the present by that alone. Counted from the first step they ruined training (600 procedural clips,
one seed, mean reciprocal rank after 100 steps: 0.11 instead of 0.33; 0.04 with the network's own old embeddings). From
half way through 200 steps on they did no harm and hardly helped (0.51 instead of 0.49).

Source: MoCo, arXiv 1911.05722, and Part_TMR's queue (spec 2.5). differs: the first updates follow faster, so that a
short run does not learn from a random network.
"""

import copy

import torch
from torch import Tensor, nn

from remogpt.retriever.pl_tmr import PLTMR, Embedded


class NegativeQueue(nn.Module):
    """The last `size` pairs of embeddings, and which clips and captions they are of.

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
        kept = (self.texts, self.motions, self.items, self.numbers)
        for buffer, rows in zip(kept, (texts, motions, items, numbers), strict=True):
            buffer.copy_(torch.cat([buffer, rows.detach().to(buffer)])[-len(buffer) :])


class WithQueue(nn.Module):
    """A network, its slow follower and their queue as one module; it computes what the network does.

    All that the queue needs lives in this module's state, so that a checkpoint of it continues exactly.

    Args:
        network: what is trained.
        size: pairs that the queue keeps.
        momentum: share of itself that the follower keeps at each update.
    """

    updates: Tensor

    def __init__(self, network: PLTMR, size: int, momentum: float) -> None:
        super().__init__()
        self.network, self.momentum = network, momentum
        self.slow = copy.deepcopy(network).requires_grad_(False)
        self.queue = NegativeQueue(size, network.dim)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def forward(self, *inputs: Tensor) -> Embedded:
        """What the network returns."""
        embedded: Embedded = self.network(*inputs)
        return embedded

    @torch.no_grad()
    def follow_(self) -> None:
        """Move the follower towards the network, in place; early updates move it more."""
        count = self.updates.item()
        kept = min(self.momentum, (1 + count) / (10 + count))
        for slow, live in zip(self.slow.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(live.detach(), 1 - kept)
        self.updates += 1

    @torch.no_grad()
    def embed_slowly(self, *inputs: Tensor) -> Embedded:
        """What the follower returns, without dropout."""
        embedded: Embedded = self.slow.eval()(*inputs)
        return embedded
