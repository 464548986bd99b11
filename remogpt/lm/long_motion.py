"""Motions longer than the language model writes or reads at once.

Such motions are written in segments, each going on from the one before, and read in windows beside each other.

Writing: the model has seen 49 codes (9.8 s) at most, so no segment is longer. Every segment but the first begins with
the last 12 codes (2.4 s) written: the decoder reads these codes as if it had just written them, and goes on. The
overlap counts in the length that the prompt tells, and is not written twice:

    segment 1   1 ................ 42
    segment 2               31 ... 42 ................ 71
    segment 3                                60 ... 71 ................ 100
"""

import re
from itertools import pairwise

import numpy as np

from remogpt.lm.limits import FRAMES_PER_CODE, MAX_CODES
from remogpt.motion.skeleton import FPS
from remogpt.prompts import clean_text
from remogpt.runtime.errors import RemogptError

OVERLAP = 12
"""Codes that a segment shares with the one before: 2.4 s, a stride or two. 7.4 s of a segment are its own."""
MIN_SECONDS, MAX_SECONDS = 0.4, 60.0
"""Lengths that may be asked for."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def num_frames(seconds: float | None, fps: float = FPS) -> int | None:
    """Turn a length into frames.

    Raises:
        RemogptError: if it is shorter or longer than may be asked for.
    """
    if seconds is None:
        return None
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise RemogptError(
            f"seconds must lie between {MIN_SECONDS:g} and {MAX_SECONDS:g}, got {seconds:g}; choose a length within"
        )
    return round(seconds * fps)


def segment_lengths(length: int | None) -> list[int] | list[None]:
    """Divide a motion of `length` codes into segments of nearly equal length: their lengths, overlaps included.

    One segment where it fits, or where no length is given.
    """
    if length is None:
        return [None]
    if length <= MAX_CODES:
        return [length]
    count = 1 + -(-(length - MAX_CODES) // (MAX_CODES - OVERLAP))
    total = length + (count - 1) * OVERLAP
    return [total // count + (number < total % count) for number in range(count)]


def spread_sentences(text: str, count: int) -> list[str]:
    """Share out the sentences of a text over `count` segments, in order and as evenly as can be.

    Each sentence is asked for in one segment and not in all; with fewer sentences than segments each lasts for some.
    """
    sentences = _SENTENCE_END.split(clean_text(text))  # cleaned first: what is left of a sentence has words
    if count == 1 or len(sentences) == 1:
        return [text] * count
    bounds = [number * len(sentences) // count for number in range(count + 1)]
    return [" ".join(sentences[first : max(last, first + 1)]) for first, last in pairwise(bounds)]


def reading_windows(features: np.ndarray) -> list[np.ndarray]:
    """Cut a motion (T, F) into windows of nearly equal length that the language model can read at once.

    HumanML3D's longest clips, 199 frames, are 49 codes and one window.
    """
    count = -(-(len(features) // FRAMES_PER_CODE) // MAX_CODES)
    return list(np.array_split(features, max(1, count)))
