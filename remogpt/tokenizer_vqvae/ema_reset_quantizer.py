"""Vector quantizer whose codebook follows the data: exponential moving averages, dead codes replaced.

Vectors are (B, N, D), channels last. A code is an index into the codebook (K, D). The codebook receives no gradient:
each training step moves it towards the mean of the vectors assigned to it. The moving sums, the moving counts and the
flag for an initialized codebook are buffers, so a state dict holds everything that a resumed run needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as functional
from torch import Tensor, nn

INIT_NOISE = 0.01
"""Spread of the noise added to repeated vectors, divided by sqrt(D). Source: T2M-GPT, QuantizeEMAReset."""


@dataclass(frozen=True)
class Quantized:
    """Result of quantizing one batch."""

    vectors: Tensor
    """(B, N, D), the chosen codebook rows; the gradient passes straight through to the input."""
    codes: Tensor
    """(B, N) int64 in [0, K)."""
    commit_loss: Tensor
    """Scalar: mean squared distance of the input to its codebook row."""
    perplexity: Tensor
    """Scalar in [1, K]: exp of the entropy of the batch's codes, in training over all processes."""


@dataclass
class _Step:
    """Sums over the accumulation rounds of the current training step."""

    sums: Tensor
    """(K, D): sum of the vectors of each code, of this process."""
    counts: Tensor
    """(K,): number of vectors of each code, of all processes."""
    candidates: Tensor
    """(K, D): vectors of the step's first round on the first process, which replace dead codes."""
    rounds: int = 1


