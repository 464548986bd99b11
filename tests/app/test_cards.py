"""Answers as they stand on the page."""

from typing import Any

import pytest

from remogpt.app.page.cards import candidate
from remogpt.motion import Motion
from tests.motion.test_features import moving

ROW: dict[str, Any] = {
    "confidence": 0.5, "checks": [], "warnings": [], "seconds": 1.5, "seed": 3, "copied_from": None, "joined_from": [],
    "follows": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("made_of", "told"),
    [
        ({}, "Written by the model, 1.5 s, seed 3."),
        ({"copied_from": "a<b"}, "The motion <code>a&lt;b</code> of the database, as it is, 1.5 s, seed 3."),
        (
            {"joined_from": ["a<b", "c"]},
            "Stretches of the motions <code>a&lt;b</code> and <code>c</code> of the database, joined, 1.5 s, seed 3.",
        ),
        (
            {"follows": ["a<b", "c"]},
            "Written by the model, which followed stretches of the motions <code>a&lt;b</code> and <code>c</code> of "
            "the database, joined, 1.5 s, seed 3.",
        ),
    ],
    ids=["written", "retrieved", "joined", "guided"],
)
def test_an_answer_tells_what_it_is_made_of(made_of: dict[str, object], told: str) -> None:
    card = candidate({**ROW, **made_of}, Motion.from_joints(moving(30)), 0, "/motions/1")
    assert told in card
