"""A sample of changes is drawn, tried on the tests beside them, and tried once more where their lines are now."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="no cosmic-ray: pip install '.[dev]'")

from fuzz import mutants
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from studies.mutants import EQUIVALENT, KILLED, SURVIVED, made_again, main, score

SOURCE = "def tripled(count: int) -> int:\n    return count + count + count\n"
TEST = """import importlib.util
from pathlib import Path

file = Path(__file__).parents[2] / "remogpt" / "tiny" / "counts.py"
spec = importlib.util.spec_from_file_location("counts", file)
counts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(counts)


def test_counts() -> None:
    assert counts.tripled(7) == 21
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one file and its test."""
    root = tmp_path / "tiny"
    for path, text in (("remogpt/tiny/counts.py", SOURCE), ("tests/tiny/test_counts.py", TEST)):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text, encoding="utf-8")
    monkeypatch.setattr(mutants, "PROJECT", root)
    monkeypatch.setattr(mutants, "copy_of_project", lambda folder: shutil.copytree(root, folder / "project"))
    return root


def test_a_change_is_drawn_and_noticed_and_noticed_again(project: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    assert main(["--each", "1", "--seed", "3", "--out", str(first)]) == 0
    found = read_json(first, dict)
    (row,) = found["list"]
    assert row["outcome"] == KILLED and row["by"] == "tests/tiny/test_counts.py::test_counts" and found["score"] == 1
    assert row["was"] == SOURCE.splitlines(keepends=True)[1] != row["is"]
    (project / row["file"]).write_text(f'"""Counts."""\n\n{SOURCE}', encoding="utf-8")
    assert main(["--again", str(first), "--out", str(again)]) == 0
    assert read_json(again, dict)["list"] == [row]
    silent = {**row, "is": "    return 3 * count\n"}
    write_json(first, {"list": [silent]})
    assert main(["--again", str(first), "--out", str(again)]) == 1
    assert read_json(again, dict)["list"][0]["outcome"] == SURVIVED


def test_a_change_is_made_at_the_nearest_of_its_lines() -> None:
    source = "a\nb\nc\nb\n"
    assert made_again({"file": "f", "line": 5, "was": "b\n", "is": "x\n"}, source) == "a\nb\nc\nx\n"
    with pytest.raises(RemogptError, match="f no longer has the lines"):
        made_again({"file": "f", "line": 1, "was": "d\n", "is": "x\n"}, source)


def test_what_nobody_could_see_is_not_counted() -> None:
    rows = [{"file": "remogpt/a/b.py", "outcome": one} for one in (KILLED, KILLED, SURVIVED, EQUIVALENT)]
    found = score(rows)
    assert (found["score"], found["killed_of_all"]) == (0.6667, 0.5)
    assert found["rooms"] == {"a": {KILLED: 2, SURVIVED: 1, EQUIVALENT: 1}}
