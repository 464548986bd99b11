"""Exact Shapley values of body parts."""

from math import comb

import numpy as np


def shapley_values(values: np.ndarray) -> np.ndarray:
    """Map (2^n,) worth of every set of n players, set s holding player p where bit p of s is 1 -> (n,) Shapley values.

    Example:
        >>> shapley_values(np.array([0.0, 1.0, 2.0, 5.0])).tolist()  # nobody, the first, the second, both
        [2.0, 3.0]
    """
    sets = np.arange(len(values))
    num_players = len(values).bit_length() - 1
    sizes = np.array([int(one).bit_count() for one in sets])
    shares = np.zeros(num_players)
    for player in range(num_players):
        without = sets[sets >> player & 1 == 0]
        weights = np.array([1 / (num_players * comb(num_players - 1, size)) for size in sizes[without]])
        shares[player] = weights @ (values[without | 1 << player] - values[without])
    return shares
