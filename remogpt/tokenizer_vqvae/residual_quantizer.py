"""Quantize vectors by residual codebooks: one for the vector, one for the remainder, and so on.

Vectors are (B, N, D), channels last. A step of four frames has one code of every level, the coarsest first, and ids
identify the level: with levels of 512 and 512 codes, ids below 512 are of the first and the others of the
second, so that codes are one flat sequence (B, N * Q). Needs vector-quantize-pytorch (extra `quantizers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from vector_quantize_pytorch import ResidualVQ

from remogpt.tokenizer_vqvae.ema_reset_quantizer import Quantized, perplexity_of


class ResidualQuantizer(nn.Module):
    """Represent a vector as the sum of codes of several levels; codebooks are moving averages, dead codes are replaced.

    Source: Zeghidour et al., SoundStream, arXiv 2107.03312, algorithm 1, as in vector-quantize-pytorch (codebooks
    are initialized by k-means of the first batch; gradients pass straight through).
    """

    offsets: Tensor

    def __init__(self, levels: Sequence[int], code_dim: int, decay: float = 0.99, dead_below: float = 1.0) -> None:
        """Make empty codebooks; the first training batch initializes them.

        Args:
            levels: codes of each level, coarsest first.
            code_dim: D.
            decay: share of the moving sums kept each step, in (0, 1).
            dead_below: moving count (vectors per step) under which a code is replaced by a vector of the batch.
        """
        super().__init__()
        self.num_codes, self.codes_per_step, self.dead_below = sum(levels), len(levels), dead_below
        self.books = ResidualVQ(
            dim=code_dim,
            codebook_size=tuple(levels),
            decay=decay,
            threshold_ema_dead_code=dead_below,
            kmeans_init=True,
            route_gradients_to_input=False,
        )
        self.register_buffer("offsets", torch.tensor([0, *accumulate(levels)][:-1]), persistent=False)
        self.TRAINING_STATE = tuple(
            f"books.layers.{level}._codebook.{name}"
            for level in range(len(levels))
            for name in ("initted", "cluster_size", "embed_avg")
        )

    def forward(self, vectors: Tensor) -> Quantized:
        """Quantize (B, N, D) in float32, even under autocast; in training mode also update the codebooks."""
        with torch.autocast(vectors.device.type, enabled=False):
            flat = vectors.float()
            quantized, indices, losses = self.books(flat)  # (B, N, D), (B, N, Q), (Q,)
            # One straight-through step for the sum: the library's step per level would multiply the gradient by Q.
            quantized = flat + (quantized - flat).detach()
            codes = self._flat(indices)
            counts = torch.bincount(codes.flatten(), minlength=self.num_codes).float()  # (K,)
        return Quantized(quantized, codes, commit_loss=losses.sum(), perplexity=perplexity_of(counts))

    def encode(self, vectors: Tensor) -> Tensor:
        """(B, N, D) -> (B, N * Q) int64 codes, step by step, coarsest first."""
        return self._flat(self.books(vectors.float())[1])

    def lookup(self, codes: Tensor) -> Tensor:
        """(B, N * Q) int64 -> (B, N, D): the sum of the levels' codebook rows."""
        indices = codes.view(len(codes), -1, self.codes_per_step) - self.offsets
        return self.books.get_output_from_indices(indices)

    def restart_(self) -> None:
        """Reset the moving state from the codebooks, after loading a state dict without `TRAINING_STATE`."""
        for layer in self.books.layers:
            book = layer._codebook
            book.initted.fill_(True)
            book.cluster_size.fill_(1.0)
            book.embed_avg.copy_(book.embed)

    def num_dead(self) -> int:
        """Number of codes, of all levels, that each step currently replaces."""
        return sum(int((layer._codebook.cluster_size < self.dead_below).sum()) for layer in self.books.layers)

    def _flat(self, indices: Tensor) -> Tensor:
        """(B, N, Q) indices within the levels -> (B, N * Q) codes."""
        return (indices + self.offsets).flatten(1)
