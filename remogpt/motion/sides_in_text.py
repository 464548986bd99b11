"""Find the words of a sentence that name a side of the body: "right" may also mean directly or correctly, "left" gone.

Rules over the neighbouring words decide; a tagger would need a download. "right" before a preposition or adverb means
directly ("stops right before the wall", "gets right up") unless something before it makes it a side: an article, a
possessive or "to" ("to the right in front of him"), a verb that takes a direction ("turns right before the wall"), or a
coordinated side ("left and right after that"). What no rule knows is a side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[^\w\s]")
_REACH = 4
"""Words looked at on either side."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _verbs(text: str) -> frozenset[str]:
    """Return the forms of regular verbs: "step" gives step, steps, stepped, stepping; others stand for themselves."""
    forms = set()
    for verb in text.split():
        stem, last = verb.removesuffix("e"), verb[-1]
        forms |= {verb, f"{verb}s", f"{verb}es", f"{stem}ed", f"{stem}ing", f"{verb}{last}ed", f"{verb}{last}ing"}
    return frozenset(forms)


_MARKERS = _words(
    "the their there thier theor his her its it's my your our a an this that these those one's s to tot from on onto "
    "toward towards of far further farther upper lower top bottom other both either each no slight slightly diagonal "
    "diagonally sharp hard left right mostly more most rear between side circle circles arc loop"
)
"""After these words "right" is a noun, an adjective or a direction."""
_STEPS = _words("step steps pace paces metre metres meter meters degree degrees inch inches cm")
_COUNTS = _words(
    "one two three four five six seven eight nine ten few several some many more half small big large quick"
)
"""A counted way has a direction: "two steps right before the wall"."""

_TURNING = _verbs("turn veer curve pivot rotate spin spun swerve twist face sidestep steer swivel strafe swing angle")
"""Verbs of which a side is the natural complement."""
_DIRECTED = _TURNING | _verbs(
    "lean look glance step move slide shuffle tilt shift sway bend bent head travel gaze stare dodge"
)
"""Verbs that often take a side: "looks right before crossing", but "looks right in front of him"."""
_AIMED = _verbs(
    "stop stand stood sit sat land halt stay freeze froze finish end start begin began pause remain kneel knelt squat "
    "crouch lie lay wait happen arrive balance hover set hold held fall fell drop plop look point stare gaze aim"
)
"""Verbs after which "right at" and "right by" mean directly."""
_GOING = _words("goes") | _verbs("go went come came get got walk run ran jog march rush crawl climb")
_HANDLING = _verbs(
    "lift raise kick put bring extend punch jab throw wave use hold lower cross place tap stomp plant pull switch"
)
"""Verbs that a limb may follow without its noun: "lifts right up"."""
_ADVERBS = _words("forward forwards backward backwards back down up straight around round away over off out again")
_PARTICLES = _words("up down back over around round off out in through along past across")

_AT_ONCE = _words("after before as when until")
_PLACES = _words(
    "where here there next behind above below beneath beside besides under underneath between among inside outside "
    "through into onto upon toward towards against opposite near past alongside smack dab"
)
_PHRASES = {
    "in": _words("front middle center centre between line time face eye stomach belly chest head back ribs"),
    "on": _words("top time cue spot line edge target mark"),
    "at": _words("start beginning end edge moment"),
    "to": _words("ground floor end edge wall top bottom very"),
    "from": _words("start beginning outset behind"),
    "out": _words("of"),
    "by": _words("it"),
}
"""What makes a preposition a place or a time, after an article or not: "in the middle", "on top"."""
_CORRECT = _words(
    "way place spot time moment order thing amount answer height distance timing rhythm technique form size speed "
    "number track tempo pace manner words"
)
"""After "the right": the correct one."""
_SIDES = _words("left right side")
_SELVES = _words("himself herself itself themselves themself oneself myself yourself ourselves")
_CONJUNCTIONS = _words("and then or but , & / ; nor than")
_DETERMINERS = _words("the a an his her their its this that my your our some")
_BE = _words("is are was were be been being isn't aren't wasn't weren't gets got get getting feel feels felt")
_HAVE = _words("has have had having 've hasn't hadn't haven't")
_SUBJECTS = _words("he she they who someone somebody everyone it")
_ABANDONED = _words(
    "behind alone out over hanging standing lying sitting dangling resting open unattended untouched unchanged there"
)
_EXITED = _words(
    "room building scene stage house ground floor area place spot frame screen picture party table chair seat door "
    "ring court field car shop store office pool gym bar kitchen bed path street home school"
)
_SCARCE = _words("nothing anything something none little much any what whatever everything time energy strength")


class Sentence:
    """A sentence with its words, asked about single ones."""

    def __init__(self, text: str) -> None:
        found = list(_WORD.finditer(text))
        self._words = [match.group().lower() for match in found]
        self._number = {match.start(): number for number, match in enumerate(found)}

    def names_a_side(self, start: int) -> bool:
        """Tell whether the word that begins at `start`, of the family of left and right, is a side."""
        number = self._number.get(start)
        if number is None:  # within a compound: left_hand, upperleft
            return True
        word = self._words[number]
        before = self._words[max(0, number - _REACH) : number][::-1] + ["^"] * _REACH
        after = self._words[number + 1 : number + 1 + _REACH] + ["$"] * _REACH
        if word == "left":
            return not _is_gone(before, after)
        if word == "right":
            return not (_is_correct(before, after) or _is_directly(before, after))
        return not (word == "rights" and (after[0] in _SELVES or before[0] in ("human", "equal", "civil")))


