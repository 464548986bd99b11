"""Train the motion tokenizer: windows of raw features in, a tokenizer folder out.

    remogpt train tokenizer --config mini/tokenizer --data <set> --out <folder>

The run folder holds the log and the checkpoint; a killed run resumes exactly from its last checkpoint, codebook
included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.motion.feature_body import body_of
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.folders.envelope import CODES_OF
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage
from remogpt.tokenizer_vqvae.ema_reset_quantizer import EMAResetQuantizer
from remogpt.tokenizer_vqvae.losses import LossWeights, tokenizer_loss
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.reconstruction import reconstruction_metrics
from remogpt.tokenizer_vqvae.tokenizer import MotionTokenizer
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE
from remogpt.tokenizer_vqvae.windows import WindowSampler


@dataclass(frozen=True)
class TokenizerConfig:
    """Size, data and losses of a motion tokenizer; the defaults are the paper's."""

    start_from: str = ""
    """Folder of a tokenizer of this size to go on from, with its statistics; empty: from nothing. differs: not in the
    source."""
    keep_codes: bool = False
    """Train the decoder of `start_from` alone: motions keep their codes, so that what was trained on the codes stays
    good. differs: not in the source."""
    width: int = 512
    """Channels of every hidden convolution."""
    num_codes: int = 512
    """Codebook size K."""
    code_dim: int = 512
    """Width D of a codebook row."""
    num_stages: int = 2
    """Halvings of the time axis; 2 gives one code for 4 frames."""
    depth: int = 3
    """Residual units per stage, with dilations dilation_growth^(depth-1) ... 1."""
    dilation_growth: int = 3
    """Ratio between the dilations of neighbouring residual units."""
    decay: float = 0.99
    """Decay of the codebook's moving sums and counts per step."""
    quantizer: Literal["ema", "residual"] = "ema"
    """ema: the paper's; residual: several codes for a step of four frames."""
    levels: tuple[int, ...] = ()
    """residual: codes of each level, coarsest first; num_codes is their sum."""
    dead_below: float = 1.0
    """A code chosen by fewer vectors than this per step (moving mean) is replaced by a vector of the batch."""
    window: int = 64
    """Frames per training window, a multiple of 2^num_stages; shorter clips are left out."""
    root_emphasis: float = 25.0
    """Divides the std of yaw, planar velocity, height and contacts, so that they weigh more in the loss."""
    speed_jitter: float = 0.0
    """Windows are played up to exp(speed_jitter) times faster or slower. differs: not in the source."""
    input_noise: float = 0.0
    """Std of noise on the encoder's input, in z-scores; the target stays clean. differs: not in the source."""
    weights: LossWeights = field(default_factory=LossWeights)
    """Factors of the loss terms."""
    saved_as: Literal["float32", "float16"] = "float32"
    """Type of the stored weights."""
    num_val_clips: int = 200
    """Validation clips per validation, the first of the split."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Steps, batch, rate."""

    def __post_init__(self) -> None:
        if self.window % 2**self.num_stages or self.window <= 0:
            raise RemogptError(
                f"window must be a multiple of {2**self.num_stages} (2^num_stages) frames, got {self.window}"
            )
        if self.root_emphasis <= 0 or self.speed_jitter < 0 or self.input_noise < 0:
            raise RemogptError(
                "root_emphasis must be above 0, speed_jitter and input_noise at least 0; got "
                f"{self.root_emphasis}, {self.speed_jitter}, {self.input_noise}"
            )
        if self.keep_codes and (not self.start_from or self.quantizer != "ema"):
            raise RemogptError("keep_codes needs a tokenizer of quantizer ema whose codes are kept: set start_from")
        if not 0 < self.decay < 1:
            raise RemogptError(f"decay must lie between 0 and 1, got {self.decay}; the paper has 0.99")

    def network(self, num_features: int = 263) -> dict[str, Any]:
        """Arguments of `MotionVQVAE` for motions of so many channels, which the tokenizer's folder keeps."""
        names = ("width", "num_codes", "code_dim", "num_stages", "depth", "dilation_growth", "decay", "dead_below")
        kind = {} if self.quantizer == "ema" else {"quantizer": self.quantizer, "levels": list(self.levels)}
        return {"num_features": num_features, **{name: getattr(self, name) for name in names}, **kind}


