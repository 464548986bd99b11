"""The caption grammar: agreement, completeness, variety, tags."""

import re
from collections import Counter

import numpy as np
import pytest

from remogpt.data.procedural.captions import describe
from remogpt.data.procedural.grammar import conjugate, inflect, lexicon, plural, read_words, write
from remogpt.data.procedural.phrases import NUMBERS
from remogpt.data.procedural.sample import atomic_actions, sample_script
from remogpt.data.procedural.script import Action, Script, Step

TAGS = {"DET", "NOUN", "VERB", "ADP", "ADV", "ADJ", "NUM", "PRON", "AUX", "CCONJ", "SCONJ", "PART"}


@pytest.fixture(scope="module")
def described() -> list[tuple[Script, list]]:
    found = []
    for index in range(1200):
        rng = np.random.default_rng((3, index))
        script = sample_script(rng)
        found.append((script, describe(script, rng)))
    return found


VERBS = """walk walks walking, run runs running, kneel kneels kneeling, push pushes pushing, carry carries carrying,
take takes taking, do does doing, tie ties tying, sit sits sitting, bend bends bending, rub rubs rubbing,
stay stays staying"""


@pytest.mark.parametrize(("verb", "third", "gerund"), [forms.split() for forms in VERBS.split(",")])
def test_verbs_inflect(verb: str, third: str, gerund: str) -> None:
    assert (inflect(verb, "s"), inflect(verb, "ing"), inflect(verb, "base")) == (third, gerund, verb)


def test_nouns_articles_and_infinitives() -> None:
    assert [plural(noun) for noun in ("punch", "foot", "knee", "half")] == ["punches", "feet", "knees", "halves"]
    words = read_words(conjugate("a elderly man *bend* down to *pick* up a item", "s"))
    text, tokens = write(words)
    assert text == "an elderly man bends down to pick up an item"
    assert tokens[3:7] == ("bend/VERB", "down/ADP", "to/PART", "pick/VERB")
    with pytest.raises(ValueError, match="'blorps' has no tag"):
        read_words("a person blorps")


def test_every_phrase_of_the_lexicon_can_be_read() -> None:
    slots = {"side": "left", "other": "right", "dir": "left", "limb": "left", "his": "their", "he_is": "they are",
             "n": "two", "deg": "90 degrees", "adv": "slowly", "m": "two meters", "digit": "2"}  # fmt: skip
    styles = lexicon()["styles"].values()
    phrases = [phrase for found in lexicon()["actions"].values() for phrase in found]
    for style in styles:
        phrases += [*style["phrases"], *style["adverbs"], *style["adjectives"].split()]
    phrases += lexicon()["distances"] + [text for rows in lexicon()["counts"].values() for text in rows]
    for phrase in phrases:
        text = re.sub(r"\{(\w+)\(s\)\}", r"\1", phrase.lstrip("!?"))
        text = re.sub(r"\{(\w+)\}", lambda match: slots[match[1]], text)
        assert read_words(conjugate(text, "ing")), phrase


def test_captions_of_a_clip_differ_and_are_well_formed(described: list) -> None:
    for script, captions in described:
        texts = [caption.text for caption in captions]
        assert len({text.rstrip(".") for text in texts}) == 3, (script.combination(), texts)
        for text in texts:
            assert text == text.lower() and text.isascii() and "#" not in text
            assert not re.search(r"[{}*=/|?!]|  | ,| \.|\.\.|,\.", text), text
            assert not re.search(r"\ba [aeio]|\ban [^aeiou]|\bthey (is|\w+s\b(?<!ss))(?<!s's)|\b(\w+) \2\b", text), text


def test_tokens_are_tagged_lemmas(described: list) -> None:
    for _, captions in described[:300]:
        for caption in captions:
            pairs = [token.split("/") for token in caption.tokens]
            assert all(len(pair) == 2 and pair[0].isalpha() and pair[1] in TAGS for pair in pairs), caption.tokens
            words = [w.replace("-", "") for w in re.findall(r"[\w.-]+", caption.text)]
            assert len(pairs) == sum(word.strip(".").isalpha() for word in words), caption


def test_every_caption_names_sides_and_one_names_every_factor(described: list) -> None:
    for script, captions in described:
        for caption in captions:
            for action in script.actions:
                assert _names_way(action, caption.text), (action, caption.text)
        best = max(_factors_said(script, caption.text) for caption in captions)
        assert best == _num_factors(script), (script, [caption.text for caption in captions])


def _names_way(action: Action, text: str) -> bool:
    if action.side in ("left", "right"):
        return action.side in text or (action.name == "balance")
    if action.direction in ("left", "right"):
        return action.direction in text
    if action.direction in ("backward", "back"):
        return any(word in text for word in ("back", "behind", "reverse", "stagger"))
    if action.direction == "counterclockwise":
        return any(word in text for word in ("counter", "to the left"))
    return True


def _num_factors(script: Script) -> int:
    return sum((a.count is not None) + (a.distance is not None) for a in script.actions)


def _factors_said(script: Script, text: str) -> int:
    """Counts and lengths that a text names, as many as the script has."""
    digits = "|".join([*NUMBERS[1:], r"\d+(?:\.\d)?"])
    lengths = len(re.findall(rf"\b(?:{digits}|a|half a)(?: and a half)? met", text))
    said = min(lengths, sum(a.distance is not None for a in script.actions))
    for action in script.actions:
        if action.count is not None:
            number = rf"\b(?:{action.count}|{NUMBERS[min(action.count, 10)]})\b"
            alike = {1: r"\bonce\b|\ba\b|\ban\b|\bone\b|single", 2: r"\btwice\b"}.get(action.count, "(?!)")
            said += bool(re.search(f"{number}|{alike}", text))
    return said


def test_order_of_clauses_follows_the_steps() -> None:
    script = Script((Step((Action("squat", count=1),)), Step((Action("clap", count=3),))))
    for seed in range(80):
        for caption in describe(script, np.random.default_rng(seed)):
            squat = min(caption.text.find(word) for word in ("squat", "crouch", "knees") if word in caption.text)
            clap = min(caption.text.find(word) for word in ("clap", "appla") if word in caption.text)
            reversed_by = caption.text.startswith("before") or re.search(r"\w after \w+ing", caption.text)
            assert (squat < clap) != bool(reversed_by), caption.text


def test_wide_vocabulary_without_one_dominant_wording(described: list) -> None:
    words = Counter(word for _, captions in described for c in captions for word in re.findall(r"[a-z-]+", c.text))
    assert len(words) >= 450
    texts = Counter(caption.text for _, captions in described for caption in captions)
    assert len(texts) > 0.8 * sum(texts.values())


def test_every_action_has_many_wordings() -> None:
    for action in atomic_actions():
        script = Script((Step((action,)),))
        texts = {c.text for seed in range(12) for c in describe(script, np.random.default_rng(seed))}
        assert len(texts) >= 18, (action, sorted(texts))


def test_standing_up_from_a_knee_mentions_no_chair() -> None:
    script = Script((Step((Action("kneel", "left"),)), Step((Action("stand_up"),))))
    texts = [c.text for seed in range(40) for c in describe(script, np.random.default_rng(seed))]
    assert not any(word in text for text in texts for word in ("chair", "seat", "sitting"))


def test_num_captions() -> None:
    script = Script((Step((Action("dance"),)),))
    assert [len(describe(script, np.random.default_rng(0), num)) for num in (1, 2, 3, 5)] == [1, 2, 3, 5]
