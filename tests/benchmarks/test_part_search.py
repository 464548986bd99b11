"""The benchmark of search by body parts, on the tiny set."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import part_search


def test_both_galleries_have_every_row(tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_search, "LEAST", 1)
    part_search.main([str(tiny_set), "--count", "2", "--out", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["train"]["clips"] == 12 and found["held out"]["clips"] == 3
    assert set(found["train"]["rows"]) == set(found["held out"]["rows"])
    asked = [row for row in found["train"]["rows"].values() if row["queries"]]
    assert asked and all(0 < value <= 1 for row in asked for value in row["map"].values())


def test_average_precision_of_a_ranking_by_hand() -> None:
    scores, relevant = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    assert part_search.average_precision(scores, relevant) == pytest.approx((1 + 2 / 3) / 2)
