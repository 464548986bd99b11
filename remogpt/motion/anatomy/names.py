"""Read what a joint's name says: side and anatomy, whatever namespace, prefix, case and separators it has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_WORDS = Path(__file__).with_name("words.yaml")
_SIDES = {"l": "left", "left": "left", "lft": "left", "lt": "left", "r": "right", "right": "right", "rgt": "right"}
_FEWEST = 5
"""Names from which a word that most begin with is a prefix."""
_MANY = 0.6
"""Share of the joints whose names begin with a word, from which it is a prefix."""


@dataclass(frozen=True)
class JointName:
    """What a name says."""

    side: str
    """left, right, or nothing for a joint of the middle."""
    word: str
    """The anatomical word: small letters, without side, prefix and digits."""
    whole: str
    """The name in small letters and digits, without namespace and prefix."""

    def roles(self) -> Mapping[str, float]:
        """Return how surely the word means each joint."""
        return roles_of(self.word, bool(self.side))


@cache
def vocabulary() -> dict[str, Any]:
    """Return the words of `words.yaml`."""
    content: dict[str, Any] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return content


@cache
def roles_of(word: str, is_sided: bool) -> Mapping[str, float]:
    """Return how surely a word means each joint of a side, or of the middle."""
    table = vocabulary()["sided" if is_sided else "centre"]
    return {role: float(words[word]) for role, words in table.items() if word in words}


def plain(name: str) -> str:
    """Return a name without namespace, in small letters and digits: `Actor1:Left_Hip` is lefthip."""
    return "".join(_tokens(name))


def read_names(names: Sequence[str]) -> list[JointName]:
    """Read the names of one skeleton together, so that a prefix of them all is seen as such."""
    split = [_tokens(name) for name in names]
    for _ in range(4):
        first = Counter(tokens[0] for tokens in split if len(tokens) > 1)
        if not first or len(names) < _FEWEST:
            break
        word, count = first.most_common(1)[0]
        if count < _MANY * len(names) or word in _SIDES or _is_anatomical(word):
            break
        split = [tokens[1:] if tokens[:1] == [word] else tokens for tokens in split]
    return [_read(tokens) for tokens in split]


def family(names: Sequence[JointName]) -> tuple[str, float | None]:
    """Return the family of skeletons whose names these are like, and the metres in its unit if that is its own."""
    there = {re.sub(r"\d", "", name.whole) for name in names}
    for title, about in vocabulary()["families"].items():
        if there.issuperset(about["names"]):
            return str(title), about.get("unit")
    return "an unknown family", None


def _tokens(name: str) -> list[str]:
    """Split a name at separators and capitals: `mixamorig:LeftUpLeg` is left, up, leg."""
    kept = re.split(r"[:|]", name.strip())
    last = next((part for part in reversed(kept) if part.strip()), name)
    return [token.lower() for token in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+", last)]


def _is_anatomical(word: str) -> bool:
    return bool(roles_of(word, True) or roles_of(word, False)) or word in ("spine", "chest", "up", "upper", "lower")


def _read(tokens: Sequence[str]) -> JointName:
    whole = "".join(tokens)
    letters = [token for token in tokens if not token.isdigit() and token not in vocabulary()["noise"]]
    sides = {_SIDES[token] for token in letters if token in _SIDES}
    if len(sides) == 1:
        return JointName(sides.pop(), "".join(token for token in letters if token not in _SIDES), whole)
    word = "".join(letters)
    if sides or roles_of(word, False):
        return JointName("", word, whole)
    for mark, side in sorted(_SIDES.items(), key=lambda item: -len(item[0])):  # lfemur, handright
        for rest in (word.removeprefix(mark), word.removesuffix(mark)):
            if rest != word and roles_of(rest, True):
                return JointName(side, rest, whole)
    return JointName("", word, whole)
