"""Seed each training step, so that resuming needs no saved generator state.

Every training step is seeded by its own number, and the order of samples is a function of (seed, epoch). A resumed run
repeats exactly the steps of an uninterrupted one.
"""

import random

import numpy as np
import torch


def step_rng(seed: int, step: int, share: int = 0) -> np.random.Generator:
    """Seed Python and torch for one share of a step, and return the share's own NumPy generator.

    A step's batch is split into shares, one for each accumulation round of each process, numbered in the order of the
    batch. Each share has its own seed, so that dropout, crops and choices do not repeat; two processes draw the same
    numbers as two rounds of one process. Share 0 draws the same numbers as an undivided step.
    """
    words = _entropy(seed, step, share).generate_state(2)
    random.seed(int(words[0]))
    torch.manual_seed(int(words[1]))
    return share_rng(seed, step, share)


def share_rng(seed: int, step: int, share: int = 0) -> np.random.Generator:
    """Return a share's own NumPy generator, and seed nothing else; see `step_rng`."""
    return np.random.default_rng(_entropy(seed, step, share))


def _entropy(seed: int, step: int, share: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, step, share] if share else [seed, step])


class StepSampler:
    """Draws shuffled batches without replacement, as a function of the step number.

    Args:
        num_items: size of the data set.
        batch_size: items a step; a smaller data set repeats items within a batch.
        seed: of the epochs' orders.
    """

    def __init__(self, num_items: int, batch_size: int, seed: int):
        if num_items < 1 or batch_size < 1:
            raise ValueError(f"wanted at least one item and a batch of at least 1, got {num_items} and {batch_size}")
        self.num_items, self.batch_size, self.seed = num_items, batch_size, seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def indices(self, step: int) -> np.ndarray:
        """Return (batch_size,) int64 item numbers of step `step` (from 0); the incomplete last batch is dropped."""
        if self.num_items < self.batch_size:
            return np.random.default_rng((self.seed, step)).integers(self.num_items, size=self.batch_size)
        epoch, batch = divmod(step, self.num_items // self.batch_size)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng((self.seed, epoch)).permutation(self.num_items)
        return self._order[batch * self.batch_size : (batch + 1) * self.batch_size]
