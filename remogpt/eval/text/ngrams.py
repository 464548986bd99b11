"""Count the n-grams of many sentences at once, for BLEU and CIDEr.

Every n-gram of a corpus gets an integer, every (sentence, n-gram) pair a count, all in sorted NumPy arrays. Arrays
bring CIDEr over thousands of items from several seconds to a fraction of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Tokens = Sequence[str]


@dataclass(frozen=True)
class GramCounts:
    """Counts of each n-gram of one order in each sentence, as parallel arrays sorted by (sentence, gram)."""

    sentence: Array
    """(E,) int64 index of the sentence."""
    gram: Array
    """(E,) int64 id of the n-gram, in [0, num_grams)."""
    count: Array
    """(E,) int64, at least 1."""
    num_grams: int
    """Different n-grams of this order in the corpus."""

    def totals(self, num_sentences: int) -> Array:
        """Return (num_sentences,) n-grams of each sentence, repeats counted."""
        return np.bincount(self.sentence, weights=self.count, minlength=num_sentences).astype(np.int64)


def count_ngrams(sentences: Sequence[Tokens], max_order: int = 4) -> list[GramCounts]:
    """Count the n-grams of orders 1..max_order in each sentence."""
    words: dict[str, int] = {}
    flat = np.array([words.setdefault(word, len(words)) for tokens in sentences for word in tokens], dtype=np.int64)
    lengths = np.array([len(tokens) for tokens in sentences], dtype=np.int64)
    owner = np.repeat(np.arange(len(sentences)), lengths)
    ends = np.repeat(np.cumsum(lengths), lengths)  # where the sentence of each position stops
    result, grams, num_grams = [], flat, len(words)
    for order in range(1, max_order + 1):
        starts = np.flatnonzero(np.arange(len(flat)) + order <= ends)
        if order > 1:
            # An n-gram is an (n-1)-gram and the word after it; equal pairs share an id.
            pairs = grams[starts] * max(len(words), 1) + flat[starts + order - 1]
            _, ids = np.unique(pairs, return_inverse=True)
            num_grams = int(ids.max()) + 1 if len(ids) else 0
            grams = np.zeros(len(flat), dtype=np.int64)
            grams[starts] = ids
        keys, counts = np.unique(owner[starts] * max(num_grams, 1) + grams[starts], return_counts=True)
        sentence, gram = np.divmod(keys, max(num_grams, 1))
        result.append(GramCounts(sentence, gram, counts, num_grams))
    return result


def lookup(keys: Array, values: Array, wanted: Array) -> Array:
    """Return the value of each wanted key from sorted `keys`, 0 where it is absent."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=values.dtype)
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[found] == wanted, values[found], 0)
