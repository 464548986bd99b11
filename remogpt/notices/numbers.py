"""Find the numbers that a caption says: counts, lengths, angles."""

import re
from dataclasses import dataclass

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LARGE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_ADVERBS = {"once": 1, "twice": 2, "thrice": 3}
_VALUES = {word: number for number, word in enumerate(_ONES)} | {
    word: 10 * number for number, word in enumerate(_TENS, start=2)
}
_MEASURES = {
    **dict.fromkeys(("time", "times"), "times"),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "meters"),
    **dict.fromkeys(("°", "degree", "degrees"), "degrees"),
}
_ONE, _TEN, _MANY = "|".join(_ONES), "|".join(_TENS), "|".join(_LARGE)
_SMALL = rf"(?:{_TEN})(?:[ -](?:{_ONE}))?|(?<!left )(?<!right )(?<!other )(?:{_ONE})|an?(?= (?:{_MANY})\b)"
_NUMBER = re.compile(
    rf"(?<![\w.])(?:(?P<digits>\d+(?:[.,]\d+)?)|(?P<words>(?:half an?|(?:{_SMALL})(?: (?:{_MANY}))*)\b))"
    r"(?P<half> and a half)?(?:[ -]?(?P<unit>[a-z°]+))?|\b(?P<adverb>once|twice|thrice)\b",
    re.IGNORECASE,
)
_MIXED = re.compile(rf"\b({_ONE})(?=\.\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number in a caption."""

    value: float
    unit: str
    """The word behind it, in small letters: "times", "meters"; "times" for "twice"; "" at the end."""
    start: int
    end: int
    """Where number and unit stand: `text[start:end]`."""
    is_digits: bool = False
    is_adverb: bool = False
    """Whether it is "once" or "twice"."""

    @property
    def measure(self) -> str:
        """What the unit measures: "times", "meters", "degrees"; "" for any other word."""
        return _MEASURES.get(self.unit, "")


def find_numbers(text: str) -> list[Number]:
    """Return the numbers of a caption in their order: digits, words up to millions, halves, "once" and "twice"."""
    found = []
    for match in _NUMBER.finditer(text):
        if match["adverb"]:
            value, unit = float(_ADVERBS[match["adverb"].lower()]), "times"
        else:
            value = float(match["digits"].replace(",", ".")) if match["digits"] else _value(match["words"].lower())
            value, unit = value + (0.5 if match["half"] else 0.0), (match["unit"] or "").lower()
        found.append(Number(value, unit, *match.span(), bool(match["digits"]), bool(match["adverb"])))
    return found


def in_digits(text: str) -> str:
    """Write "nine.5", which a language model makes of "9.5", in digits; what is all words or all digits stays."""
    return _MIXED.sub(lambda match: str(_VALUES[match[1].lower()]), text)


def number_words(value: float) -> str:
    """Write a number in words, up to nineteen and with halves; others in digits."""
    whole = int(value)
    if value == 0.5:
        return "half a"
    if whole >= len(_ONES) or value not in (whole, whole + 0.5):
        return f"{value:g}"
    return _ONES[whole] + (" and a half" if value != whole else "")


def _value(words: str) -> float:
    """Read "forty-five", "two hundred thousand", "half a", "a dozen"."""
    if words.startswith("half"):
        return 0.5
    value = 0.0
    for word in re.split(r"[ -]", words):
        value = max(value, 1.0) * _LARGE[word] if word in _LARGE else value + _VALUES.get(word, 0.0)
    return value
