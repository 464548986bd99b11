"""Finite scalar quantization: a vector is projected to a few coordinates, each of which is rounded to a few values.

Every combination of values is a code, so there is no codebook to learn and none to keep alive. Vectors are (B, N, D),
channels last. Needs vector-quantize-pytorch (extra `quantizers`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from vector_quantize_pytorch import FSQ

from remogpt.tokenizer_vqvae.quantizer import Quantized, perplexity_of

MOMENTUM = 0.1
"""Share of each batch in the moving mean and standard deviation of the coordinates."""
EPSILON = 1e-5


class FiniteScalarQuantizer(nn.Module):
    """Round projected vectors to a grid.

    Source: Mentzer et al., Finite Scalar Quantization, arXiv 2309.15505, as vector-quantize-pytorch has it; linear
    projections to the grid's width and back are learned.
    differs: coordinates are standardised over the batch (over each process's share of it) before they are bounded.
    Without that, the encoder's outputs were far out on the tanh from the first steps on, no gradient came back, and 7
    of 1,000 codes were in use. The deviation is kept, not the variance, which float16 could not hold.
    """

    mean: Tensor
    std: Tensor
    codes_per_step = 1
    TRAINING_STATE: tuple[str, ...] = ()
    """Nothing is kept for training alone."""

    def __init__(self, levels: Sequence[int], code_dim: int) -> None:
        """Make the projections; `levels` says how many values each coordinate has, `code_dim` is D."""
        super().__init__()
        self.into = nn.Linear(code_dim, len(levels))
        self.register_buffer("mean", torch.zeros(len(levels)))
        self.register_buffer("std", torch.ones(len(levels)))
        self.grid = FSQ(list(levels))
        self.back = nn.Linear(len(levels), code_dim)
        self.num_codes = int(self.grid.codebook_size)

    def forward(self, vectors: Tensor) -> Quantized:
        """Quantize (B, N, D) in float32, even under autocast; nothing has to be committed to."""
        with torch.autocast(vectors.device.type, enabled=False):
            points, codes = self.grid(self._coordinates(vectors))  # (B, N, d), (B, N)
            quantized, codes = self.back(points), codes.long()
            counts = torch.bincount(codes.flatten(), minlength=self.num_codes).float()  # (K,)
        return Quantized(quantized, codes, commit_loss=quantized.new_zeros(()), perplexity=perplexity_of(counts))

    def encode(self, vectors: Tensor) -> Tensor:
        """(B, N, D) -> (B, N) int64 codes in [0, K)."""
        return self.grid(self._coordinates(vectors))[1].long()

    def lookup(self, codes: Tensor) -> Tensor:
        """(B, N) int64 -> (B, N, D): the grid's points, projected back."""
        return self.back(self.grid.indices_to_codes(codes))

    def _coordinates(self, vectors: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, d), of mean 0 and variance 1 over what was trained on."""
        coordinates = self.into(vectors.float())
        if not self.training:
            return (coordinates - self.mean) / self.std
        mean, std = coordinates.mean(dim=(0, 1)), coordinates.std(dim=(0, 1)) + EPSILON
        with torch.no_grad():
            self.mean.lerp_(mean, MOMENTUM)
            self.std.lerp_(std, MOMENTUM)
        return (coordinates - mean) / std

    def restart_(self) -> None:
        """Do nothing: there is no moving state."""

    def num_dead(self) -> int:
        """None, by construction."""
        return 0
