"""Read input phrases from `templates.yaml`, with and without a length."""

import re
from functools import cache
from importlib import resources
from typing import Literal, Protocol, get_args

import yaml

FPS = 20.0
"""Frames per second behind the {seconds} and {frames} of a phrase, unless another rate is given."""

Direction = Literal["text_to_motion", "motion_to_text"]
"""What is asked for: a motion for a caption, or a caption for a motion."""
LengthForm = Literal["plain", "seconds", "frames"]
"""How a phrase tells the motion's length: not at all, in seconds, or in frames."""

_SLOT = re.compile(r"\{(\w+)\}")
_CONTENT = {"text_to_motion": "caption", "motion_to_text": "motion"}


class Chooser(Protocol):
    """Random generator that draws an integer below a bound: `numpy.random.Generator`."""

    def integers(self, high: int, /) -> int: ...


@cache
def templates() -> dict[str, dict[str, tuple[str, ...]]]:
    """Read the phrases: direction → plain/seconds/frames → sentences.

    Raises:
        ValueError: if a phrase lacks a slot of its list or has an unknown one.
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
    direction: Direction, form: LengthForm = "plain", num_frames: int | None = None, rng: Chooser | None = None,
    fps: float = FPS,
) -> tuple[str, str]:  # fmt: skip
    """Return the words before and after the content of one phrase, with the length filled in.

    Args:
        direction: "text_to_motion" or "motion_to_text".
        form: how the length is stated, if at all.
        num_frames: the length at `fps` frames a second; needed unless the form is "plain".
        rng: draws the phrase; without it the list's first.
        fps: frames a second.

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
        chosen = chosen.replace("{seconds}", format_seconds(num_frames, fps)).replace("{frames}", str(num_frames))
    before, after = chosen.split("{" + _CONTENT[direction] + "}")
    return before.strip(), after.strip()


def format_seconds(num_frames: int, fps: float = FPS) -> str:
    """Write a length in seconds to a tenth: 70 frames at 20 a second are "3.5".

    Source: MotionGPT's `<Second_Placeholder>`; differs: tenths of a second of the true length, where the reference
        prints whole seconds (in training computed from a number of codes as if they were frames).
    """
    return f"{num_frames / fps:.1f}"
