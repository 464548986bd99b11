"""Captions of a script: a small grammar that words the same motion in many ways.

Every caption names each action with its side and direction; counts, distances, speeds and styles are said or left out,
but one caption of a clip says them all. Turns of 180 and 360 degrees are never called by a plain "turns left", and a
limp always names its leg, so a caption does not fit a different motion of this vocabulary better than its own.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Caption
from remogpt.data.procedural.grammar import GERUND, PLURAL, SINGULAR, conjugate, lexicon, plural, read_words, write
from remogpt.data.procedural.script import Action, Script, Step

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
OPTIONAL = ("count", "distance", "speed", "angle", "stand", "style")
"""Factors that a caption may leave out."""
_DEGREES = {45: "forty-five", 60: "sixty", 90: "ninety"}
_GAITS = ("walk", "run", "walk_curve", "walk_turn", "circle", "sidestep")
_ADVERB_FIRST = 7
"""Phrases of at least this many words take their adverb in front, where it cannot attach to the wrong noun."""
_TRIES = 40


@dataclass(frozen=True)
class Speaker:
    """Who does it: the words for the subject, its pronoun and possessive, and the verb form of each clause."""

    subject: str
    pronoun: str
    possessive: str
    form: str
    """Form of verbs after the subject."""
    progressive: bool
    """Whether the first clause is "is walking" instead of "walks"."""

    @property
    def pronoun_form(self) -> str:
        """Form of verbs after the pronoun."""
        return PLURAL if self.pronoun == "they" else SINGULAR

    @property
    def pronoun_is(self) -> str:
        """The pronoun with "is" or "are"."""
        return f"{self.pronoun} {'are' if self.pronoun == 'they' else 'is'}"


def describe(script: Script, rng: np.random.Generator, num: int = 3) -> list[Caption]:
    """Word a script in `num` different ways; one says every factor, the others leave optional ones out at random."""
    shares = [1.0, 0.5, 0.0, *rng.choice([0.0, 0.3, 0.6, 1.0], max(num - 3, 0)).tolist()][:num]
    rng.shuffle(shares)
    captions: list[Caption] = []
    for share in shares:
        for _ in range(_TRIES):
            wanted = frozenset(factor for factor in OPTIONAL if rng.random() < share)
            caption = _caption(script, wanted, rng)
            if all(caption.text.rstrip(".") != other.text.rstrip(".") for other in captions):
                break
        captions.append(caption)
    return captions


def _caption(script: Script, wanted: frozenset[str], rng: np.random.Generator) -> Caption:
    said_by_subject = "style" in wanted and lexicon()["styles"].get(script.style, {}).get("adjectives") and rng.random() < 0.35
    speaker = _speaker(script.style if said_by_subject else None, rng)
    rest = wanted - {"style"} if said_by_subject or script.style == "normal" else wanted
    if script.style.startswith("limping"):
        rest = rest | {"style"}
    phrases = []
    for step in script.steps:
        phrases.append(_step_phrase(step, script.style, rest, speaker, rng))
        rest = rest - {"style"}
    words = read_words(_sentence(phrases, speaker, rng))
    text, tokens = write(words)
    text = text.rstrip(".,")
    return Caption(text + ("." if rng.random() < 0.85 else ""), tokens)


def _pick(items: Any, rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]


def _speaker(style: str | None, rng: np.random.Generator) -> Speaker:
    words = lexicon()
    if style is None:
        rows = words["subjects"]
        weights = np.array([row[3] for row in rows], dtype=float)
        subject, pronoun, possessive, _ = rows[int(rng.choice(len(rows), p=weights / weights.sum()))]
    else:
        nouns = words["styled_subjects"]
        noun = str(rng.choice(list(nouns), p=np.array(list(nouns.values())) / sum(nouns.values())))
        article = "the" if rng.random() < 0.2 else "a"
        subject = f"{article} {_pick(words['styles'][style]['adjectives'].split(), rng)} {noun}"
        pronoun, possessive = {"man": ("he", "his"), "woman": ("she", "her")}.get(noun, ("they", "their"))
    if subject == "":
        return Speaker("", pronoun, possessive, GERUND if rng.random() < 0.35 else SINGULAR, False)
    return Speaker(subject, pronoun, possessive, PLURAL if subject == "they" else SINGULAR, bool(rng.random() < 0.22))


# ------------------------------------------------------------------------------------------------ one action


def _key(action: Action) -> str:
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
            if key in lexicon()["actions"]:
                return key
    raise KeyError(f"the lexicon has no phrase for {action.name!r}")


def _style_key(action: Action, style: str) -> str | None:
    style = style.partition("_")[0]
    keys = (f"{action.name}/{action.direction}@{style}", f"{action.name}@{style}")
    return next((key for key in keys if key in lexicon()["actions"]), None)


def _action_phrase(
    action: Action, style: str, wanted: frozenset[str], speaker: Speaker, rng: np.random.Generator
) -> str:
    """Word one action as a verb phrase with what is wanted of its count, speed, distance, angle and style."""
    missing = {factor for factor in wanted if _has(action, factor)}
    if style == "normal":
        missing.discard("style")
    key = _key(action)
    style_key = _style_key(action, style)
    if "style" in missing and style_key and rng.random() < 0.5:
        key = style_key
        missing.discard("style")
    core = _core(key, action, missing, rng)
    if "{n}" in core or core.startswith("!"):
        missing.discard("count")
    if "{adv}" in core or (action.name == "run" and "/" in key and action.speed in key):
        missing.discard("speed")
    if "{deg}" in core or (action.angle is not None and f"/{action.angle:.0f}" in key and not core.startswith("?")):
        missing.discard("angle")
    phrase = _fill(core.lstrip("!?"), action, style, speaker, rng)
    return _append_factors(phrase, action, style, missing, speaker, rng)


def _has(action: Action, factor: str) -> bool:
    if factor == "speed":
        return action.speed != "normal"
    if factor in ("count", "distance", "angle"):
        return getattr(action, factor) is not None
    return factor == "style"


def _core(key: str, action: Action, missing: set[str], rng: np.random.Generator) -> str:
    """Choose a phrase that does not say an optional factor that is not wanted; prefer saying the angle if it is."""
    cores = lexicon()["actions"][key]
    if "count" not in missing:
        cores = [core for core in cores if "{n}" not in core]
    if "speed" not in missing and action.speed != "normal" and any("{adv}" not in core for core in cores):
        cores = [core for core in cores if "{adv}" not in core]
    if "angle" in missing:
        cores = [core for core in cores if not core.startswith("?")] or cores
    else:
        plain = [core for core in cores if "{deg}" not in core]
        cores = plain or cores
    return str(_pick(cores, rng))


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
        text = text.replace("{adv}", _pick([a for a in _speeds(action)["adverbs"]], rng))
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
    return f"{_pick(['', 'about ', ''], rng)}{number} degrees"


def _speeds(action: Action) -> dict[str, list[str]]:
    gait = "_gait" if action.name in _GAITS else ""
    return dict(lexicon()["speeds"][action.speed + gait])


def _append_factors(
    phrase: str, action: Action, style: str, missing: set[str], speaker: Speaker, rng: np.random.Generator
) -> str:
    """Add what the phrase itself does not say: speed, distance, count, angle, style."""
    first: list[str] = []
    after: list[str] = []
    if "speed" in missing:
        words = _speeds(action)
        if len(phrase.split()) >= _ADVERB_FIRST or rng.random() < 0.5:
            first.append(_pick(words["adverbs"], rng))
        else:
            after.append(_pick(words["phrases"], rng))
    if "distance" in missing and action.distance is not None:
        after.append(_distance_phrase(action, rng))
    if "count" in missing and action.count is not None:
        after.append(_count_phrase(action.count, rng))
    if "angle" in missing and action.angle is not None:
        after.append(f"turning=turn/VERB {_degrees(action.angle, rng)}")
    if "style" in missing:
        words = lexicon()["styles"][style.partition("_")[0]]
        if words["adverbs"] and not first and rng.random() < 0.5:
            first.append(_pick(words["adverbs"], rng))
        else:
            tail = _pick(words["phrases"], rng)
            after.append(_fill(tail, Action("stand"), style, speaker, rng))
    return " ".join([*first, phrase, *after])


def _distance_phrase(action: Action, rng: np.random.Generator) -> str:
    metres = action.distance or 0.0
    amount, is_exact = _metres(metres, rng)
    if action.name in ("jump", "hop", "circle", "walk_turn"):
        return f"covering=cover/VERB about {amount}"
    options = [text for text in lexicon()["distances"] if is_exact or any(w in text for w in ("about", "rough", "approx"))]
    return str(_pick(options, rng)).replace("{m}", amount)


def _metres(metres: float, rng: np.random.Generator) -> tuple[str, bool]:
    """Word a length; also say whether the words are within 0.1 m of it."""
    half = round(2.0 * metres) / 2.0
    unit = "metres" if rng.random() < 0.1 else "meters"
    exact = abs(half - metres) <= 0.1
    if metres < 0.85 and not exact:
        return f"{metres:.1f} {unit}", True
    if half == 0.5:
        return _pick(["half a meter", "0.5 meters"], rng), exact
    if half == 1.0:
        return _pick(["one meter", "a meter", "1 meter"], rng), exact
    whole = int(half)
    if half == whole:
        return f"{NUMBERS[whole] if rng.random() < 0.6 and whole < len(NUMBERS) else whole} {unit}", exact
    if rng.random() < 0.5 and whole < len(NUMBERS):
        return f"{NUMBERS[whole]} and a half {unit}", exact
    return f"{half:.1f} {unit}", exact


def _count_phrase(count: int, rng: np.random.Generator) -> str:
    rows = lexicon()["counts"]
    text = str(_pick(rows.get(count, rows["n"]), rng))
    return text.replace("{n}", NUMBERS[count]).replace("{digit}", str(count))


# ------------------------------------------------------------------------------------------------ clauses


def _step_phrase(
    step: Step, style: str, wanted: frozenset[str], speaker: Speaker, rng: np.random.Generator
) -> str:
    """Word the simultaneous actions of a step as one verb phrase."""
    actions = list(step.actions)
    if step.upper and step.legs is not None and step.legs.name == "stand" and "stand" not in wanted:
        actions = list(step.upper)
    actions.sort(key=lambda action: not action.spec.legs)
    phrases = []
    for action in actions:
        phrases.append(_action_phrase(action, style, wanted, speaker, rng))
        wanted = wanted - {"style"}
    if len(phrases) == 1:
        return phrases[0]
    first, second = phrases[0], " and ".join(phrases[1:])
    is_long = any(" while " in phrase or " as " in phrase for phrase in phrases)
    template = str(_pick(lexicon()["joins"]["flat" if is_long else "while"], rng))
    return _join(template, {"a": first, "b": second}, speaker)


def _join(template: str, phrases: dict[str, str], speaker: Speaker) -> str:
    """Fill a template: {x} as it is, {x_ing} as a gerund, {he_x} after the pronoun,
    {p_x} in the pronoun's form, {s_x} after the subject."""
    text = template
    for name, phrase in phrases.items():
        text = text.replace(f"{{{name}}}", phrase)
        text = text.replace(f"{{p_{name}}}", conjugate(phrase, speaker.pronoun_form))
        text = text.replace(f"{{{name}_ing}}", conjugate(phrase, GERUND))
        text = text.replace(f"{{he_{name}}}", f"{speaker.pronoun} {conjugate(phrase, speaker.pronoun_form)}")
        text = text.replace(f"{{s_{name}}}", f"{speaker.subject} {conjugate(phrase, speaker.form)}")
    return text


def _sentence(phrases: list[str], speaker: Speaker, rng: np.random.Generator) -> str:
    """Put steps in order into one or two sentences with the subject."""
    joins = lexicon()["joins"]
    if len(phrases) == 2 and speaker.subject and rng.random() < 0.15:
        return _join(str(_pick(joins["front"], rng)), dict(zip("xy", phrases, strict=True)), speaker)
    text = phrases[0]
    if len(phrases) > 1:
        template = str(_pick(joins["two" if len(phrases) == 2 else "three"], rng))
        begins_first = template.startswith("first ")
        opening = _progressive(phrases[0], speaker) if speaker.progressive and not begins_first else phrases[0]
        text = _join(template, {"x": opening, **dict(zip("yz", phrases[1:], strict=False))}, speaker)
    elif speaker.progressive:
        text = _progressive(text, speaker)
    return f"{speaker.subject} {conjugate(text, speaker.form)}".strip()


def _progressive(phrase: str, speaker: Speaker) -> str:
    """Turn "*walk* forward" into "is walking forward"."""
    return f"{'are' if speaker.form == PLURAL else 'is'} {conjugate(phrase, GERUND)}"
