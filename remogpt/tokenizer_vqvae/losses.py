"""Compute the tokenizer's loss: on z-scores, and on the path of the raw features.

Decoded motion drifts because HumanML3D's root channels are velocities: their errors add up over a clip, which a frame's
loss does not measure. Waving or clapping hands move few of the channels: with a mean over all channels a short
training keeps hands still. The terms for both are ours; their weights are zero in the paper's configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn.functional import avg_pool1d, huber_loss, smooth_l1_loss

from remogpt.motion.feature_body import FeatureBody, body_of
from remogpt.motion.features import joints_in_metres, recover_root
from remogpt.motion.skeleton import FPS
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.vqvae import VQVAEOutput

SPEED_FRAMES, SPEED_BETA = 8, 0.2
"""Frames over which speeds are taken, and the error (m/s) up to which their term is quadratic."""
PATH_BETA = 0.1
"""Error (metres, radians) up to which the path terms are quadratic: about the size of the drift."""


@dataclass(frozen=True)
class LossWeights:
    """Factor of each term; the reconstruction of all features has weight 1."""

    beta: float = 1.0
    """Error, in z-scores, up to which the terms of features are quadratic; 1 in the source. Beyond it they are linear,
    and the network gives the median of what it is not sure of: of a rare step to a side, 7 deviations wide, no step."""
    positions: float = 0.5
    """Joint positions, counted a second time. Source: T2M-GPT, which calls this term velocities."""
    commit: float = 0.02
    """Distance of encoder vectors to their codes. Source: T2M-GPT."""
    arms: float = 0.0
    """Positions, rotations and velocities of elbows and wrists, counted again. differs: not in the source."""
    speeds: float = 0.0
    """How fast each joint moves seen from the body, m/s, whatever the direction: what a decoder is not sure of it
    smoothes away, and hands that clap or knock come to rest. differs: not in the source."""
    path: float = 0.0
    """Planar root position integrated over the window, metres. differs: not in the source."""
    heading: float = 0.0
    """Heading integrated over the window, radians. differs: not in the source."""
    joints: float = 0.0
    """Joint positions in the world, integrated over the window, metres. differs: not in the source."""


def tokenizer_loss(
    output: VQVAEOutput, target: Tensor, normalizer: Normalizer, weights: LossWeights
) -> tuple[Tensor, dict[str, float]]:
    """Compute the total loss of a batch and its terms.

    Args:
        output: the network's pass over `target`.
        target: (B, T, F), z-scored.
        normalizer: turns z-scores into raw features for the path terms.
        weights: see `LossWeights`.

    Source: T2M-GPT, arXiv 2301.06052, eq. 2 and 5 and its released code, for the first three terms.
    """
    reconstruction, target = output.reconstruction.float(), target.float()
    body = body_of(target.shape[-1])
    terms = {
        "reconstruction": huber_loss(reconstruction, target, delta=weights.beta),
        "positions": huber_loss(reconstruction[..., body.positions], target[..., body.positions], delta=weights.beta),
        "commit": output.commit_loss,
    }
    total = terms["reconstruction"] + weights.positions * terms["positions"] + weights.commit * terms["commit"]
    if weights.arms:
        arms = elbows_and_wrists(body)
        terms["arms"] = huber_loss(reconstruction[..., arms], target[..., arms], delta=weights.beta)
        total = total + weights.arms * terms["arms"]
    if weights.path or weights.heading or weights.joints or weights.speeds:
        ours, theirs = normalizer.denormalize(reconstruction), normalizer.denormalize(target)
        (ours_turn, ours_root), (theirs_turn, theirs_root) = recover_root(ours[..., :4]), recover_root(theirs[..., :4])
        terms["path"] = smooth_l1_loss(body.unit * _planar(ours_root), body.unit * _planar(theirs_root), beta=PATH_BETA)
        terms["heading"] = smooth_l1_loss(ours_turn, theirs_turn, beta=PATH_BETA)
        total = total + weights.path * terms["path"] + weights.heading * terms["heading"]
        if weights.speeds:
            terms["speeds"] = smooth_l1_loss(_speeds(ours, body), _speeds(theirs, body), beta=SPEED_BETA)
            total = total + weights.speeds * terms["speeds"]
        if weights.joints:
            terms["joints"] = smooth_l1_loss(joints_in_metres(ours), joints_in_metres(theirs), beta=PATH_BETA)
            total = total + weights.joints * terms["joints"]
    return total, {name: float(term.detach()) for name, term in terms.items()}


def _speeds(features: Tensor, body: FeatureBody) -> Tensor:
    """Turn raw features (B, T, F) into root mean square speeds of joints seen from the body, m/s: (B, J, windows)."""
    joints = body.unit * features[..., body.positions].unflatten(-1, (-1, 3))  # (B, T, J, 3)
    squared = (FPS * joints.diff(dim=1)).square().sum(dim=-1)  # (B, T - 1, J)
    # The root's slope is without end at rest.
    return (avg_pool1d(squared.mT, SPEED_FRAMES, SPEED_FRAMES // 2) + 1e-4).sqrt()


def elbows_and_wrists(body: FeatureBody) -> np.ndarray:
    """Return the channels of positions, rotations and velocities of elbows and wrists, the ends of the arms' chains."""
    joints = np.sort([joint for chain in body.chains[3:] for joint in chain[-2:]])
    groups = ((body.positions.start, 3, 1), (body.rotations.start, 6, 1), (body.velocities.start, 3, 0))
    return np.concatenate(
        [(first + width * (joints - skipped)[:, None] + np.arange(width)).ravel() for first, width, skipped in groups]
    )


def _planar(positions: Tensor) -> Tensor:
    """(..., 3) -> (..., 2): x and z."""
    return positions[..., ::2]
