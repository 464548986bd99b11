"""The study of what true motions show beside their actions: counts, and the table that it writes."""

import zlib
from pathlib import Path

import pytest
import yaml

from remogpt import ReMoGPT
from remogpt.motion import unasked
from remogpt.motion.facts import Fact
from remogpt.runtime.files import read_json, write_json
from studies import beside as study

ACTIONS = ("turns", "squats")


def clips(own: str, others: str, count: int = 1) -> list[study.Shown]:
    return [(frozenset(own.split()), frozenset(others.split()))] * count


def test_what_one_of_a_hundred_clips_shows_is_expected() -> None:
    seen = [*clips("walks", "turns", 2), *clips("walks", "squats"), *clips("walks", "", 148), *clips("sits", "squats")]
    assert study.table(seen, ACTIONS) == {"squats": ["sits"], "turns": ["walks"]}


def test_what_no_action_of_a_clip_lets_expect() -> None:
    expected = {"squats": ["sits"], "turns": ["walks"]}
    tried = [*clips("walks waves", "turns"), *clips("waves sits", "turns squats"), *clips("waves jumps", "squats")]
    assert study.unexpected(tried, expected) == {"turns": 1, "squats": 1}


@pytest.mark.slow
def test_the_table_is_made_of_a_set(tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, table = tmp_path / "beside.json", tmp_path / "beside.yaml"
    words = ["beside", "table", "--data", str(tiny_set), "--clips", "8", "--out", str(out), "--table", str(table)]
    monkeypatch.setattr("sys.argv", words)
    study.main()
    assert yaml.safe_load(table.read_text()).keys() == yaml.safe_load(study.TABLE.read_text()).keys()
    found = read_json(out)["table"]
    assert 0 < found["clips"]["one action"] <= 8 and 0 < found["clips"]["several"] <= 4


def test_answers_are_compared_with_and_without_the_cost() -> None:
    model = ReMoGPT.from_pretrained(device="cpu")
    found = study.answers(model, ["a person waves with the left hand", "xyzzy", "someone bows"], lambda _: 10.0)
    assert found["captions"] == 3 and 2 <= found["understood"] <= 3
    assert found["predicates"]["held"] > 0.5 and found["predicates"]["not_expected"] == 0
    assert unasked.cost_of_strange(()) != 10.0
    facts = [[Fact("waves", {"side": "left"})], [Fact("cartwheels")]]
    assert study.held(model, ["a person waves with the left hand"] * 2, facts, unasked.cost_of_strange) == {
        "predicates": 0.5, "second_detectors": 0.5,
    }  # fmt: skip


def test_captions_are_of_one_half(tmp_path: Path) -> None:
    captions = {f"{number:06d}": [f"one {number}", f"two {number}"] for number in range(20)} | {"M000001": ["mirrored"]}
    write_json(tmp_path / "captions.json", {"captions": captions})
    found = study.captions_of(tmp_path / "captions.json", 50)
    half = [key for key in captions if zlib.crc32(key.encode()) % 2 == 0 and key[0] != "M"]
    assert {text.split()[1] for text in found} <= {str(int(key)) for key in half} and len(found) >= len(half) - 2
