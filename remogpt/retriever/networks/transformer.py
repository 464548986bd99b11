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


class SequenceEncoder(nn.Module):
    """A transformer encoder that reads a sequence into a learnable token placed before it.

    Source: ACTOR/TEMOS encoders as used by TMR (arXiv 2305.00976, sec. 3.1) and ReMoMask's Part_TMR: post-norm, GELU.
    """

    def __init__(
        self, num_channels: int, width: int, num_layers: int, num_heads: int, feedforward: int, dropout: float
    ) -> None:
        super().__init__()
        if width % 2 or width % num_heads:
            raise RemogptError(f"an encoder's width must be even and a multiple of its {num_heads} heads, got {width}")
        self.token = nn.Parameter(torch.randn(width))
        self.embed = nn.Linear(num_channels, width)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(width, num_heads, feedforward, dropout, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, T, C) and a mask (B, T), True where real (None: all of it) -> (B, width)."""
        embedded = self.embed(sequence)  # (B, T, width)
        token = self.token.expand(len(sequence), 1, -1)
        tokens = torch.cat([token, embedded], dim=1)  # (B, 1 + T, width)
        positions = sinusoidal_positions(tokens.shape[1], tokens.shape[2]).to(tokens)
        hidden = None if mask is None else ~functional.pad(mask, (1, 0), value=True)
        output: Tensor = self.layers(self.dropout(tokens + positions), src_key_padding_mask=hidden)
        return output[:, 0]
