"""The arrays that were read last, kept in memory: an evaluation reads the same few motions dozens of times."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np


class RecentArrays:
    """Arrays by key, as many as fit.

    Args:
        max_bytes: of all arrays together; those that were asked for longest ago are dropped first.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.num_bytes = max_bytes, 0
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], np.ndarray]) -> np.ndarray:
        """Return a copy of an array, which `load` makes where it is not kept."""
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key].copy()
        array = load()
        if array.nbytes <= self.max_bytes:
            self._arrays[key] = array.copy()
            self.num_bytes += array.nbytes
        while self.num_bytes > self.max_bytes:
            self.num_bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
