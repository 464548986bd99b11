"""The benchmark of following examples in captions, on two clips."""

import json
from pathlib import Path

import pytest

from benchmarks import caption_copying


@pytest.mark.slow
def test_every_way_has_a_row_in_every_table(tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    caption_copying.main(
        ["--data", str(tiny_set), "--splits", "val", "--strengths", "2", "--clips", "2", "--out", str(out)]
    )
    table = json.loads(out.read_text())["splits"]["val"]
    assert {"no_retrieval", "prompt_only", "followed_2", "followed_not_in_the_prompt"} <= set(table)
    assert table["retrieved_as_it_is"]["copies"] == 100.0
    assert all({"cider", "bleu4", "rougeL"} <= set(row) for row in table.values())
