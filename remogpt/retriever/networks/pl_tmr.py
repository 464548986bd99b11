"""PL-TMR: part-level text-motion retrieval, the retriever of ReMoGPT.

Source: ReMoGPT (AAAI 2025), whose code is not public; MotionPatches (arXiv 2405.04771) for heads and loss; ReMoMask's
Part_TMR for the part encoders. Sizes were found from the 118 M parameters that the paper states (Table 1):
66.4 M DistilBERT + 50.6 M encoders + heads to 256 = 118.1 M.
"""

from dataclasses import dataclass

from einops import rearrange
from torch import Tensor
from torch.nn import functional

from remogpt.retriever.networks.body_parts import PARTS, Layout, Skeleton
from remogpt.retriever.networks.dual_encoder import DualEncoder, TextTower
from remogpt.retriever.networks.part_encoder import SixPartEncoder
from remogpt.retriever.networks.temperature import Temperature
from remogpt.runtime.errors import RemogptError


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
    adds_up: bool = False
    """Add a sum over time to what each part's transformer reads, so that counts show; see `SequenceEncoder`."""
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


class PLTMR(DualEncoder):
    """A motion encoder that reads six body parts apart, a text tower, and a head above each."""

    motion_encoder: SixPartEncoder

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


def build_pl_tmr(config: PLTMRConfig, text_encoder: TextTower) -> PLTMR:
    """Build the network that a configuration describes, around a text encoder."""
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
        adds_up=config.adds_up,
    )
    temperature = Temperature(config.temperature, config.learn_temperature)
    return PLTMR(motion_encoder, text_encoder, config.projection_dim, config.head_dropout, temperature)
