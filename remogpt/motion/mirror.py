"""Mirror motions and their captions: left becomes right.

Features are never mirrored directly, since their processing is not symmetric: mirror the joints and compute anew.

Source: HumanML3D augments every clip this way. Its code mirrors motions only; the rules for texts here are our own.
differs: HumanML3D's texts change "upright" into "upleft", "right before" into "left before"; these rules do not.
"""

from __future__ import annotations

import re

import numpy as np

from remogpt.motion.arrays import Array
from remogpt.motion.sides_in_text import Sentence
from remogpt.motion.skeleton import MIRROR_PAIRS, NUM_JOINTS

_LEFT = [left for left, _ in MIRROR_PAIRS]
_RIGHT = [right for _, right in MIRROR_PAIRS]
MIRROR_ORDER: tuple[int, ...] = tuple(
    _RIGHT[_LEFT.index(joint)] if joint in _LEFT else _LEFT[_RIGHT.index(joint)] if joint in _RIGHT else joint
    for joint in range(NUM_JOINTS)
)
"""Source joint of each joint of a mirrored body."""

_OPPOSITES = {"left": "right", "right": "left", "southpaw": "orthodox", "orthodox": "southpaw"}
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

_BEFORE = "(?:top|bottom|upper|lower|front|back|far|mid|middle|inner|outer)"
_AFTER = """(?: s|y|ie|ies|ward|wards|ways|most|handed|hander|handers|footed|footer|footers|sided
    | (?:hand|arm|leg|knee|elbow|shoulder|hip|wrist|ankle|thigh|calf|heel|toe|palm|fist|finger|thumb|eye|ear|cheek
        |forearm|side|hook|jab|punch|kick)s? | foot | feet )"""

_WORDS = re.compile(
    rf"""(?<![^\W\d_])(?:
        (?P<against>(?:counter|anti|contra)[\s-]?clock[\s-]?wise | ccw | acw)
      | (?P<along>clock[\s-]?wise | cw)
      | {_BEFORE}?(?P<side>left|right){_AFTER}?
      | (?P<guard>southpaw | orthodox(?=\s+(?:stance|guard|boxer|position|fighter)))
      | (?P<hour>1?\d|{"|".join(_HOURS)})(?=\s*o['’]?\s?clock)
    )(?![^\W\d_])""",
    re.IGNORECASE | re.VERBOSE,
)

_ARTICLE = re.compile(r"\ba(?P<n>n?)\s+$", re.IGNORECASE)


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

    Whole words, their families ("left-handed", "lefts", "rightmost") and their compounds ("leftleg", "right_hand") are
    swapped, cw and ccw, the hours of a clock-face ("at 3 o'clock"), southpaw and orthodox. "right" stays where it means
    directly ("stops right before the wall"), correctly ("the right way around") or upright, in "right angle" and "all
    right"; how that is decided: `remogpt.motion.sides_in_text`. "anticlockwise" and "clock wise" become "clockwise" and
    "counterclockwise": twice mirrored, such a word keeps its sense, not its spelling.

    The verb "left" stays in its clear forms ("has left the room", "nothing is left"). Elsewhere it is swapped, as in
    HumanML3D's own texts: in captions of motions "he left" is nearly always a slip for "his left".
    """
    mirrored, position = [], 0
    for start, end, word in _swaps(text):
        mirrored += [text[position:start], word]
        position = end
    return "".join([*mirrored, text[position:]])


def _swaps(text: str) -> list[tuple[int, int, str]]:
    """Return the replacements (start, end, new word), in order."""
    sentence = Sentence(text)
    swaps: list[tuple[int, int, str]] = []
    for match in _WORDS.finditer(text):
        kind = str(match.lastgroup)
        word = match[kind]
        if kind in ("side", "guard"):
            if sentence.names_a_side(match.start()):
                swaps.append((*match.span(kind), _in_case_of(word, _OPPOSITES[word.lower()])))
        elif kind == "hour":
            swaps.append((*match.span(kind), _in_case_of(word, _opposite_hour(word))))
        else:
            short = word.lower().endswith("w")
            opposite = "clockwise" if kind == "against" else "counterclockwise"
            if short:
                opposite = "cw" if kind == "against" else "ccw"
            swaps.append((match.start(), match.end(), _in_case_of(word, opposite)))
    return [change for swap in swaps for change in (*_article(text, swap), swap)]


def _article(text: str, swap: tuple[int, int, str]) -> list[tuple[int, int, str]]:
    """Return the change of the article before a new word: "an anticlockwise circle" becomes "a clockwise circle"."""
    article = _ARTICLE.search(text, 0, swap[0])
    is_vowel = re.match(r"(?!one)[aeio]|8$|11$", swap[2], re.IGNORECASE) is not None
    if article is None or is_vowel == bool(article["n"]):
        return []
    return [(*article.span("n"), "n" if is_vowel else "")]


def _opposite_hour(word: str) -> str:
    """Mirror an hour of the clock-face: 3 becomes 9; 6 and 12 stay, and so does what is no hour."""
    if word.isdigit():
        return str(12 - int(word)) if 0 < int(word) < 12 else word
    return _HOURS[11 - (_HOURS.index(word.lower()) + 1)] if word.lower() != "twelve" else word


def _in_case_of(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word
