"""The 95 % interval that stands beside every mean.

Source: the field's evaluations give mean and 1.96 * std / sqrt(n) over n repeats, with the std of these values
themselves (population std); here it is the same over repeats, items and clips.
"""

import numpy as np

Array = np.ndarray


def half_width(values: Array) -> float:
    """Return the half width of the interval of the mean of values (n,), n >= 1."""
    values = np.asarray(values, dtype=np.float64)
    return float(1.96 * values.std() / np.sqrt(len(values)))


def mean_interval(values: Array) -> dict[str, float]:
    """Return {"mean", "ci95"} of values (n,), n >= 1; `ci95` is the half width."""
    return {"mean": float(np.asarray(values, dtype=np.float64).mean()), "ci95": half_width(values)}
