"""Motions longer than the language model writes or reads at once.

They are written in pieces, each going on from the one before, and read in windows beside each other.

Writing: the model has seen 49 codes (9.8 s) at most, so no piece is longer. Every piece but the first begins with the
last 12 codes (2.4 s) of what is written: the decoder reads them as if it had just written them, and goes on. They count
in the length that the prompt tells, and are not written twice:

    piece 1   1 ................ 42
    piece 2               31 ... 42 ................ 71
    piece 3                                60 ... 71 ................ 100
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remogpt.lm.decoding.generate import ScoreMixer
from remogpt.lm.decoding.sampling import Sampling
from remogpt.lm.model import FRAMES_PER_CODE, MAX_CODES, MotionLanguageModel
from remogpt.motion.skeleton import FPS
from remogpt.prompts import Prompt, clean_text
from remogpt.runtime.errors import RemogptError

OVERLAP = 12
"""Codes of what is written that the next piece begins with: 2.4 s, a stride or two. 7.4 s of a piece are its own."""
MIN_SECONDS, MAX_SECONDS = 0.4, 60.0
"""Lengths that may be asked for."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")

Choose = Callable[[Sequence[int], Sequence["Piece"], Sequence[np.ndarray]], Sequence[int]]
"""Choose among the candidates of one piece for several motions: (which motions, their pieces, the codes of all
candidates, motion by motion) -> the place of each motion's best."""


Mix = Callable[[Sequence[tuple[int, int]], Sequence[int | None]], ScoreMixer | None]
"""Make what adds evidence to the scores of one piece: (motion and number of piece of each prompt, codes to write)."""


@dataclass(frozen=True)
class Piece:
    """What is written in one go."""

    text: str
    """What it shall show."""
    length: int | None
    """Codes, overlap included; None where the model stops by itself."""
    overlap: int = 0
    """Codes at its start that the pieces before have written."""


def num_frames(seconds: float | None) -> int | None:
    """Turn a length into frames.

    Raises:
        RemogptError: if it is shorter or longer than may be asked for.
    """
    if seconds is None:
        return None
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise RemogptError(
            f"seconds must lie between {MIN_SECONDS:g} and {MAX_SECONDS:g}, got {seconds:g}; choose a length within"
        )
    return round(seconds * FPS)


def plan_pieces(text: str, length: int | None) -> list[Piece]:
    """Cut a motion of `length` codes into pieces of nearly equal length; one piece where it fits.

    A text of several sentences is spread over several pieces in order, so that each is asked for once and not in every
    piece; with fewer sentences than pieces each lasts for some.
    """
    if length is None or length <= MAX_CODES:
        return [Piece(text, length)]
    count = 1 + -(-(length - MAX_CODES) // (MAX_CODES - OVERLAP))
    total = length + (count - 1) * OVERLAP
    lengths = [total // count + (number < total % count) for number in range(count)]
    texts = _spread(text, count)
    return [Piece(*pair, OVERLAP if number else 0) for number, pair in enumerate(zip(texts, lengths, strict=True))]


def _spread(text: str, count: int) -> list[str]:
    """Share out the sentences of a text over `count` pieces, in order and as evenly as can be."""
    sentences = _SENTENCE_END.split(clean_text(text))  # cleaned first: what is left of a sentence has words
    if len(sentences) == 1:
        return [text] * count
    bounds = [number * len(sentences) // count for number in range(count + 1)]
    return [" ".join(sentences[first : max(last, first + 1)]) for first, last in pairwise(bounds)]


def first_candidates(rows: Sequence[int], _pieces: Sequence[Piece], codes: Sequence[np.ndarray]) -> Sequence[int]:
    """Choose each motion's first candidate."""
    return range(0, len(codes), len(codes) // len(rows))


def write_pieces(
    lm: MotionLanguageModel,
    plans: Sequence[Sequence[Piece]],
    prompts: Sequence[Sequence[Prompt]],
    sampling: Sampling,
    seed: int | None = None,
    candidates: int = 1,
    choose: Choose = first_candidates,
    mix: Mix = lambda prompts, lengths: None,
) -> list[np.ndarray]:
    """Write motions piece by piece, the same piece of all motions together.

    Args:
        lm: the language model.
        plans: pieces per motion (`plan_pieces`).
        prompts: one per piece.
        sampling, seed: as in `generate_codes`. A motion depends on its place among the others, and on nothing else of
            theirs.
        candidates: how many are written of each piece.
        choose: which of them is kept, and gone on from.
        mix: what adds evidence of its own to the scores.

    Returns:
        one (N,) int64 array per motion.
    """
    written = [np.empty(0, dtype=np.int64) for _ in plans]
    for number in range(max(map(len, plans), default=0)):
        rows = [row for row, plan in enumerate(plans) if number < len(plan)]
        pieces = [plans[row][number] for row in rows]
        begun = [written[row][len(written[row]) - piece.overlap :] for row, piece in zip(rows, pieces, strict=True)]
        lengths = [None if piece.length is None else piece.length - piece.overlap for piece in pieces]
        streams = [[row * candidates + one, *([number] if number else [])] for row in rows for one in range(candidates)]
        each = [length for length in lengths for _ in range(candidates)]
        new = lm.generate_codes(
            [prompts[row][number] for row in rows for _ in range(candidates)],
            each,
            sampling,
            seed=seed,
            begun=[codes for codes in begun for _ in range(candidates)],
            streams=streams,
            mixer=mix([(row, number) for row in rows for _ in range(candidates)], each),
        )
        whole = [np.concatenate([begun[place // candidates], codes]) for place, codes in enumerate(new)]
        for row, piece, place in zip(rows, pieces, choose(rows, pieces, whole), strict=True):
            written[row] = np.concatenate([written[row], whole[place][piece.overlap :]])
    return written


def reading_windows(features: np.ndarray) -> list[np.ndarray]:
    """Cut a motion (T, F) into windows of nearly equal length that the language model can read at once.

    HumanML3D's longest clips, 199 frames, are 49 codes and one window.
    """
    count = -(-(len(features) // FRAMES_PER_CODE) // MAX_CODES)
    return list(np.array_split(features, max(1, count)))
