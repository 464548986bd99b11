"""TMR: text-to-motion retrieval with TEMOS' variational encoders and its motion decoder.

Both encoders give Gaussians in one space. Training draws from them; retrieval takes their means.
Source: TMR, arXiv 2305.00976, sec. 3, and its code (6d74688). At its size (the defaults, token states 768 wide)
the motion encoder has 4.807 M parameters, the text encoder 4.936 M, the decoder 6.388 M; DistilBERT stays frozen.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from remogpt.retriever.networks.temos import Gaussian, GaussianEncoder, MotionDecoder
from remogpt.retriever.padding import real_positions
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class TMRConfig:
    """Sizes of both encoders and of the decoder; defaults are the paper's."""

    num_features: int = 263
    """Channels F of a motion; 263 for HumanML3D (TMR brings KIT-ML and BABEL to the same), 251 for KIT-ML's own."""
    width: int = 256
    """Width D of the common space and of every layer. The noise of drawn latents moves a cosine by about 1 / sqrt(D):
    on a toy of four captions infonce at temperature 0.1 learned at 256 and not at 32 or 64, where points did."""
    num_layers: int = 6
    """Layers of each of the three transformers."""
    num_heads: int = 4
    """Attention heads of each layer."""
    feedforward: int = 1024
    """Hidden width of each layer's feed-forward net."""
    dropout: float = 0.1
    """Within the transformers."""
    is_variational: bool = True
    """Encode to Gaussians; False encodes to points, and the loss has no KL term."""
    max_frames: int = 200
    """Longest motion, in frames, that is encoded as one window: 10 s, the longest that TMR is trained on."""

    def __post_init__(self) -> None:
        if min(self.num_features, self.width, self.num_layers, self.num_heads, self.max_frames) < 1:
            raise RemogptError(
                "model.num_features, width, num_layers, num_heads and max_frames must be at least 1, got "
                f"{self.num_features}, {self.width}, {self.num_layers}, {self.num_heads} and {self.max_frames}"
            )


@dataclass(frozen=True)
class TMROutput:
    """One pass of a batch through TMR."""

    text: Gaussian
    motion: Gaussian
    text_latent: Tensor
    """(B, D), drawn from `text`, or its mean."""
    motion_latent: Tensor
    """(B, D), likewise."""
    from_text: Tensor | None
    """(B, T, F) z-scored features decoded from `text_latent`, zero beyond each length; None if nothing was decoded."""
    from_motion: Tensor | None
    """(B, T, F), likewise from `motion_latent`."""


class TMR(nn.Module):
    """A text encoder and a motion encoder to one space, and a decoder from it.

    Args:
        config: sizes.
        text_dim: width of the token states that the text encoder reads, 768 for DistilBERT.
    """

    def __init__(self, config: TMRConfig, text_dim: int) -> None:
        super().__init__()
        sizes = (config.width, config.num_layers, config.num_heads, config.feedforward, config.dropout)
        self.text_encoder = GaussianEncoder(text_dim, *sizes, config.is_variational)
        self.motion_encoder = GaussianEncoder(config.num_features, *sizes, config.is_variational)
        self.motion_decoder = MotionDecoder(config.num_features, *sizes)
        self.dim, self.max_frames = config.width, config.max_frames

    def encode_text(self, states: Tensor, lengths: Tensor) -> Gaussian:
        """Encode token states (B, L, text_dim), lengths (B,) -> B Gaussians."""
        gaussian: Gaussian = self.text_encoder(states, real_positions(lengths, states.shape[1]))
        return gaussian

    def encode_motion(self, features: Tensor, lengths: Tensor) -> Gaussian:
        """Encode z-scored features (B, T, F), lengths (B,) -> B Gaussians."""
        gaussian: Gaussian = self.motion_encoder(features, real_positions(lengths, features.shape[1]))
        return gaussian

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Decode (B, D), frames wanted (B,) -> z-scored features (B, max length, F), zero beyond each length."""
        motion: Tensor = self.motion_decoder(latent, real_positions(lengths, int(lengths.max())))
        return motion

    def embed_text(self, text: Tensor, lengths: Tensor) -> Tensor:
        """Embed token states (B, L, text_dim), lengths (B,) -> (B, D) unit rows: the means' directions."""
        return functional.normalize(self.encode_text(text, lengths).mean, dim=-1)

    def embed_motion(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Embed z-scored features (B, T, F), lengths (B,) -> (B, D) unit rows: the means' directions."""
        return functional.normalize(self.encode_motion(features, lengths).mean, dim=-1)

    def forward(
        self,
        text: Tensor,
        text_lengths: Tensor,
        features: Tensor,
        motion_lengths: Tensor,
        use_means: bool = False,
        reconstruct: bool = True,
    ) -> TMROutput:
        """Encode a batch of pairs and decode each side to the motion's length.

        Args:
            text, text_lengths: token states (B, L, text_dim) and (B,).
            features, motion_lengths: z-scored features (B, T, F), T the longest of the lengths (B,).
            use_means: take means where TMR draws samples (it does in training and in its validation losses).
            reconstruct: decode; False spares the decoder where the loss does not ask for it.
        """
        texts, motions = self.encode_text(text, text_lengths), self.encode_motion(features, motion_lengths)
        latents = [gaussian.mean if use_means else gaussian.sample() for gaussian in (texts, motions)]
        decoded = [self.decode(latent, motion_lengths) if reconstruct else None for latent in latents]
        return TMROutput(texts, motions, latents[0], latents[1], decoded[0], decoded[1])
