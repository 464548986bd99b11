"""PL-TMR: part-level text-motion retrieval, the retriever of ReMoGPT.

Source: ReMoGPT (AAAI 2025), whose code is not public; MotionPatches (arXiv 2405.04771) for heads and loss; ReMoMask's
Part_TMR for the part encoders. Sizes were found from the 118 M parameters that the paper states (spec 2.4):
66.4 M DistilBERT + 50.6 M encoders + heads to 256 = 118.1 M.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.late_interaction import LateHeads, LateVectors
from remogpt.retriever.losses import Temperature
from remogpt.retriever.part_encoder import SixPartEncoder
from remogpt.retriever.parts import PARTS, Layout, Skeleton
from remogpt.retriever.text_encoder import FineTunedTower, TokenStateTower
from remogpt.runtime.errors import RemogptError

TextTower = TokenStateTower | FineTunedTower
"""What may read the captions."""


@dataclass(frozen=True)
class PLTMRConfig:
    """Sizes of the motion side, the heads and the text tower over frozen token states; defaults are the paper's."""

    layout: Layout = "shared"
    """Which channels a part has; see `part_channels`."""
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
    """Longest motion, in frames, that is encoded in one piece."""
    projection_dim: int = 256
    """Width D of the common space."""
    head_dropout: float = 0.5
    """Within the projection heads; MotionPatches uses 0.5 on HumanML3D and 0 on KIT."""
    temperature: float = 0.07
    """Of the contrastive loss."""
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
    late_width: int = 0
    """Width of word and part vectors for reranking, e.g. 64; 0: none. differs: not in the paper."""
    late_stretches: int = 0
    """Stretches of time of each part that have a vector too, beside the part's own."""

    def __post_init__(self) -> None:
        if self.patch < 1 or self.max_frames < self.patch:
            raise RemogptError(
                f"model.patch must be at least 1 and at most model.max_frames, got {self.patch} and {self.max_frames}"
            )
        if min(self.late_width, self.late_stretches) < 0 or (self.late_stretches and not self.late_width):
            raise RemogptError(
                "model.late_width and model.late_stretches must be 0 or more, and stretches need a width, got "
                f"{self.late_width} and {self.late_stretches}; set model.late_width, e.g. to 64"
            )

    def to_settings(self) -> dict[str, Any]:
        """Return the fields as they are saved: late interaction's only where it is on.

        Its fields are younger than the format; a part without it keeps the hash that it always had.
        """
        fields = asdict(self)
        return fields if self.late_width else {name: fields[name] for name in fields if not name.startswith("late_")}


