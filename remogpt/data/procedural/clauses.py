"""Put captions together from clauses that people write, each with what it claims (`clauses.yaml`, `clauses_wide.yaml`).

Unlike the grammar's captions, they leave sides, directions and numbers open, and no script stands behind them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import yaml

from remogpt.data.procedural.grammar import GERUND, PAST, PLURAL, SINGULAR, conjugate
from remogpt.data.procedural.phrases import NUMBERS, pick
from remogpt.data.procedural.vocabularies import CORE, WIDE
from remogpt.motion.facts import Fact, Steps
from remogpt.motion.predicates import PREDICATES

_TO_A_SIDE = ("sidesteps", "turns", "bends_sideways", "looks", "swings_arms", "walks_diagonally", "ducks")
"""Predicates whose direction is left or right."""
_WITH_A_HAND = ("puts_down", "reaches", "moves_aside")
"""Predicates that have a side and a direction to a side: "{side} hand" says the one, "{side}" alone the other."""
_LIMB = re.compile(r"\{side\} (hand|arm)\b")
_OFTEN = ("walks", "turns", "raises_hand", "picks_up", "steps", "circles", "sits", "stands_up", "runs", "jumps")
"""What people speak of most; two clauses of five are of these."""
_SHARES = (0.4, 0.28, 0.17, 0.1, 0.05)
"""Shares of captions with one to five clauses."""
_UNKNOWN = 0.15
"""Share of clauses that no predicate covers."""
_AND_THEN = {
    " and ": None, " and then ": None, ", then ": None, " then ": None, ", and then ": None, ", and ": None, ", ": None,
    "; then ": None, " and finally ": None, ", before ": GERUND, ", followed by ": GERUND, ". then they ": PLURAL,
    " after which they ": PLURAL, ". they ": PLURAL, ". next they ": PLURAL, ". the person then ": SINGULAR,
}  # fmt: skip
"""What joins two clauses, and how the verbs behind it are inflected where that is not as before it."""
_AT_ONCE = (" while ", " while ", " and at the same time ", " as they are ", ", ")
_VAGUE = ("a couple of times", "a few times", "several times", "repeatedly", "multiple times")
_FORMS = ((SINGULAR, 0.66), (GERUND, 0.18), (PAST, 0.1), (PLURAL, 0.06))
"""How verbs are inflected, and how often: walks; is walking, or walking; walked; walk."""


@dataclass(frozen=True)
class Clause:
    """Words, their verbs in their plain form as *verb*, and what they claim."""

    phrase: str
    steps: Steps
    num_unknown: int = 0
    """1 if it is an action that no predicate covers."""


@dataclass(frozen=True)
class Words:
    """What captions of clauses are made of besides: see `rewordings.yaml`."""

    subjects: Sequence[str]
    others: Sequence[str]
    tails: Sequence[str]


def clause_caption(rng: np.random.Generator, words: Words, vocabulary: str = CORE) -> tuple[str, Steps, int]:
    """Draw a caption of a vocabulary, what it claims, and how many of its actions no predicate covers."""
    number = 1 + int(rng.choice(len(_SHARES), p=_SHARES))
    form = str(rng.choice([form for form, _ in _FORMS], p=[share for _, share in _FORMS]))
    subject = "" if form == PLURAL or (form == GERUND and rng.random() < 0.4) else f"{pick(words.subjects, rng)} "
    subject += "is " if form == GERUND and subject else ""
    is_after, is_list = number > 1 and rng.random() < 0.04, number > 2 and rng.random() < 0.3
    text, steps, num_unknown = subject, list[tuple[Fact, ...]](), 0
    for index in range(number):
        clause = _clause(rng, words, vocabulary)
        opens = is_after and index == 0  # "after walking forward, "
        if opens:
            text = f"after {_spoken(clause.phrase, GERUND)}, {subject}"
        else:
            joint, own = ("", form) if index <= is_after else _joint(form, is_list and index < number - 1, rng)
            text += joint + _spoken(clause.phrase, own)
        found, unknown = clause.steps, clause.num_unknown
        if len(found) < 2 and not opens and rng.random() < 0.15:
            text, found, unknown = _with_another_at_once(text, clause, _clause(rng, words, vocabulary), rng)
        if rng.random() < 0.1 and not opens:
            text += f" {pick(words.tails, rng)}"
        steps += found
        num_unknown += unknown
    return text + ("." if rng.random() < 0.5 else ""), tuple(steps), num_unknown


def _joint(form: str, is_listed: bool, rng: np.random.Generator) -> tuple[str, str]:
    """Return what joins a clause to the one before it, and how its verbs are inflected."""
    joint = ", " if is_listed else str(pick(list(_AND_THEN), rng))
    own = _AND_THEN[joint] or form
    return joint, PAST if form == PAST and own != GERUND else own


def _with_another_at_once(text: str, clause: Clause, other: Clause, rng: np.random.Generator) -> tuple[str, Steps, int]:
    """Say that something else happens at the same time, if it can."""
    names = {claim.name for step in clause.steps for claim in step}
    if len(other.steps) > 1 or any(claim.name in names for step in other.steps for claim in step):
        return text, clause.steps, clause.num_unknown
    text += f"{pick(_AT_ONCE, rng)}{_spoken(other.phrase, GERUND)}"
    together = tuple(claim for step in (*clause.steps, *other.steps) for claim in step)
    return text, (together,) if together else (), clause.num_unknown + other.num_unknown


@cache
def claimed_phrases(vocabulary: str) -> dict[str, Steps]:
    """Return every phrase with its claims, without what its slots say; verbs stand in their plain form, as *verb*."""
    found: dict[str, Steps] = {}
    for name in ("clauses.yaml", "clauses_wide.yaml") if vocabulary == WIDE else ("clauses.yaml",):
        text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
        for key, phrases in yaml.safe_load(text).items():
            found |= dict.fromkeys(phrases, tuple(tuple(map(_claim, step.split(" & "))) for step in key.split(" | ")))
    return found


def _claim(words: str) -> Fact:
    predicate, *params = words.split()
    said = {one: yaml.safe_load(value) for one, value in (param.split("=") for param in params)}
    return Fact(predicate, said)


@cache
def _clauses(vocabulary: str) -> list[tuple[str, Steps]]:
    return list(claimed_phrases(vocabulary).items())


@cache
def _of_one(predicate: str, vocabulary: str) -> list[tuple[str, Steps]]:
    return [(phrase, steps) for phrase, steps in _clauses(vocabulary) if steps[0][0].name == predicate]


def _clause(rng: np.random.Generator, words: Words, vocabulary: str) -> Clause:
    """Draw a phrase, fill its slots, and return what it claims."""
    if rng.random() < _UNKNOWN:
        phrase, _ = with_sides(str(pick(words.others, rng)), rng)
        return Clause(phrase, (), 1)
    often = _of_one(str(pick(_OFTEN, rng)), vocabulary) if rng.random() < 0.4 else None
    phrase, steps = pick(often or _clauses(vocabulary), rng)
    names_limb = _LIMB.search(phrase) is not None
    phrase, side = with_sides(phrase, rng)
    phrase, count = _with_count(phrase, steps[0][0], rng)
    said = tuple(tuple(_with(claim, side, count, names_limb) for claim in step) for step in steps)
    if said[0][0].name == "walks_like":
        said = ((Fact("walks"), *said[0]), *said[1:])
    return Clause(phrase, said)


def with_sides(phrase: str, rng: np.random.Generator) -> tuple[str, str | None]:
    """Fill the slots for left and right of a phrase; return it and the side that it says, if any."""
    if "{side}" not in phrase and "{other}" not in phrase:
        return phrase, None
    side, other = ("left", "right") if rng.random() < 0.5 else ("right", "left")
    return phrase.replace("{side}", side).replace("{other}", other), side


def _with_count(phrase: str, claim: Fact, rng: np.random.Generator) -> tuple[str, int | None]:
    if "{n}" in phrase:
        count = int(rng.integers(1, 7))
        times = ["once", "twice"][count - 1] if count < 3 and rng.random() < 0.6 else _times(count, rng)
        return phrase.replace("{n}", NUMBERS[count] if "jacks" in phrase else times), count
    if "count" in PREDICATES[claim.name].parameters and rng.random() < 0.1:
        return f"{phrase} {pick(_VAGUE, rng)}", None
    return phrase, None


def _with(claim: Fact, side: str | None, count: int | None, names_limb: bool) -> Fact:
    """Return a claim with what the slots of its phrase say."""
    params = dict(claim.params)
    if side and claim.name in _WITH_A_HAND and not names_limb:
        params["direction"] = side
    elif side and "side" in PREDICATES[claim.name].parameters:
        params["side"] = side
    elif side and claim.name in _TO_A_SIDE:
        params["direction"] = side
    if count and "count" in PREDICATES[claim.name].parameters:
        params["count"] = count
    return Fact(claim.name, params)


def _times(count: int, rng: np.random.Generator) -> str:
    number = str(count) if rng.random() < 0.4 else NUMBERS[count]
    return f"{number} time{'s' if count > 1 else ''}"


def _spoken(phrase: str, form: str) -> str:
    return re.sub(r"=[\w-]+/VERB|/PART", "", conjugate(phrase, form))
