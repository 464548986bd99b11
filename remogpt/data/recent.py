"""Keep recently read arrays in memory, since an evaluation reads the same motions dozens of times."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np


class RecentArrays:
    """Cache of arrays by key, least recently used dropped first.

    Args:
        max_bytes: of all arrays together.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.num_bytes = max_bytes, 0
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], np.ndarray]) -> np.ndarray:
        """Return a copy of an array, calling `load` if it is not cached."""
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
