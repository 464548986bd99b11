"""Find the numbers that a caption says: counts, lengths, angles."""

import re
from dataclasses import dataclass

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_LARGE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_ADVERBS = {"once": 1, "twice": 2, "thrice": 3}
VALUES: dict[str, float] = {
    **{word: number for number, word in enumerate(_ONES)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
"""Words up to ninety that name one number."""

_WORD = "|".join([*_ONES, *_TENS, *_LARGE])
_NUMBER = re.compile(
    rf"(?<![\w.])(?:(?P<digits>\d+(?:[.,]\d+)?)|(?P<words>(?:half an?|an?(?= (?:{'|'.join(_LARGE)})\b)|(?:{_WORD}))"
    rf"(?:[ -](?:{_WORD}))*\b))(?P<half> and a half)?(?:[ -]?(?P<unit>[a-z°]+))?|\b(?P<adverb>once|twice|thrice)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Number:
    """A number in a caption."""

    value: float
    unit: str
    """The word behind it, in small letters: "times", "meters"; "times" for "twice"; "" at the end."""
    start: int
    end: int
    """Where number and unit stand: `text[start:end]`."""
    number_end: int
    """Where the number alone ends."""


def find_numbers(text: str) -> list[Number]:
    """Return the numbers of a caption in their order: digits, words up to millions, halves, "once" and "twice".

    "one" stands for a number only where a unit follows that it can count.
    """
    found = []
    for match in _NUMBER.finditer(text):
        if match["adverb"]:
            number = Number(_ADVERBS[match["adverb"].lower()], "times", match.start(), match.end(), match.end())
        else:
            half = 0.5 if match["half"] else 0.0
            value = float(match["digits"].replace(",", ".")) if match["digits"] else _value(match["words"].lower())
            number = Number(
                value + half, (match["unit"] or "").lower(), match.start(), match.end(),
                match.end("half") if match["half"] else match.end("digits" if match["digits"] else "words"),
            )  # fmt: skip
        found.append(number)
    return found


def _value(words: str) -> float:
    """Read "forty-five", "two hundred", "half a", "a dozen"."""
    if words.startswith("half"):
        return 0.5
    total = part = 0.0
    for word in re.split(r"[ -]", words):
        if word in _LARGE:
            part = max(part, 1.0) * _LARGE[word]
            total, part = (total + part, 0.0) if _LARGE[word] >= 1000 else (total, part)
        else:
            part += VALUES.get(word, 0.0)
    return total + part
