"""Hold what a file holds, before it is checked and brought to our body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from remogpt.motion.retarget import SourceMotion


@dataclass(frozen=True)
class Recording:
    """One motion of a file: joint positions of some skeleton, or features, or both."""

    name: str
    source: SourceMotion | None = None
    features: np.ndarray | None = None
    """(T, 263) as stored."""
    caption: str | None = None
