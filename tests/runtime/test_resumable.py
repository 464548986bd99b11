"""Computations in shards."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from remogpt.runtime.resumable import compute_in_shards


def test_a_killed_computation_goes_on_at_its_shard(tmp_path: Path) -> None:
    calls: list[range] = []

    def squares(indices: range) -> dict[str, np.ndarray]:
        calls.append(indices)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {"squares": np.array([index**2 for index in indices])}

    with pytest.raises(KeyboardInterrupt):
        compute_in_shards(tmp_path / "shards", 7, squares, size=3, desc="squares")
    assert calls == [range(0, 3), range(3, 6), range(6, 7)]
    shards = compute_in_shards(tmp_path / "shards", 7, squares, size=3, desc="squares")
    assert calls[3:] == [range(6, 7)] and shards == sorted((tmp_path / "shards").iterdir())
    assert [load_file(shard)["squares"].tolist() for shard in shards] == [[0, 1, 4], [9, 16, 25], [36]]


def test_no_items_and_no_shard_size_are_refused(tmp_path: Path) -> None:
    for count, size in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match=f"got {count} and {size}"):
            compute_in_shards(tmp_path, count, lambda indices: {}, size=size, desc="nothing")
