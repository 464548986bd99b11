"""Split captions into words, and bring words to a common stem."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)?")
_POSSESSIVE = re.compile(r"['’]s$")
_ENDINGS = (("iest", "y"), ("ied", "y"), ("ies", "y"), ("ings", ""), ("ing", ""), ("ed", ""), ("s", ""), ("ly", ""))
_HISSING = ("ses", "xes", "zes", "ches", "shes", "oes")
_MIN_STEM = 3


def words_of(text: str) -> list[str]:
    """Return the words and numbers of a caption, in small letters, without a possessive 's."""
    return list(map(_plain, _WORD.findall(text)))


def replace_words(text: str, others: Mapping[str, str]) -> str:
    """Replace words of a caption, which `words_of` returns, by others; all else stays as it is."""

    def other(found: re.Match[str]) -> str:
        word = _plain(found[0])
        return others[word] + found[0][len(word) :] if word in others else found[0]

    return _WORD.sub(other, text)


def _plain(word: str) -> str:
    return _POSSESSIVE.sub("", word.lower()).replace("’", "'")


@cache
def stem(word: str) -> str:
    """Return a word without its ending: "walks", "walked" and "walking" have one stem, "ran" has that of "run".

    Stems are keys, not words: "raise" gives "rais".
    """
    word = lists()["irregular"].get(word, word)
    for ending, other in () if word.endswith(_HISSING) else _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            word = word[: len(word) - len(ending)] + other
            break
    if word.endswith(_HISSING):
        word = word[:-2]  # "catches"
    if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]  # "stepp" of "stepped"; "pass" gives "pas" in all its forms
    return word.removesuffix("e") if len(word) > _MIN_STEM else word


@cache
def lists() -> dict[str, Any]:
    """Return the lists of `words.yaml`: function words, negations, irregular forms, words of other languages."""
    raw = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
    irregular = {form: base for base, forms in raw["irregular"].items() for form in forms.split()}
    return {
        "function": frozenset(raw["function"].split()),
        "negations": frozenset(raw["negations"].split()),
        "languages": {name: frozenset(words.split()) for name, words in raw["languages"].items()},
        "irregular": irregular,
    }