def train_tokenizer(
    config: TokenizerConfig,
    train_features: Sequence[np.ndarray],
    val_features: Sequence[np.ndarray],
    run_folder: str | Path,
    out: str | Path,
) -> MotionTokenizer:
    """Train a tokenizer, save it to `out`, and return it as loaded from there.

    Args:
        config: see `TokenizerConfig`.
        train_features: raw features, each (T, F); also measured for the normalizer. Any sequence: a set's are
            read one at a time when they are asked for.
        val_features: raw features, each (T, F); the weights with the lowest `val/world_mm` are kept.
        run_folder: log and checkpoint; the same call resumes a run.
        out: folder of the finished tokenizer.

    Raises:
        RemogptError: if no clip reaches the window, there is nothing to validate on, or widths differ.
    """
    network = config.network(_num_features(train_features, val_features))
    windows = WindowSampler(train_features, config.window, config.speed_jitter)
    start = MotionTokenizer.from_pretrained(config.start_from) if config.start_from else None
    vqvae, normalizer = _begun(config, network, train_features, start)
    if isinstance(vqvae.quantizer, EMAResetQuantizer):
        vqvae.quantizer.rounds = config.loop.accumulation

    def compute_loss(
        model: nn.Module, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        device = next(vqvae.parameters()).device
        normalizer.to(device)
        target = normalizer.normalize(torch.from_numpy(windows.batch(indices, rng)).to(device))  # (B, window, F)
        seen = target + config.input_noise * torch.randn_like(target) if config.input_noise else target
        output = model(seen)
        loss, terms = tokenizer_loss(output, target, normalizer, config.weights)
        return loss, {**terms, "perplexity": float(output.perplexity), "dead_codes": vqvae.quantizer.num_dead()}

    def evaluate(model: nn.Module) -> dict[str, float]:
        tokenizer = MotionTokenizer(vqvae, normalizer)
        scores = reconstruction_metrics(tokenizer, val_features[: config.num_val_clips])
        return {f"val/{name}": value for name, value in scores.items()}

    stage = Stage(
        vqvae,
        len(windows),
        compute_loss,
        config=config,
        data=fingerprint(chain(train_features, val_features)),
        evaluate=evaluate,
        best=("val/world_mm", "min"),
        desc="tokenizer",
    )
    fit(stage, config.loop, run_folder)
    kept = {CODES_OF: start.code_hash} if start is not None and config.keep_codes else {}
    finished = MotionTokenizer(vqvae, normalizer.to("cpu"), {**network, **kept})
    finished.save_pretrained(out, dtype=getattr(torch, config.saved_as))
    return MotionTokenizer.from_pretrained(out)


def _begun(
    config: TokenizerConfig, network: Mapping[str, Any], train_features: Sequence[np.ndarray],
    start: MotionTokenizer | None,
) -> tuple[MotionVQVAE, Normalizer]:  # fmt: skip
    """Return the network and the statistics that training begins with: new ones, or those of `start`."""
    normalizer = start.normalizer if start else Normalizer.fit(train_features, config.root_emphasis)
    torch.manual_seed(config.loop.seed)
    vqvae = MotionVQVAE(**network)
    if start is not None:
        wanted, found = (
            {name: tuple(one.shape) for name, one in net.state_dict().items()} for net in (vqvae, start.vqvae)
        )
        if wanted != found:
            differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
            raise RemogptError(
                f"start_from: the tokenizer in {config.start_from} is of another size than this training's, first in "
                f"{differing[0]}; take over its config.json, or start from nothing"
            )
        vqvae.load_state_dict(start.vqvae.state_dict())
    if config.keep_codes and isinstance(vqvae.quantizer, EMAResetQuantizer):
        vqvae.encoder.requires_grad_(False)
        vqvae.quantizer.is_frozen = True
    return vqvae, normalizer


def _num_features(train: Sequence[np.ndarray], val: Sequence[np.ndarray]) -> int:
    """Return how many channels all the motions have; refuse none, and those of no body or of several."""
    for split, motions in (("training", train), ("validation", val)):
        if not motions:
            raise RemogptError(f"wanted {split} motions for the tokenizer, got none; is the {split} split empty?")
    widths = {motion.shape[-1] for motion in chain(train, val)}
    if len(widths) > 1:
        raise RemogptError(f"wanted motions of one number of channels, got {sorted(widths)}; are they of one set?")
    return body_of(*widths).num_features
