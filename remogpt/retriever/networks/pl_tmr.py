"""PL-TMR: part-level text-motion retrieval, the retriever of ReMoGPT.

Source: ReMoGPT (AAAI 2025), whose code is not public; MotionPatches (arXiv 2405.04771) for heads and loss; ReMoMask's
Part_TMR for the part encoders. Sizes were found from the 118 M parameters that the paper states (Table 1):
66.4 M DistilBERT + 50.6 M encoders + heads to 256 = 118.1 M.
"""

from dataclasses import dataclass
from typing import NamedTuple

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.networks.body_parts import PARTS, Layout, Skeleton
from remogpt.retriever.networks.part_encoder import SixPartEncoder
from remogpt.retriever.networks.temperature import Temperature
from remogpt.retriever.networks.text_towers import FineTunedTower, TokenStateTower
from remogpt.runtime.errors import RemogptError

TextTower = TokenStateTower | FineTunedTower
"""Networks that read captions."""


@dataclass(frozen=True)
class PLTMRConfig:
    """Sizes of the motion side, the heads and the text tower over frozen token states; defaults are the paper's."""

    layout: Layout = "shared"
    """Channels of each body part; see `part_channels`."""
    skeleton: Skeleton = "humanml3d"
    """humanml3d: 263 features, kit: 251."""
    part_width: int = 512
    """Embedding of one part."""
    num_layers: int = 4
    """Layers of each part's transformer."""
    num_heads: int = 4
    """Attention heads of each layer."""
    feedforward: int = 1024
    """Hidden width of each layer's feed-forward net."""
    dropout: float = 0.1
    """Within the transformers."""
    patch: int = 1
    """Frames per input token of a part's transformer."""
    is_masked: bool = True
    """Hide padding from attention; False repeats Part_TMR, which attends to zeros up to max_frames."""
    max_frames: int = 224
    """Longest motion, in frames, that is encoded as one window."""
    projection_dim: int = 256
    """Width D of the common space."""
    head_dropout: float = 0.5
    """Within the projection heads; MotionPatches uses 0.5 on HumanML3D and 0 on KIT."""
    temperature: float = 0.07
    """Temperature of the contrastive loss."""
    learn_temperature: bool = False
    """Train the temperature too."""
    text_width: int = 128
    """Width of the tower over frozen token states; not used with a fine-tuned text encoder."""
    text_layers: int = 2
    """Layers of that tower."""
    text_heads: int = 4
    """Attention heads of that tower."""
    text_feedforward: int = 256
    """Hidden width of that tower's feed-forward nets."""

    def __post_init__(self) -> None:
        if self.patch < 1 or self.max_frames < self.patch:
            raise RemogptError(
                f"model.patch must be at least 1 and at most model.max_frames, got {self.patch} and {self.max_frames}"
            )


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


class PLTMR(nn.Module):
    """A motion encoder, a text tower, and a head above each.

    Args:
        motion_encoder: z-scored features (B, T, F) and lengths -> (B, motion_encoder.output_dim).
        text_encoder: token states (B, L, C) or token ids (B, L), and lengths -> (B, text_encoder.output_dim).
    """

    def __init__(
        self,
        motion_encoder: SixPartEncoder,
        text_encoder: TextTower,
        text_dim: int,
        projection_dim: int,
        head_dropout: float,
        temperature: Temperature,
    ) -> None:
        super().__init__()
        self.motion_encoder = motion_encoder
        self.text_encoder = text_encoder
        self.motion_head = ProjectionHead(motion_encoder.output_dim, projection_dim, head_dropout)
        self.text_head = ProjectionHead(text_dim, projection_dim, head_dropout)
        self.temperature = temperature

    @property
    def dim(self) -> int:
        """Width D of the common space."""
        return self.motion_head.layer_norm.normalized_shape[0]

    @property
    def max_frames(self) -> int:
        """Longest motion, in frames, that is encoded as one window."""
        return self.motion_encoder.max_frames

    def embed_motion(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Embed z-scored features (B, T, F), lengths (B,) -> (B, D) unit rows."""
        return self.embed_parts(self.encode_parts(features, lengths))

    @property
    def part_width(self) -> int:
        """Width W of one part's encoding."""
        return self.motion_encoder.output_dim // len(PARTS)

    def encode_parts(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Encode z-scored features (B, T, F), lengths (B,) -> (B, 6, W) encodings of `PARTS`, before the head."""
        return rearrange(self.motion_encoder(features, lengths), "b (p w) -> b p w", p=len(PARTS))

    def embed_parts(self, encodings: Tensor) -> Tensor:
        """Embed (B, 6, W) -> (B, D) unit rows."""
        return functional.normalize(self.motion_head(encodings.flatten(1)), dim=-1)

    def embed_text(self, text: Tensor, lengths: Tensor) -> Tensor:
        """Embed token states or ids from the text source, lengths (B,) -> (B, D) unit rows."""
        return functional.normalize(self.text_head(self.text_encoder(text, lengths)), dim=-1)

    def forward(self, text: Tensor, text_lengths: Tensor, features: Tensor, motion_lengths: Tensor) -> Embedded:
        """Embed B texts and B motions."""
        # Keep this call order: changing it changes dropout draws and breaks resuming old runs.
        read, parts = self.text_encoder(text, text_lengths), self.encode_parts(features, motion_lengths)
        texts = functional.normalize(self.text_head(read), dim=-1)
        return Embedded(texts, self.embed_parts(parts), self.temperature())


def build_pl_tmr(config: PLTMRConfig, text_encoder: TextTower, text_dim: int) -> PLTMR:
    """Build the network that a configuration describes, around a text encoder whose output is `text_dim` wide."""
    motion_encoder = SixPartEncoder(
        layout=config.layout,
        skeleton=config.skeleton,
        width=config.part_width,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        feedforward=config.feedforward,
        dropout=config.dropout,
        patch=config.patch,
        is_masked=config.is_masked,
        max_frames=config.max_frames,
    )
    temperature = Temperature(config.temperature, config.learn_temperature)
    return PLTMR(motion_encoder, text_encoder, text_dim, config.projection_dim, config.head_dropout, temperature)
