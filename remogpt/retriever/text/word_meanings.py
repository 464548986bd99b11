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

    def is_common(self, word: str) -> bool:
        """Whether a word, or its base form, is one token of the text model: common English words are, typos are not."""
        forms = [word]
        for ending in ("s", "es", "ed", "ing"):
            if word.endswith(ending):
                base = word[: -len(ending)]
                forms += [base, f"{base}e", base[:-1]] if base[-2:-1] == base[-1:] else [base, f"{base}e"]
        return any(self.text.is_one_token(form) for form in forms if len(form) > 2)

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
