"""The study of captions chooses among the same candidates by every rule, and tells what it chose."""

from dataclasses import replace
from pathlib import Path

import pytest

from remogpt.runtime.files import read_json
from studies import caption_choice as study
from studies.caption_choice import Asked, Candidate

TRUE = Candidate("a person waves the right hand", 0.3, 1.0, [True], [True])
LONG = Candidate("a person waves the right hand and bows", 0.35, 1.0, [True, False, False], [True, False, True])
MUTE = Candidate("a person is there", 0.32, 1.0, [], [])


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ("the likeliest words", MUTE), ("cosine", LONG), ("share, 0.8", TRUE), ("balance, 0.05", TRUE),
        ("balance, 0.1", TRUE),
    ],
)  # fmt: skip
def test_rules(rule: str, chosen: Candidate) -> None:
    every = [MUTE, LONG, TRUE]
    assert max(every, key=lambda one: study.RULES[rule](one, every)) is chosen


def test_overlap_counts_words_pairs_threes_and_fours() -> None:
    assert study.overlap("he waves now", "he waves now") == pytest.approx(0.75), "three words hold no four"
    assert study.overlap("he waves", "she bows") == 0.0
    assert study.overlap("he waves", "he bows") == pytest.approx(0.5 / 4)


def test_what_is_chosen_is_scored() -> None:
    copied = replace(TRUE, copied=True)
    asked = [Asked(["a person waves the right hand"], [MUTE, LONG, copied]), Asked(["he"], [LONG])]
    row = study.measure(asked, study.balance(0.1))
    assert row["copies"] == 0.5 and row["claims"] == 2.0
    assert study.measure(asked, study.new(0.3))["copies"] == 0.0
    assert row["hold"] == 0.5 and row["hold_by_second_detectors"] == 0.75


def test_the_whole_study_on_a_few_motions(tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    study.main(["--data", str(tiny_set), "--clips", "2", "--out", str(out)])
    results = read_json(out)
    assert list(results["splits"]) == ["val", "unseen"] and results["clips"] == 2
    assert list(results["splits"]["unseen"]) == list(study.RULES)
    best = results["splits"]["unseen"]["balance, 0.1"]
    assert best["hold"] >= results["splits"]["unseen"]["cosine"]["hold"]
    assert "| balance, 0.1 |" in out.with_suffix(".md").read_text()
