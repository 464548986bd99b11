"""A transformer encoder that turns a sequence into one vector."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.runtime.errors import RemogptError


def sinusoidal_positions(num_positions: int, width: int) -> Tensor:
    """Return (num_positions, width) of interleaved sines and cosines. Source: arXiv 1706.03762, sec. 3.5."""
    frequencies = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(num_positions)[:, None] * frequencies  # (num_positions, width/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


SUM_SCALE = 0.1
"""Factor that brings a sum over some dozens of steps to the size of a mean."""


class SequenceEncoder(nn.Module):
    """A transformer encoder that reads a sequence into a learnable token placed before it.

    Attention takes means, which do not count. With `adds_up` a sum over time of gates in (0, 1) is added, in which a
    count and a length show. differs: not in the papers.

    Source: ACTOR/TEMOS encoders as used by TMR (arXiv 2305.00976, sec. 3.1) and ReMoMask's Part_TMR: post-norm, GELU.
    """

    def __init__(
        self, num_channels: int, width: int, num_layers: int, num_heads: int, feedforward: int, dropout: float,
        adds_up: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if width % 2 or width % num_heads:
            raise RemogptError(f"an encoder's width must be even and a multiple of its {num_heads} heads, got {width}")
        self.token = nn.Parameter(torch.randn(width))
        self.embed = nn.Linear(num_channels, width)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(width, num_heads, feedforward, dropout, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)
        self.pulse = nn.Linear(width, width) if adds_up else None
        self.total = nn.Linear(width, width) if adds_up else None

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, T, C) and a mask (B, T), True where real (None: all of it) -> (B, width)."""
        embedded = self.embed(sequence)  # (B, T, width)
        token = self.token.expand(len(sequence), 1, -1)
        tokens = torch.cat([token, embedded], dim=1)  # (B, 1 + T, width)
        positions = sinusoidal_positions(tokens.shape[1], tokens.shape[2]).to(tokens)
        hidden = None if mask is None else ~functional.pad(mask, (1, 0), value=True)
        output: Tensor = self.layers(self.dropout(tokens + positions), src_key_padding_mask=hidden)
        if self.pulse is None or self.total is None:
            return output[:, 0]
        pulses = torch.sigmoid(self.pulse(output[:, 1:]))
        if mask is not None:
            pulses = pulses * mask[..., None]
        return output[:, 0] + self.total(SUM_SCALE * pulses.sum(dim=1))
