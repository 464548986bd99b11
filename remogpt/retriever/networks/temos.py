"""TEMOS' networks, which TMR uses: an encoder of sequences to Gaussians, a decoder of vectors to motion.

Source: TEMOS, arXiv 2204.14109, sec. 3.2; TMR's code (6d74688) for the details.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.networks.transformer import sinusoidal_positions
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Gaussian:
    """B normal distributions with diagonal covariance, in D dimensions."""

    mean: Tensor
    """(B, D)."""
    log_variance: Tensor | None
    """(B, D); None for points, which have no spread."""

    def sample(self, noise: Tensor | None = None) -> Tensor:
        """Draw (B, D) with standard normal noise (B, D), the global generator's without it; points give their mean."""
        if self.log_variance is None:
            return self.mean
        noise = torch.randn_like(self.mean) if noise is None else noise
        return self.mean + noise * torch.exp(self.log_variance / 2)


class GaussianEncoder(nn.Module):
    """A transformer encoder that reads a sequence into learnable tokens placed before it: mean and log variance.

    Args:
        num_channels: C of the sequence.
        width: D of the Gaussian, and of every layer.
        is_variational: False leaves out the second token; the encoder then gives points.
    """

    def __init__(
        self,
        num_channels: int,
        width: int,
        num_layers: int,
        num_heads: int,
        feedforward: int,
        dropout: float,
        is_variational: bool = True,
    ) -> None:
        super().__init__()
        check_width(width, num_heads)
        self.tokens = nn.Parameter(torch.randn(2 if is_variational else 1, width))
        self.embed = nn.Linear(num_channels, width)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(width, num_heads, feedforward, dropout, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)

    @property
    def is_variational(self) -> bool:
        """Whether its Gaussians have a spread."""
        return len(self.tokens) == 2

    def forward(self, sequence: Tensor, mask: Tensor) -> Gaussian:
        """Map (B, T, C) and a mask (B, T), True where real -> B Gaussians."""
        num_tokens = len(self.tokens)
        start = self.tokens.expand(len(sequence), -1, -1)
        tokens = torch.cat([start, self.embed(sequence)], dim=1)  # (B, 2 + T, D)
        tokens = self.dropout(tokens + sinusoidal_positions(tokens.shape[1], tokens.shape[2]).to(tokens))
        hidden = ~functional.pad(mask, (num_tokens, 0), value=True)
        # float: under mixed precision the losses exponentiate what comes out here.
        read = self.layers(tokens, src_key_padding_mask=hidden)[:, :num_tokens].float()
        return Gaussian(read[:, 0], read[:, 1] if num_tokens == 2 else None)


class MotionDecoder(nn.Module):
    """A transformer decoder that unfolds one vector to as many frames as are asked for."""

    def __init__(
        self, num_features: int, width: int, num_layers: int, num_heads: int, feedforward: int, dropout: float
    ) -> None:
        super().__init__()
        check_width(width, num_heads)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerDecoderLayer(width, num_heads, feedforward, dropout, "gelu", batch_first=True)
        self.layers = nn.TransformerDecoder(layer, num_layers)
        self.output = nn.Linear(width, num_features)

    def forward(self, latent: Tensor, mask: Tensor) -> Tensor:
        """Decode (B, D) to the frames of a mask (B, T) -> (B, T, F) z-scored features, zero where the mask is False."""
        positions = sinusoidal_positions(mask.shape[1], latent.shape[1]).to(latent)
        # The queries hold nothing but their position in time.
        queries = self.dropout(positions.expand(len(latent), -1, -1))
        frames = self.layers(queries, latent[:, None], tgt_key_padding_mask=~mask)  # (B, T, D)
        return self.output(frames).float() * mask[..., None]


def check_width(width: int, num_heads: int) -> None:
    """Raise a `RemogptError` unless `width` is even (positions are sines and cosines) and the heads divide it."""
    if width % 2 or width % num_heads:
        raise RemogptError(f"model.width must be even and a multiple of its {num_heads} heads, got {width}")
