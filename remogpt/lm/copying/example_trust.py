"""Test whether an example answers a query, by two cosines."""

import torch
from torch import Tensor, nn

_HIDDEN = 8


class MatchTest(nn.Module):
    """Odds that an example answers a query.

    One cosine tells little: the best hit of a database that lacks the answer is often as close as the right hit of
    another database. A small network joins the cosine with the example's motion and the cosine with its caption.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, 1))

    def forward(self, cosines: Tensor) -> Tensor:
        """Turn (..., 2) cosines of the query with an example's motion and caption into (...,) log-odds."""
        return self.layers(4 * cosines - 2)[..., 0]

    def shares(self, cosines: Tensor) -> Tensor:
        """Return the share of each choice: no example, or one of the examples.

        Args:
            cosines: (N, E, 2) of N queries and their E examples; -inf where there is none.

        Returns:
            (N, 1 + E) log-shares, no example first, proportional to the odds; the shares sum to 1.
        """
        is_none = cosines[..., 0].isinf()
        odds = self(cosines.masked_fill(is_none[..., None], 0.0)).masked_fill(is_none, -torch.inf)
        return torch.cat([odds.new_zeros(len(odds), 1), odds], dim=1).log_softmax(dim=1)
