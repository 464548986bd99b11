"""Generate motions with a TMR: decode the latent of a caption, or of a motion, to a given number of frames.

TMR trains the decoder to shape its space and searches without it; as a generator, TMR is a baseline that writes one
average motion for a caption. A TMR trained with `losses.reconstruction: 0` has a decoder that learned nothing.
Source: TMR, arXiv 2305.00976, Table A.2 (motions decoded from text); TEMOS, arXiv 2204.14109.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from remogpt.retriever.networks.temos import Gaussian
from remogpt.retriever.networks.tmr import TMR
from remogpt.retriever.padding import MIN_STD, batches_by_length, check_features
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.runtime.errors import RemogptError

BATCH = 32


@torch.inference_mode()
def synthesise(
    retriever: TextMotionRetriever,
    texts: Sequence[str],
    num_frames: Sequence[int],
    seed: int | None = None,
    sample: bool = False,
) -> list[np.ndarray]:
    """Decode captions to motions.

    Args:
        retriever: a TMR.
        texts: N captions.
        num_frames: length of each motion, 1 to the network's `max_frames`.
        seed: of the draws; None draws others every time.
        sample: draw each latent from the caption's Gaussian; its mean otherwise, and then nothing is random.

    Returns:
        N raw features, each (T, F), in the units of the motions that the retriever was trained on.

    Raises:
        RemogptError: if the retriever has no decoder, a length is out of range, or draws are asked of a TMR of points.
    """
    network = decoding_network(retriever)
    if isinstance(texts, str):
        raise RemogptError("synthesise wants a list of captions, got one string; put it in a list")
    _check_lengths(num_frames, len(texts), network.max_frames)
    if sample and not has_spread(retriever):
        raise RemogptError("this TMR encodes captions to points, so that there is nothing to draw; leave sampling off")
    latents = torch.zeros(len(texts), network.dim, device=retriever.device)
    noise = _noise(len(texts), network.dim, seed) if sample else None
    for batch in batches_by_length([len(text) for text in texts], BATCH):
        states, lengths = retriever.text.prepare([texts[index] for index in batch])
        gaussian = network.encode_text(states.to(retriever.device), lengths.to(retriever.device))
        latents[batch] = _latent(gaussian, None if noise is None else noise[batch])
    return _decoded(retriever, network, latents, num_frames)


@torch.inference_mode()
def reconstruct(retriever: TextMotionRetriever, motions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Encode motions and decode the means of their latents: what the decoder can show at best.

    Args:
        retriever: a TMR.
        motions: N raw features, each (T, F), of 1 to `max_frames` frames.

    Returns:
        N raw features of the same lengths.

    Raises:
        RemogptError: if the retriever has no decoder, or a motion has another shape or length.
    """
    network = decoding_network(retriever)
    for index, motion in enumerate(motions):
        check_features(motion, len(retriever.mean), f"motion {index}")
    num_frames = [len(motion) for motion in motions]
    _check_lengths(num_frames, len(motions), network.max_frames)
    latents = torch.zeros(len(motions), network.dim, device=retriever.device)
    for batch in batches_by_length(num_frames, BATCH):
        features, lengths = retriever.pad([motions[index] for index in batch])
        latents[batch] = network.encode_motion(features.to(retriever.device), lengths.to(retriever.device)).mean
    return _decoded(retriever, network, latents, num_frames)


def decoding_network(retriever: TextMotionRetriever) -> TMR:
    """Return the network that decodes.

    Raises:
        RemogptError: if the retriever is no TMR.
    """
    if not isinstance(retriever.network, TMR):
        raise RemogptError(
            "this retriever (PL-TMR) has no decoder, so it writes no motions; give a TMR, made by 'remogpt train tmr' "
            "or 'remogpt import tmr'"
        )
    return retriever.network


def has_spread(retriever: TextMotionRetriever) -> bool:
    """Whether a TMR encodes to Gaussians, from which latents can be drawn."""
    return decoding_network(retriever).text_encoder.is_variational


def _check_lengths(num_frames: Sequence[int], count: int, longest: int) -> None:
    if len(num_frames) != count:
        raise RemogptError(f"{count} captions came with {len(num_frames)} lengths; give one for each")
    wrong = [length for length in num_frames if not 1 <= length <= longest]
    if wrong:
        raise RemogptError(
            f"a length must lie between 1 and {longest} frames, the longest that this TMR was trained on, "
            f"got {wrong[0]}; choose a length within"
        )


def _noise(count: int, dim: int, seed: int | None) -> Tensor:
    """Return (N, D) standard normal; drawn on the CPU and at once, so that neither device nor batches move a draw."""
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    elif seed < 0:
        raise RemogptError(f"a seed must be 0 or more, got {seed}")
    else:
        generator.manual_seed(seed)
    return torch.randn(count, dim, generator=generator)


def _latent(gaussian: Gaussian, noise: Tensor | None) -> Tensor:
    return gaussian.mean if noise is None else gaussian.sample(noise.to(gaussian.mean))


def _decoded(
    retriever: TextMotionRetriever, network: TMR, latents: Tensor, num_frames: Sequence[int]
) -> list[np.ndarray]:
    """Decode latents (N, D) -> N raw features; the inverse of `normalized_batch`."""
    motions: list[np.ndarray] = [np.empty(0)] * len(latents)
    std = retriever.std.clamp(min=MIN_STD)
    for batch in batches_by_length(num_frames, BATCH):
        lengths = torch.tensor([num_frames[index] for index in batch])
        features = network.decode(latents[batch], lengths.to(retriever.device)).cpu()
        for index, row, length in zip(batch, features * std + retriever.mean, lengths.tolist(), strict=True):
            motions[index] = row[:length].numpy().copy()
    return motions
