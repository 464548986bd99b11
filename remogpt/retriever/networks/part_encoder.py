"""Encode a motion with one transformer for each of its six body parts."""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.networks.body_parts import Layout, Skeleton, part_channels
from remogpt.retriever.networks.transformer import SequenceEncoder
from remogpt.retriever.padding import real_positions


class SixPartEncoder(nn.Module):
    """One transformer for each body part; their outputs side by side.

    Args:
        layout, skeleton: see `part_channels`.
        width: of one part's embedding; the output has six times as much.
        patch: frames that make one input token, side by side. differs: the papers give every frame a token; a patch of
            4 frames costs a quarter and is what the tokenizer's codes span.
        is_masked: hide padding. differs: Part_TMR attends to zeros up to `max_frames` (is_masked=False repeats that).
        max_frames: length to which an unmasked encoder pads or crops.
        adds_up: see `SequenceEncoder`.
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
        adds_up: bool = False,
    ) -> None:
        super().__init__()
        self.channels = {name: list(channels) for name, channels in part_channels(layout, skeleton).items()}
        self.patch, self.is_masked, self.max_frames = patch, is_masked, max_frames
        self.output_dim = width * len(self.channels)
        self.encoders = nn.ModuleDict(
            {
                name: SequenceEncoder(
                    len(channels) * patch, width, num_layers, num_heads, feedforward, dropout, adds_up
                )
                for name, channels in self.channels.items()
            }
        )

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Map z-scored features (B, T, F) and their lengths (B,) -> (B, 6 width)."""
        if not self.is_masked:
            features = functional.pad(features, (0, 0, 0, max(0, self.max_frames - features.shape[1])))[
                :, : self.max_frames
            ]
        # What lies beyond a motion's end is zeroed, since the last patch may reach over it.
        features = features * real_positions(lengths, features.shape[1])[..., None]
        features = functional.pad(features, (0, 0, 0, -features.shape[1] % self.patch))
        num_tokens = torch.div(lengths + self.patch - 1, self.patch, rounding_mode="floor")
        mask = real_positions(num_tokens, features.shape[1] // self.patch) if self.is_masked else None
        parts = [
            encoder(rearrange(features[..., self.channels[name]], "b (n p) c -> b n (p c)", p=self.patch), mask)
            for name, encoder in self.encoders.items()
        ]
        return torch.cat(parts, dim=-1)
