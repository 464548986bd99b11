"""The trial of changed code: where changes are made, which tests look at them, and what counts."""

from pathlib import Path

import numpy as np
import pytest

mutants = pytest.importorskip("fuzz.mutants", reason="no cosmic-ray: pip install '.[dev]'")

CHANGED = "remogpt/motion/rotations.py"


@pytest.mark.slow
def test_places_are_drawn_anew_alike() -> None:
    first, second, other = (mutants.draw(3, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == second != other
    assert len({(place.file, place.line, place.column) for place in first}) == 3


@pytest.mark.slow
def test_the_nearest_tests_come_first() -> None:
    own, near, *_ = mutants.tests_of(CHANGED)
    assert own == ["tests/motion/test_rotations.py"]
    steps = [mutants.steps_from(test)[CHANGED] for test in near]
    assert steps == sorted(steps) and not set(own) & set(near)
    assert "remogpt/motion/motion.py" in mutants.imports_of("tests/test_seeds.py"), "a room passes its names on"


@pytest.mark.slow
def test_a_change_that_matters_is_noticed(tmp_path: Path) -> None:
    copy = mutants.copy_of_project(tmp_path)
    source = (mutants.PROJECT / CHANGED).read_text(encoding="utf-8")
    for changed, outcome in ((source, "passed"), (source.replace("1.0", "1.5"), "failed")):
        (copy / CHANGED).write_text(changed, encoding="utf-8")
        told, test = mutants.run_tests(copy, mutants.tests_of(CHANGED)[0], 120)
        assert told == outcome and test.startswith("FAILED tests/motion/test_rotations.py" if test else "")


def test_equal_mutants_are_not_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    equal = tmp_path / "equal.yaml"
    equal.write_text("- {file: remogpt/a/b.py, was: x, is: y, why: nobody sees it}\n")
    monkeypatch.setattr(mutants, "EQUAL", equal)
    place = {"file": "remogpt/a/b.py", "was": "x", "is": "y"}
    tried = [
        {**place, "outcome": "survived"}, {**place, "is": "z", "outcome": "survived"},
        *({**place, "outcome": "killed"} for _ in range(3)),
    ]  # fmt: skip
    found = mutants.score(tried)
    assert (found["mutants"], found["equal"], found["survived"], found["killed_share"]) == (5, 1, 1, 0.75)
    assert found["rooms"] == {"a": {"survived": 2, "killed": 3}} and found["equal_ones"][0]["why"] == "nobody sees it"


def test_a_change_is_found_where_its_lines_are_now() -> None:
    places = [place for several in mutants.places_of(mutants.PROJECT / CHANGED).values() for place in several]
    place = places[len(places) // 2]
    told = {**mutants.changed_by(place)[1], "line": place.line + 9}
    found = mutants.same_change(told)
    assert found is not None and mutants.changed_by(found)[0] == mutants.changed_by(place)[0]
    assert mutants.same_change({**told, "was": "no such line"}) is None
    assert mutants.same_change({**told, "file": "remogpt/no_such_file.py"}) is None
