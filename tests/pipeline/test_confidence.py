"""Confidence of answers: larger where caption and motion, or an example, lie closer."""

import math

import pytest

from remogpt.pipeline.confidence import OF_CAPTIONS, OF_CHECKED, OF_CHECKED_CAPTIONS, OF_MOTIONS, Calibration, log_odds


@pytest.mark.parametrize("calibration", [OF_MOTIONS, OF_CAPTIONS, OF_CHECKED])
def test_confidence_grows_with_what_speaks_for_an_answer(calibration: Calibration) -> None:
    far, near = calibration.share(0.2, 0.01), calibration.share(0.95, 0.99)
    assert 0 < far < near < 1
    assert calibration.share(0.5, None) == calibration.share(0.5, 0.5)


@pytest.mark.parametrize("calibration", [OF_CHECKED, OF_CHECKED_CAPTIONS])
def test_facts_that_were_seen_speak_for_an_answer(calibration: Calibration) -> None:
    seen = [calibration.share(0.8, 0.9, held) for held in (0.0, 0.5, 1.0)]
    assert seen == sorted(seen) and seen[2] - seen[0] > 0.3
    assert OF_MOTIONS.share(0.8, 0.9, 1.0) == OF_MOTIONS.share(0.8, 0.9), "nothing was checked"


def test_certain_chances_stay_finite() -> None:
    assert math.isfinite(log_odds(0.0)) and log_odds(1.0) == -log_odds(0.0) > 0
