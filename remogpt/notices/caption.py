"""Say what in a caption a model has not learnt: its words, its language, negations, numbers."""

from collections.abc import Iterator
from typing import Protocol

from remogpt.notices.known_words import KnownWords, negated_phrases
from remogpt.notices.notice import Notice
from remogpt.notices.numbers import find_numbers
from remogpt.notices.words import lists, replace_words, words_of

MOSTLY = 0.5
"""Share of a caption's words with a meaning that are unknown, from which single words are not named."""
FOREIGN = 2
"""Frequent words of another language that tell it."""


class WordMeanings(Protocol):
    """What a text model knows of words."""

    def nearest(self, word: str) -> str | None:
        """Return the known word that is nearest in meaning; None if none is near."""


def notices_of_caption(text: str, known: KnownWords, meanings: WordMeanings | None = None) -> tuple[Notice, ...]:
    """List what in a caption the model has not learnt.

    Args:
        text: a caption.
        known: words of the model's training captions.
        meanings: names what is nearest in meaning; without it only misspellings are explained.
    """
    unknown = _unknown(text, known)
    language = _language(text, unknown)
    if language is not None:
        return (language,)
    return (*_unknown_words(text, unknown, known, meanings), *_negated(text, known), *_numbers(text, known))


def respelled(text: str, known: KnownWords) -> str:
    """Return a caption with its misspelled words as the model knows them; one in another language as it is."""
    unknown = _unknown(text, known)
    return text if _language(text, unknown) is not None else replace_words(text, _meant(unknown, known))


def _unknown(text: str, known: KnownWords) -> list[str]:
    return [word for word in dict.fromkeys(words_of(text)) if not known.knows(word)]


def _meant(unknown: list[str], known: KnownWords) -> dict[str, str]:
    return {word: meant for word in unknown if (meant := known.meant(word)) is not None}


def _language(text: str, unknown: list[str]) -> Notice | None:
    """Tell another language by its letters, or by its frequent words among unknown ones."""
    letters = [letter for letter in text if letter.isalpha()]
    if letters and sum(not letter.isascii() for letter in letters) > MOSTLY * len(letters):
        return Notice("language", "the caption is not written in Latin letters; captions must be in English")
    hits = {name: sum(word in own for word in unknown) for name, own in lists()["languages"].items()}
    name = max(hits, key=lambda name: hits[name])
    if hits[name] >= FOREIGN and len(unknown) > MOSTLY * len(set(words_of(text))):
        return Notice("language", f"the caption looks like {name}; captions must be in English")
    return None


def _unknown_words(text: str, unknown: list[str], known: KnownWords, meanings: WordMeanings | None) -> Iterator[Notice]:
    meant = _meant(unknown, known)
    for word, other in meant.items():
        yield Notice("misspelling", f'"{word}" is read as "{other}"')
    unknown = [word for word in unknown if word not in meant]
    meaningful = {word for word in words_of(text) if word not in lists()["function"]}
    if len(unknown) >= 3 and len(unknown) > MOSTLY * len(meaningful):
        yield Notice("unknown_word", f"the model knows few of the caption's words; not {_quoted(unknown)}")
        return
    for word in unknown:
        near = None if meanings is None else meanings.nearest(word)
        hint = f'; nearest in meaning of those it knows: "{near}"' if near else ""
        yield Notice("unknown_word", f'the model has not learnt the word "{word}"{hint}')


def _negated(text: str, known: KnownWords) -> Iterator[Notice]:
    for phrase in negated_phrases(text):
        if not known.known_negation(phrase):
            yield Notice("negation", f'"{phrase}": the model cannot promise what is not to happen')


def _numbers(text: str, known: KnownWords) -> Iterator[Notice]:
    """Name numbers beyond those of the training captions; things that are counted may be as many as "... times"."""
    for number in find_numbers(text):
        measure = number.measure or ("times" if number.unit and known.knows(number.unit) else "")
        largest = known.largest.get(measure)
        if largest is not None and not 0 < number.value <= largest:
            said = text[number.start : number.end].strip()
            yield Notice("out_of_range", f'"{said}" is beyond what the model has learnt, up to {largest:g} {measure}')


def _quoted(words: list[str], most: int = 5) -> str:
    shown = ", ".join(f'"{word}"' for word in words[:most])
    return f"{shown}, ..." if len(words) > most else shown
