"""Captions that say nearly the same and are wrong: one side, direction or sense swapped, or two actions reordered.

A contrastive loss that only meets other clips' captions can tell most of them apart by the action alone, and never has
to read "left". A caption with one word turned round can be told from the true one by nothing else.

Source: NegCLIP, arXiv 2210.01936, whose swapped captions are negatives of every image. differs: here a swapped caption
is a negative of its own motion alone, since it may be true of another clip.
"""

import hashlib
import re
from collections.abc import Container

from remogpt.motion.mirror import mirror_each
from remogpt.retriever.wording import canonical_caption

_PAIRS = (
    ("forward", "backward"), ("forwards", "backwards"), ("ahead", "back"), ("up", "down"), ("upward", "downward"),
    ("upwards", "downwards"), ("above", "below"), ("front", "back"), ("inward", "outward"), ("inwards", "outwards"),
    ("raise", "lower"), ("raises", "lowers"), ("raised", "lowered"), ("raising", "lowering"), ("lift", "lower"),
    ("lifts", "lowers"), ("lifting", "lowering"), ("before", "after"), ("quickly", "slowly"), ("fast", "slow"),
    ("faster", "slower"), ("high", "low"), ("stands up", "sits down"), ("standing up", "sitting down"),
)  # fmt: skip
"""Words that mean opposites to a body; the first pair that holds a word says what it becomes."""


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for one, other in _PAIRS:
        table.setdefault(one, other)
        table.setdefault(other, one)
    return table


_OPPOSITE = _table()
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_OPPOSITE, key=len, reverse=True))})\b", re.IGNORECASE)
_WHOLE = re.compile(
    r"\b(?:up(?:wards?)?\s+(?:and|or)\s+down(?:wards?)?|down(?:wards?)?\s+(?:and|or)\s+up(?:wards?)?"
    r"|back\s+and\s+forth|forwards?\s+(?:and|or)\s+backwards?|backwards?\s+(?:and|or)\s+forwards?"
    r"|front\s+(?:and|to|or)\s+back|left\s+(?:and|to|or)\s+right|right\s+(?:and|to|or)\s+left"
    r"|(?:after|before)\s+that)\b",
    re.IGNORECASE,
)
"""Phrases that stay as they are: one swapped word makes them odd rather than wrong."""

_THEN = re.compile(r"\s*[,.;]?\s+(?:and\s+)?(?:then|afterwards|after\s+that)\b,?\s+", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?P<subject>(?:(?:a|an|the|this|one)\s+)?(?:\w+\s+)??(?:person|man|woman|guy|figure|human|individual|character|"
    r"someone|somebody|adult|he|she|they|it)\s+(?:(?:is|are)\s+)?)?(?P<rest>.+)$",
    re.IGNORECASE,
)


def swapped_captions(caption: str) -> tuple[str, ...]:
    """Return every caption that differs from this one by a single swap and says something else, each once.

    Swapped are: one word of a side or sense of rotation (as `mirror_caption` finds them), one of the opposites above,
    or the two halves of "X then Y". Phrases that name both ends ("up and down") stay as they are.

    Example:
        >>> swapped_captions("a man waves his left hand then sits down")
        ('a man waves his right hand then sits down', 'a man waves his left hand then stands up',
         'a man sits down then waves his left hand')
    """
    kept = [match.span() for match in _WHOLE.finditer(caption)]
    found = [*mirror_each(caption)] if not _names_both_sides(caption) else []
    for match in _WORDS.finditer(caption):
        if not any(start <= match.start() < end for start, end in kept):
            word = _in_case_of(match.group(), _OPPOSITE[match.group().lower()])
            found.append(caption[: match.start()] + word + caption[match.end() :])
    found += _reordered(caption)
    own = canonical_caption(caption)
    return tuple(swap for swap in dict.fromkeys(found) if canonical_caption(swap) != own)


def _names_both_sides(caption: str) -> bool:
    return any("left" in match.group().lower() for match in _WHOLE.finditer(caption))


def _reordered(caption: str) -> list[str]:
    """Turn "X then Y" into "Y then X" where both halves have a verb of one form, and so can change places."""
    joint = _THEN.search(caption)
    if joint is None:
        return []
    end = caption[len(caption.rstrip(" .")) :]
    first, second = caption[: joint.start()], caption[joint.end() : len(caption) - len(end)]
    halves = [_LEAD.match(half) for half in (first, second)]
    if halves[0] is None or halves[1] is None:
        return []
    verbs = [half["rest"].split()[0].lower() for half in halves if half is not None]
    if verbs[0] == "first" or len({verb.endswith("ing") for verb in verbs}) > 1:
        return []
    leads = [half["subject"] or "" for half in halves if half is not None]
    return [leads[0] + halves[1]["rest"] + joint.group() + leads[1] + halves[0]["rest"] + end]


def _in_case_of(model: str, word: str) -> str:
    return word.capitalize() if model[0].isupper() else word


def chosen_swaps(caption: str, count: int, true_forms: Container[str] = ()) -> tuple[str, ...]:
    """Return at most `count` swaps of a caption, drawn by their own words, so that every run draws the same ones.

    Args:
        caption: a training caption.
        count: as many as the text tower shall read beside it.
        true_forms: normal forms of captions (`canonical_caption`) that are true of its motion; a swap that says the
            same as one of them is never taken.
    """
    wrong = [swap for swap in swapped_captions(caption) if canonical_caption(swap) not in true_forms]
    wrong.sort(key=lambda swap: hashlib.sha256(swap.encode()).digest())
    return tuple(wrong[:count])
