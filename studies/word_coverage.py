"""Measure how many of people's captions use only words that a procedural vocabulary shows.

  OMP_NUM_THREADS=1 python -m studies.word_coverage --captions humanml3d_test_captions.json --vocabulary wide

A content word counts as shown if a clip of the vocabulary exists whose detector fails without it: the word stands in a
phrase of an action whose facts hold on that action's clip and fail on at least 70 % of the clips of other actions; or
it names a speed, a distance, an angle or a style whose fact holds on a clip with it and fails on the same walk without.
A caption is covered if all its content words are shown. Function words are those of `remogpt/notices/words.yaml` and
the words for the subject in the lexicon; other spellings, and frames such as "appears to be", are those of
`studies/word_spellings.yaml`; forms of one word count as one.

The file maps ids to captions, under the key "captions" or at its top. Words are chosen by the captions whose id has an
even crc32 (`--half even --missing 40` lists what they miss most); the other half only gives the number.
"""

import argparse
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.facts import SHOWN_STYLES, facts_of
from remogpt.data.procedural.grammar import GERUND, PLURAL, SINGULAR, inflect, lexicon
from remogpt.data.procedural.sample import atomic_actions
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabularies import VOCABULARIES
from remogpt.motion.body import Body
from remogpt.motion.facts import Fact, holds
from remogpt.notices.words import lists, stem, words_of
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json

ELSEWHERE = 0.3
"""Largest share of other actions' clips on which the facts of an action may hold."""
_VERB = re.compile(r"\*([\w-]+)\*|=(?=[\w-]+/VERB)([\w-]+)/VERB")
_FORMS = (SINGULAR, PLURAL, GERUND)
_MARKUP = re.compile(r"=[\w-]+/[A-Z]+|/[A-Z]+|[*!?]|\{n\}|\{deg\}|\{m\}|\{adv\}|\{his\}|\{he_is\}|\{digit\}")


def shown_words(vocabulary: str) -> frozenset[str]:
    """Return the stems of all words that a vocabulary shows."""
    words = lexicon(vocabulary)
    found: list[str] = [subject[0] for subject in words["subjects"]]
    for action in _shown_actions(vocabulary):
        for key, phrases in words["actions"].items():
            name, _, style = key.partition("@")
            if name.split("/")[0] == action.name and (not style or style in _shown_styles()):
                found += phrases
        found += [value for value in (action.side, action.direction) if value]
    for style in _shown_styles():
        own = words["styles"][style]
        found += [own["adjectives"], *own["adverbs"], *own["phrases"]]
    for phrases in _shown_factors(words).values():
        found += phrases
    verbs = {verb for phrase in found for pair in _VERB.findall(phrase) for verb in pair if verb}
    found += [inflect(verb, form) for verb in verbs for form in _FORMS]
    return frozenset(stem(word) for phrase in found for word in words_of(_plain(phrase)))


def _plain(phrase: str) -> str:
    """Return a phrase of the lexicon without its mark-up; a slot for a noun gives the noun."""
    text = re.sub(r"\{(\w[\w-]*)\(s\)\}", r"\1", phrase)
    return re.sub(r"\{\w+\}", " ", _MARKUP.sub("", text))


def _shown_actions(vocabulary: str) -> list[Action]:
    """Return the actions whose facts hold on their own clip and on few others."""
    takes = [(action, facts_of(_alone(action)), _body(action)) for action in atomic_actions(vocabulary)]
    shown = []
    for action, facts, body in takes:
        others = [two for one, claims, two in takes if facts and all(fact.name != facts[0].name for fact in claims)]
        if facts and all(holds(fact, body) for fact in facts):
            elsewhere = np.mean([holds(facts[0], other) for other in others])
            shown += [action] if elsewhere <= ELSEWHERE else []
    return shown


def _alone(action: Action) -> Script:
    return Script((Step((action,)),))


def _body(action: Action) -> Body:
    return Body(animate(_alone(action), np.random.default_rng(5)).joints)


def _walk(distance: float = 4.0, **more: Any) -> Body:
    return _body(Action("walk", direction="forward", distance=distance, **more))


