"""What a motion encoder reads: z-scored features of one length, none of them out of bounds."""

import numpy as np
import pytest
import torch

from remogpt.retriever.padding import normalized_batch

MEAN, STD = torch.full((3,), 2.0), torch.tensor([0.5, 1.0, 0.0])


def test_features_become_z_scores_of_one_length() -> None:
    long, short = np.full((4, 3), 2.0, dtype=np.float32), np.array([[1.0, 5.0, 2.0]], dtype=np.float32)
    features, lengths = normalized_batch([long, short], MEAN, STD)
    assert features.shape == (2, 4, 3) and lengths.tolist() == [4, 1]
    assert features[1, 0].tolist() == [-2.0, 3.0, 0.0]
    assert (
        not features[0].any() and not features[1, 1:].any()
    )  # the mean is 0, and so is what lies beyond a motion's end


def test_a_z_score_never_leaves_ten_standard_deviations() -> None:
    """A channel that hardly moved in training would make thousands of a small difference."""
    far = np.array([[2.0 + 5.5, 2.0 - 11.0, 2.0 + 0.005], [2.0 + 4.5, 2.0 - 9.0, 2.0 + 0.5]], dtype=np.float32)
    features, _ = normalized_batch([far], MEAN, STD)
    assert features[0, 0].tolist() == pytest.approx([10.0, -10.0, 5.0], abs=1e-3)
    assert features[0, 1].tolist() == pytest.approx([9.0, -9.0, 10.0], abs=1e-3)
