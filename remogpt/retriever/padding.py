"""Turn raw motions into what a motion encoder reads: z-scored features, padded to one length."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from remogpt.motion.skeleton import KIT_NUM_FEATURES
from remogpt.runtime.errors import RemogptError

MAX_SCORE = 10.0
"""Largest |z-score|: motion from elsewhere may leave the training set's range in channels that hardly moved there.
differs: nobody clips; on the training set's own motion it changes next to nothing."""
MIN_STD = 1e-3
"""Smallest standard deviation divided by, in the features' own units."""


def normalized_batch(motions: Sequence[np.ndarray], mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Z-score and pad raw motions (T, F): features (B, T, F), zero beyond each length, and lengths (B,)."""
    lengths = torch.tensor([len(motion) for motion in motions])
    normalized = torch.zeros(len(motions), int(lengths.max()), len(mean))
    for row, motion in zip(normalized, motions, strict=True):
        raw = torch.from_numpy(np.array(motion, dtype=np.float32))
        row[: len(motion)] = ((raw - mean) / std.clamp(min=MIN_STD)).clamp(-MAX_SCORE, MAX_SCORE)
    return normalized, lengths


def check_features(features: np.ndarray, num_features: int, name: str) -> None:
    """Raise a `RemogptError` unless `features` is a finite (T, F) array with at least one frame."""
    if features.ndim != 2 or features.shape[1] != num_features or len(features) == 0:
        hint = _hint(features.shape, num_features)
        raise RemogptError(f"{name} has shape {features.shape}, expected (frames, {num_features}). {hint}")
    if not np.isfinite(features).all():
        raise RemogptError(f"{name} holds values that are not finite; repair or drop the motion it was made from")


def _hint(shape: tuple[int, ...], num_features: int) -> str:
    if len(shape) == 2 and shape[1] == num_features:
        return "It has no frames; drop it."
    if len(shape) == 1:
        return "Is this one frame of one motion? Give a list of motions, [motion] for one."
    if KIT_NUM_FEATURES in (shape[-1], num_features):
        return f"{KIT_NUM_FEATURES} channels are KIT-ML's own; take a retriever that was trained on such features."
    return "Joints? Use motion.joints_to_features first."


def real_positions(lengths: Tensor, num_positions: int) -> Tensor:
    """Map (B,) lengths -> (B, num_positions) mask, True where real."""
    return torch.arange(num_positions, device=lengths.device) < lengths[:, None]


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield batches of item indices, grouped by length, so that little of a batch is padding."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
