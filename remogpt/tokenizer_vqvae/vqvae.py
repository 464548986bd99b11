"""The motion VQ-VAE: a 1-D convolutional encoder, a quantizer and a decoder that mirrors the encoder.

Motions are (B, T, F), z-scored, channels last at every public entrance; inside, convolutions work on (B, C, T). Each
stage halves the time axis, so with two stages one code stands for four frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.functional import relu

from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae.ema_reset_quantizer import EMAResetQuantizer

if TYPE_CHECKING:
    from remogpt.tokenizer_vqvae.residual_quantizer import ResidualQuantizer

    Quantizer = EMAResetQuantizer | ResidualQuantizer


@dataclass(frozen=True)
class VQVAEOutput:
    """Result of a pass through the VQ-VAE."""

    reconstruction: Tensor
    """(B, T, F), z-scored."""
    codes: Tensor
    """(B, N) int64."""
    commit_loss: Tensor
    """Scalar."""
    perplexity: Tensor
    """Scalar, of the codes in this batch."""


class ResidualUnit(nn.Module):
    """x + pointwise(relu(dilated(relu(x)))), no normalisation, (B, C, T) -> (B, C, T)."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilated = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.pointwise = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pointwise(relu(self.dilated(relu(x))))


def residual_stack(width: int, depth: int, dilation_growth: int) -> nn.Sequential:
    """`depth` residual units, the largest dilation first (9, 3, 1) in the encoder and in the decoder alike."""
    return nn.Sequential(*[ResidualUnit(width, dilation_growth**i) for i in reversed(range(depth))])


class EncoderStage(nn.Module):
    """Halve the time axis, then refine: (B, C, T) -> (B, C, T // 2)."""

    def __init__(self, width: int, depth: int, dilation_growth: int) -> None:
        super().__init__()
        self.down = nn.Conv1d(width, width, 4, stride=2, padding=1)
        self.residuals = residual_stack(width, depth, dilation_growth)

    def forward(self, x: Tensor) -> Tensor:
        return self.residuals(self.down(x))


class DecoderStage(nn.Module):
    """Refine, then double the time axis by repetition: (B, C, N) -> (B, C, 2N)."""

    def __init__(self, width: int, depth: int, dilation_growth: int) -> None:
        super().__init__()
        self.residuals = residual_stack(width, depth, dilation_growth)
        self.up = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.residuals(x).repeat_interleave(2, dim=-1))


class Encoder(nn.Module):
    """(B, F, T) -> (B, D, T / 4)."""

    def __init__(
        self, num_features: int, width: int, code_dim: int, num_stages: int, depth: int, dilation_growth: int
    ) -> None:
        super().__init__()
        self.input = nn.Conv1d(num_features, width, 3, padding=1)
        self.stages = nn.Sequential(*[EncoderStage(width, depth, dilation_growth) for _ in range(num_stages)])
        self.output = nn.Conv1d(width, code_dim, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.stages(relu(self.input(x))))


