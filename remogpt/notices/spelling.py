"""Find the known word that a misspelled one was meant as."""

from collections.abc import Iterable
from functools import cache, lru_cache

from spellchecker import SpellChecker

MIN_LENGTH, LONG = 4, 7
"""Letters from which one edit, and from which two edits, may lie between a word and its misspelling."""


class Spelling:
    """Corrects misspellings to words that a model knows; an edit adds, drops or changes a letter, or swaps two.

    Args:
        words: those that may have been meant, from the most frequent to the rarest.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._rank = {word: rank for rank, word in enumerate(words) if len(word) >= MIN_LENGTH - 1}
        self._checkers = {edits: SpellChecker(language=None, distance=edits) for edits in (1, 2)}
        for checker in self._checkers.values():
            checker.word_frequency.load_words(self._rank)
        self._nearest = lru_cache(1024)(self._search)  # a caption's words are asked for to read it, and to warn of it

    def meant(self, word: str) -> str | None:
        """Return the word with the fewest edits; None for an English word, and where all are too far.

        Of equally near ones the first letter decides, which is rarely the wrong one, and then how frequent they are.
        """
        if len(word) < MIN_LENGTH or not word.isalpha() or is_english(word):
            return None
        return self._nearest(word)

    def _search(self, word: str) -> str | None:
        near = self._checkers[2 if len(word) >= LONG else 1].candidates(word) or ()
        return min(near, key=lambda one: (one[0] != word[0], self._rank[one]), default=None)


def is_english(word: str) -> bool:
    """Whether an English dictionary has a word, in small letters."""
    return bool(_dictionary().known([word]))


@cache
def _dictionary() -> SpellChecker:
    return SpellChecker(language="en")
