"""Put captions together from clauses that people write, each with what it claims (`clauses.yaml`, `clauses_wide.yaml`).

Unlike the grammar's captions, they leave sides, directions and numbers open, and no script stands behind them.
"""

import re
from functools import cache
from importlib import resources

import numpy as np
import yaml

from remogpt.data.procedural.grammar import GERUND, SINGULAR, conjugate
from remogpt.data.procedural.phrases import NUMBERS, pick
from remogpt.data.procedural.vocabularies import CORE, WIDE
from remogpt.motion.facts import Fact, Steps
from remogpt.motion.predicates import PREDICATES

_TO_A_SIDE = ("sidesteps", "turns", "bends_sideways", "looks", "swings_arms", "walks_diagonally")
"""Predicates whose direction is left or right."""
_SHARES = (0.5, 0.33, 0.17)
"""Shares of captions with one, two and three clauses."""
_AND_THEN = (
    " and ", " and then ", ", then ", " then ", ", and then ", ". then they ", ", before ", " after which they ",
    ". they ", ", followed by ",
)  # fmt: skip
_VAGUE = ("a couple of times", "a few times", "several times", "repeatedly", "multiple times")


def clause_caption(rng: np.random.Generator, subjects: list[str], vocabulary: str = CORE) -> tuple[str, Steps]:
    """Draw a caption of a vocabulary and what it claims; subjects are words for the person."""
    steps: list[tuple[Fact, ...]] = []
    text = str(pick(subjects, rng))
    for index in range(1 + int(rng.choice(3, p=_SHARES))):
        (phrase, claims), joint = _clause(rng, vocabulary), "" if index == 0 else str(pick(_AND_THEN, rng))
        by_gerund = joint in (", before ", ", followed by ")
        text += (joint or " ") + _spoken(phrase, GERUND if by_gerund else SINGULAR)
        if rng.random() < 0.15:
            other, more = _clause(rng, vocabulary)
            if {claim.name for claim in more}.isdisjoint(claim.name for claim in claims):
                text += f" {pick(['while', 'and at the same time', 'as they are'], rng)} {_spoken(other, GERUND)}"
                claims = (*claims, *more)
        steps.append(claims)
    return text + ("." if rng.random() < 0.5 else ""), tuple(steps)


@cache
def claimed_phrases(vocabulary: str) -> dict[str, Fact]:
    """Return every phrase with its claim, without what its slots say; verbs stand in their plain form, as *verb*."""
    found: dict[str, Fact] = {}
    for name in ("clauses.yaml", "clauses_wide.yaml") if vocabulary == WIDE else ("clauses.yaml",):
        text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
        for key, phrases in yaml.safe_load(text).items():
            predicate, *params = key.split()
            said = {one: yaml.safe_load(value) for one, value in (param.split("=") for param in params)}
            found |= dict.fromkeys(phrases, Fact(predicate, said))
    return found


@cache
def _clauses(vocabulary: str) -> list[tuple[str, Fact]]:
    return list(claimed_phrases(vocabulary).items())


def _clause(rng: np.random.Generator, vocabulary: str) -> tuple[str, tuple[Fact, ...]]:
    """Draw a phrase, fill its slots, and return what it claims."""
    phrase, claim = pick(_clauses(vocabulary), rng)
    params = dict(claim.params)
    if "{side}" in phrase or "{other}" in phrase:
        side, other = ("left", "right") if rng.random() < 0.5 else ("right", "left")
        phrase = phrase.replace("{side}", side).replace("{other}", other)
        if "side" in PREDICATES[claim.name].parameters:
            params["side"] = side
        elif claim.name in _TO_A_SIDE:
            params["direction"] = side
    if "{n}" in phrase:
        count = int(rng.integers(1, 7))
        times = ["once", "twice"][count - 1] if count < 3 and rng.random() < 0.6 else _times(count, rng)
        phrase = phrase.replace("{n}", times) if "jacks" not in phrase else phrase.replace("{n}", NUMBERS[count])
        params["count"] = count
    elif "count" in PREDICATES[claim.name].parameters and rng.random() < 0.1:
        phrase = f"{phrase} {pick(_VAGUE, rng)}"
    claims = (Fact(claim.name, params),)
    return phrase, (_walk_of(phrase), *claims) if claim.name == "walks_like" else claims


def _walk_of(phrase: str) -> Fact:
    """Return what a phrase of a manner claims of the walk itself."""
    return Fact("walks", {"speed": "slow"} if re.search(r"\bslow", phrase) else {})


def _times(count: int, rng: np.random.Generator) -> str:
    number = str(count) if rng.random() < 0.4 else NUMBERS[count]
    return f"{number} time{'s' if count > 1 else ''}"


def _spoken(phrase: str, form: str) -> str:
    return re.sub(r"=[\w-]+/VERB|/PART", "", conjugate(phrase, form))
