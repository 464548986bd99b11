"""Check numbers, directions and sides of written captions against the motion's joints; correct or leave out wrong ones.

A language model writes "approximately five meters" as fluently for a walk of ten.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.motion.body import MIN_FRAMES, Body
from remogpt.motion.fact_catalogue import GRID
from remogpt.motion.facts import Fact, events
from remogpt.motion.predicates.gait import is_about
from remogpt.notices.numbers import Number, in_digits, number_words
from remogpt.pipeline.number_claims import (
    DirectionClaim,
    NumberClaim,
    alternatives,
    direction_claims,
    number_claims,
    side_claims,
)  # fmt: skip

_OPPOSITE = {"left": "right", "right": "left", "forward": "backward", "backward": "forward",
             "clockwise": "counterclockwise", "counterclockwise": "clockwise"}  # fmt: skip
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


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def with_checked_numbers(caption: str, joints: np.ndarray) -> str:
    """Return a caption whose counts, lengths, angles, directions and sides of limbs hold for its motion.

    What the joints prove stays as it is; what they refute is replaced by what they show, or left out where they show
    nothing that could be counted or measured. Numbers of anything else stay.

    Args:
        caption: written for the motion.
        joints: (T, 22, 3) metres, y up, 20 fps.
    """
    caption = in_digits(caption)
    if len(joints) < MIN_FRAMES:
        return caption
    body = Body(joints)
    edits = [_corrected(caption, claim, body) for claim in number_claims(caption) if not _holds(claim, body)]
    edits += [
        _turned(said) for said in (*direction_claims(caption), *side_claims(caption))
        if not _proofs(said.fact, body) and _proofs(_opposite(said.fact), body)
    ]  # fmt: skip
    for edit in sorted(edits, key=lambda edit: -edit.start):
        caption = caption[: edit.start] + edit.text + caption[edit.end :]
    return caption


def _holds(claim: NumberClaim, body: Body) -> bool:
    """Return whether the joints prove a number; the length of a curve, which is no straight walk, may be the path's."""
    if _proofs(claim.fact, body):
        return True
    near = is_about(_path(body), claim.number.value)
    return "distance" in claim.fact.params and near and not _proofs(Fact(claim.fact.name), body)


def _proofs(fact: Fact, body: Body) -> Sequence[tuple[int, int]]:
    """Return what proves a fact, whichever side does it, or both."""
    return [proof for one in alternatives(fact) for proof in events(one, body)]


def _corrected(caption: str, claim: NumberClaim, body: Body) -> _Edit:
    """Write what the joints show in place of a refuted claim, or leave its number out."""
    number, name = claim.number, claim.fact.name
    measure = {"meters": _length, "degrees": _angle}.get(number.measure, _count)
    value = measure(name, body)
    if not number.measure:  # "four kicks", "two backward circles"
        first = number.end - len(number.unit)
        if value is None:
            return _Edit(number.start, first, "")
        return _Edit(number.start, claim.end, f"{_amount(number, value)} {_counted(caption[first : claim.end], value)}")
    if value is not None:
        return _Edit(number.start, number.end, _said(number, value, caption[number.start : number.end]))
    lead, tail = _LEAD_IN.search(caption[: number.start]), _TAIL.match(caption, number.end)
    return _Edit(number.start if lead is None else lead.start(), number.end if tail is None else tail.end(), "")


def _counted(noun: str, value: float) -> str:
    """Return a noun's singular or plural: "punch", "punches"."""
    one = re.sub(r"(?<=ch)es$|(?<!s)s$", "", noun)
    return one if value == 1 else f"{one}es" if one.endswith("ch") else f"{one}s"


def _length(name: str, body: Body) -> float | None:
    """Return the path of the longest stretch of going, in metres to a half."""
    lengths = [_path(body, max(start - _EDGE, 0), end + _EDGE) for start, end in _proofs(Fact(name), body)]
    return max(round(2 * max(lengths)) / 2, 0.5) if lengths else None


def _path(body: Body, start: int = 0, end: int | None = None) -> float:
    """Return the length of the pelvis' path between two frames, metres."""
    path = body.at("pelvis", 3.0)[start:end, [0, 2]]
    return float(np.linalg.norm(np.diff(path, axis=0), axis=-1).sum()) * body.scale


def _angle(name: str, body: Body) -> float | None:
    return next((angle for angle in GRID["angle"] if _proofs(Fact(name, {"angle": angle}), body)), None)


def _count(name: str, body: Body) -> float | None:
    """Return how often the joints show an action; of the counts that its tolerance allows, the middle one."""
    held = [count for count in range(1, _MOST + 1) if _proofs(Fact(name, {"count": count}), body)]
    return held[len(held) // 2] if held else None


def _amount(number: Number, value: float) -> str:
    """Write a value in digits or words, as the caption wrote the other."""
    return f"{value:g}" if number.is_digits else number_words(value)


def _said(number: Number, value: float, words: str) -> str:
    """Write a value as the caption wrote the other: in words or digits, "twice" or "2 times", meter or meters."""
    if number.measure == "times" and value <= 2:
        return "once" if value == 1 else "twice"
    amount = _amount(number, value)
    unit = "times" if number.measure == "times" else re.split(r"[\d\s]", words)[-1]
    if number.measure == "meters" and len(unit) > 1:
        unit = unit.removesuffix("s") + ("" if value in (0.5, 1.0) and amount != "0.5" else "s")
    return f"{amount} {unit}"


def _opposite(fact: Fact) -> Fact:
    """Return a fact of one direction or side with the opposite one."""
    return Fact(fact.name, {key: _OPPOSITE[value] for key, value in fact.params.items()})


def _turned(said: DirectionClaim) -> _Edit:
    (opposite,) = _opposite(said.fact).params.values()
    ending = "s" if said.word.lower().endswith("wards") else ""
    return _Edit(said.start, said.start + len(said.word), opposite + ending)
