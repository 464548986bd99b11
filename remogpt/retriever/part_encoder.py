"""Transformers that turn a sequence into one vector, and six of them for the six parts of a body."""

import math

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.parts import Layout, Skeleton, part_channels
from remogpt.runtime.errors import RemogptError


def sinusoidal_positions(num_positions: int, width: int) -> Tensor:
    """(num_positions, width) of interleaved sines and cosines. Source: arXiv 1706.03762, sec. 3.5."""
    frequencies = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(num_positions)[:, None] * frequencies  # (num_positions, width/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def real_positions(lengths: Tensor, num_positions: int) -> Tensor:
    """(B,) lengths -> (B, num_positions) mask, True where real."""
    return torch.arange(num_positions, device=lengths.device) < lengths[:, None]


class SequenceEncoder(nn.Module):
    """A transformer encoder that reads a sequence into a learnable token placed before it.

    Source: ACTOR/TEMOS encoders as used by TMR (spec 3.1) and ReMoMask's Part_TMR (spec 2.4): post-norm, GELU.
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
        """(B, T, C) and a mask (B, T), True where real (None: all of it) -> (B, width)."""
        embedded = self.embed(sequence)  # (B, T, width)
        token = self.token.expand(len(sequence), 1, -1)
        tokens = torch.cat([token, embedded], dim=1)  # (B, 1 + T, width)
        positions = sinusoidal_positions(tokens.shape[1], tokens.shape[2]).to(tokens)
        hidden = None if mask is None else ~functional.pad(mask, (1, 0), value=True)
        output: Tensor = self.layers(self.dropout(tokens + positions), src_key_padding_mask=hidden)
        return output[:, 0]


class SixPartEncoder(nn.Module):
    """One transformer for each body part; their outputs side by side.

    Args:
        layout, skeleton: see `part_channels`.
        width: of one part's embedding; the output has six times as much.
        patch: frames that make one input token, side by side. differs: the papers give every frame a token; a patch of
            4 frames costs a quarter and is what the tokenizer's codes span.
        is_masked: hide padding. differs: Part_TMR attends to zeros up to `max_frames` (is_masked=False repeats that).
        max_frames: length to which an unmasked encoder pads or crops.
    """

    def __init__(
        self,
        layout: Layout = "shared",
        skeleton: Skeleton = "humanml3d",
        width: int = 512,
        num_layers: int = 4,
        num_heads: int = 4,
        feedforward: int = 1024,
        dropout: float = 0.1,
        patch: int = 1,
        is_masked: bool = True,
        max_frames: int = 224,
    ) -> None:
        super().__init__()
        self.channels = {name: list(channels) for name, channels in part_channels(layout, skeleton).items()}
        self.patch, self.is_masked, self.max_frames = patch, is_masked, max_frames
        self.output_dim = width * len(self.channels)
        self.encoders = nn.ModuleDict(
            {
                name: SequenceEncoder(len(channels) * patch, width, num_layers, num_heads, feedforward, dropout)
                for name, channels in self.channels.items()
            }
        )

    def forward(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """z-scored features (B, T, F) and their lengths (B,) -> (B, 6 width)."""
        if not self.is_masked:
            scores = functional.pad(scores, (0, 0, 0, max(0, self.max_frames - scores.shape[1])))[:, : self.max_frames]
        # What lies beyond a motion's end is zeroed, since the last patch may reach over it.
        scores = scores * real_positions(lengths, scores.shape[1])[..., None]
        scores = functional.pad(scores, (0, 0, 0, -scores.shape[1] % self.patch))
        num_tokens = torch.div(lengths + self.patch - 1, self.patch, rounding_mode="floor")
        mask = real_positions(num_tokens, scores.shape[1] // self.patch) if self.is_masked else None
        parts = [
            encoder(rearrange(scores[..., self.channels[name]], "b (n p) c -> b n (p c)", p=self.patch), mask)
            for name, encoder in self.encoders.items()
        ]
        return torch.cat(parts, dim=-1)
