"""Losses of TMR: reconstruction, four KL terms, distance of latents, contrast (InfoNCE or Guo et al.'s margin).

Source: TMR, arXiv 2305.00976, sec. 3.2 and 3.3, and its code (6d74688).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from remogpt.retriever.networks.temos import Gaussian
from remogpt.retriever.networks.tmr import TMROutput
from remogpt.retriever.training.all_gather import gather_rows
from remogpt.retriever.training.contrastive import contrastive_loss
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class TMRLosses:
    """Weights of the terms and settings of the contrastive one; defaults are TMR's."""

    reconstruction: float = 1.0
    """Weight of the motions decoded from text and from motion; 0 spares the decoder."""
    kl: float = 1e-5
    """Weight of the four divergences between text, motion and the standard normal distribution."""
    latent: float = 1e-5
    """Weight of the distance between a pair's two latents."""
    contrastive: float = 0.1
    """Weight of the term that pushes other pairs apart."""
    contrast: Literal["infonce", "margin"] = "infonce"
    """infonce: TMR's; margin: Guo et al.'s, as in TMR's ablation."""
    temperature: float = 0.1
    """Divides the cosines of infonce. Source: TMR's configuration; its class default of 0.7 is never used."""
    margin: float = 10.0
    """Euclidean distance below which the margin loss pushes a negative away. Source: Guo et al."""

    def __post_init__(self) -> None:
        if min(self.reconstruction, self.kl, self.latent, self.contrastive) < 0:
            raise RemogptError(
                "losses.reconstruction, kl, latent and contrastive must be 0 or more, got "
                f"{self.reconstruction}, {self.kl}, {self.latent} and {self.contrastive}"
            )
        if self.temperature <= 0 or self.margin <= 0:
            raise RemogptError(
                f"losses.temperature and losses.margin must be above 0, got {self.temperature} and {self.margin}"
            )


def kl_divergence(q: Gaussian, p: Gaussian) -> Tensor:
    """Return KL(q || p), (), averaged over batch and dimensions as in TMR. differs: the definition sums dimensions."""
    if q.log_variance is None or p.log_variance is None:
        raise RemogptError("points have no KL divergence: set losses.kl to 0 or model.is_variational to true")
    log_ratio = q.log_variance - p.log_variance
    distance = (p.mean - q.mean).square() * torch.exp(-p.log_variance)
    return 0.5 * (torch.exp(log_ratio) + distance - 1 - log_ratio).mean()


def kl_terms(text: Gaussian, motion: Gaussian) -> dict[str, Tensor]:
    """Return the four divergences whose sum is TMR's KL term; `normal` is the standard normal distribution."""
    normal = Gaussian(torch.zeros_like(text.mean), torch.zeros_like(text.mean))
    return {
        "text_motion": kl_divergence(text, motion),
        "motion_text": kl_divergence(motion, text),
        "motion_normal": kl_divergence(motion, normal),
        "text_normal": kl_divergence(text, normal),
    }


def reconstruction_loss(output: TMROutput, features: Tensor) -> Tensor:
    """Return () smooth L1 to the true z-scored features (B, T, F), from text and from motion.

    The mean runs over padding too, which is zero on both sides, as in TMR: short motions in a long batch weigh less.
    """
    if output.from_text is None or output.from_motion is None:
        raise RemogptError("nothing was decoded: call TMR with reconstruct=True, or set losses.reconstruction to 0")
    return functional.smooth_l1_loss(output.from_text, features) + functional.smooth_l1_loss(
        output.from_motion, features
    )


def margin_loss(text: Tensor, motion: Tensor, shift: int, margin: float = 10.0) -> Tensor:
    """Return () squared distance of pairs, plus the squared shortfall from `margin` of one negative for each pair.

    Args:
        text, motion: (B, D); row i of one belongs to row i of the other.
        shift: row i of text has row i + shift of motion as its negative.
        margin: in the embeddings' own units.

    Source: Guo et al., CVPR 2022 (text-to-motion 72df96e); differs: there the shift may be 0, which pushes pairs apart.
    """
    near = functional.pairwise_distance(text, motion)
    far = functional.pairwise_distance(text, motion.roll(-shift, dims=0))
    return near.square().mean() + (margin - far).clamp(min=0).square().mean()


def tmr_loss(
    output: TMROutput, features: Tensor, false_negatives: Tensor | None, losses: TMRLosses, shift: int = 1
) -> tuple[Tensor, dict[str, float]]:
    """Return the weighted sum that is minimised, and each term before weighting.

    Args:
        output: of the batch; decoded where `losses.reconstruction` is not 0.
        features: (B, T, F) true z-scored features, zero beyond each length.
        false_negatives: (B, B) bool, pairs that infonce leaves out; see `near_duplicates`. With several
            processes B is the joint batch, all of which infonce contrasts.
        losses: weights; a term of weight 0 is not computed, nor is KL between points.
        shift: for the margin loss, drawn by the caller from 1 to B - 1.
    """
    terms: dict[str, Tensor] = {}
    if losses.reconstruction:
        terms["reconstruction"] = reconstruction_loss(output, features)
    if losses.kl and output.text.log_variance is not None:
        terms["kl"] = torch.stack(list(kl_terms(output.text, output.motion).values())).sum()
    if losses.latent:
        terms["latent"] = functional.smooth_l1_loss(output.text_latent, output.motion_latent)
    if losses.contrastive:
        latents = output.text_latent, output.motion_latent
        if losses.contrast == "infonce":
            text, motion = (gather_rows(latent) for latent in latents)
            terms["contrastive"] = contrastive_loss(text, motion, losses.temperature, false_negatives)
        else:
            terms["contrastive"] = margin_loss(*latents, shift, losses.margin)
    if not terms:
        raise RemogptError("all weights in losses are 0: there is nothing to train on; give one of them a weight")
    weighted = [getattr(losses, name) * term for name, term in terms.items()]
    return torch.stack(weighted).sum(), {name: term.item() for name, term in terms.items()}


def filtered_share(false_negatives: Tensor) -> float:
    """Return the share, 0 to 1, of a batch's pairs of different items that (B, B) bool leaves out of the negatives."""
    count = len(false_negatives)
    others = ~torch.eye(count, dtype=torch.bool, device=false_negatives.device)
    return float((false_negatives & others).sum().item()) / max(1, count * (count - 1))