@cache
def _shown_styles() -> frozenset[str]:
    """Return the styles of a walk that a fact tells from a normal walk."""
    normal = _walk()
    shown = [
        style.partition("_")[0]
        for style in SHOWN_STYLES
        if holds(Fact("walks_like", {"style": style}), _walk(style=style))
        and not holds(Fact("walks_like", {"style": style}), normal)
    ]
    return frozenset(shown)


def _shown_factors(words: dict[str, Any]) -> dict[str, list[str]]:
    """Return the phrases of speeds, distances and angles that facts tell apart."""
    found: dict[str, list[str]] = {}
    for speed, other in (("slow", "fast"), ("fast", "slow")):
        fact = Fact("walks", {"direction": "forward", "speed": speed})
        if holds(fact, _walk(speed=speed)) and not holds(fact, _walk(speed=other)):
            own = [words["speeds"][key] for key in (speed, f"{speed}_gait")]
            found[speed] = [phrase for one in own for phrase in (*one["adverbs"], *one["phrases"])]
    far = Fact("walks", {"direction": "forward", "distance": 4.0})
    if holds(far, _walk()) and not holds(far, _walk(2.0)):
        found["distance"] = [*words["distances"], "meters metres"]
    turn = Fact("turns", {"direction": "left", "angle": 90.0})
    quarter, half = (_body(Action("turn", direction="left", angle=angle)) for angle in (90.0, 180.0))
    if holds(turn, quarter) and not holds(turn, half):
        found["angle"] = ["degrees"]
    return found


@cache
def _spellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    table = yaml.safe_load(Path(__file__).with_name("word_spellings.yaml").read_text(encoding="utf-8"))
    return tuple((re.compile(rf"\b{re.escape(wrong)}\b"), right) for wrong, right in table.items())


def missing_words(caption: str, shown: frozenset[str]) -> set[str]:
    """Return the stems of a caption's content words that are not shown."""
    text = caption.lower()
    for wrong, right in _spellings():
        text = wrong.sub(right, text)
    return {stem(word) for word in words_of(text) if not _is_known(word, shown)}


def _is_known(word: str, shown: frozenset[str]) -> bool:
    if word[0].isdigit() or word in lists()["function"] or word in lists()["negations"] or word.endswith("n't"):
        return True
    parts = [part for part in word.replace("'", "-").split("-") if part]
    return stem(word) in shown or (len(parts) > 1 and all(_is_known(part, shown) for part in parts))


def of_half(captions: dict[str, Sequence[str]], half: str) -> list[str]:
    """Return the captions of the ids with an even or an odd crc32, or of all."""
    wanted = {"even": (0,), "odd": (1,), "both": (0, 1)}[half]
    return [text for key, texts in captions.items() if zlib.crc32(key.encode()) % 2 in wanted for text in texts]


def coverage(captions: Iterable[str], shown: frozenset[str]) -> tuple[float, Counter[str]]:
    """Return the share of captions without a word that is not shown, and how many captions each such word is in."""
    lacking = [missing_words(text, shown) for text in captions]
    return float(np.mean([not words for words in lacking])), Counter(word for words in lacking for word in words)


def main(words: Sequence[str] | None = None) -> int:
    """Print the coverage as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--captions", type=Path, required=True, help="JSON of ids and their captions")
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default="wide", help="of the procedural set")
    parser.add_argument("--half", choices=("even", "odd", "both"), default="odd", help="ids by their crc32")
    parser.add_argument("--missing", type=int, default=0, help="most frequent missing words to list, of the even half")
    args = parser.parse_args(words)
    if args.missing and args.half != "even":
        raise RemogptError("--missing lists words of the half by which words are chosen alone; add --half even")
    data = read_json(args.captions, dict)
    captions = of_half(data.get("captions", data), args.half)
    shown = shown_words(args.vocabulary)
    share, lacking = coverage(captions, shown)
    result: dict[str, Any] = {
        "command": f"python -m studies.word_coverage {' '.join(words if words is not None else sys.argv[1:])}",
        "vocabulary": args.vocabulary, "half": args.half, "captions": len(captions), "shown_words": len(shown),
        "covered": round(share, 4),
    }  # fmt: skip
    if args.missing:
        result["missing"] = dict(lacking.most_common(args.missing))
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