class EMAResetQuantizer(nn.Module):
    """Assign each vector to its nearest code and, while training, move the codes.

    Source: T2M-GPT, arXiv 2301.06052, sec. 3.2, and its released code. In one training step, in this order: assign with
    the old codebook; output the old rows; update sums and counts; a code whose moving count is at least `dead_below`
    becomes sum / count, any other becomes the vector of the same row number in the batch.
    differs: the moving state is saved (the released code restarts its codebook on resume); the sums and counts of a
    step are totals of all processes and of all rounds of gradient accumulation, and the codebook moves once a step.
    """

    is_frozen = False
    """Whether training leaves the codebook as it is."""
    rounds = 1
    """Forward passes that make one training step (loop.accumulation)."""
    codebook: Tensor
    code_sums: Tensor
    code_counts: Tensor
    is_initialized: Tensor
    codes_per_step = 1
    TRAINING_STATE = ("code_sums", "code_counts", "is_initialized")
    """Buffers that only training needs, not encoding or decoding."""

    def __init__(self, num_codes: int, code_dim: int, decay: float = 0.99, dead_below: float = 1.0) -> None:
        """Make an empty codebook; the first training batch initializes it.

        Args:
            num_codes: K.
            code_dim: D.
            decay: share of the moving sums kept each step, in (0, 1).
            dead_below: moving count (vectors per step) under which a code is replaced; 1.0 in the source.
        """
        super().__init__()
        self.num_codes = num_codes
        self.code_dim = code_dim
        self.decay = decay
        self.dead_below = dead_below
        self.register_buffer("codebook", torch.zeros(num_codes, code_dim))
        self.register_buffer("code_sums", torch.zeros(num_codes, code_dim))
        self.register_buffer("code_counts", torch.zeros(num_codes))
        self.register_buffer("is_initialized", torch.zeros((), dtype=torch.bool))
        self._step: _Step | None = None

    def train(self, mode: bool = True) -> EMAResetQuantizer:
        """Change the mode and discard an unfinished training step."""
        self._step = None
        return super().train(mode)

    def forward(self, vectors: Tensor) -> Quantized:
        """Quantize (B, N, D); in training mode also update the codebook, in the last of a step's `rounds`.

        The arithmetic is float32 even under autocast: counts near the replacement threshold must not be rounded.
        """
        with torch.autocast(vectors.device.type, enabled=False):
            flat = vectors.reshape(-1, self.code_dim).float()  # (B*N, D)
            if self.training and not self.is_initialized:
                self.initialize_(flat.detach())
            codes = self.nearest(flat)
            chosen = self.lookup(codes)
            counts = torch.bincount(codes, minlength=self.num_codes).to(flat.dtype)  # (K,)
            if self.training and not self.is_frozen:
                if _is_distributed():
                    dist.all_reduce(counts)
                self.update_(flat.detach(), codes, counts)
            commit_loss = functional.mse_loss(flat, chosen)
            passed = flat + (chosen - flat).detach()
        return Quantized(
            vectors=passed.view(vectors.shape),
            codes=codes.view(vectors.shape[:-1]),
            commit_loss=commit_loss,
            perplexity=perplexity_of(counts),
        )

    def encode(self, vectors: Tensor) -> Tensor:
        """(B, N, D) -> (B, N) int64 codes."""
        return self.nearest(vectors.flatten(0, 1).float()).view(vectors.shape[:2])

    def nearest(self, flat: Tensor) -> Tensor:
        """(M, D) -> (M,) int64: the nearest code of each vector, the lowest index on ties."""
        book = self.codebook
        squared = flat.pow(2).sum(dim=1, keepdim=True) - 2 * flat @ book.t() + book.pow(2).sum(dim=1)  # (M, K)
        return squared.argmin(dim=1)

    def lookup(self, codes: Tensor) -> Tensor:
        """(...) int64 -> (..., D): codebook rows."""
        return functional.embedding(codes, self.codebook)

    @torch.no_grad()
    def initialize_(self, flat: Tensor) -> None:
        """Initialize the codebook with the first K vectors of `flat` (M, D)."""
        self.set_codebook_(self._candidates(flat))

    @torch.no_grad()
    def set_codebook_(self, codebook: Tensor) -> None:
        """Set the codebook (K, D), and moving sums and counts as if each code were chosen once a step."""
        self.codebook.copy_(codebook)
        self.code_sums.copy_(codebook)
        self.code_counts.fill_(1.0)
        self.is_initialized.fill_(True)

    @torch.no_grad()
    def update_(self, flat: Tensor, codes: Tensor, counts: Tensor) -> None:
        """Move the codebook towards the vectors `flat` (M, D) of a step's rounds.

        Args:
            flat: vectors of this process.
            codes: (M,), code of each vector.
            counts: (K,), number of vectors of each code, over all processes.
        """
        sums = torch.zeros_like(self.code_sums).index_add_(0, codes, flat)
        if self._step is None:
            self._step = _Step(sums, counts.clone(), self._candidates(flat))
        else:
            self._step.sums += sums
            self._step.counts += counts
            self._step.rounds += 1
        if self._step.rounds < self.rounds:
            return
        step, self._step = self._step, None
        if _is_distributed():
            dist.all_reduce(step.sums)
        self.code_sums.mul_(self.decay).add_(step.sums, alpha=1.0 - self.decay)
        self.code_counts.mul_(self.decay).add_(step.counts, alpha=1.0 - self.decay)
        is_alive = (self.code_counts >= self.dead_below).unsqueeze(1)  # (K, 1)
        # A dead code keeps its old sum and count, as in the source, so it is replaced at each step until it is chosen.
        mean = self.code_sums / self.code_counts.clamp_min(1e-12).unsqueeze(1)
        self.codebook.copy_(torch.where(is_alive, mean, step.candidates))

    def restart_(self) -> None:
        """Reset the moving state from the codebook, after loading a state dict without `TRAINING_STATE`."""
        self.set_codebook_(self.codebook)

    def num_dead(self) -> int:
        """Number of codes that each step currently replaces."""
        return int((self.code_counts < self.dead_below).sum())

    def _candidates(self, flat: Tensor) -> Tensor:
        """(K, D): the first K vectors of the batch; if there are fewer, repeated with a little noise."""
        if len(flat) < self.num_codes:
            flat = flat.repeat(math.ceil(self.num_codes / len(flat)), 1)
            flat = flat + torch.randn_like(flat) * (INIT_NOISE / math.sqrt(self.code_dim))
        candidates = flat[: self.num_codes].clone()  # broadcasting must not write into the input
        if _is_distributed():
            dist.broadcast(candidates, src=0)
        return candidates


def perplexity_of(counts: Tensor) -> Tensor:
    """exp(entropy) of code counts (K,): K when all codes are used alike, 1 when one is used."""
    share = counts / counts.sum()
    return torch.exp(-(share * torch.log(share + 1e-7)).sum())


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized()
