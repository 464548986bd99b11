"""Word what a script says as people do, to teach a reader of captions: synonyms, remarks, slips, actions of others.

The grammar (`captions`) writes complete sentences in which every action names its side. People leave words out, use
others, misspell, and speak of actions that the vocabulary does not have. Each rewording keeps what a caption claims, or
takes away the claim together with its words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from remogpt.data.procedural.captions import wordings
from remogpt.data.procedural.clauses import Words, claimed_phrases, clause_caption, with_sides
from remogpt.data.procedural.facts import claims_of
from remogpt.data.procedural.grammar import GERUND, PLURAL, SINGULAR, conjugate, inflect, lexicon
from remogpt.data.procedural.phrases import pick
from remogpt.data.procedural.sample import sample_script
from remogpt.data.procedural.script import Script
from remogpt.data.procedural.vocabularies import CORE, WIDE
from remogpt.motion.facts import Fact, Steps

_LIMBS = r"(hand|arm|leg|foot|knee|fist|finger)"
_SAID_SIDE = re.compile(rf"\b(his|her|their|its|the) (left|right) {_LIMBS}\b")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class ClaimedCaption:
    """A caption and what it claims."""

    text: str
    steps: Steps
    num_unknown: int = 0
    """Actions that it names and no predicate covers."""


def claimed_captions(
    seed: int, start: int, num_scripts: int, reworded: float, *, vocabulary: str = CORE
) -> Iterator[tuple[Script, ClaimedCaption]]:
    """Yield three captions of each script, without any motion.

    Args:
        seed: the same seed gives the same captions.
        start: number of the first script.
        num_scripts: how many scripts.
        reworded: share of the captions that are reworded.
        vocabulary: of scripts and captions.
    """
    for index in range(start, start + num_scripts):
        rng = np.random.default_rng((seed, index))
        script = sample_script(rng, vocabulary)
        for wording in wordings(script, rng, num=3, vocabulary=vocabulary):
            caption = ClaimedCaption(wording.caption.text, claims_of(script, wording.said))
            yield script, reword(caption, rng, vocabulary) if rng.random() < reworded else caption


def people_captions(seed: int, count: int, vocabulary: str = CORE) -> Iterator[ClaimedCaption]:
    """Yield captions made of clauses as people write them, some with actions that no predicate covers."""
    for index in range(count):
        rng = np.random.default_rng((seed, 1, index))
        text, steps, num_unknown = clause_caption(rng, _words(vocabulary), vocabulary)
        text = _synonyms(text, rng, vocabulary) if rng.random() < 0.25 else text
        yield ClaimedCaption(_slips(text, rng), steps, num_unknown)


def reword(caption: ClaimedCaption, rng: np.random.Generator, vocabulary: str = CORE) -> ClaimedCaption:
    """Word a caption of the grammar in another way; what the vocabulary has no predicate for is an unknown action."""
    if rng.random() < 0.25:
        caption = _without_side(caption)
    text = _synonyms(caption.text, rng, vocabulary)
    if rng.random() < 0.3:
        text = _subject(text, rng)
    if rng.random() < 0.4:
        frames = _without_manners(_table()["progressives"], vocabulary)
        text = re.sub(r"\b(is|are) (?=\w+ing\b)", lambda _: f"{pick(frames, rng)} ", text, count=1)
    if rng.random() < 0.12:
        text = f"{text.rstrip('.')} {pick(_tails(vocabulary), rng)}"
    caption = ClaimedCaption(text, caption.steps, caption.num_unknown)
    if rng.random() < 0.2:
        caption = _with_another(caption, rng, vocabulary)
    return ClaimedCaption(_slips(caption.text, rng), caption.steps, caption.num_unknown)


@cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("rewordings.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _without_manners(words: list[str], vocabulary: str) -> list[str]:
    """Leave out what names a manner in the wide vocabulary."""
    return [word for word in words if vocabulary == CORE or word not in _table()["manners"]]


@cache
def _substitutes(vocabulary: str) -> dict[str, list[str]]:
    """Every word or phrase that may be replaced -> what may stand for it, verbs in each of their forms."""
    found = {key: _without_manners(others, vocabulary) for key, others in _table()["words"].items()}
    for verb, others in _table()["verbs"].items():
        for form in (SINGULAR, PLURAL, GERUND):
            inflected = [" ".join([inflect(other.split()[0], form), *other.split()[1:]]) for other in others]
            found.setdefault(inflect(verb, form), inflected)
    return found


@cache
def _substitutable() -> re.Pattern[str]:
    longest_first = sorted(_substitutes(CORE), key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b")


def _synonyms(text: str, rng: np.random.Generator, vocabulary: str) -> str:
    """Replace a fifth of the words that have synonyms."""

    def replace(match: re.Match[str]) -> str:
        return str(pick(_substitutes(vocabulary)[match[0]], rng)) if rng.random() < 0.2 else match[0]

    return _substitutable().sub(replace, text)


def _subject(text: str, rng: np.random.Generator) -> str:
    """Name the person in another way, or not at all."""
    for subject in sorted((row[0] for row in lexicon()["subjects"]), key=len, reverse=True):
        if subject and subject != "they" and text.startswith(f"{subject} "):
            rest = text[len(subject) + 1 :]
            return rest if rng.random() < 0.25 else f"{pick(_table()['subjects'], rng)} {rest}"
    return text.removeprefix("they ")  # the imperative


def _without_side(caption: ClaimedCaption) -> ClaimedCaption:
    """Leave out on which side a limb is, and the claim of it, where one action alone names a side."""
    sides = [claim for step in caption.steps for claim in step if claim.params.get("side") in ("left", "right")]
    found = _SAID_SIDE.findall(caption.text)
    words = re.findall(r"\b(left|right)\b", caption.text)
    if len(sides) != 1 or len(found) != 1 or len(words) != 1:
        return caption
    text = _SAID_SIDE.sub(r"\1 \3", caption.text)
    steps = tuple(
        tuple(
            Fact(claim.name, {key: value for key, value in claim.params.items() if key != "side"})
            if claim is sides[0]
            else claim
            for claim in step
        )
        for step in caption.steps
    )
    return ClaimedCaption(text, steps, caption.num_unknown)


@cache
def _tails(vocabulary: str) -> list[str]:
    """Remarks that claim nothing: that somebody stops is a claim of the wide vocabulary."""
    return [*([] if vocabulary == WIDE else _table()["stops"]), *_table()["tails"]]


@cache
def _others(vocabulary: str) -> list[str]:
    return [phrase for phrase in _table()["others"] if phrase not in claimed_phrases(vocabulary)]


@cache
def _words(vocabulary: str) -> Words:
    return Words(_table()["subjects"], _others(vocabulary), _tails(vocabulary))


def _with_another(caption: ClaimedCaption, rng: np.random.Generator, vocabulary: str) -> ClaimedCaption:
    """Add an action that no predicate covers before or behind the others, or put it in place of all."""
    phrase, _ = with_sides(str(pick(_others(vocabulary), rng)), rng)
    spoken = re.sub(r"=\w+/VERB", "", conjugate(phrase, SINGULAR))
    draw = rng.random()
    if draw < 0.3:
        return ClaimedCaption(f"{pick(_table()['subjects'], rng)} {spoken}", (), 1)
    text = caption.text.rstrip(".")
    if draw < 0.75:
        joined = f"{text}{pick([', then ', ' and then ', ' and ', ', and '], rng)}{spoken}"
        return ClaimedCaption(joined, caption.steps, caption.num_unknown + 1)
    if draw < 0.9:
        gerund = re.sub(r"=\w+/VERB", "", conjugate(phrase, GERUND))
        return ClaimedCaption(f"{text} {pick(['while', 'and', 'before', 'after'], rng)} {gerund}", caption.steps, 1)
    joined = f"{pick(_table()['subjects'], rng)} {spoken}. {pick(['then ', 'after that, ', ''], rng)}{text}"
    return ClaimedCaption(joined, caption.steps, caption.num_unknown + 1)


def _slips(text: str, rng: np.random.Generator) -> str:
    """Misspell a word, drop an article, or change capitals and the final period."""
    if rng.random() < 0.12:
        text = re.sub(r"\b(a|the|their|his|her) ", "", text, count=1)
    if rng.random() < 0.15:
        words = text.split()
        index = int(rng.integers(len(words)))
        if len(words[index]) > 4:
            words[index] = _misspelt(words[index], rng)
        text = " ".join(words)
    if rng.random() < 0.2:
        text = text[:1].upper() + text[1:]
    return text.rstrip(".") if rng.random() < 0.4 else text


def _misspelt(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(word) - 1))
    kind = int(rng.integers(4))
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    return word[:at] + _LETTERS[int(rng.integers(26))] + word[at + 1 :]
