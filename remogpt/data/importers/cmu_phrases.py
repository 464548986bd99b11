"""Write sentences for CMU's trials: "playground - climb, hang" → "a person climbs and hangs on a playground".

Only phrases that consist of known verbs become sentences; others stay phrases ("salsa dance", "Range of Motion").
"""

from __future__ import annotations

import re
from itertools import pairwise

_VERBS = frozenset(
    (
        "balance", "bend", "boil", "bow", "box", "carry", "catch", "chop", "clap", "clean", "climb", "crawl", "creep",
        "cry", "dangle", "dance", "descend", "direct", "dive", "dribble", "drink", "drop", "duck", "eat", "fall",
        "fish", "get", "go", "grab", "hang", "hold", "hop", "hurl", "jog", "jump", "kick", "kneel", "laugh", "lean",
        "lie", "lift", "limp", "lower", "march", "mop", "move", "nod", "paddle", "pick", "place", "play", "point",
        "pull", "punch", "push", "put", "putt", "raise", "reach", "rise", "rock", "roll", "run", "scoop", "shake",
        "shoot", "shrug", "sit", "skip", "slide", "sneak", "sneeze", "spin", "squat", "stand", "step", "stop",
        "stretch", "stride", "strike", "stumble", "swat", "sweep", "swim", "swing", "swivel", "throw", "tiptoe", "toss",
        "turn", "twist", "veer", "wait", "walk", "wander", "wash", "wave", "whistle", "wipe", "yawn",
    )
)  # fmt: skip
_ADVERBS = frozenset(
    (
        "again", "around", "away", "back", "backward", "backwards", "diagonally", "down", "fast", "forward", "forwards",
        "in", "left", "off", "on", "out", "over", "quickly", "repeatedly", "right", "sideways", "slowly", "straight",
        "then", "through", "to", "turning", "under", "up", "upstairs", "with", "without",
    )
)  # fmt: skip
_PLACES = {
    "playground": ("on a playground", "uses a playground"),
    "basketball": ("while playing basketball", "plays basketball"),
    "soccer": ("while playing soccer", "plays soccer"),
    "dance": ("while dancing", "dances"),
    "navigate": ("", "moves around"),
}
_MANNERS = {
    "slow": "slowly", "brisk": "briskly", "fast": "fast", "quick": "quickly", "normal": "normally", "stiff": "stiffly",
    "careful": "carefully", "creeping": "in a creeping way", "bouncy": "with a bounce",
    "exaggerated": "in an exaggerated way",
}  # fmt: skip
_SUBJECTS = ("a person", "someone", "the person")


def sentences_from_description(description: str) -> tuple[str, ...]:
    """Return up to three sentences, or the phrase itself if it cannot be turned into a sentence.

    Returns:
        An empty tuple for a description without letters.
    """
    phrase = re.sub(r"\s*\(repeated\)", " repeatedly", " ".join(description.split()))
    if not re.search(r"[A-Za-z]", phrase):
        return ()
    context, _, rest = phrase.partition(" - ") if " - " in phrase else ("", "", phrase)
    action = _predicate(rest.lower())
    place, activity = _PLACES.get(context.lower(), ("", ""))
    if action is not None and (place or not context or activity):
        predicate = f"{action} {place}".strip()
    elif activity:
        predicate = f"{activity}: {rest}"
    else:
        return (phrase.replace(" - ", ", "),)
    return tuple(f"{subject} {predicate}" for subject in _SUBJECTS)


def _predicate(phrase: str) -> str | None:
    """Turn a list of bare verbs into the third person, or return None where a phrase is no verb."""
    words = phrase.replace("/", " / ").split()
    if len(words) == 2 and words[0] in _MANNERS and words[1] in _VERBS:
        return f"{third_person(words[1])} {_MANNERS[words[0]]}"
    clauses = []
    for index, item in enumerate(item.strip() for item in phrase.split(",")):
        clause = _clause(item, is_first=index == 0)
        if clause is None:
            return None
        clauses.append(clause)
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"


def _clause(item: str, is_first: bool) -> str | None:
    words = item.split()
    if not words:
        return None
    head = words[0].split("/")
    if not all(word in _VERBS for word in head):
        return None if is_first or words[0] not in _ADVERBS else item
    if len(words) > 1 and words[1].split("/")[0] in _VERBS:
        return None  # two bare verbs in a row ("jump turn") name one thing
    said = [" or ".join(third_person(word) for word in head)]
    for before, word in pairwise(words):
        said.append(third_person(word) if before in ("and", "then") and word in _VERBS else word)
    return " ".join(said)


def third_person(verb: str) -> str:
    """Conjugate a regular verb: walk → walks, push → pushes, carry → carries."""
    if re.search(r"(s|sh|ch|x|z|o)$", verb):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if re.search(r"[^aeiou]y$", verb) else f"{verb}s"
