"""Find the known word that a misspelled one is nearest to."""

from collections.abc import Iterable

MIN_LENGTH, LONG = 4, 7
"""Letters from which one edit, and from which two edits, may lie between a word and its misspelling."""


def nearest_spelling(word: str, words: Iterable[str]) -> str | None:
    """Return the known word with the fewest edits from `word`, the first of equals; None if all are too far.

    An edit adds, drops or changes a letter, or swaps two neighbours.
    """
    if len(word) < MIN_LENGTH:
        return None
    most = 2 if len(word) >= LONG else 1
    best: tuple[int, str] | None = None
    for known in words:
        if abs(len(known) - len(word)) <= most and len(known) >= MIN_LENGTH - 1:
            edits = edit_distance(word, known)
            if edits <= most and (best is None or edits < best[0]):
                best = (edits, known)
    return None if best is None else best[1]


def edit_distance(a: str, b: str) -> int:
    """Count edits between two words. Source: optimal string alignment (Damerau, 1964; each letter edited once)."""
    before, row = list(range(len(b) + 1)), list(range(len(b) + 1))
    two_before: list[int] = []
    for i, letter in enumerate(a, start=1):
        two_before, before, row = before if i > 1 else [], row, [i]
        for j, other in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
    return row[-1]
