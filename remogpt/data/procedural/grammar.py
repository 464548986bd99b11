"""Turn marked-up phrases into captions with part-of-speech tokens.

A marked-up phrase is plain text in which

* `*walk*` is a verb that the clause inflects (all marked verbs of a phrase take the same form);
* `turn/NOUN` overrides the tag that `lexicon.yaml` gives to a word;
* commas and periods stick to the word before them.

Tags are universal part-of-speech tags and tokens are `lemma/TAG` for nouns and verbs, `word/TAG` otherwise; words
with digits have no token. Source: HumanML3D's text files.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.vocabularies import CORE, WIDE

VOWELS = "aeiou"
SINGULAR, PLURAL, GERUND, PAST = "s", "base", "ing", "ed"
"""Verb forms: "walks", "walk", "walking", "walked"."""

_ITEM = re.compile(r"^(?P<core>[*\w.'-]*[*\w'])(?:/(?P<tag>[A-Z]+))?(?P<tail>[.,]*)$")


@dataclass(frozen=True)
class Word:
    """A word as written, its lemma and its tag."""

    surface: str
    lemma: str
    tag: str
    tail: str = ""
    """Punctuation that follows without a space."""

    @property
    def token(self) -> str | None:
        """`lemma/TAG`, or None for numbers written in digits."""
        bare = self.surface.replace("-", "")
        if not bare.isalpha():
            return None
        keep = self.tag not in ("NOUN", "VERB") or self.surface == "left"
        return f"{bare if keep else self.lemma.replace('-', '')}/{self.tag}"


@cache
def lexicon(vocabulary: str = CORE) -> dict[str, Any]:
    """Read what captions of a vocabulary may say: `lexicon.yaml`, and for the wide one `lexicon_wide.yaml` on top."""
    core = _read_lexicon("lexicon.yaml")
    if vocabulary == CORE:
        return core
    more = _read_lexicon("lexicon_wide.yaml")
    own = {key: phrases for one in descriptions().values() for key, phrases in one.words.items()}
    styles = {name: _replaced(style, more["replaced"]) for name, style in core["styles"].items()}
    return dict(_merged({**core, "styles": styles}, _merged(more, {"actions": own})))


def _replaced(style: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """Return a style with other words in the place of some of its adverbs."""
    return {**style, "adverbs": [words.get(word, word) for word in style["adverbs"]]}


def _read_lexicon(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(resources.files(__package__).joinpath(name).read_text(encoding="utf-8")))


def _merged(first: Any, second: Any) -> Any:
    """Return one tree that holds both: dictionaries key by key, lists and words one after the other."""
    if isinstance(first, str):
        return f"{first} {second}"
    if isinstance(first, dict):
        both = {key: _merged(first[key], second[key]) for key in first.keys() & second.keys()}
        return {**first, **second, **both}
    return first + second


@cache
def _tags() -> dict[str, tuple[str, str]]:
    """Every unmarked word form -> (lemma, tag)."""
    forms: dict[str, tuple[str, str]] = {}
    for tag, words in lexicon(WIDE)["words"].items():
        for word in words.split():
            forms[word] = (word, tag)
            if tag == "NOUN":
                forms.setdefault(plural(word), (word, tag))
    return forms


def plural(noun: str) -> str:
    """Return the plural of a noun."""
    irregular = lexicon(WIDE)["irregular_plurals"]
    if noun in irregular:
        return str(irregular[noun])
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def inflect(verb: str, form: str) -> str:
    """Return a verb's third person singular ("s"), plain form ("base"), gerund ("ing") or past ("ed")."""
    if form == PLURAL:
        return verb
    irregular = lexicon(WIDE)["irregular_verbs"].get(verb, {})
    if form in irregular:
        return str(irregular[form])
    if form == SINGULAR:
        return _third_person(verb)
    doubled = verb in lexicon(WIDE)["doubling_verbs"].split()
    stem = verb + (verb[-1] if doubled else "")
    if form == PAST:
        to_i = verb.endswith("y") and verb[-2] not in VOWELS
        return verb + "d" if verb.endswith("e") else verb[:-1] + "ied" if to_i else stem + "ed"
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return stem + "ing"


def _third_person(verb: str) -> str:
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ies"
    return verb + "s"


def conjugate(phrase: str, form: str) -> str:
    """Replace every `*verb*` by `inflected=verb/VERB`, ready for `read_words`; after "to" verbs stay uninflected."""

    def replace(match: re.Match[str]) -> str:
        to, verb = match[1] or "", match[2]
        return f"{'to/PART ' if to else ''}{inflect(verb, PLURAL if to else form)}={verb}/VERB"

    return re.sub(r"(\bto )?\*([a-z-]+)\*", replace, phrase)


def read_words(phrase: str) -> list[Word]:
    """Split a conjugated phrase into tagged words; raises ValueError for a word that the lexicon does not know."""
    words = [_read_word(item) for item in phrase.split()]
    for index, word in enumerate(words[:-1]):
        if word.surface == "a" and not word.tail and words[index + 1].surface[0] in VOWELS:
            starts_like_one = words[index + 1].surface.startswith(("one", "u-", "uni"))
            words[index] = word if starts_like_one else Word("an", "an", word.tag)
    return words


def _read_word(item: str) -> Word:
    surface, _, rest = item.partition("=")
    match = _ITEM.match(rest or item)
    if match is None:
        raise ValueError(f"cannot read {item!r}; wanted a word, 'word/TAG' or '*verb*'")
    core, tag, tail = match["core"], match["tag"], match["tail"]
    if rest:
        return Word(surface, core, tag, tail)
    if any(letter.isdigit() for letter in core):
        return Word(core, core, "NUM", tail)
    known = _tags().get(core)
    if known is None and tag is None:
        raise ValueError(f"the word {core!r} has no tag; add it to words in lexicon.yaml, or write {core}/TAG")
    lemma = known[0] if known else core
    if tag == "VERB":
        lemma = _verb_lemma(core)
    return Word(core, lemma, tag or (known[1] if known else "X"), tail)


def _verb_lemma(form: str) -> str:
    return str(lexicon()["participles"].get(form, form))


def write(words: list[Word]) -> tuple[str, tuple[str, ...]]:
    """Return the text of tagged words and their tokens."""
    text = " ".join(word.surface + word.tail for word in words)
    return text, tuple(token for word in words if (token := word.token))
