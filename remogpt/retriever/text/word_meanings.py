"""Tell how near words lie in meaning, by the sentence vectors of a frozen text model."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from remogpt.retriever.text.frozen_text_model import FrozenText

NEAR = 0.5
"""Least cosine of two words that are near in meaning, for all-MiniLM-L6-v2."""


class WordMeanings:
    """Find the nearest in meaning of some words.

    Args:
        text: a frozen text model.
        words: those that may be found; they are encoded when the first search begins.
    """

    def __init__(self, text: FrozenText, words: Sequence[str]) -> None:
        self.text, self.words = text, words

    def nearest(self, word: str) -> str | None:
        """Return the word with the largest cosine, None if it is below `NEAR`."""
        if not self.words:
            return None
        cosines = self._vectors @ self.text.sentence_vectors([word])[0]
        best = int(cosines.argmax())
        return self.words[best] if cosines[best] >= NEAR else None

    @cached_property
    def _vectors(self) -> np.ndarray:
        return self.text.sentence_vectors(self.words)