class Decoder(nn.Module):
    """(B, D, N) -> (B, F, 4N)."""

    def __init__(
        self, num_features: int, width: int, code_dim: int, num_stages: int, depth: int, dilation_growth: int
    ) -> None:
        super().__init__()
        self.input = nn.Conv1d(code_dim, width, 3, padding=1)
        self.stages = nn.Sequential(*[DecoderStage(width, depth, dilation_growth) for _ in range(num_stages)])
        self.hidden = nn.Conv1d(width, width, 3, padding=1)
        self.output = nn.Conv1d(width, num_features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(relu(self.hidden(self.stages(relu(self.input(x))))))


class MotionVQVAE(nn.Module):
    """Turn z-scored motion into codes and back.

    Source: T2M-GPT, arXiv 2301.06052, sec. 3.1-3.2 and its released code (MotionGPT's tokenizer is the same network).
    The defaults are the paper's size, 19.44 M parameters.
    """

    def __init__(
        self,
        num_features: int = 263,
        width: int = 512,
        num_codes: int = 512,
        code_dim: int = 512,
        num_stages: int = 2,
        depth: int = 3,
        dilation_growth: int = 3,
        decay: float = 0.99,
        dead_below: float = 1.0,
        quantizer: str = "ema",
        levels: Sequence[int] = (),
    ) -> None:
        """Build the network; see `TokenizerConfig` for the meaning of each argument."""
        super().__init__()
        self.num_features = num_features
        self.frames_per_code = 2**num_stages
        self.levels = tuple(levels)
        sizes = (num_features, width, code_dim, num_stages, depth, dilation_growth)
        self.encoder = Encoder(*sizes)
        self.decoder = Decoder(*sizes)
        self.quantizer = make_quantizer(quantizer, num_codes, code_dim, decay, dead_below, levels)

    def forward(self, motion: Tensor) -> VQVAEOutput:
        """Reconstruct (B, T, F) through the codes; T must be a multiple of `frames_per_code`."""
        quantized = self.quantizer(self.encode_vectors(motion))
        return VQVAEOutput(
            reconstruction=self.decode_vectors(quantized.vectors),
            codes=quantized.codes,
            commit_loss=quantized.commit_loss,
            perplexity=quantized.perplexity,
        )

    def encode_vectors(self, motion: Tensor) -> Tensor:
        """(B, T, F) -> (B, N, D), before quantization."""
        return self.encoder(motion.transpose(1, 2)).transpose(1, 2)

    def decode_vectors(self, vectors: Tensor) -> Tensor:
        """(B, N, D) -> (B, 4N, F)."""
        return self.decoder(vectors.transpose(1, 2)).transpose(1, 2)

    def encode(self, motion: Tensor) -> Tensor:
        """(B, T, F) -> (B, N) int64 codes; no padding allowed, since convolutions would see it."""
        return self.quantizer.encode(self.encode_vectors(motion))

    def decode(self, codes: Tensor) -> Tensor:
        """(B, N) int64 codes -> (B, 4N, F)."""
        return self.decode_vectors(self.quantizer.lookup(codes))

    def training_state(self) -> set[str]:
        """State-dict names that only training needs."""
        return {f"quantizer.{name}" for name in self.quantizer.TRAINING_STATE}


def make_quantizer(
    kind: str, num_codes: int, code_dim: int, decay: float, dead_below: float, levels: Sequence[int]
) -> Quantizer:
    """Build a quantizer; vector-quantize-pytorch is loaded for the residual one alone.

    Args:
        kind: "ema", the paper's; "residual", several codes a step.
        num_codes: K, the number of different codes.
        code_dim: D.
        decay, dead_below: of moving codebooks; see `EMAResetQuantizer`.
        levels: codes of each codebook of "residual", coarsest first; none for "ema".

    Raises:
        RemogptError: if the kind is unknown, levels and `num_codes` do not fit, or the library is missing.
    """
    if kind not in ("ema", "residual"):
        raise RemogptError(f"wanted a quantizer of ema, residual, got {kind!r}; set quantizer in the configuration")
    if kind == "ema" and not levels:
        return EMAResetQuantizer(num_codes, code_dim, decay, dead_below)
    if kind == "ema" or len(levels) < 2 or min(levels) < 2 or sum(levels) != num_codes:
        raise RemogptError(
            f"quantizer {kind} with levels {list(levels)} does not have num_codes {num_codes}: residual takes 2 levels "
            "or more, each of 2 codes or more, that add up to num_codes (512, 512: 1024), and ema takes none"
        )
    try:
        from remogpt.tokenizer_vqvae.residual_quantizer import ResidualQuantizer
    except ModuleNotFoundError as error:
        raise RemogptError(
            "quantizer residual needs vector-quantize-pytorch: pip install 'remogpt[quantizers]'"
        ) from error
    return ResidualQuantizer(levels, code_dim, decay, dead_below)
