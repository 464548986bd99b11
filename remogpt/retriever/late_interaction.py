"""Late interaction: every word of a caption looks for the body part that fits it best, and the whole is reranked by it.

A vector for a whole motion must hold everything at once; "left" in a caption may then be outvoted by ten other words.
Here each of P parts of a motion (the six body parts, each also by stretches of time where wished) and each of L words
has a small vector; their score is the mean over words of the largest cosine over parts. It costs P x L dot products a
pair, so it reorders the top of a ranking by the vectors of whole motions.

Source: ColBERT, arXiv 2004.12832 (MaxSim, reranking); FILIP, arXiv 2111.07783 (its contrastive training, the mean).
Letters: `A` captions, `M` motions, `L` words, `P` parts, `W` width of the small vectors.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.losses import Temperature
from remogpt.retriever.part_encoder import real_positions
from remogpt.runtime.errors import RemogptError

BLOCK = 1 << 26
"""Cosines held at once by `max_sim_blocks`: 256 MB."""


class LateVectors(NamedTuple):
    """Small vectors of a batch of captions and of motions."""

    words: Tensor
    """(A, L, W) unit rows."""
    word_mask: Tensor
    """(A, L) bool, True where real."""
    parts: Tensor
    """(M, P, W) unit rows."""
    part_mask: Tensor
    """(M, P) bool, True where real."""
    temperature: Tensor
    """() divides the scores in training."""


class LateHeads(nn.Module):
    """Projections of parts and words to their common small width.

    Args:
        num_parts: body parts.
        part_width, word_width: of the encoders' states.
        width: W.
        stretches: equal stretches of time whose mean states are vectors too, besides the part's own; 0: none.
        temperature: of the late loss.
    """

    def __init__(
        self, num_parts: int, part_width: int, word_width: int, width: int, stretches: int, temperature: Temperature
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(part_width, width) for _ in range(num_parts)])
        self.words = nn.Linear(word_width, width)
        self.temperature, self.stretches = temperature, stretches

    def embed_words(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Word states (A, L, word_width), lengths (A,) -> unit rows (A, L, W) and their mask (A, L)."""
        return functional.normalize(self.words(states).float(), dim=-1), real_positions(lengths, states.shape[1])

    def embed_tokens(self, states: list[Tensor], lengths: Tensor) -> tuple[Tensor, Tensor]:
        """States of each part (M, 1 + N, part_width), real tokens of N (M,) -> unit rows (M, P, W) and mask (M, P)."""
        vectors, masks = [], []
        for head, part in zip(self.parts, states, strict=True):
            pooled, real = stretch_means(part[:, 1:], lengths, self.stretches)
            vectors.append(head(torch.cat([part[:, :1], pooled], dim=1)))
            masks.append(functional.pad(real, (1, 0), value=True))
        return functional.normalize(torch.cat(vectors, dim=1).float(), dim=-1), torch.cat(masks, dim=1)


def stretch_means(states: Tensor, lengths: Tensor, stretches: int) -> tuple[Tensor, Tensor]:
    """Means over equal stretches of a sequence.

    Args:
        states: (B, N, C).
        lengths: (B,) real states of each.
        stretches: S.

    Returns:
        (B, S, C), and (B, S) bool: False for a stretch that got no state since the sequence has fewer than S.
    """
    places = torch.arange(states.shape[1], device=states.device)
    owner = torch.div(places * stretches, lengths.clamp(min=1)[:, None], rounding_mode="floor")  # (B, N)
    wanted = torch.arange(stretches, device=states.device)[:, None]
    inside = (owner[:, None] == wanted) & real_positions(lengths, states.shape[1])[:, None]  # (B, S, N)
    counts = inside.sum(dim=-1)
    return inside.to(states.dtype) @ states / counts.clamp(min=1)[..., None], counts > 0


def max_sim(words: Tensor, word_mask: Tensor, parts: Tensor, part_mask: Tensor) -> Tensor:
    """Late scores (A, M) of every caption and every motion: mean over real words of the best cosine over real parts.

    Args:
        words, word_mask: (A, L, W) unit rows and (A, L).
        parts, part_mask: (M, P, W) unit rows and (M, P).

    Example:
        Words [1, 0] and [0, 1] against the one part [1, 0]: (1 + 0) / 2 = 0.5; against both axes: (1 + 1) / 2 = 1.
    """
    with torch.autocast(words.device.type, enabled=False):
        cosines = torch.einsum("alw,mpw->amlp", words.float(), parts.float())
        return _mean_of_best(cosines, word_mask[:, None], part_mask[None, :, None])


def paired_max_sim(words: Tensor, word_mask: Tensor, parts: Tensor, part_mask: Tensor) -> Tensor:
    """Late scores (A,) of caption i and motion i alone; arguments as in `max_sim`, with M = A."""
    with torch.autocast(words.device.type, enabled=False):
        cosines = torch.einsum("alw,apw->alp", words.float(), parts.float())
        return _mean_of_best(cosines, word_mask, part_mask[:, None])


def _mean_of_best(cosines: Tensor, word_mask: Tensor, part_mask: Tensor) -> Tensor:
    best = cosines.masked_fill(~part_mask, -1.0).amax(dim=-1) * word_mask
    return best.sum(dim=-1) / word_mask.sum(dim=-1).clamp(min=1)


def max_sim_blocks(words: Tensor, word_mask: Tensor, parts: Tensor, part_mask: Tensor) -> Tensor:
    """Compute `max_sim` in blocks of captions, so that no more than `BLOCK` cosines are held at once."""
    rows = max(1, BLOCK // max(1, words.shape[1] * parts.shape[0] * parts.shape[1]))
    blocks = [
        max_sim(words[first : first + rows], word_mask[first : first + rows], parts, part_mask)
        for first in range(0, len(words), rows)
    ]
    return torch.cat(blocks) if blocks else words.new_zeros(0, len(parts))


def rerank(dense: np.ndarray, late: np.ndarray, k: int, weight: float) -> np.ndarray:
    """Reorder the best `k` of every row by (1 - weight) dense + weight late.

    Args:
        dense: (Q, E) cosines; rows are queries.
        late: (Q, E) late scores; only those of each row's best k are read.
        k: how many are reordered; at least 1.
        weight: in [0, 1].

    Returns:
        (Q, E): for the best k the weighted score, for the others dense - 2, which keeps their order behind them.

    Example:
        >>> rerank(np.array([[0.9, 0.8, 0.1]]), np.array([[0.2, 0.6, 1.0]]), k=2, weight=0.5).argsort()[:, ::-1]
        array([[1, 0, 2]])
    """
    if dense.shape != late.shape or dense.ndim != 2:
        raise RemogptError(f"dense and late scores must be two matrices of one shape, got {dense.shape}, {late.shape}")
    if k < 1 or not 0 <= weight <= 1:
        raise RemogptError(f"wanted to rerank at least 1 entry with a weight in [0, 1], got {k} and {weight}")
    k = min(k, dense.shape[1])
    result = dense - 2.0
    # Stable, so that equal scores keep their order whatever k is.
    best = np.argsort(-dense, axis=1, kind="stable")[:, :k]
    mixed = (1 - weight) * np.take_along_axis(dense, best, 1) + weight * np.take_along_axis(late, best, 1)
    np.put_along_axis(result, best, mixed.astype(result.dtype), 1)
    return result
