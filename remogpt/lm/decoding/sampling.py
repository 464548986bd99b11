"""Choose the next id."""

from dataclasses import dataclass

import torch
from torch import Tensor

from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Sampling:
    """Settings for choosing the next id."""

    temperature: float = 1.0
    """Divides the logits; 0 takes the best id."""
    top_k: int = 0
    """Keep the k best ids; 0 keeps all."""
    top_p: float = 1.0
    """Keep the fewest best ids whose probabilities reach this sum."""

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise RemogptError(
                "sampling needs temperature >= 0, top_k >= 0 and 0 < top_p <= 1, got "
                f"{self.temperature}, {self.top_k}, {self.top_p}"
            )

    def choose(self, logits: Tensor, draws: Tensor) -> Tensor:
        """Pick one column per row.

        Args:
            logits: (B, A), -inf where forbidden.
            draws: (B,) numbers in [0, 1).
        """
        if self.temperature == 0:
            return logits.argmax(1)
        logits = logits / self.temperature
        if 0 < self.top_k < logits.shape[1]:
            ordered, columns = logits.topk(self.top_k, dim=1)
        else:
            ordered, columns = logits.sort(dim=1, descending=True, stable=True)
        cumulative = ordered.double().softmax(1).cumsum(1)
        # A column stays if the mass before it is below top_p; drawing below the kept mass does just that.
        before = torch.cat([torch.zeros_like(cumulative[:, :1]), cumulative[:, :-1]], 1)
        kept = torch.where(before < self.top_p, cumulative, 0).amax(1)
        index = torch.searchsorted(cumulative, (draws.double() * kept)[:, None], right=True)
        last = (torch.isfinite(ordered).sum(1, keepdim=True) - 1).clamp_min(0)
        return columns.gather(1, torch.minimum(index, last))[:, 0]
