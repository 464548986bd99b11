"""Hidden spans against MotionGPT's T5 helpers."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.lm.training.span_corruption import corrupt, span_mask


@pytest.mark.parametrize("length", [8, 20, 64, 256])
def test_golden_masks(golden_dir: Path, length: int) -> None:
    golden = np.load(golden_dir / "lm_parts.npz")
    assert np.array_equal(span_mask(length, np.random.RandomState(length)), golden[f"noise_mask_{length}"])


def test_golden_sentinels(golden_dir: Path) -> None:
    golden = np.load(golden_dir / "lm_parts.npz")
    sentinels = [32615 - 515 - 1 - number for number in range(100)]
    for row in range(2):
        ids, mask = golden["sentinel_ids_in"][row].tolist(), golden["sentinel_mask"][row]
        inputs, targets = corrupt(ids, mask, sentinels, eos_id=1)
        assert inputs == golden["sentinel_input_ids"][row].tolist()
        assert targets == golden["sentinel_labels"][row].tolist()


def test_every_length() -> None:
    rng = np.random.default_rng(0)
    for length in range(2, 120):
        mask = span_mask(length, rng, max_spans=4)
        runs = int((np.diff(np.concatenate([[False], mask]).astype(int)) == 1).sum())
        assert len(mask) == length and not mask[0] and mask.any() and runs <= 4
        ids = list(range(1000, 1000 + length))
        inputs, targets = corrupt(ids, mask, range(4), eos_id=9)
        assert sorted(token for token in inputs + targets if token >= 1000) == ids
    with pytest.raises(ValueError, match="no span to hide"):
        span_mask(1, rng)
