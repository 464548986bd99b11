"""The guidance study on two clips: every way is measured once, and the table tells it."""

from pathlib import Path

import pytest

from remogpt.runtime.files import read_json
from studies import guidance as study
from studies.guidance import Way


def test_rows_are_measured_once(tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = [Way(2.0, length="shown"), Way(2.0, 3.0, "examples", "first", best_of=2), Way(follows=False, length="true")]
    monkeypatch.setattr(study, "GRIDS", {"few": ways})
    out = tmp_path / "study.json"
    words = ["--data", str(tiny_set), "--split", "train", "--clips", "2", "--grid", "few", "--out", str(out)]
    study.main(words)
    rows = read_json(out)["rows"]
    assert [(row["guidance"], row["best_of"], row["follows"]) for row in rows] == [
        (2.0, 1, True), (2.0, 2, True), (1.0, 1, False)
    ]  # fmt: skip
    assert all(0 <= row["facts"] <= 100 and row["codes"] > 0 for row in rows) and rows[2]["codes_off"] < 1
    table = out.with_suffix(".md").read_text()
    assert f"| mini | train (2) | none |  | 1 |  | true | 1 | {rows[2]['facts']:.1f} ±" in table

    monkeypatch.setattr(study, "measure", lambda *_: pytest.fail("measured again"))
    study.main(words)
    study.main([*words, "--name", "mini"])
    assert read_json(out)["rows"] == rows
