"""Write captions of a script by a grammar that words the same motion in many ways.

Every caption names each action with its side and direction; counts, distances, speeds and styles are
optional, but one caption of a clip names them all. Turns of 180 and 360 degrees are never called just "turns left",
and a limp always names its leg, so no caption fits another motion of this vocabulary better than its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Caption
from remogpt.data.procedural.grammar import GERUND, PLURAL, SINGULAR, conjugate, lexicon, read_words, write
from remogpt.data.procedural.phrases import OPTIONAL, Speaker, action_phrase, pick
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabularies import CORE

_TRIES = 40
_MOST_TOLD = 3
"""Steps of a sentence."""


@dataclass(frozen=True)
class Wording:
    """A caption of a script, and what it says."""

    caption: Caption
    said: tuple[frozenset[str], ...]
    """For each action of the script, in order: the optional factors that the caption names."""


def describe(script: Script, rng: np.random.Generator, num: int = 3, *, vocabulary: str = CORE) -> list[Caption]:
    """Write `num` different captions; one names every factor, the others omit optional ones at random."""
    return [wording.caption for wording in wordings(script, rng, num, vocabulary=vocabulary)]


def wordings(script: Script, rng: np.random.Generator, num: int = 3, *, vocabulary: str = CORE) -> list[Wording]:
    """Write captions as `describe` does, and say of each which factors it names.

    Raises:
        ValueError: if the script has more than three steps.
    """
    if len(script.steps) > _MOST_TOLD:
        raise ValueError(f"captions tell up to {_MOST_TOLD} steps, the script has {len(script.steps)}; word its parts")
    shares = [1.0, 0.5, 0.0, *rng.choice([0.0, 0.3, 0.6, 1.0], max(num - 3, 0)).tolist()][:num]
    rng.shuffle(shares)
    found: list[Wording] = []
    words = lexicon(vocabulary)
    for share in shares:
        for _ in range(_TRIES):
            wanted = frozenset(factor for factor in OPTIONAL if rng.random() < share)
            wording = _wording(script, wanted, words, rng)
            if all(wording.caption.text.rstrip(".") != other.caption.text.rstrip(".") for other in found):
                break
        found.append(wording)
    return found


def _wording(script: Script, wanted: frozenset[str], words: dict[str, Any], rng: np.random.Generator) -> Wording:
    adjectives = words["styles"].get(script.style, {}).get("adjectives")
    said_by_subject = "style" in wanted and adjectives and rng.random() < 0.35
    speaker = _speaker(script.style if said_by_subject else None, words, rng)
    rest = wanted - {"style"} if said_by_subject or script.style == "normal" else wanted
    if script.style.startswith("limping"):
        rest = rest | {"style"}
    phrases: list[str] = []
    said: list[frozenset[str]] = []
    for index, step in enumerate(script.steps):
        phrase, named = _step_phrase(step, script.style, rest | {"seat"} if index == 0 else rest, speaker, rng)
        phrases.append(phrase)
        said += named
        rest = rest - {"style"}
    if said_by_subject or any("style" in named for named in said):
        said = [named | {"style"} for named in said]
    text, tokens = write(read_words(_sentence(phrases, speaker, rng)))
    text = text.rstrip(".,")
    return Wording(Caption(text + ("." if rng.random() < 0.85 else ""), tokens), tuple(said))


def _speaker(style: str | None, words: dict[str, Any], rng: np.random.Generator) -> Speaker:
    if style is None:
        rows = words["subjects"]
        weights = np.array([row[3] for row in rows], dtype=float)
        subject, pronoun, possessive, _ = rows[int(rng.choice(len(rows), p=weights / weights.sum()))]
    else:
        nouns = words["styled_subjects"]
        noun = str(rng.choice(list(nouns), p=np.array(list(nouns.values())) / sum(nouns.values())))
        article = "the" if rng.random() < 0.2 else "a"
        subject = f"{article} {pick(words['styles'][style]['adjectives'].split(), rng)} {noun}"
        pronoun, possessive = {"man": ("he", "his"), "woman": ("she", "her")}.get(noun, ("they", "their"))
    if subject == "":
        return Speaker("", pronoun, possessive, GERUND if rng.random() < 0.35 else SINGULAR, False, words)
    return Speaker(
        subject, pronoun, possessive, PLURAL if subject == "they" else SINGULAR, bool(rng.random() < 0.22), words
    )


def _step_phrase(
    step: Step, style: str, wanted: frozenset[str], speaker: Speaker, rng: np.random.Generator
) -> tuple[str, list[frozenset[str]]]:
    """Write the simultaneous actions of a step as one verb phrase; also return the factors named of each action."""
    actions = list(step.actions)
    if step.upper and step.legs is not None and step.legs.name == "stand" and "stand" not in wanted:
        actions = list(step.upper)
    actions.sort(key=lambda action: not action.spec.legs)
    phrases: list[str] = []
    named: dict[Action, frozenset[str]] = {}
    for action in actions:
        phrase, named[action] = action_phrase(action, style, wanted, speaker, rng)
        phrases.append(phrase)
        wanted = wanted - {"style"}
    said = [named.get(action, frozenset()) for action in step.actions]
    if len(phrases) == 1:
        return phrases[0], said
    first, second = phrases[0], " and ".join(phrases[1:])
    is_long = any(" while " in phrase or " as " in phrase for phrase in phrases)
    template = str(pick(speaker.lexicon["joins"]["flat" if is_long else "while"], rng))
    return _join(template, {"a": first, "b": second}, speaker), said


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
    joins = speaker.lexicon["joins"]
    if len(phrases) == 2 and speaker.subject and rng.random() < 0.15:
        return _join(str(pick(joins["front"], rng)), dict(zip("xy", phrases, strict=True)), speaker)
    text = phrases[0]
    if len(phrases) > 1:
        template = str(pick(joins["two" if len(phrases) == 2 else "three"], rng))
        begins_first = template.startswith("first ")
        opening = _progressive(phrases[0], speaker, rng) if speaker.progressive and not begins_first else phrases[0]
        text = _join(template, {"x": opening, **dict(zip("yz", phrases[1:], strict=False))}, speaker)
    elif speaker.progressive:
        text = _progressive(text, speaker, rng)
    return f"{speaker.subject} {conjugate(text, speaker.form)}".strip()


def _progressive(phrase: str, speaker: Speaker, rng: np.random.Generator) -> str:
    """Turn "*walk* forward" into "is walking forward", or "appears to be walking forward" if the lexicon has it."""
    frames = speaker.lexicon.get("progressives")
    frame = conjugate(str(pick(frames, rng)), speaker.form) if frames else "{is}"
    frame = frame.replace("{is}", "are" if speaker.form == PLURAL else "is").replace("{he_is}", speaker.pronoun_is)
    return f"{frame} {conjugate(phrase, GERUND)}"
