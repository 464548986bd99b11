"""Read what the numbers, directions and sides of a caption claim, in the words that captions use for a few actions.

A count is of the counted action that stands closest before it (or else closest behind it), a length of the closest way
of going, an angle of turns, a direction of the turn, circle, walk, side step or swipe that it follows, and the side of
a limb of what the limb does in the same clause.
"""

import re
from dataclasses import dataclass

from remogpt.motion.facts import Fact, completions
from remogpt.notices.numbers import Number, find_numbers

_HIS = r"(?:his|her|their|its|the|both)(?: left| right)?"
GOING = {
    "sidesteps": r"side-?step\w*|side steps?|(?:step|mov|walk|shuffl)\w* sideways|shuffl\w+",
    "runs": r"r[ua]n\w*|jog\w*|sprint\w*|dash\w*",
    "walks": r"walk\w*|stroll\w*|strid\w+|trudg\w+|plod\w*|sneak\w*|creep\w*|tiptoe\w*|stagger\w*|limp\w*|hobbl\w+"
    r"|strut\w*|stumbl\w+|mov\w+ (?:forward|backward|ahead)\w*|step\w* forward at a walk",
}
"""Ways of going, whose lengths are measured: what captions call them, by predicate."""
COUNTED = {
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
DIRECTED = {
    "turns": r"turn\w*|pivot\w*|spin\w*|curv\w+|veer\w*", "circles": r"circl\w+",
    "sidesteps": GOING["sidesteps"], "walks": GOING["walks"],
}  # fmt: skip
_ARM, _LEG = r"(?:hand|arm|forearm|fist|wrist|elbow)", r"(?:leg|foot|knee)"
SIDED = {
    "waves": (COUNTED["waves"], _ARM), "raises_hand": (r"rais\w+|lift\w*", _ARM), "punches": (r"punch\w*|jab\w*", _ARM),
    "swipes": (r"swip\w+|swat\w*|slap\w*", _ARM), "throws": (r"throw\w*|toss\w*", _ARM), "points": (r"point\w*", _ARM),
    "salutes": (r"salut\w+", _ARM), "drinks": (r"drink\w*", _ARM), "kicks": (r"kick\w*", _LEG),
    "lifts_knee": (r"rais\w+|lift\w*", _LEG), "hops": (COUNTED["hops"], _LEG),
}  # fmt: skip
"""What a limb of one side does: the words for it, and the limb."""
_SWIPE = re.compile(r"\b(?:swip|swat|slap|sweep)\w*|\bmov\w+[\w ]* horizontally", re.IGNORECASE)
_SIDE = re.compile(rf"\b(left|right) (?={_ARM}s?\b|{_LEG}s?\b)", re.IGNORECASE)
_DIRECTION = re.compile(r"\b(left|right|(?:(?:counter|anti)-?)?clockwise|(?:for|back)wards?)\b", re.IGNORECASE)
_ALLOWED = {
    "turns": ("left", "right"), "sidesteps": ("left", "right"), "circles": ("clockwise", "counterclockwise"),
    "walks": ("forward", "backward"),
}  # fmt: skip
_NOUN_WORDS = 3
"""Words behind a number that may be what it counts."""
_DIRECTION_WORDS = 5
"""Words between a movement and its direction."""
_BORDER = r"(?:and|while|as|then|before|after|with)\b"
"""Words behind which a number counts nothing."""
_BY_BOTH = ("waves", "punches", "lifts_knee", "circles_arm")
"""What both sides do together or in turn, counted together."""


@dataclass(frozen=True)
class NumberClaim:
    """A number with what it says."""

    number: Number
    fact: Fact
    end: int
    """Where the number's unit ends, or the noun that it counts."""


@dataclass(frozen=True)
class DirectionClaim:
    """A direction, or the side of a limb, with what it says."""

    word: str
    start: int
    fact: Fact


def number_claims(caption: str) -> list[NumberClaim]:
    """Return what the counts, lengths and angles of a caption claim; numbers of anything else claim nothing."""
    claims = [_claim(caption, number) for number in find_numbers(caption)]
    return [claim for claim in claims if claim is not None]


def direction_claims(caption: str) -> list[DirectionClaim]:
    """Return what the directions of a caption claim."""
    found = []
    for match in _DIRECTION.finditer(caption):
        said = re.sub(r"^(?:counter|anti)-?clock", "counterclock", match.group().lower()).removesuffix("s")
        name = None if _SIDE.match(caption, match.start()) else _mover(caption[: match.start()], said)
        if name is not None:
            found.append(DirectionClaim(match.group(), match.start(), Fact(name, {"direction": said})))
    return found


def side_claims(caption: str) -> list[DirectionClaim]:
    """Return what the sides of limbs claim: which one waves, kicks and so on."""
    found = []
    for match in _SIDE.finditer(caption):
        before, limb = _last_clause(caption[: match.start()]), caption[match.end() :]
        verbs = [
            (verb.start(), name) for name, (words, own) in SIDED.items() if re.match(own, limb, re.IGNORECASE)
            for verb in re.finditer(rf"\b(?:{words})", before, re.IGNORECASE)
        ]  # fmt: skip
        if verbs:
            side = match.group(1)
            found.append(DirectionClaim(side, match.start(), Fact(max(verbs)[1], {"side": side.lower()})))
    return found


def alternatives(fact: Fact) -> list[Fact]:
    """List the facts of which one proves a fact that leaves its side or direction open."""
    both = [Fact(fact.name, {"side": "both", **fact.params})] if fact.name in _BY_BOTH else []
    return completions(fact) + both


def _claim(caption: str, number: Number) -> NumberClaim | None:
    """Return what a number claims; None where it counts or measures nothing that joints could prove."""
    value = number.value
    if number.measure == "meters":
        name = _closest(caption, number, GOING)
        return None if name is None else NumberClaim(number, Fact(name, {"distance": value}), number.end)
    if number.measure == "degrees":
        return NumberClaim(number, Fact("turns", {"angle": value}), number.end)
    if value < 1:
        return None
    if number.measure == "times":
        name = _closest(caption, number, COUNTED)
        return None if name is None else NumberClaim(number, Fact(name, {"count": int(value)}), number.end)
    first = number.end - len(number.unit)
    behind = re.match(rf"(?: ?(?!{_BORDER})[\w-]+){{0,{_NOUN_WORDS}}}", caption[first:])
    found = _found(behind.group() if behind else "", COUNTED)
    if not found:
        return None
    _, end, name = min(found, key=lambda one: (one[0], -one[1]))
    return NumberClaim(number, Fact(name, {"count": int(value)}), first + end)


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


def _mover(before: str, said: str) -> str | None:
    """Return the movement that a direction belongs to: it may follow within a few words of its clause."""
    names = [name for name, allowed in _ALLOWED.items() if said in allowed]
    clause = _last_clause(before)
    if said in ("left", "right") and _SWIPE.search(clause):
        return "swipes"
    clause = " ".join(clause.split()[-_DIRECTION_WORDS - 1 :])
    if re.search(r"\b(?:hand|arm|leg|foot|knee|fist|shoulder|head|torso|body)s?\b", clause):
        return None
    found = [(match.start(), name) for name in names
             for match in re.finditer(rf"\b(?:{DIRECTED[name]})", clause, re.IGNORECASE)]  # fmt: skip
    return max(found, default=(0, None))[1]


def _last_clause(before: str) -> str:
    return re.split(r"[.,;]|\bwhile\b|\band\b|\bthen\b|\bas\b", before)[-1]
