"""The benchmark of following examples in motions, on two clips."""

import json
from pathlib import Path

import pytest

from benchmarks import copying


@pytest.mark.slow
def test_every_way_has_a_row_in_every_table(tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    words = ["--data", str(tiny_set), "--splits", "val", "--strengths", "2", "--clips", "2", "--out", str(out)]
    copying.main(words)
    found = json.loads(out.read_text())
    table = found["splits"]["val"]
    assert {"real", "real_through_the_tokenizer", "no_retrieval", "copy_2", "retrieved_as_it_is"} <= set(table)
    assert table["real"]["facts"] == 100.0 and table["retrieved_as_it_is"]["copies"] == 100.0
    assert all(row["num_items"] == 2 for row in table.values())

    copying.main([*words, "--ways", "no_retrieval"])  # writes this row anew and keeps the others
    assert json.loads(out.read_text())["splits"]["val"] == table
