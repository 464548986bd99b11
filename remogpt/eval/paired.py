"""Differences between two ways to answer the same items, with bootstrap intervals.

Answers to one item are good or bad together, so that the interval of the differences is narrower than those of the two
means: it tells whether one way is better where these overlap.
"""

from typing import Any

import numpy as np

RESAMPLES = 10_000


def paired_difference(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> dict[str, float]:
    """Return how much larger the second values are on average, item by item.

    Args:
        first, second: (n,) one value for each of the same items; n >= 1.
        seed: of the resampling.

    Returns:
        {"mean", "low", "high", "num_items"}; low and high bound the 95 % percentile interval of 10,000 resamples of the
        items. With one item, or none that differ, they are the mean.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13.
    """
    from scipy.stats import bootstrap

    differences = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    mean = float(differences.mean())
    low = high = mean
    if np.ptp(differences) > 0:
        found = bootstrap(
            (differences,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(seed),
            batch=1000,
        )  # fmt: skip
        low, high = map(float, found.confidence_interval)
    return {"mean": mean, "low": low, "high": high, "num_items": len(differences)}


def paired_differences(
    first: dict[str, dict[str, float]], second: dict[str, dict[str, float]], *, seed: int = 0
) -> dict[str, Any]:
    """Return `paired_difference` of each measure that both ways have, over the items that both have.

    Args:
        first, second: measure -> item -> value.
        seed: of the resampling.
    """
    found: dict[str, Any] = {}
    for measure, values in first.items():
        common = [item for item in values if item in second.get(measure, {})]
        if common:
            rows = [np.array([one[item] for item in common]) for one in (values, second[measure])]
            found[measure] = paired_difference(*rows, seed=seed)
    return found