def _is_correct(before: Sequence[str], after: Sequence[str]) -> bool:
    """Tell fixed phrases: all right, right now, right angle, the right way, right side up, up right position, right?"""
    last = before[0]
    plain = [word for word in after if word != "-"]
    first, second = plain[0], plain[1]
    if last in ("all", "quite") or first in ("now", "away", "angle", "angles", "angled", "triangle", "enough"):
        return True
    if first == "side" and second in ("up", "out"):
        return last not in _MARKERS
    if plain[:2] == ["of", "way"] or plain[:3] == ["then", "and", "there"]:
        return True
    if first == "this" and second in ("way", "moment", "second", "minute", "instant"):
        return True
    if (last in ("just", "exactly") and before[1] in _BE) or last in ("feels", "felt", "seems"):
        return first in (".", ",", "$", "and", "for", "to")
    if last == "up" and first in ("position", "posture", "stance", "pose"):  # upright
        return True
    if last == "it" and before[1] in ("get", "gets", "got", "getting", "do", "does", "did", "doing", "done"):
        return True
    return (last == "," and first == "?") or (first in _CORRECT and last in _DETERMINERS | {"to", "at", "in"})


def _is_directly(before: Sequence[str], after: Sequence[str]) -> bool:
    """Tell whether "right" stands before a preposition or adverb, and nothing before it makes it a side."""
    last, first = before[0], after[0]
    if last in (",", ";") and first in _AT_ONCE | _PLACES:
        return True
    if _is_a_side_by_what_stands_before(before, after):
        return False
    if first in _AT_ONCE and "left" in after and last not in _AIMED:  # "kicks right after kicking left"
        return False
    if first in _AT_ONCE or (first == "at" and after[2] in ("end", "start", "beginning")):
        return last not in _DIRECTED
    if first in _PLACES or after[2 if after[1] in _DETERMINERS else 1] in _PHRASES.get(first, ()):
        return True
    if first == "on":
        return last in _AIMED or last not in _DIRECTED | _ADVERBS | _CONJUNCTIONS | _GOING
    if first in ("at", "by", "in"):
        return last in _AIMED
    if first == "to":
        aim = after[2] if after[1] in _DETERMINERS else after[1]
        return last in _GOING and (aim != after[1] or aim in ("sleep", "work", "bed")) and aim not in _SIDES
    if first in _PARTICLES and last.isalpha():
        ends = first not in ("around", "round", "in", "along") or _closes(after[1])
        return ends and last not in _HANDLING | _CONJUNCTIONS
    return False


def _is_a_side_by_what_stands_before(before: Sequence[str], after: Sequence[str]) -> bool:
    last, first = before[0], after[0]
    joined = next((word for word in before if word not in _CONJUNCTIONS), "^")  # "left and then right"
    if (last in _CONJUNCTIONS and joined == "left") or (first == "over" and after[1] in ("left", "right")):
        return True
    if last in ("back", "front") and before[1] in _MARKERS:  # to the back right: a corner, unless time follows
        return last == "front" or first not in ("after", "before")
    if last in _TURNING:
        return first != "back" and (first not in ("around", "round") or not _closes(after[1]))
    return last in _MARKERS or (last in _STEPS and (before[1] in _COUNTS or before[1].isdigit()))


def _closes(word: str) -> bool:
    """Tell whether a phrase ends before this word: "turns right around, ..." but "right around the corner"."""
    return word in _CONJUNCTIONS | _AT_ONCE | _words("$ . ! again to while so")


def _is_gone(before: Sequence[str], after: Sequence[str]) -> bool:
    """Tell the clear forms of the verb: has left the room, is left alone, nothing is left, the left over food."""
    last, first = before[0], after[0]
    if first == "-" and after[1] in ("over", "overs"):
        return after[2] != "-"
    if last in _HAVE:
        return first in _DETERMINERS | _ABANDONED | {"$", ".", ",", "for", "to", "from"}
    if last in _BE:
        return (first in _ABANDONED and after[1] not in ("left", "right")) or before[1] in _SCARCE
    if last in _SCARCE:
        return first in ("$", ".", ",", "in", "to", "of", "over", "on")
    if first == "over" and last in ("the", "some", "any", "these", "those"):
        return after[1] not in _DETERMINERS | {"left", "right", "$", ".", ","}
    if last in _SUBJECTS and before[1] not in _MARKERS | {"with", "by", "using", "in", "at"}:
        return (first in _DETERMINERS and after[1] not in _COUNTS | {"step", "bit", "little"}) or first == "something"
    return first in _DETERMINERS and after[1] in _EXITED and last not in _MARKERS | _DIRECTED
