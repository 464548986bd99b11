"""Long motions: how they are divided into segments and windows. What is written: tests/pipeline."""

import numpy as np
import pytest

from remogpt.lm.limits import MAX_CODES
from remogpt.lm.long_motion import OVERLAP, num_frames, reading_windows, segment_lengths, spread_sentences
from remogpt.runtime.errors import RemogptError


def test_what_fits_is_one_segment() -> None:
    assert segment_lengths(None) == [None]
    assert segment_lengths(MAX_CODES) == [MAX_CODES]
    assert spread_sentences("a person walks. then sits down.", 1) == ["a person walks. then sits down."]


def test_segments_fit_and_add_up() -> None:
    for length in range(MAX_CODES + 1, 301):
        lengths = [codes or 0 for codes in segment_lengths(length)]
        assert max(lengths) <= MAX_CODES and max(lengths) - min(lengths) <= 1
        assert sum(lengths) - OVERLAP * (len(lengths) - 1) == length
        assert len(lengths) == 1 + -(-(length - MAX_CODES) // (MAX_CODES - OVERLAP))
    assert segment_lengths(100) == [42, 41, 41]


@pytest.mark.parametrize(
    ("text", "length", "texts"),
    [
        ("a walks", 100, ["a walks"] * 3),
        ("a walks. b sits.", 100, ["a walks.", "a walks.", "b sits."]),
        ("a walks 3.5 m! b sits? c runs", 100, ["a walks 3.5 m!", "b sits?", "c runs"]),
        ("a. b. c. d. e.", 60, ["a. b.", "c. d. e."]),
        (" a.  b. ", 86, ["a.", "b."]),
        ("a walks. ### <>", 60, ["a walks. ### <>"] * 2),
    ],
)
def test_sentences_are_spread_in_order(text: str, length: int, texts: list[str]) -> None:
    assert spread_sentences(text, len(segment_lengths(length))) == texts


def test_lengths_in_seconds() -> None:
    assert (num_frames(None), num_frames(0.4), num_frames(5.15), num_frames(60)) == (None, 8, 103, 1200)
    for seconds in (0.39, 60.05, float("nan"), float("inf")):
        with pytest.raises(RemogptError, match=r"between 0\.4 and 60, got"):
            num_frames(seconds)


def test_windows_to_read() -> None:
    for num_frames_given, lengths in ((3, [3]), (199, [199]), (200, [100, 100]), (400, [134, 133, 133])):
        assert [len(window) for window in reading_windows(np.zeros((num_frames_given, 2)))] == lengths
