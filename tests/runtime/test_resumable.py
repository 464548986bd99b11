"""Computations in pieces."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.resumable import compute_in_shards, remove_shards


def test_pieces_are_computed_once_and_come_in_order(tmp_path: Path) -> None:
    asked: list[int] = []

    def squares(places: range) -> np.ndarray:
        asked.extend(places)
        if 5 in places and len(asked) < 8:
            raise KeyboardInterrupt
        return np.array([[place, place**2] for place in places])

    with pytest.raises(KeyboardInterrupt):
        compute_in_shards(tmp_path / "parts", 7, squares, 3, "squares")
    asked.append(-1)
    rows = compute_in_shards(tmp_path / "parts", 7, squares, 3, "squares")
    assert asked == [0, 1, 2, 3, 4, 5, -1, 3, 4, 5, 6]
    assert np.array_equal(rows, [[place, place**2] for place in range(7)])
    remove_shards(tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_a_piece_of_another_size_is_refused(tmp_path: Path) -> None:
    compute_in_shards(tmp_path, 2, lambda places: np.zeros(len(places)), 2, "zeros")
    with pytest.raises(RemogptError, match="has 2 rows, wanted 3"):
        compute_in_shards(tmp_path, 3, lambda places: np.zeros(len(places)), 3, "zeros")
    with pytest.raises(ValueError, match="at least one item"):
        compute_in_shards(tmp_path, 0, lambda places: np.zeros(len(places)), 3, "zeros")
