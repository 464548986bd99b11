"""Input phrases from `templates.yaml`: our own sentences, with and without a length."""

import re
from functools import cache
from importlib import resources
from typing import Literal, Protocol, get_args

import yaml

FPS = 20
"""Frames per second behind the {seconds} and {frames} of a phrase."""

Direction = Literal["text_to_motion", "motion_to_text"]
LengthForm = Literal["plain", "seconds", "frames"]

_SLOT = re.compile(r"\{(\w+)\}")
_CONTENT = {"text_to_motion": "caption", "motion_to_text": "motion"}


class Chooser(Protocol):
    """Anything that draws an integer below a bound: `numpy.random.Generator`."""

    def integers(self, high: int, /) -> int: ...


@cache
def templates() -> dict[str, dict[str, tuple[str, ...]]]:
    """Read the phrases: direction → plain/seconds/frames → sentences.

    Raises:
        ValueError: if a phrase lacks a slot of its list or has one that its list does not offer.
    """
    source = resources.files("remogpt.prompts").joinpath("templates.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, list[str]]] = yaml.safe_load(source)
    for direction, forms in loaded.items():
        for form, phrases in forms.items():
            wanted = {_CONTENT[direction]} | ({form} if form != "plain" else set())
            for phrase in phrases:
                if set(_SLOT.findall(phrase)) != wanted:
                    raise ValueError(f"templates.yaml: {phrase!r} must have the slots {sorted(wanted)} once each")
    return {direction: {form: tuple(phrases) for form, phrases in forms.items()} for direction, forms in loaded.items()}


def phrase(
    direction: Direction, form: LengthForm = "plain", num_frames: int | None = None, rng: Chooser | None = None
) -> tuple[str, str]:
    """Give the words before and after the content of one phrase, its length filled in.

    Args:
        direction: which of the two jobs.
        form: how the length is told, if at all.
        num_frames: the length at 20 frames a second; needed unless the form is "plain".
        rng: draws the phrase; the list's first without it.

    Raises:
        ValueError: for an unknown direction or form, or a missing length.
    """
    if direction not in get_args(Direction) or form not in get_args(LengthForm):
        known = f"{get_args(Direction)} and {get_args(LengthForm)}"
        raise ValueError(f"no phrases for {direction}/{form}; there are {known}")
    if form != "plain" and num_frames is None:
        raise ValueError(f"a phrase that tells the length in {form} needs num_frames")
    phrases = templates()[direction][form]
    chosen = phrases[0 if rng is None else int(rng.integers(len(phrases)))]
    if num_frames is not None:
        chosen = chosen.replace("{seconds}", format_seconds(num_frames)).replace("{frames}", str(num_frames))
    before, after = chosen.split("{" + _CONTENT[direction] + "}")
    return before.strip(), after.strip()


def format_seconds(num_frames: int) -> str:
    """Write a length in seconds to a tenth: 70 frames are "3.5".

    Source: MotionGPT's `<Second_Placeholder>`; differs: tenths of the true number of frames, where the reference
        prints whole seconds (and, in training, of a number of codes taken for frames).
    """
    return f"{num_frames / FPS:.1f}"
