"""Test whether an example answers a query, by two cosines."""

import torch
from torch import Tensor, nn

_HIDDEN = 8
SAME = 0.9995
"""Cosine from which a caption or a motion is the query itself; captions that differ in a count have .99."""
SURE = 4.0
"""Log-odds, at least, that the query's own caption or motion answers it."""


class MatchTest(nn.Module):
    """Odds that an example answers a query.

    One cosine tells little: the best hit of a database that lacks the answer is often as close as the right hit of
    another database. A small network joins the cosine with the example's motion and the cosine with its caption. An
    example whose caption is the query, word for word, or whose motion is, answers it, however little they are alike.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, 1))

    def forward(self, cosines: Tensor) -> Tensor:
        """Turn (..., 2) cosines of the query with an example's motion and caption into (...,) log-odds."""
        odds = self.layers(4 * cosines - 2)[..., 0]
        return torch.where((cosines >= SAME).any(dim=-1), odds.clamp_min(SURE), odds)

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
