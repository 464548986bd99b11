"""Convert motion codes to strings and back: `<motion_id_512><motion_id_3>…<motion_id_513>`.

MotionGPT's language model reads and writes this form: one bracketed word per code, opened by the start id (the
codebook size, 512) and closed by the end id (513); 514 masks a code. Our own models work on ids; strings serve to
show a prompt and to read the output of published weights.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

NUM_CODES = 512
PLACEHOLDER = "<Motion_Placeholder>"

_CODE = re.compile(r"<motion_id_(\d+)>")


@dataclass(frozen=True)
class MotionString:
    """A parsed string: the codes of its first motion, and its text with that motion replaced."""

    codes: tuple[int, ...]
    """Codes in [0, num_codes); empty when the string holds no complete motion."""
    text: str
    """The string with the first motion replaced by `PLACEHOLDER`; unchanged when there is none."""


def codes_to_string(codes: Iterable[int], num_codes: int = NUM_CODES) -> str:
    """Write codes between a start and an end token, without spaces.

    Raises:
        ValueError: if a code lies outside [0, num_codes).

    Source: MotionGPT, arXiv 2306.14795, sec. 3.2.
    """
    codes = [int(code) for code in codes]
    wrong = [code for code in codes if not 0 <= code < num_codes]
    if wrong:
        raise ValueError(f"motion codes must lie in [0, {num_codes}), got {wrong[0]}; was another tokenizer used?")
    return "".join(f"<motion_id_{code}>" for code in (num_codes, *codes, num_codes + 1))


def string_to_codes(text: str, num_codes: int = NUM_CODES) -> MotionString:
    """Read the first complete motion of a string: from a start token to the first end token after it.

    White space, words, further start tokens and mask tokens between the codes are skipped, so the spaced output
    of the slow T5 tokenizer gives the same codes.

    Source: MotionGPT's `motion_string_to_token`; differs: a string without a motion gives no codes, where the
        reference gives [0], a valid motion; spaces or words between codes do not matter (the reference reads [0] or
        drops a code); ids that are no codes (start 512, mask 514) are dropped instead of returned; an end token before
        the start is ignored.
    """
    start = text.find(f"<motion_id_{num_codes}>")
    end_token = f"<motion_id_{num_codes + 1}>"
    end = text.find(end_token, start) if start >= 0 else -1
    if end < 0:
        return MotionString((), text)
    ids = (int(match) for match in _CODE.findall(text[start:end]))
    return MotionString(
        codes=tuple(code for code in ids if code < num_codes),
        text=text[:start] + PLACEHOLDER + text[end + len(end_token) :],
    )
