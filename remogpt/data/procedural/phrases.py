"""Write one action as a verb phrase: the lexicon's words with the action's values and further factors."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.grammar import PLURAL, SINGULAR, plural
from remogpt.data.procedural.script import Action

OPTIONAL = ("count", "distance", "speed", "angle", "stand", "style")
"""Factors that a caption may leave out."""
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DEGREES = {45: "forty-five", 60: "sixty", 90: "ninety"}
_GAITS = ("walk", "run", "walk_curve", "walk_turn", "circle", "sidestep")
_ADVERB_FIRST = 7
"""Phrases of at least this many words take their adverb in front, where it cannot attach to the wrong noun."""


@dataclass(frozen=True)
class Speaker:
    """Subject of a caption: its words, pronoun and possessive, and the verb form of each clause."""

    subject: str
    pronoun: str
    possessive: str
    form: str
    """Form of verbs after the subject."""
    progressive: bool
    """Whether the first clause is "is walking" instead of "walks"."""
    lexicon: dict[str, Any]
    """What captions of the vocabulary may say."""

    @property
    def pronoun_form(self) -> str:
        """Form of verbs after the pronoun."""
        return PLURAL if self.pronoun == "they" else SINGULAR

    @property
    def pronoun_is(self) -> str:
        """The pronoun with "is" or "are"."""
        return f"{self.pronoun} {'are' if self.pronoun == 'they' else 'is'}"


def pick(items: Any, rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]


def _key(action: Action, phrases: dict[str, list[str]]) -> str:
    """The most specific key of the lexicon that fits an action."""
    values = [
        action.direction,
        "both" if action.side == "both" else None,
        action.speed if action.speed != "normal" else None,
        f"{action.angle:.0f}" if action.angle is not None else None,
        "1" if action.count == 1 else None,
    ]
    present = [value for value in values if value]
    for size in range(len(present), -1, -1):
        for chosen in combinations(present, size):
            key = "/".join((action.name, *chosen))
            if key in phrases:
                return key
    raise KeyError(f"the lexicon has no phrase for {action.name!r}")


def _style_key(action: Action, style: str, phrases: dict[str, list[str]]) -> str | None:
    style = style.partition("_")[0]
    keys = (f"{action.name}/{action.direction}@{style}", f"{action.name}@{style}")
    return next((key for key in keys if key in phrases), None)


def action_phrase(
    action: Action, style: str, wanted: frozenset[str], speaker: Speaker, rng: np.random.Generator
) -> tuple[str, frozenset[str]]:
    """Write one action as a verb phrase, with the wanted ones of count, speed, distance, angle and style.

    Returns:
        the phrase, and the factors that it names: the wanted ones, and what its verb says by itself ("sprints").
    """
    missing = {factor for factor in wanted if _has(action, factor)}
    if style == "normal":
        missing.discard("style")
    said = set(missing)
    phrases = speaker.lexicon["actions"]
    key = _key(action, phrases)
    if action.name == "stand_up" and "seat" in wanted:
        key = "stand_up/seat"
    style_key = _style_key(action, style, phrases)
    if "style" in missing and style_key and rng.random() < 0.5:
        key = style_key
        missing.discard("style")
    core = _core(phrases[key], action, missing, rng)
    in_core = _named_by(core, key, action)
    phrase = _fill(core.lstrip("!?"), action, style, speaker, rng)
    return _append_factors(phrase, action, style, missing - in_core, speaker, rng), frozenset(said | in_core)


def _named_by(core: str, key: str, action: Action) -> set[str]:
    """Return the factors that a phrase of the lexicon names before anything is appended."""
    named = set()
    if "{n}" in core or core.startswith("!"):
        named.add("count")
    if "{adv}" in core or (action.name == "run" and "/" in key and action.speed in key):
        named.add("speed")
    if "{deg}" in core or (action.angle is not None and f"/{action.angle:.0f}" in key and not core.startswith("?")):
        named.add("angle")
    return named


def _has(action: Action, factor: str) -> bool:
    if factor == "speed":
        return action.speed != "normal"
    if factor in ("count", "distance", "angle"):
        if action.name in descriptions() and factor not in descriptions()[action.name].claim:
            return False
        return getattr(action, factor) is not None
    return factor == "style"  # "stand" and "seat" are no factors of an action


def _core(cores: list[str], action: Action, missing: set[str], rng: np.random.Generator) -> str:
    """Choose a phrase without unwanted optional factors; prefer one with the angle if wanted."""
    if "count" not in missing:
        cores = [core for core in cores if "{n}" not in core]
    if "speed" not in missing and action.speed != "normal" and any("{adv}" not in core for core in cores):
        cores = [core for core in cores if "{adv}" not in core]
    if "angle" in missing:
        cores = [core for core in cores if not core.startswith("?")] or cores
    else:
        plain = [core for core in cores if "{deg}" not in core]
        cores = plain or cores
    return str(pick(cores, rng))


def _fill(core: str, action: Action, style: str, speaker: Speaker, rng: np.random.Generator) -> str:
    """Put the action's values into a phrase's slots."""
    opposite = {"left": "right", "right": "left"}
    limb = style.partition("_")[2]
    values = {
        "side": action.side or limb,
        "other": opposite.get(action.side or "", ""),
        "dir": action.direction or "",
        "limb": limb,
        "he_is": speaker.pronoun_is,
    }
    text = core
    while "{his}" in text:
        text = text.replace("{his}", "the" if rng.random() < 0.08 else speaker.possessive, 1)
    for slot, value in values.items():
        text = text.replace(f"{{{slot}}}", value)
    if "{deg}" in text:
        text = text.replace("{deg}", _degrees(action.angle or 0.0, rng))
    if "{adv}" in text:
        text = text.replace("{adv}", pick(_speeds(action, speaker)["adverbs"], rng))
    return _numbered(text, action.count, rng)


def _numbered(text: str, count: int | None, rng: np.random.Generator) -> str:
    """Fill "{n} side {kick(s)}" with a number and the noun's right form."""
    number = "a" if count == 1 and rng.random() < 0.6 else _number(count or 1, rng)
    words = []
    for word in text.replace("{n}", number).split(" "):
        if word.endswith("(s)}"):
            noun = word[1:-4]
            words.append(noun if count == 1 else f"{plural(noun)}={noun}/NOUN")
        else:
            words.append(word)
    return " ".join(words)


