"""The study of guides writes what its rows are called, and puts everything back."""

import pytest

from remogpt.pipeline import ReMoGPT, generation
from remogpt.pipeline.segment import Guide
from studies import guides
from studies.answer_choice import Query


@pytest.fixture(scope="module")
def model() -> ReMoGPT:
    return ReMoGPT.from_pretrained(device="cpu")


QUERY = Query("a person waves with the left hand, then sits down", [])


@pytest.mark.parametrize(
    ("examples", "way"),
    [("by facts", "written"), ("joined, 2", "guided"), ("joined, 2, strength 9", "guided"), ("none", "written")],
)
def test_a_row_is_written_after_its_examples(model: ReMoGPT, examples: str, way: str) -> None:
    ((features, came),) = guides.write(model, [QUERY], examples, 1)
    assert came == way and features.shape[1] == 263
    assert generation.Guide is Guide


def test_the_motions_that_hold_most_are_two_of_the_database(model: ReMoGPT) -> None:
    ids = guides.most_held(model, QUERY.text)
    assert len(set(ids)) == 2 and set(ids) <= model.database().rows.keys()


def test_a_guide_is_weighed(model: ReMoGPT) -> None:
    with guides.guided(3.0):
        assert generation.Guide(("a",), "", QUERY.facts, 0.0).weight == 3.0  # type: ignore[arg-type]
    assert generation.Guide(("a",), "", QUERY.facts, 0.0).weight == 2.0  # type: ignore[arg-type]
