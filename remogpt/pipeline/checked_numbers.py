"""Check the numbers and directions of a written caption against the motion's joints; correct or leave out wrong ones.

A language model writes "approximately five meters" as fluently for a walk of ten. A count is checked for the counted
action that stands closest before it (or else closest behind it), a length for the closest way of going, an angle for
turns, a direction for the turn, circle, walk or side step that it follows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remogpt.motion.body import MIN_FRAMES, Body
from remogpt.motion.facts import Fact, events
from remogpt.notices.numbers import Number, find_numbers, number_words

_HIS = r"(?:his|her|their|its|the|both)(?: left| right)?"
_GOING = {
    "sidesteps": r"side-?step\w*|side steps?|(?:step|mov|walk|shuffl)\w* sideways|shuffl\w+",
    "runs": r"r[ua]n\w*|jog\w*|sprint\w*|dash\w*",
    "walks": r"walk\w*|stroll\w*|strid\w+|trudg\w+|plod\w*|sneak\w*|creep\w*|tiptoe\w*|stagger\w*|limp\w*|hobbl\w+"
    r"|strut\w*|stumbl\w+|mov\w+ (?:forward|backward|ahead)\w*|step\w* forward at a walk",
}
"""Ways of going, whose lengths are measured: what captions call them, by predicate."""
_COUNTED = {
    "jumping_jacks": r"jumping jacks?|star jumps?",
    "punches": r"punch\w*|jab\w*|box(?:es|ing)?|hit\w*|strik\w+",
    "kicks": r"(?:side-)?kick\w*",
    "jumps": r"jump\w*|leap\w*",
    "hops": r"hop\w*",
    "squats": rf"squat\w*|crouch\w*|bend\w* {_HIS} knees",
    "lunges": r"lung\w+",
    "lifts_knee": rf"(?:rais|lift|bring|pull)\w* {_HIS} knees?|knee raises?|march\w*|high knees",
    "knocks": r"knock\w*|tap\w*",
    "waves": r"wav\w+",
    "claps": r"clap\w*|applaud\w*",
    "bends_sideways": r"(?:bend|lean|tilt)\w*[\w ]* to (?:the|his|her|their|its) (?:left|right)|side bends?",
    "twists": rf"twist\w*|torso twists?|rotat\w+ {_HIS} torso",
    "circles_arm": rf"arm circles?|(?:circl|rotat|swing)\w* {_HIS} arms?|windmill\w*|(?:forward|backward) circles?",
}
"""Actions that are counted."""
_DIRECTED = {
    "turns": r"turn\w*|pivot\w*|spin\w*|curv\w+|veer\w*", "circles": r"circl\w+",
    "sidesteps": _GOING["sidesteps"], "walks": _GOING["walks"],
}  # fmt: skip
_DIRECTION = re.compile(r"\b(left|right|(?:(?:counter|anti)-?)?clockwise|(?:for|back)wards?)\b", re.IGNORECASE)
_OPPOSITE = {"left": "right", "right": "left", "forward": "backward", "backward": "forward",
             "clockwise": "counterclockwise", "counterclockwise": "clockwise"}  # fmt: skip
_ALLOWED = {
    "turns": ("left", "right"), "sidesteps": ("left", "right"), "circles": ("clockwise", "counterclockwise"),
    "walks": ("forward", "backward"),
}  # fmt: skip
_NOUN_WORDS = 3
"""Words behind a number that may be what it counts."""
_DIRECTION_WORDS = 5
"""Words between a movement and its direction."""
_BY_BOTH = ("waves", "punches", "lifts_knee", "circles_arm")
"""What both sides do together or in turn, counted together."""
_ANGLES = (45.0, 60.0, 90.0, 120.0, 180.0, 270.0, 360.0)
_MOST = 12
"""Largest count that is looked for."""
_EDGE = 6
"""Frames by which a stretch of going is widened to its start and stop."""
_LEAD_IN = re.compile(
    r"(?:[ ,]*\b(?:for|by|covering|over|turning|a (?:total|distance) of|about|approximately|approx|roughly|around|just"
    r"|only))*[ ,]*$",
    re.IGNORECASE,
)
"""Words in front of a number that go with it."""
_TAIL = re.compile(r" in (?:total|all)\b", re.IGNORECASE)
_BORDER = r"(?:and|while|as|then|before|after|with)\b"
"""Words behind which a number counts nothing."""


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def with_checked_numbers(caption: str, joints: np.ndarray) -> str:
    """Return a caption whose counts, lengths, angles and directions hold for its motion.

    What the joints prove stays as it is; what they refute is replaced by what they show, or left out where they show
    nothing that could be counted or measured. Numbers of anything else stay.

    Args:
        caption: written for the motion.
        joints: (T, 22, 3) metres, y up, 20 fps.
    """
    if len(joints) < MIN_FRAMES:
        return caption
    body = Body(joints)
    edits = [edit for number in find_numbers(caption) if (edit := _checked(caption, number, body)) is not None]
    edits += _directions(caption, body)
    for edit in sorted(edits, key=lambda edit: -edit.start):
        caption = caption[: edit.start] + edit.text + caption[edit.end :]
    return caption


def _checked(caption: str, number: Number, body: Body) -> _Edit | None:
    """Return what is to become of a number; None where it may stay."""
    if number.measure == "meters":
        return _corrected(caption, number, _closest(caption, number, _GOING), "distance", body, _length)
    if number.measure == "degrees":
        return _corrected(caption, number, "turns", "angle", body, _angle)
    if number.measure == "times":
        return _corrected(caption, number, _closest(caption, number, _COUNTED), "count", body, _count)
    return _checked_nouns(caption, number, body)


def _closest(caption: str, number: Number, verbs: dict[str, str]) -> str | None:
    """Return the predicate whose verb stands closest before a number, or else closest behind it."""
    found = _found(caption, verbs)
    before = [one for one in found if one[0] < number.start]
    if before:
        return max(before, key=lambda one: (one[0], one[1]))[2]
    return min(found, key=lambda one: (one[0], -one[1]), default=(0, 0, None))[2]


def _found(text: str, verbs: dict[str, str]) -> list[tuple[int, int, str]]:
    """Return where verbs begin and end in a text, and what predicate they are of."""
    return [
        (*match.span(), name)
        for name, pattern in verbs.items()
        for match in re.finditer(rf"\b(?:{pattern})", text, re.IGNORECASE)
    ]


def _checked_nouns(caption: str, number: Number, body: Body) -> _Edit | None:
    """Check "four kicks", "two backward circles"; numbers of anything else may stay."""
    behind = re.match(rf"(?: ?(?!{_BORDER})[\w-]+){{0,{_NOUN_WORDS}}}", caption[number.end - len(number.unit) :])
    found = _found(behind.group() if behind else "", _COUNTED)
    if not found or number.value < 1:
        return None
    _, end, name = min(found, key=lambda one: (one[0], -one[1]))
    if _proofs(name, {"count": int(number.value)}, body):
        return None
    count, first = _count(name, body), number.end - len(number.unit)
    if count is None:
        return _Edit(number.start, first, "")
    words = caption[first : first + end]
    one = re.sub(r"(?<=ch)es$|(?<!s)s$", "", words)
    many = f"{one}es" if one.endswith("ch") else f"{one}s"
    amount = f"{count:g}" if number.is_digits else number_words(count)
    return _Edit(number.start, first + end, f"{amount} {one if count == 1 else many}")


Measure = Callable[[str, Body], float | None]


def _corrected(
    caption: str, number: Number, name: str | None, parameter: str, body: Body, measured: Measure
) -> _Edit | None:
    if name is None or _proofs(name, {parameter: _as_said(parameter, number.value)}, body):
        return None
    value = measured(name, body)
    if parameter == "distance" and value is None and abs(_path(body) - number.value) <= 0.25 + 0.15 * number.value:
        return None  # a curve is no straight walk
    if value is not None:
        return _Edit(number.start, number.end, _said(number, value, caption[number.start : number.end]))
    lead = _LEAD_IN.search(caption[: number.start])
    tail = _TAIL.match(caption, number.end)
    return _Edit(number.start if lead is None else lead.start(), number.end if tail is None else tail.end(), "")


def _proofs(name: str, params: dict[str, Any], body: Body) -> Sequence[tuple[int, int]]:
    """Return what proves a fact, whichever side does it, or both."""
    found = events(Fact(name, params), body)
    return found or (events(Fact(name, {"side": "both", **params}), body) if name in _BY_BOTH else [])


def _as_said(parameter: str, value: float) -> Any:
    return int(value) if parameter == "count" else value


def _length(name: str, body: Body) -> float | None:
    """Return the path of the longest stretch of going, in metres to a half."""
    lengths = [_path(body, max(start - _EDGE, 0), end + _EDGE) for start, end in _proofs(name, {}, body)]
    return max(round(2 * max(lengths)) / 2, 0.5) if lengths else None


def _path(body: Body, start: int = 0, end: int | None = None) -> float:
    """Return the length of the pelvis' path between two frames, metres."""
    path = body.at("pelvis", 3.0)[start:end, [0, 2]]
    return float(np.linalg.norm(np.diff(path, axis=0), axis=-1).sum()) * body.scale


