"""Rows of the entries that bear a name, without reading what is known about all entries.

Hashes of every name that binds an entry to its family (`data.family`), sorted, each with its entry's row. Large
databases keep them in two files, which are mapped: to leave a thousand ids out of a search among a million entries
takes as long as among ten thousand. Two names of one 64-bit hash are taken for one, so that one entry too many is left
out; among 10^8 names there are two such names with a chance of 1 in 4,000.
"""

import hashlib
from array import array
from collections.abc import Collection, Iterable

import numpy as np

from remogpt.data.family import Named, family_names

MOST_KNOWN = 100_000
"""Names whose rows are kept in memory once they were looked up."""


class NameTable:
    """Looks up the rows of names.

    Args:
        hashes: (N,) uint64, sorted; memory-mapped ones stay on disk.
        rows: (N,) int64 row of the entry that bears each.
    """

    def __init__(self, hashes: np.ndarray, rows: np.ndarray) -> None:
        self.hashes, self.rows = hashes, rows
        self._known: dict[str, list[int]] = {}

    def rows_of(self, names: Collection[str]) -> np.ndarray:
        """Return the rows of the entries that bear any of some names, sorted, each once."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        new = [name for name in names if name not in self._known]
        if new:
            wanted = np.array([name_hash(name) for name in new], dtype=np.uint64)
            starts, ends = (np.searchsorted(self.hashes, wanted, side) for side in ("left", "right"))
            for name, start, end in zip(new, starts.tolist(), ends.tolist(), strict=True):
                self._known[name] = self.rows[start:end].tolist()
        return np.array(sorted({row for name in names for row in self._known[name]}), dtype=np.int64)


class NameCollector:
    """Collects the names of entries in the order of their rows."""

    def __init__(self) -> None:
        self.hashes, self.rows, self.count = array("Q"), array("q"), 0

    def add(self, entries: Iterable[Named]) -> None:
        """Collect the names of further entries."""
        for entry in entries:
            for name in family_names(entry):
                self.hashes.append(name_hash(name))
                self.rows.append(self.count)
            self.count += 1

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what `NameTable` takes."""
        hashes, rows = np.array(self.hashes, dtype=np.uint64), np.array(self.rows, dtype=np.int64)
        order = np.lexsort([rows, hashes])
        return hashes[order], rows[order]


def name_hash(name: str) -> int:
    """Return 64 bits that stand for a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
