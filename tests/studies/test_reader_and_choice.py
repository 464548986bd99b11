"""The studies of the reader and of how answers are chosen, on a few captions."""

from pathlib import Path

import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.make import make_procedural_set
from remogpt.motion.facts import Fact
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.reader import CaptionReader
from studies import answer_choice, reader


@pytest.fixture(scope="module")
def model() -> ReMoGPT:
    return ReMoGPT.from_pretrained(device="cpu")


def test_the_reader_of_mini_understands_the_grammar(model: ReMoGPT) -> None:
    known = reader.grammar_captions(model.reader.vocabulary, 20, 0.0, unseen=True)
    assert len(known) == 20
    found = reader.scores(known, model.reader.read([text for text, _ in known]))
    assert found["recall"] > 0.8 and found["precision"] > 0.8
    nothing = reader.scores(known, CaptionReader.read(model.reader, ["xyzzy"] * 20))
    assert nothing["recall"] < 0.2


@pytest.mark.slow
def test_facts_choose_better_than_the_cosine(model: ReMoGPT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_procedural_set(tmp_path / "set", 80, seed=2, workers=1)
    queries = answer_choice.val_queries(MotionTextSet(tmp_path / "set"), 3)
    assert queries and all(isinstance(fact, Fact) for query in queries for fact in query.facts)
    monkeypatch.setattr(answer_choice, "WAYS", {"guided": GenerationOptions(guidance=2.0, best_of=2)})
    monkeypatch.setattr(answer_choice, "POOL", 3)
    collect = answer_choice.Collector(model, None)
    rows = answer_choice.collected(tmp_path / "rows.jsonl", queries, collect, "few")
    assert answer_choice.collected(tmp_path / "rows.jsonl", queries, None, "few") == rows, "goes on from the file"
    found = list(answer_choice.choices(rows, "predicates"))
    facts = {(row["chosen from"], row["weight"]): row["facts"] for row in found}
    assert facts["both, guided", 3.0] >= facts["both, guided", 0.0] - 1e-9
    assert facts["retrieved alone", "oracle"] >= facts["retrieved alone", 3.0] - 1e-9
    assert "| both, guided | 1.6 |" in answer_choice.table({"few": {"predicates": found}})


def test_unseen_combinations_are_of_no_training_split() -> None:
    (query,) = answer_choice.unseen_queries(1)
    assert query.facts and query.text
