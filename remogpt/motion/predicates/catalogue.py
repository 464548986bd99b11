"""Register predicates: each fact's name, parameters, sentence and finder."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remogpt.motion.predicates.intervals import Intervals

Finder = Callable[..., Intervals]

_SUFFIXES = {
    "side": "with the {} foot",
    "direction": "{}",
    "distance": "about {:.1f} m",
    "angle": "about {:.0f} degrees",
    "speed": "{}",
    "style": "{}",
}


@dataclass(frozen=True)
class Predicate:
    """A fact's name with its finder: `find(body, **params)` returns the intervals that prove the fact, or nothing."""

    name: str
    sentence: str
    parameters: tuple[str, ...]
    find: Finder

    @property
    def required(self) -> frozenset[str]:
        """Parameters that the finder cannot do without."""
        return frozenset(self.parameters[: len(self.parameters) - len(self.find.__defaults__ or ())])

    def say(self, **params: Any) -> str:
        """Describe the fact with these parameters in English."""
        given = {key: value for key, value in params.items() if value is not None}
        rest = [key for key in given if f"{{{key}}}" not in self.sentence]
        extra = [_in_words(key, given[key]) for key in rest]
        sentence = self.sentence
        if given.get("side") == "both":
            sentence = re.sub(r"the \{side\} (\w+)", r"both \1s", sentence).replace("foots", "feet")
        elif "side" not in given:
            sentence = sentence.replace("the {side}", "one")
        if "direction" not in given:
            sentence = re.sub(r",?( to the| on the| from the)? \{direction\}", "", sentence)
        return ", ".join([sentence.format(**given), *extra])


def _in_words(parameter: str, value: Any) -> str:
    """Say a parameter that has no place in the sentence."""
    if parameter == "count":
        return {1: "once", 2: "twice"}.get(value, f"{value} times")
    if parameter == "moving":
        return "on the move" if value else "on the spot"
    return _SUFFIXES[parameter].format(value)


PREDICATES: dict[str, Predicate] = {}
"""Facts that captions are read for, that motions are searched for and that databases store."""


def predicate(name: str, sentence: str) -> Callable[[Finder], Finder]:
    """Register a finder; its parameters after `body` are the fact's parameters."""

    def enter(find: Finder) -> Finder:
        code = find.__code__
        parameters = tuple(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
        PREDICATES[name] = Predicate(name, sentence, parameters, find)
        return find

    return enter
