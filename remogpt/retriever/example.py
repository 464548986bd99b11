"""What a search gives back."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RetrievedExample:
    """One captioned motion found in a database; prompts read `caption` and `codes`."""

    id: str
    """Entry of the database."""
    caption: str
    """The caption of that entry that lies closest to the query."""
    codes: np.ndarray
    """(N,) int64 codebook indices of its motion."""
    score: float
    """Cosine in [-1, 1] by which the route ranked it."""
    route: str
    """t2m, t2t, m2t or m2m."""
    to_motion: float = math.nan
    """Cosine of the query with its motion, whatever the route; nan where the query was not at hand."""
    to_caption: float = math.nan
    """Cosine of the query with `caption`, likewise."""