class ProjectionHead(nn.Module):
    """Map a tower's output into the common space: LayerNorm(dropout(W2 gelu(p)) + p) with p = W1 x.

    Source: MotionPatches, spec 2.5.
    """

    def __init__(self, input_dim: int, output_dim: int, dropout: float) -> None:
        super().__init__()
        self.projection = nn.Linear(input_dim, output_dim)
        self.fc = nn.Linear(output_dim, output_dim)
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(output_dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, input_dim) -> (B, output_dim)."""
        projected = self.projection(x)
        normed: Tensor = self.layer_norm(self.dropout(self.fc(functional.gelu(projected))) + projected)
        return normed


class Embedded(NamedTuple):
    """A batch of A texts and B motions in the common space."""

    texts: Tensor
    """(A, D) unit rows."""
    motions: Tensor
    """(B, D) unit rows."""
    temperature: Tensor
    """() divides their cosines in training."""
    late: LateVectors | None
    """Word and part vectors, where the network has them."""


class PLTMR(nn.Module):
    """A motion encoder, a text tower, and a head above each.

    Args:
        motion_encoder: z-scores (B, T, F) and lengths -> (B, motion_encoder.output_dim).
        text_encoder: token states (B, L, C) or token ids (B, L), and lengths -> (B, text_encoder.output_dim).
        late: projections of words and parts; None without late interaction.
    """

    def __init__(
        self,
        motion_encoder: SixPartEncoder,
        text_encoder: TextTower,
        text_dim: int,
        projection_dim: int,
        head_dropout: float,
        temperature: Temperature,
        late: LateHeads | None = None,
    ) -> None:
        super().__init__()
        self.motion_encoder = motion_encoder
        self.text_encoder = text_encoder
        self.motion_head = ProjectionHead(motion_encoder.output_dim, projection_dim, head_dropout)
        self.text_head = ProjectionHead(text_dim, projection_dim, head_dropout)
        self.temperature = temperature
        self.late = late

    @property
    def dim(self) -> int:
        """Width D of the common space."""
        return self.motion_head.layer_norm.normalized_shape[0]

    @property
    def max_frames(self) -> int:
        """Longest motion, in frames, that is encoded in one piece."""
        return self.motion_encoder.max_frames

    def embed_motion(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """z-scored features (B, T, F), lengths (B,) -> (B, D) unit rows."""
        return self.embed_parts(self.encode_parts(scores, lengths))

    @property
    def part_width(self) -> int:
        """Width W of one part's encoding."""
        return self.motion_encoder.output_dim // len(PARTS)

    def encode_parts(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """z-scored features (B, T, F), lengths (B,) -> (B, 6, W) encodings of `PARTS`, before the head."""
        return rearrange(self.motion_encoder(scores, lengths), "b (p w) -> b p w", p=len(PARTS))

    def embed_parts(self, encodings: Tensor) -> Tensor:
        """(B, 6, W) -> (B, D) unit rows."""
        return functional.normalize(self.motion_head(encodings.flatten(1)), dim=-1)

    def embed_text(self, text: Tensor, lengths: Tensor) -> Tensor:
        """What the text source gave, lengths (B,) -> (B, D) unit rows."""
        return functional.normalize(self.text_head(self.text_encoder(text, lengths)), dim=-1)

    def embed_words(self, text: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the text source gave, lengths (B,) -> unit rows (B, L, W) of words and their mask (B, L)."""
        return self._late().embed_words(self.text_encoder.vectors_and_words(text, lengths)[1], lengths)

    def embed_tokens(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """z-scored features (B, T, F), lengths (B,) -> unit rows (B, P, W) of parts and their mask (B, P)."""
        states = self.motion_encoder.states(scores, lengths)
        return self._late().embed_tokens(states, self.motion_encoder.num_tokens(lengths))

    def _late(self) -> LateHeads:
        if self.late is None:
            raise RemogptError(
                "this retriever has no vectors of words and parts; train one with model.late_width above 0, e.g. 64"
            )
        return self.late

    def forward(self, text: Tensor, text_lengths: Tensor, scores: Tensor, motion_lengths: Tensor) -> Embedded:
        """Embed texts and motions, whose numbers may differ, with each encoder run once."""
        vectors, words = self.text_encoder.vectors_and_words(text, text_lengths)
        states = self.motion_encoder.states(scores, motion_lengths)
        texts = functional.normalize(self.text_head(vectors), dim=-1)
        motions = self.embed_parts(torch.stack([part[:, 0] for part in states], dim=1))
        late = None
        if self.late is not None:
            tokens = self.late.embed_tokens(states, self.motion_encoder.num_tokens(motion_lengths))
            late = LateVectors(*self.late.embed_words(words, text_lengths), *tokens, self.late.temperature())
        return Embedded(texts, motions, self.temperature(), late)


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
    late = None
    if config.late_width:
        late = LateHeads(
            len(PARTS), config.part_width, text_encoder.output_dim, config.late_width, config.late_stretches,
            Temperature(config.temperature, config.learn_temperature),
        )  # fmt: skip
    return PLTMR(motion_encoder, text_encoder, text_dim, config.projection_dim, config.head_dropout, temperature, late)