def _angle(name: str, body: Body) -> float | None:
    return next((angle for angle in _ANGLES if _proofs(name, {"angle": angle}, body)), None)


def _count(name: str, body: Body) -> float | None:
    """Return how often the joints show an action; of the counts that its tolerance allows, the middle one."""
    held = [count for count in range(1, _MOST + 1) if _proofs(name, {"count": count}, body)]
    return held[len(held) // 2] if held else None


def _said(number: Number, value: float, words: str) -> str:
    """Write a value as the caption wrote the other: in words or digits, "twice" or "2 times", meter or meters."""
    if number.measure == "times" and value <= 2:
        return "once" if value == 1 else "twice"
    amount = f"{value:g}" if number.is_digits else number_words(value)
    unit = "times" if number.measure == "times" else re.split(r"[\d\s]", words)[-1]
    if number.measure == "meters" and len(unit) > 1:
        unit = unit.removesuffix("s") + ("" if value in (0.5, 1.0) and amount != "0.5" else "s")
    return f"{amount} {unit}"


def _directions(caption: str, body: Body) -> list[_Edit]:
    """Turn round directions that the joints refute, where they prove the opposite one."""
    edits = []
    for match in _DIRECTION.finditer(caption):
        said = re.sub(r"^(?:counter|anti)-?clock", "counterclock", match.group().lower()).removesuffix("s")
        name = _mover(caption[: match.start()], said)
        if name is None or _proofs(name, {"direction": said}, body):
            continue
        if _proofs(name, {"direction": _OPPOSITE[said]}, body):
            ending = "s" if match.group().lower().endswith("wards") else ""
            edits.append(_Edit(match.start(), match.end(), _OPPOSITE[said] + ending))
    return edits


def _mover(before: str, said: str) -> str | None:
    """Return the movement that a direction belongs to: it may follow within a few words of its clause."""
    names = [name for name, allowed in _ALLOWED.items() if said in allowed]
    clause = " ".join(re.split(r"[.,;]|\bwhile\b|\band\b|\bthen\b|\bas\b", before)[-1].split()[-_DIRECTION_WORDS - 1 :])
    if re.search(r"\b(?:hand|arm|leg|foot|knee|fist|shoulder|head|torso|body)s?\b", clause):
        return None
    found = [(match.start(), name) for name in names
             for match in re.finditer(rf"\b(?:{_DIRECTED[name]})", clause, re.IGNORECASE)]  # fmt: skip
    return max(found, default=(0, None))[1]
