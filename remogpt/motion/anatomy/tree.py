"""Walk a joint tree: paths to the root, common ancestors, lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Tree:
    """A skeleton's joints: parents and typical bone lengths."""

    parents: tuple[int, ...]
    lengths: np.ndarray
    """(J,) length of the bone that ends at each joint, in the file's units."""

    @classmethod
    def of(cls, parents: tuple[int, ...], positions: np.ndarray) -> Tree:
        """Measure a tree by its positions (T, J, 3)."""
        up = [max(parent, 0) for parent in parents]
        sample = positions[:: max(1, len(positions) // 50)]
        lengths = np.median(np.linalg.norm(sample - sample[:, up], axis=-1), axis=0)
        return cls(parents, lengths)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Children of each joint."""
        found: list[list[int]] = [[] for _ in self.parents]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(joint)
        return tuple(map(tuple, found))

    @cached_property
    def reach(self) -> np.ndarray:
        """(J,) length of the longest way down from each joint, its own bone counted."""
        longest = np.array(self.lengths)
        for joint in reversed(range(len(self.parents))):
            if self.children[joint]:
                longest[joint] += max(longest[child] for child in self.children[joint])
        return longest

    def path(self, joint: int) -> list[int]:
        """Return the joints from the root down to a joint, itself included."""
        way = [joint]
        while self.parents[way[-1]] >= 0:
            way.append(self.parents[way[-1]])
        return way[::-1]

    def common(self, joints: Sequence[int]) -> int | None:
        """Return the lowest joint above (or among) all of these; None in different trees."""
        ways = [self.path(joint) for joint in joints]
        found = None
        for level in zip(*ways, strict=False):
            if len(set(level)) > 1:
                break
            found = level[0]
        return found

    def longest_way(self, joint: int) -> list[int]:
        """Return the joints of the longest way down from a joint, itself included."""
        way = [joint]
        while self.children[way[-1]]:
            way.append(max(self.children[way[-1]], key=lambda child: self.reach[child]))
        return way
