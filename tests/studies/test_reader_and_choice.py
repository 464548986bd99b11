"""The studies of the reader and of how answers are chosen, on a few captions."""

from pathlib import Path

import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.make import make_procedural_set
from remogpt.motion.facts import Fact
from remogpt.pipeline import ReMoGPT
from remogpt.reader import CaptionReader
from studies import answer_choice, reader


@pytest.fixture(scope="module")
def model() -> ReMoGPT:
    return ReMoGPT.from_pretrained(device="cpu")


def test_the_reader_of_mini_understands_the_grammar(model: ReMoGPT) -> None:
    known = reader.grammar_captions(20, 0.0, unseen=True)
    assert len(known) == 20
    found = reader.scores(known, model.reader.read([text for text, _ in known]), model.reader.language)
    assert found["recall"] > 0.8 and found["precision"] > 0.8
    nothing = reader.scores(known, CaptionReader.read(model.reader, ["xyzzy"] * 20), model.reader.language)
    assert nothing["recall"] < 0.2


def test_facts_choose_better_than_the_cosine(model: ReMoGPT, tmp_path: Path) -> None:
    make_procedural_set(tmp_path / "set", 60, seed=2, workers=1)
    queries = answer_choice.val_queries(MotionTextSet(tmp_path / "set"), 2)
    assert queries and all(isinstance(fact, Fact) for query in queries for fact in query.claimed)
    found = answer_choice.study(model, queries, "few")
    assert set(found["both, read"]) == {str(weight) for weight in answer_choice.WEIGHTS}
    assert found["first retrieved, claimed"]["3.0"] >= found["first retrieved, claimed"]["0.0"] - 1e-9
    assert "| both, oracle |" in answer_choice.table({"few": found})


def test_unseen_combinations_are_of_no_training_split() -> None:
    (query,) = answer_choice.unseen_queries(1)
    assert query.facts and query.text
