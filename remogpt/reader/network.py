"""The network of a reader: a transformer that reads token states of words and writes tokens of claims."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from remogpt.retriever.networks.transformer import sinusoidal_positions
from remogpt.retriever.padding import real_positions


@dataclass(frozen=True)
class ReaderSize:
    """Sizes of the network."""

    width: int = 192
    """Width of every layer."""
    layers: int = 2
    """Layers that read words."""
    decoder_layers: int = 2
    """Layers that write claims."""
    heads: int = 4
    """Attention heads of each layer."""
    feedforward: int = 512
    """Hidden width of each layer's feed-forward net."""
    dropout: float = 0.1
    """Within the layers."""


class ReaderNetwork(nn.Module):
    """Write the claims of captions, token by token.

    Args:
        size: of the layers.
        state_dim: width of the words' token states.
        num_tokens: tokens of the claim language; one more id starts a sequence.
    """

    def __init__(self, size: ReaderSize, state_dim: int, num_tokens: int) -> None:
        super().__init__()
        self.start_id = num_tokens
        self.embed_words = nn.Linear(state_dim, size.width)
        self.embed_claims = nn.Embedding(num_tokens + 1, size.width)
        self.dropout = nn.Dropout(size.dropout)
        shape = (size.width, size.heads, size.feedforward, size.dropout, "gelu")
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*shape, batch_first=True, norm_first=True),
            size.layers,
            norm=nn.LayerNorm(size.width),
            enable_nested_tensor=False,
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(*shape, batch_first=True, norm_first=True),
            size.decoder_layers,
            norm=nn.LayerNorm(size.width),
        )
        self.head = nn.Linear(size.width, num_tokens)

    def encode(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Read token states (B, L, state_dim) and lengths (B,) -> (B, L, width) and what is padding, (B, L) bool."""
        padding = ~real_positions(lengths, states.shape[1])
        return self.encoder(self._placed(self.embed_words(states)), src_key_padding_mask=padding), padding

    def decode(self, claims: Tensor, words: Tensor, padding: Tensor) -> Tensor:
        """Return logits (B, T, num_tokens) of the token after each of claims (B, T), which begin with `start_id`."""
        causal = torch.ones(claims.shape[1], claims.shape[1], dtype=torch.bool, device=claims.device).triu(1)
        hidden = self.decoder(
            self._placed(self.embed_claims(claims)), words, tgt_mask=causal, memory_key_padding_mask=padding
        )
        logits: Tensor = self.head(hidden)
        return logits

    def forward(self, states: Tensor, lengths: Tensor, claims: Tensor) -> Tensor:
        """Return the logits of claims (B, T) after words; see `decode`."""
        return self.decode(claims, *self.encode(states, lengths))

    def _placed(self, rows: Tensor) -> Tensor:
        placed: Tensor = self.dropout(rows + sinusoidal_positions(rows.shape[1], rows.shape[2]).to(rows))
        return placed
