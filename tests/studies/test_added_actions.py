"""Facts of added actions are counted on their own and on other clips."""

from pathlib import Path

from remogpt.data.procedural.make import make_procedural_set
from remogpt.data.procedural.vocabularies import WIDE
from remogpt.runtime.files import read_json
from studies.added_actions import main


def test_own_facts_hold_and_others_seldom_do(tmp_path: Path) -> None:
    make_procedural_set(tmp_path / "set", 40, seed=4, workers=1, vocabulary=WIDE)
    main(["--data", str(tmp_path / "set"), "--out", str(tmp_path / "found.json")])
    rows = read_json(tmp_path / "found.json")["facts"].values()
    count = sum(row["facts"] for row in rows)
    assert len(rows) > 8 and all(row["predicates_own"] == 1 for row in rows)
    for judge in ("predicates", "second_detectors"):
        own, shuffled = (sum(row[f"{judge}_{rate}"] * row["facts"] for row in rows) for rate in ("own", "shuffled"))
        assert own > 0.9 * count and shuffled < 0.3 * count
