"""The study of the second detectors on a few clips, and the facts that it takes to be wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.procedural.facts import facts_of
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion.facts import Fact
from studies import second_detectors as study
from studies.contradictions import contradictions


def wrong_of(*steps: tuple[Action, ...]) -> list[Fact]:
    script = Script(tuple(Step(step) for step in steps))
    return contradictions(script, facts_of(script), np.random.default_rng(0))


def test_each_true_fact_is_contradicted_in_its_own_factor() -> None:
    wrong = wrong_of((Action("wave", "left", count=3),))
    assert wrong[0] == Fact("waves", {"side": "right"})
    assert wrong[1].name == "waves" and wrong[1].params["count"] in (2, 4)
    wrong = wrong_of((Action("walk", direction="forward", distance=3.0),))
    assert Fact("walks", {"direction": "backward"}) in wrong
    assert {fact.params["distance"] for fact in wrong if "distance" in fact.params} <= {1.5, 5.4}
    five = [fact.params["count"] for fact in wrong_of((Action("clap", count=5),)) if "count" in fact.params]
    assert five[0] in (3, 7)


def test_orders_are_exchanged_and_steps_are_not_simultaneous() -> None:
    wave, bow = Fact("waves", {"side": "left"}).to_json(), Fact("bows").to_json()
    wrong = [fact.to_json() for fact in wrong_of((Action("wave", "left", count=3),), (Action("bow"),))]
    assert {"name": "before", "params": {"first": bow, "second": wave}} in wrong
    assert {"name": "while", "params": {"first": wave, "second": bow}} in wrong


def test_what_another_action_shows_is_not_taken_to_be_wrong() -> None:
    wrong = wrong_of((Action("kick", "left", "forward", count=1),), (Action("kick", "right", "forward", count=1),))
    assert Fact("kicks", {"side": "right"}) not in wrong and Fact("kicks", {"side": "left"}) not in wrong
    assert not any(fact.name == "jumps" and not fact.params for fact in wrong_of((Action("jumping_jack", count=2),)))


def test_rates_and_common_answers_are_counted() -> None:
    claims = [[(Fact("bows"), True), (Fact("sits"), False), (Fact("claps"), False)]]
    found = study.agreement(claims, [np.zeros(1)], lambda facts, joints: [fact.name != "sits" for fact in facts])
    assert found["all"] == {"found": 1.0, "refused": 0.5, "balanced": 0.75, "num_true": 1, "num_wrong": 2}
    assert found["name claps"]["refused"] == 0.0 and found["name claps"]["found"] is None
    common = study._common(np.array([[True, True], [True, False], [False, False], [False, False]]))
    assert (common["same"], common["kappa"], common["second_detectors"]) == (0.75, pytest.approx(0.5), 0.5)


def test_the_study_writes_its_tables(tmp_path: Path) -> None:
    words = ["--seed", "101", "--clips", "6", "--generated", "2", "--out", str(tmp_path / "study.json")]
    assert study.main(words) == 0
    results = json.loads((tmp_path / "study.json").read_text())
    assert results["animation"]["second_detectors"]["all"]["balanced"] > 0.9
    assert set(results["generated_by_mini"]) == {"claimed", "contradicted"}
    assert (
        f"| all | {100 * results['animation']['second_detectors']['all']['found']:.1f} / "
        in (tmp_path / "study.md").read_text()
    )


def test_the_committed_tables_are_those_of_the_committed_numbers() -> None:
    results = json.loads(study.RESULTS.read_text())
    assert study.RESULTS.with_suffix(".md").read_text() == study.markdown(results)
    assert results["seed"] == study.SEED and results["clips"] == study.CLIPS
