"""What networks return is checked before it is stored."""

import numpy as np
import pytest

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.network_outputs import are_alike, check_finite, check_unit_rows


def test_the_first_bad_row_is_named() -> None:
    rows = np.ones((4, 2, 3))
    assert check_finite(rows, str, "encoding") is rows
    rows[2, 1, 0] = np.nan
    with pytest.raises(RemogptError, match="gave NaN in the encoding of clip 2, and in 1 of 4 in all"):
        check_finite(rows, lambda row: f"clip {row}", "encoding")
    rows[1, 0, 0] = np.inf
    with pytest.raises(RemogptError, match="gave infinity in the encoding of clip 1, and in 2 of 4"):
        check_finite(rows, lambda row: f"clip {row}", "encoding")


def test_rows_of_another_length_are_refused() -> None:
    rows = np.eye(3, dtype=np.float16)
    assert check_unit_rows(rows, str) is rows
    with pytest.raises(RemogptError, match=r"the embedding of b has length 2, wanted 1"):
        check_unit_rows(np.diag([1.0, 2.0, 0.0]), "abc".__getitem__)


def test_a_collapsed_network_is_told_from_one_that_tells_little_apart() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=16)
    assert are_alike(base + 1e-4 * rng.normal(size=(2000, 16)))
    assert are_alike(np.zeros((5, 4)))
    assert not are_alike(base + 0.05 * rng.normal(size=(2000, 16)))
    assert not are_alike(rng.normal(size=(10, 16)))
    assert not are_alike(np.ones((2, 4))), "two items tell nothing"
