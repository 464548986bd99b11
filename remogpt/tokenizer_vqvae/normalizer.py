"""Convert raw motion features to z-scores, with statistics from the tokenizer's folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.data.analysis.statistics import mean_and_std
from remogpt.motion.feature_body import body_of
from remogpt.motion.features import ROOT_HEIGHT, ROOT_VELOCITY, YAW_VELOCITY


class Normalizer(nn.Module):
    """Converts raw features to z-scores and back with mean and std (F,)."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.detach().clone().float())
        self.register_buffer("std", std.detach().clone().float())

    @classmethod
    def fit(cls, features: Sequence[np.ndarray], root_emphasis: float = 1.0) -> Normalizer:
        """Measure the statistics of raw features, (T, F) each, which are read once.

        Args:
            features: the training motions.
            root_emphasis: divides the std of yaw, planar velocity, height and contacts, which makes these few channels
                weigh more in a loss on z-scores.

        Source: HumanML3D cal_mean_variance (averages within groups); text-to-motion feat_bias (emphasis: 5 in its
        options, 25 in its shipped statistics, which the published tokenizers use: the factor 5 is applied twice).
        """
        mean, std = mean_and_std(features)
        for channels in (YAW_VELOCITY, ROOT_VELOCITY, ROOT_HEIGHT, body_of(len(std)).contacts):
            std[channels] /= root_emphasis
        return cls(torch.from_numpy(mean), torch.from_numpy(std))

    def normalize(self, features: Tensor) -> Tensor:
        """(..., F) raw -> z-scores."""
        return (features - self.mean) / self.std

    def denormalize(self, scores: Tensor) -> Tensor:
        """(..., F) z-scores -> raw."""
        return scores * self.std + self.mean
