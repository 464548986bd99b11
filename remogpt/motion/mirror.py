"""Mirror motions and their captions: left becomes right.

Features are never mirrored directly, since their processing is not symmetric: mirror the joints and compute anew.

Source: HumanML3D augments every clip this way. Its code mirrors motions only; the rules for texts here are our own.
differs: HumanML3D's texts change "upright" into "upleft"; these rules do not.
"""

from __future__ import annotations

import re

import numpy as np

from remogpt.motion.arrays import Array
from remogpt.motion.skeleton import MIRROR_PAIRS, NUM_JOINTS

_LEFT = [left for left, _ in MIRROR_PAIRS]
_RIGHT = [right for _, right in MIRROR_PAIRS]
MIRROR_ORDER: tuple[int, ...] = tuple(
    _RIGHT[_LEFT.index(joint)] if joint in _LEFT else _LEFT[_RIGHT.index(joint)] if joint in _RIGHT else joint
    for joint in range(NUM_JOINTS)
)
"""Source joint of each joint of a mirrored body."""

_OPPOSITES = {"left": "right", "right": "left"}

_WORDS = re.compile(
    r"""\b(?:
        (?P<against>(?:counter|anti)[\s-]?clock[\s-]?wise)
      | (?P<along>clock-?wise)
      | (?P<side>left|right)(?=(?:s|y|ie|ies|ward|wards|most|hand|handed|hander|handers|side|footed)?\b)
    )""",
    re.IGNORECASE | re.VERBOSE,
)

_NOT_A_SIDE = re.compile(
    r"""\b(?:
        right[\s-]angle[sd]? | right\s+(?:away|now) | all[\s-]right | right[\s-]side[\s-]up
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)

_AN = re.compile(r"\ba(?P<n>n)\s+$", re.IGNORECASE)


def mirror_joints(joints: Array) -> Array:
    """Reflect joint positions in the plane x = 0 and swap left and right joints; doing it twice changes nothing.

    Args:
        joints: (..., 22, 3) metres, NumPy or torch.

    Returns:
        (..., 22, 3), same kind and dtype.
    """
    swapped = joints[..., list(MIRROR_ORDER), :]
    flip = np.array([-1.0, 1.0, 1.0])
    if isinstance(swapped, np.ndarray):
        return swapped * flip.astype(swapped.dtype)
    return swapped * swapped.new_tensor(flip.tolist())


def mirror_caption(text: str) -> str:
    """Swap left and right, clockwise and counterclockwise in a sentence, keeping letter case.

    Whole words and their families are swapped ("left-handed", "lefts", "rightmost"); "upright", "right away",
    "right now", "all right", "right side up" and "right angle" are left alone. "anticlockwise" and "counter-clockwise"
    become "clockwise", which becomes "counterclockwise": twice mirrored, such a word keeps its sense, not its spelling.
    The verb "left" is swapped as well, as in HumanML3D's own texts: in captions of motions "he left" is nearly always
    a slip for "his left", and a tagger cannot tell them apart.
    """
    mirrored, position = [], 0
    for start, end, word in _swaps(text):
        mirrored += [text[position:start], word]
        position = end
    return "".join([*mirrored, text[position:]])


def _swaps(text: str) -> list[tuple[int, int, str]]:
    """Return the replacements (start, end, new word), in order."""
    kept = [match.span() for match in _NOT_A_SIDE.finditer(text)]
    swaps = []
    for match in _WORDS.finditer(text):
        if any(start <= match.start() < end for start, end in kept):
            continue
        if match["side"]:
            word = _OPPOSITES[match["side"].lower()]
        else:
            word = "clockwise" if match["against"] else "counterclockwise"
            article = _AN.search(text, 0, match.start())
            if article:  # "an anticlockwise circle" -> "a clockwise circle"
                swaps.append((*article.span("n"), ""))
        swaps.append((match.start(), match.end(), _in_case_of(match.group(), word)))
    return swaps


def _in_case_of(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word
