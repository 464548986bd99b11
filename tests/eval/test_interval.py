"""The interval beside a mean, against values known by hand."""

import numpy as np
import pytest

from remogpt.eval.interval import half_width, mean_interval


def test_the_interval_is_that_of_the_population_std():
    values = np.array([1, 3, 1, 3])  # std 1, not 1.15
    assert mean_interval(values) == {"mean": 2.0, "ci95": pytest.approx(1.96 / 2)}
    assert half_width(np.array([True, False, True, False])) == pytest.approx(1.96 * 0.5 / 2)
    assert half_width(np.array([7.0])) == 0.0