def _number(value: int, rng: np.random.Generator) -> str:
    return str(value) if rng.random() < 0.25 else NUMBERS[value]


def _degrees(angle: float, rng: np.random.Generator) -> str:
    number = _DEGREES.get(int(angle), f"{angle:.0f}") if rng.random() < 0.3 else f"{angle:.0f}"
    return f"{pick(['', 'about ', ''], rng)}{number} degrees"


def _speeds(action: Action, speaker: Speaker) -> dict[str, list[str]]:
    gait = "_gait" if action.name in _GAITS else ""
    return dict(speaker.lexicon["speeds"][action.speed + gait])


def _append_factors(
    phrase: str, action: Action, style: str, missing: set[str], speaker: Speaker, rng: np.random.Generator
) -> str:
    """Append factors that the phrase does not name: speed, distance, count, angle, style."""
    first: list[str] = []
    after: list[str] = []
    if "speed" in missing:
        words = _speeds(action, speaker)
        if len(phrase.split()) >= _ADVERB_FIRST or rng.random() < 0.5:
            first.append(pick(words["adverbs"], rng))
        else:
            after.append(pick(words["phrases"], rng))
    if "distance" in missing and action.distance is not None:
        after.append(_distance_phrase(action, speaker, rng))
    if "count" in missing and action.count is not None:
        after.append(_count_phrase(action.count, speaker, rng))
    if "angle" in missing and action.angle is not None:
        after.append(f"turning=turn/VERB {_degrees(action.angle, rng)}")
    if "style" in missing:
        words = speaker.lexicon["styles"][style.partition("_")[0]]
        if words["adverbs"] and not first and rng.random() < 0.5:
            first.append(pick(words["adverbs"], rng))
        else:
            tail = pick(words["phrases"], rng)
            after.append(_fill(tail, Action("stand"), style, speaker, rng))
    return " ".join([*first, phrase, *after])


def _distance_phrase(action: Action, speaker: Speaker, rng: np.random.Generator) -> str:
    metres = action.distance or 0.0
    amount, is_exact = _metres(metres, rng)
    if action.name in ("jump", "hop", "circle", "walk_curve", "walk_turn"):
        return f"covering=cover/VERB about {amount}"
    vague = ("about", "rough", "approx")
    options = [text for text in speaker.lexicon["distances"] if is_exact or any(word in text for word in vague)]
    return str(pick(options, rng)).replace("{m}", amount)


def _metres(metres: float, rng: np.random.Generator) -> tuple[str, bool]:
    """Write a length in words; also return whether the words are within 0.1 m of it."""
    half = round(2.0 * metres) / 2.0
    unit = "metres" if rng.random() < 0.1 else "meters"
    exact = abs(half - metres) <= 0.1
    if metres < 0.85 and not exact:
        return f"{metres:.1f} {unit}", True
    if half == 0.5:
        return pick(["half a meter", "0.5 meters"], rng), exact
    if half == 1.0:
        return pick(["one meter", "a meter", "1 meter"], rng), exact
    whole = int(half)
    if half == whole:
        return f"{NUMBERS[whole] if rng.random() < 0.6 and whole < len(NUMBERS) else whole} {unit}", exact
    if rng.random() < 0.5 and whole < len(NUMBERS):
        return f"{NUMBERS[whole]} and a half {unit}", exact
    return f"{half:.1f} {unit}", exact


def _count_phrase(count: int, speaker: Speaker, rng: np.random.Generator) -> str:
    rows = speaker.lexicon["counts"]
    text = str(pick(rows.get(count, rows["n"]), rng))
    return text.replace("{n}", NUMBERS[count]).replace("{digit}", str(count))
