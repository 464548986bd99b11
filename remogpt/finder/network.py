"""The network that finds facts: convolutions over time, a head for the whole motion, and one for each of its steps."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.retriever.padding import real_positions

PATCH = 4
"""Frames of a step."""
SUM_SCALE = 0.1
"""Factor that brings a sum over some dozens of steps to the size of a mean."""
_ROTATIONS = slice(67, 193)
"""Feature channels of the joints' rotations, which say nothing that the positions do not say."""


@dataclass(frozen=True)
class FinderSize:
    """Widths of the network."""

    width: int = 128
    """Channels of the convolutions."""
    hidden: int = 256
    """Hidden units of the head for the whole motion."""
    dropout: float = 0.1
    """Within that head."""


class FinderNetwork(nn.Module):
    """Predicts facts from z-scored features.

    Mean, maximum and sum over time stand side by side, since a count shows in the sum alone.

    Args:
        size: widths.
        num_facts: facts that are predicted.
    """

    channels: Tensor
    """(C,) feature channels that are read."""

    def __init__(self, size: FinderSize, num_facts: int) -> None:
        super().__init__()
        width = size.width
        kept = torch.ones(NUM_FEATURES, dtype=torch.bool)
        kept[_ROTATIONS] = False
        self.register_buffer("channels", kept.nonzero()[:, 0], persistent=False)
        self.embed = nn.Linear(PATCH * int(kept.sum()), width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, kernel_size=5, padding=2 * dilation, dilation=dilation) for dilation in (1, 2)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.convolutions)
        self.pulse = nn.Linear(width, width)
        self.steps_head = nn.Linear(width, num_facts)
        self.motion_head = nn.Sequential(
            nn.Linear(3 * width, size.hidden), nn.GELU(), nn.Dropout(size.dropout), nn.Linear(size.hidden, num_facts)
        )

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map z-scored features (B, T, 263), zero beyond each length (B,), to logits.

        Returns:
            (B, num_facts) of the whole motions, (B, N, num_facts) of their steps of `PATCH` frames, and (B, N) whether
            a step is real.
        """
        features = features[..., self.channels]
        features = functional.pad(features, (0, 0, 0, -features.shape[1] % PATCH))
        patches = features.unflatten(1, (-1, PATCH)).flatten(2)  # (B, N, PATCH channels)
        num_steps = torch.div(lengths + PATCH - 1, PATCH, rounding_mode="floor")
        real = real_positions(num_steps, patches.shape[1])
        mask = real[..., None].to(patches)
        states = functional.gelu(self.embed(patches)) * mask
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            states = norm(states + functional.gelu(convolution(states.mT).mT)) * mask
        mean = states.sum(dim=1) / mask.sum(dim=1)
        most = states.masked_fill(mask == 0, -torch.inf).amax(dim=1)
        total = SUM_SCALE * (torch.sigmoid(self.pulse(states)) * mask).sum(dim=1)
        return self.motion_head(torch.cat([mean, most, total], dim=-1)), self.steps_head(states), real
