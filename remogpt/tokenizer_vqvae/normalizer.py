"""Z-scoring of raw motion features with statistics that the tokenizer keeps in its own folder.

HumanML3D's feature groups, for J joints: yaw velocity, planar velocity, height, positions 3(J-1), rotations 6(J-1),
velocities 3J, contacts 4. That is 12 J - 1 channels: 263 for 22 joints, 251 for KIT-ML's 21.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.runtime.errors import RemogptError

MIN_STD = 1e-4
"""Floor of a group's spread, so that channels which never move in the training set do not blow up on other motion."""


def num_joints_of(num_features: int) -> int:
    """Number of joints behind a feature width, 22 for 263.

    Raises:
        RemogptError: if no skeleton has this width.
    """
    num_joints, rest = divmod(num_features + 1, 12)
    if rest or num_joints < 2:
        raise RemogptError(
            f"num_features must be 12 J - 1 for J joints, got {num_features}; "
            "HumanML3D's 22 joints have 263, KIT-ML's 21 have 251"
        )
    return num_joints


def feature_groups(num_features: int) -> list[slice]:
    """Channels that share a spread: yaw, planar velocity, height, positions, rotations, velocities, contacts."""
    others = num_joints_of(num_features) - 1
    widths = (1, 2, 1, 3 * others, 6 * others, 3 * (others + 1), 4)
    ends = np.cumsum(widths)
    return [slice(int(end - width), int(end)) for width, end in zip(widths, ends, strict=True)]


class Normalizer(nn.Module):
    """Hold mean and std (F,) and turn raw features into z-scores and back."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.detach().clone().float())
        self.register_buffer("std", std.detach().clone().float())

    @classmethod
    def fit(cls, features: Sequence[np.ndarray], root_emphasis: float = 1.0) -> Normalizer:
        """Measure the statistics of raw features, a list of (T, F).

        Std is measured per channel, averaged within each group, and divided by `root_emphasis` for yaw, planar velocity,
        height and contacts, which makes these few channels weigh more in a loss on z-scores.

        Source: HumanML3D cal_mean_variance (groups); text-to-motion feat_bias (emphasis; 5 in its options, 25 in the
        statistics it ships and the tokenizers use, because it is applied twice).
        """
        if not features:
            raise RemogptError("wanted motions to measure statistics on, got none; is the training split empty?")
        num_frames = sum(len(motion) for motion in features)
        total = sum(motion.sum(axis=0, dtype=np.float64) for motion in features)
        mean = total / num_frames  # (F,)
        squares = sum((np.square(motion - mean)).sum(axis=0) for motion in features)
        std = np.sqrt(squares / num_frames)  # (F,)
        groups = feature_groups(len(mean))
        for place, group in enumerate(groups):
            std[group] = max(float(std[group].mean()), MIN_STD)
            if place in (0, 1, 2, len(groups) - 1):
                std[group] /= root_emphasis
        return cls(torch.from_numpy(mean), torch.from_numpy(std))

    def normalize(self, features: Tensor) -> Tensor:
        """(..., F) raw -> z-scores."""
        return (features - self.mean) / self.std

    def denormalize(self, scores: Tensor, channels: slice = slice(None)) -> Tensor:
        """(..., F) z-scores -> raw; `channels` names those that `scores` holds, all by default."""
        return scores * self.std[channels] + self.mean[channels]
