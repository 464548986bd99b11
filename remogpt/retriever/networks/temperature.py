"""The divisor of the cosines in a contrastive loss."""

import math

import torch
from torch import Tensor, nn

from remogpt.runtime.errors import RemogptError


class Temperature(nn.Module):
    """The divisor of the cosines, kept as the logarithm of its inverse.

    Args:
        start: 0.07 as in CLIP.
        is_learnable: differs from MotionPatches when True: its logarithm is declared learnable, but no optimizer holds
            it, so that it stays at 0.07 (its code, 1ce221f). A learnable one is kept above 0.01, as in CLIP.
    """

    MIN = 0.01

    def __init__(self, start: float = 0.07, is_learnable: bool = False) -> None:
        super().__init__()
        if start <= 0:
            raise RemogptError(f"the temperature must be above 0, got {start}; CLIP starts at 0.07, TMR uses 0.1")
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / start)), requires_grad=is_learnable)

    def forward(self) -> Tensor:
        """Return the present temperature, ()."""
        return torch.exp(-self.log_scale).clamp(min=self.MIN)
