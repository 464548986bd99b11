"""The study of joined motions answers a caption once, and chooses among parts of its candidates."""

import pytest

from remogpt.motion.facts import Fact
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.judge import facts_held
from studies import joined_motions as study
from studies.answer_choice import Query

WAVES, SQUATS = Fact("waves", {"side": "left"}), Fact("squats", {"count": 4})
ORDER = Fact("before", {"first": Fact("squats").to_json(), "second": WAVES.to_json()})
QUERY = Query("a man squats four times and then waves the left hand", [SQUATS, WAVES, ORDER])


@pytest.fixture(scope="module")
def model() -> ReMoGPT:
    return ReMoGPT.from_pretrained(device="cpu")


def test_an_answer_for_each_number_of_joined_motions(model: ReMoGPT) -> None:
    answers = study.answer(model, QUERY)
    assert list(answers) == list(study.SOME)
    assert answers[0][1] != "joined" and not all(facts_held(QUERY.facts, answers[0][0]))
    assert answers[study.MOST][1] == "joined" and all(facts_held(QUERY.facts, answers[study.MOST][0]))
    (own,) = model.generate(QUERY.text, seed=0, options=GenerationOptions(joined=4))
    assert (own.motion.features == answers[4][0][: own.motion.num_frames]).all(), "as the model chooses"


def test_its_cost_is_measured(model: ReMoGPT) -> None:
    seconds = study.cost(model, [QUERY])
    assert list(seconds) == ["without", "with"] and min(seconds.values()) > 0


def test_numbers_of_answers(model: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "r_precision", lambda texts, motions: [0.0, 0.0, float(len(texts) == len(motions))])
    joined = study.answer(model, QUERY)[study.MOST]
    found = study.measure([QUERY, QUERY], [joined, joined], model.retriever)
    assert found["predicates"]["share"] == 1.0 and found["predicates"]["num_facts"] == 6
    assert found["made"] == {"written": 0, "retrieved": 0, "joined": 2} and found["r_precision_top_3"] == 1.0
    assert found["seconds"] == pytest.approx(len(joined[0]) / 20)
