"""The study of stored facts on a handful of clips: it asks, measures and draws its table."""

import json
from pathlib import Path

import pytest

from remogpt import stages
from studies import stored_facts as study


def test_the_study_measures_first_hits(tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages.build_database(tiny_set, out=tmp_path / "db", split="train")
    words = ["--set", str(tiny_set), "--database", str(tmp_path / "db"), "--seen", "2", "--unseen", "2"]
    assert study.main([*words, "--out", str(tmp_path / "out.json")]) == 0
    results = json.loads((tmp_path / "out.json").read_text())
    assert results["queries"] == {"seen": 2, "unseen": 2} and results["entries"] == 12
    for held in (held for split in results["held"].values() for held in split.values()):
        means = {key: one["mean"] for key, one in held.items()}
        # Without weight the facts change nothing.
        assert means["true 0.0"] == means["random 0.0"] == means["misread 0.0"]
    best = results["held"]["seen"]["predicates"]
    assert best["true 3.0"]["mean"] >= best["true 0.0"]["mean"] and best["true 3.0"] == best["best"]
    first = f"{100 * best['true 0.0']['mean']:.1f} / "
    assert f"| predicates | true | {first}" in (tmp_path / "out.md").read_text()
    assert "| random |" in capsys.readouterr().out


def test_unseen_queries_are_of_held_out_combinations() -> None:
    queries = study.unseen_queries(2, seed=5)
    assert len(queries) == 2 and all(query.caption and query.facts for query in queries)
    assert queries == study.unseen_queries(2, seed=5)
