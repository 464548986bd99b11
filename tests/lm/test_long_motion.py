"""Long motions: their plan, and that the codes are written once each."""

from collections.abc import Sequence

import numpy as np
import pytest

from remogpt.lm import MotionLanguageModel, Sampling
from remogpt.lm.long_motion import OVERLAP, Piece, num_frames, plan_pieces, reading_windows, write_pieces
from remogpt.lm.model import MAX_CODES
from remogpt.prompts import text_to_motion_prompt
from remogpt.runtime.errors import RemogptError


def test_what_fits_is_one_piece() -> None:
    text = "a person walks. then sits down."
    assert plan_pieces(text, None) == [Piece(text, None)]
    assert plan_pieces(text, MAX_CODES) == [Piece(text, MAX_CODES)]


def test_pieces_fit_and_add_up() -> None:
    for length in range(MAX_CODES + 1, 301):
        plan = plan_pieces("a person walks", length)
        lengths = [piece.length or 0 for piece in plan]
        assert max(lengths) <= MAX_CODES and max(lengths) - min(lengths) <= 1
        assert [piece.overlap for piece in plan] == [0] + [OVERLAP] * (len(plan) - 1)
        assert sum(lengths) - OVERLAP * (len(plan) - 1) == length
        assert len(plan) == 1 + -(-(length - MAX_CODES) // (MAX_CODES - OVERLAP))
    assert [piece.length for piece in plan_pieces("a person walks", 100)] == [42, 41, 41]


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
    assert [piece.text for piece in plan_pieces(text, length)] == texts


def test_lengths_in_seconds() -> None:
    assert (num_frames(None), num_frames(0.4), num_frames(5.15), num_frames(60)) == (None, 8, 103, 1200)
    for seconds in (0.39, 60.05, float("nan"), float("inf")):
        with pytest.raises(RemogptError, match=r"between 0\.4 and 60, got"):
            num_frames(seconds)


def test_greedy_pieces_go_on_from_what_is_written(model: MotionLanguageModel) -> None:
    plans = [plan_pieces("a person walks", 100), plan_pieces("kick", 9), plan_pieces("a man", 60)]
    prompts = [
        [text_to_motion_prompt(piece.text, num_frames=4 * (piece.length or 0)) for piece in plan] for plan in plans
    ]
    greedy = Sampling(temperature=0.0)
    written = write_pieces(model, plans, prompts, greedy)
    assert [len(codes) for codes in written] == [100, 9, 60]
    ends = (0, 42, 71, 100)
    for number, prompt in enumerate(prompts[0]):
        start, stop = ends[number], ends[number + 1]
        begun = written[0][max(0, start - OVERLAP) : start]
        (rest,) = model.generate_codes([prompt], [stop - start], greedy, begun=[begun])
        assert np.array_equal(rest, written[0][start:stop])


def test_candidates_are_chosen_piece_by_piece(model: MotionLanguageModel) -> None:
    plans = [plan_pieces("a person walks", 60), plan_pieces("kick", 9)]
    prompts = [[text_to_motion_prompt(piece.text) for piece in plan] for plan in plans]
    seen: list[tuple[Sequence[int], list[int]]] = []

    def last(rows: Sequence[int], pieces: Sequence[Piece], codes: Sequence[np.ndarray]) -> list[int]:
        seen.append((list(rows), [len(row) for row in codes]))
        assert [piece.text for piece in pieces] == ["a person walks", "kick"][: len(rows)]
        if len(seen) == 2:  # all go on from the candidate that was chosen
            assert all(np.array_equal(row[:OVERLAP], codes[0][:OVERLAP]) for row in codes)
            assert not np.array_equal(codes[0], codes[1])
        return [3 * number + 2 for number in range(len(rows))]

    written = write_pieces(model, plans, prompts, Sampling(), 5, 3, last)
    assert seen == [([0, 1], [36] * 3 + [9] * 3), ([0], [36] * 3)]
    by_place = model.generate_codes([row[0] for row in prompts for _ in range(3)], [36] * 3 + [9] * 3, seed=5)
    assert np.array_equal(written[0][:36], by_place[2]) and np.array_equal(written[1], by_place[5])
    assert [len(codes) for codes in written] == [60, 9]


def test_windows_to_read() -> None:
    for num_frames_given, lengths in ((3, [3]), (199, [199]), (200, [100, 100]), (400, [134, 133, 133])):
        assert [len(window) for window in reading_windows(np.zeros((num_frames_given, 2)))] == lengths
