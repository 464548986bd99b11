"""Rewrite a caption to a normal form, by rules alone.

Two people who describe one motion differ in words that no motion shows: "a man", "somebody", "the figure". With a
normal form the text tower need not learn that.

Source: MoCHA, arXiv 2603.23684, names the idea and rewrites by a language model; differs: the rules here are our own.
"""

import re
from typing import Literal

CaptionForm = Literal["written", "canonical"]
"""Wording of a caption for a retriever: as it is, or in its normal form."""

_NOUNS = (
    "person|man|woman|guy|girl|boy|lady|gentleman|figure|human|human being|individual|character|someone|somebody|adult|"
    "subject|stick figure|dancer|actor|performer"
)
_SUBJECT = re.compile(
    rf"^(?:(?:a|an|the|this|that|one|another)\s+)?(?P<adjectives>(?:\w+\s+)??)(?:{_NOUNS})\b(?!['’])|^(?:he|she|they|it)\b"
)
"""The subject at the beginning of a caption, with at most one adjective."""

_FORMS: tuple[tuple[str, str], ...] = (
    (r"\b(?:counter|anti)[\s-]?clock[\s-]?wise\b", "counterclockwise"),
    (r"\bclock-wise\b", "clockwise"),
    (r"\b(for|back|up|down|out|in|to|side)wards\b", r"\1ward"),
    (r"\b(?:his|her|its)\b", "their"),
    (r"\b(?:him|herself|himself|itself)\b", "themselves"),
    (r"\b(?:and\s+)?(?:then|afterwards?|after\s+that|next(?!\s+to\b)|finally|lastly|subsequently)\b,?", "then"),
    (r"[,.;:]\s*(?:and\s+)?then\b", " then"),
    (r"\bat\s+the\s+same\s+time\b", "simultaneously"),
    (r"\bone\s+time\b|\ba\s+single\s+time\b", "once"),
    (r"\ba\s+couple\s+of\b", "two"),
    (r"\b(?:two|2)\s+times\b", "twice"),
    (r"\bmetres?\b", "meters"),
    (r"\b(?:quickly|rapidly|swiftly)\b", "quickly"),
)
_NORMAL = [(re.compile(pattern), form) for pattern, form in _FORMS]
_DIGITS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: str(number) for number, word in enumerate(_DIGITS, start=2)}
"""Without "one", which is a pronoun as often: "the right one"."""


def canonical_caption(caption: str) -> str:
    """Return a caption's normal form: small letters, "a person" as the subject, one spelling of what has several.

    Sides, directions, body parts, counts and the order of actions stay; who moves does not. Doing it twice changes
    nothing.

    Example:
        >>> canonical_caption("The man raises his left arm, and then steps backwards.")
        'a person raises their left arm then steps backward'
    """
    text = " ".join(caption.lower().replace("’", "'").split()).strip(" .!,;")
    text = _SUBJECT.sub(_a_person, text, count=1)
    for pattern, form in _NORMAL:
        text = pattern.sub(form, text)
    text = re.sub(r"\bthen\s+(?:he|she|they|it|the person|a person)\b", "then", text)
    text = re.sub(rf"\b({'|'.join(_NUMBERS)})\b", lambda found: _NUMBERS[found.group()], text)
    return " ".join(re.sub(r"[,.;:!](?!\d)", " ", text).split())


def _a_person(found: re.Match[str]) -> str:
    adjectives = found["adjectives"]
    return f"a {adjectives}person" if adjectives else "a person"


def worded(caption: str, form: CaptionForm) -> str:
    """Return what is embedded for a caption."""
    return canonical_caption(caption) if form == "canonical" else caption
