"""Write claims with one trained network."""

import torch
from torch import Tensor

from remogpt.motion.facts import Steps
from remogpt.reader.claim_language import MAX_TOKENS, ClaimLanguage
from remogpt.reader.network import ReaderNetwork, ReaderSize


class ClaimWriter:
    """A network, and the language in which it writes claims.

    Args:
        network: trained, or about to be.
        language: its tokens.
    """

    def __init__(self, network: ReaderNetwork, language: ClaimLanguage) -> None:
        self.network, self.language = network.eval(), language
        self._may_follow = torch.from_numpy(language.may_follow())

    @classmethod
    def new(cls, size: ReaderSize, text_dim: int, language: ClaimLanguage) -> "ClaimWriter":
        """Build an untrained one, over token states of `text_dim` numbers each."""
        return cls(ReaderNetwork(size, text_dim, len(language.tokens)), language)

    def readings(self, states: Tensor, lengths: Tensor) -> list[tuple[tuple[Steps, int], float]]:
        """Return for each caption its likeliest claims, the number of unknown actions, and their probability.

        Args:
            states: (B, L, C) token states of the captions' words.
            lengths: (B,) words of each.
        """
        device = next(self.network.parameters()).device
        rows, probabilities = self.write(*self.network.encode(states.to(device), lengths.to(device)))
        claims = (self.language.decode(ids) for ids in rows.tolist())
        return list(zip(claims, probabilities.tolist(), strict=True))

    def write(self, words: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Write the likeliest claims, token by token.

        Args:
            words, padding: of B captions, from `ReaderNetwork.encode`.

        Returns:
            (B, T) ids, the end at the latest behind the last, and (B,) the probability of each sequence.
        """
        count, end = len(words), 0
        may_follow = self._may_follow.to(words.device)
        claims = torch.full((count, 1), self.network.start_id, device=words.device)
        opened = torch.full((count,), self.network.start_id, device=words.device)
        last = torch.zeros(count, dtype=torch.long, device=words.device)
        probability = torch.ones(count, device=words.device)
        has_ended = torch.zeros(count, dtype=torch.bool, device=words.device)
        for _ in range(MAX_TOKENS):
            logits = self.network.decode(claims, words, padding)[:, -1].float()
            shares = logits.masked_fill(~may_follow[opened, last], -torch.inf).softmax(dim=1)
            best, last = shares.max(dim=1)
            last = last.masked_fill(has_ended, end)
            probability = torch.where(has_ended, probability, probability * best)
            claims = torch.cat([claims, last[:, None]], dim=1)
            is_name = (last >= 3) & (last < self.language.first_value)
            opened = torch.where(is_name, last, torch.where(last < 3, self.network.start_id, opened))
            has_ended |= last == end
            if has_ended.all():
                break
        return claims[:, 1:], probability
