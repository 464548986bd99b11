"""Know which words, negations and numbers a model has learnt: a list made from its training captions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypedDict

from remogpt.notices.numbers import find_numbers
from remogpt.notices.spelling import Spelling
from remogpt.notices.words import lists, stem, words_of
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.schema import Count

FILE_NAME = "words.json"
FORMAT_VERSION = 1
CAPTIONS_A_USE = 20_000
"""A word of a large set is known if it occurs at least once in as many captions; rarer ones are typing errors."""


class _File(TypedDict):
    """Content of `words.json`."""

    format: Count
    words: list[str]
    negations: list[str]
    largest: dict[str, float]


@dataclass(frozen=True)
class KnownWords:
    """What the training captions of a model say."""

    words: Sequence[str]
    """From the most frequent to the rarest."""
    negations: frozenset[str]
    """Negated phrases, up to their first word with a meaning: "without moving", "not to be heard"."""
    largest: Mapping[str, float]
    """Largest number of times, meters and degrees."""

    @classmethod
    def from_captions(cls, captions: Iterable[str]) -> "KnownWords":
        """Gather words, negations and numbers of training captions."""
        words, negations, total = Counter[str](), Counter[str](), 0
        numbers = Counter[tuple[str, float]]()
        for text in captions:
            total += 1
            words.update(words_of(text))
            negations.update(negated_phrases(text))
            numbers.update((number.measure, number.value) for number in find_numbers(text))
        least = max(1, total // CAPTIONS_A_USE)
        largest: dict[str, float] = {}
        for (measure, value), count in numbers.items():
            if measure and count >= least:
                largest[measure] = max(value, largest.get(measure, 0.0))
        kept = sorted((word for word, count in words.items() if count >= least), key=lambda word: (-words[word], word))
        return cls(kept, frozenset(phrase for phrase, count in negations.items() if count >= least), largest)

    def save(self, folder: str | Path) -> None:
        """Write `words.json` into a language model's folder."""
        write_json(Path(folder) / FILE_NAME, {
            "format": FORMAT_VERSION, "words": list(self.words), "negations": sorted(self.negations),
            "largest": dict(self.largest),
        })  # fmt: skip

    @classmethod
    def load(cls, folder: str | Path) -> "KnownWords | None":
        """Read `words.json` of a language model's folder; None where there is none, as with imported models.

        Raises:
            RemogptError: if the file is damaged or of a newer format.
        """
        path = Path(folder) / FILE_NAME
        if not path.is_file():
            return None
        data = read_json(path, _File)
        if data["format"] > FORMAT_VERSION:
            raise RemogptError(f"{path} has format {data['format']}, newer than {FORMAT_VERSION}; upgrade remogpt")
        return cls(tuple(data["words"]), frozenset(data["negations"]), data["largest"])

    def knows(self, word: str) -> bool:
        """Whether a word, another form of it, or each of its parts ("side-kick") is known or a function word."""
        if word[0].isdigit() or word in lists()["function"] or word in lists()["negations"] or word.endswith("n't"):
            return True
        if stem(word) in self._stems:
            return True
        parts = word.replace("'", "-").split("-")
        return len(parts) > 1 and all(not part or self.knows(part) for part in parts)

    def with_words_of(self, captions: Iterable[str]) -> "KnownWords":
        """Return these words and those of further captions, which the model can show without having learnt them."""
        further = dict.fromkeys(word for text in captions for word in words_of(text) if not self.knows(word))
        return replace(self, words=(*self.words, *further)) if further else self

    def known_negation(self, phrase: str) -> bool:
        """Whether training captions hold this negated phrase."""
        return phrase in self.negations

    @cached_property
    def meaningful(self) -> tuple[str, ...]:
        """One word of each stem, the most frequent one, without function words and numbers."""
        chosen: dict[str, str] = {}
        for word in self.words:
            if word.isalpha() and word not in lists()["function"] and word not in lists()["negations"]:
                chosen.setdefault(stem(word), word)
        return tuple(chosen.values())

    def meant(self, word: str) -> str | None:
        """Return the known word that a misspelled one was meant as; None for an English one, and if none is near."""
        return self._spelling.meant(word)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(word for word in self.words if word.isalpha() and word not in lists()["negations"])

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(map(stem, self.words))


def negated_phrases(text: str) -> list[str]:
    """Return each negation of a caption with what follows it, up to the first word with a meaning."""
    words, function = words_of(text), lists()["function"]
    found = []
    for index, word in enumerate(words):
        if word in lists()["negations"] or word.endswith("n't"):
            after = words[index + 1 :]
            length = next((place + 1 for place, other in enumerate(after) if other not in function), len(after))
            found.append(" ".join([word, *after[:length]]))
    return found
