"""Choose the best of several candidates."""

import numpy as np


def closest(queries: np.ndarray, candidates: np.ndarray) -> list[int]:
    """Return the index of the best of C candidates (N * C, D), query by query, for each of N queries (N, D)."""
    runs = candidates.reshape(len(queries), -1, queries.shape[1])
    return [int(best) for best in np.einsum("nd,ncd->nc", queries, runs).argmax(axis=1)]
