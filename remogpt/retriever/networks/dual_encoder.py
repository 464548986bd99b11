"""Two encoders, one for motions and one for captions, and a projection head above each: PL-TMR and MotionPatches."""

from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.networks.temperature import Temperature
from remogpt.retriever.networks.text_towers import FineTunedTower, TokenStateTower

TextTower = TokenStateTower | FineTunedTower
"""Networks that read captions."""


class ProjectionHead(nn.Module):
    """Map a tower's output into the common space: LayerNorm(dropout(W2 gelu(p)) + p) with p = W1 x.

    Source: MotionPatches, arXiv 2405.04771.
    """

    def __init__(self, input_dim: int, output_dim: int, dropout: float) -> None:
        super().__init__()
        self.projection = nn.Linear(input_dim, output_dim)
        self.fc = nn.Linear(output_dim, output_dim)
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(output_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, input_dim) -> (B, output_dim)."""
        projected = self.projection(x)
        normed: Tensor = self.layer_norm(self.dropout(self.fc(functional.gelu(projected))) + projected)
        return normed


class Embedded(NamedTuple):
    """A batch of captioned motions in the common space."""

    texts: Tensor
    """(B, D) unit rows."""
    motions: Tensor
    """(B, D) unit rows."""
    temperature: Tensor
    """() divides the cosines in training."""


class DualEncoder(nn.Module):
    """A motion encoder, a text tower, and a head above each.

    Args:
        motion_encoder: z-scored features (B, T, F) and lengths -> (B, motion_encoder.output_dim); has `max_frames`.
        text_encoder: token states (B, L, C) or token ids (B, L), and lengths -> (B, text_encoder.output_dim).
        projection_dim: width D of the common space.
        head_dropout: within the heads.
        temperature: of the contrastive loss.
    """

    def __init__(
        self, motion_encoder: Any, text_encoder: TextTower, projection_dim: int, head_dropout: float,
        temperature: Temperature,
    ) -> None:  # fmt: skip
        super().__init__()
        self.motion_encoder = motion_encoder
        self.text_encoder = text_encoder
        self.motion_head = ProjectionHead(motion_encoder.output_dim, projection_dim, head_dropout)
        self.text_head = ProjectionHead(text_encoder.output_dim, projection_dim, head_dropout)
        self.temperature = temperature

    @property
    def dim(self) -> int:
        """Width D of the common space."""
        return self.motion_head.layer_norm.normalized_shape[0]

    @property
    def max_frames(self) -> int:
        """Longest motion, in frames, that is encoded as one window."""
        return int(self.motion_encoder.max_frames)

    def embed_motion(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Embed z-scored features (B, T, F), lengths (B,) -> (B, D) unit rows."""
        return functional.normalize(self.motion_head(self.motion_encoder(features, lengths)), dim=-1)

    def embed_text(self, text: Tensor, lengths: Tensor) -> Tensor:
        """Embed token states or ids from the text source, lengths (B,) -> (B, D) unit rows."""
        return functional.normalize(self.text_head(self.text_encoder(text, lengths)), dim=-1)

    def forward(self, text: Tensor, text_lengths: Tensor, features: Tensor, motion_lengths: Tensor) -> Embedded:
        """Embed B texts and B motions."""
        # Keep this call order: changing it changes dropout draws and breaks resuming old runs.
        read, moved = self.text_encoder(text, text_lengths), self.motion_encoder(features, motion_lengths)
        texts = functional.normalize(self.text_head(read), dim=-1)
        return Embedded(texts, functional.normalize(self.motion_head(moved), dim=-1), self.temperature())
