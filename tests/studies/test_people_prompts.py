"""Captions of people are drawn, answered, drawn as strips, and judgements counted."""

import zlib
from pathlib import Path

import pytest

from remogpt import ReMoGPT
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from studies import people_prompts
from studies.people_prompts import answer, draw, main

CAPTIONS = {f"{number:06d}": [f"a person waves {number}", "a man walks"] for number in range(40)}


def test_one_caption_a_clip_of_the_half_that_chose_nothing() -> None:
    drawn = draw({**CAPTIONS, "M000001": ["mirrored"], "006314": ["labelled"]}, 12)
    ids = [one["id"] for one in drawn]
    crcs = [zlib.crc32(key.encode()) for key in ids]
    assert len(ids) == 12 and crcs == sorted(crcs) and all(crc % 2 for crc in crcs)
    assert not {"M000001", "006314"} & set(ids)
    assert all(one["text"] == CAPTIONS[one["id"]][one["caption"]] for one in drawn)


def test_then_another_caption_of_each() -> None:
    alone = draw(CAPTIONS, 3)[2]["id"]
    drawn = draw({**CAPTIONS, alone: ["a person waves"]}, 100)
    clips = list(dict.fromkeys(one["id"] for one in drawn))
    assert [one["id"] for one in drawn[: len(clips)]] == clips
    assert [one["id"] for one in drawn[len(clips) :]] == [key for key in clips if key != alone]
    assert len({(one["id"], one["caption"]) for one in drawn}) == len(drawn)
    assert [one["number"] for one in drawn] == list(range(len(drawn)))


def test_answers_are_drawn_and_judgements_counted(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = draw(CAPTIONS, 6)
    answer(ReMoGPT.from_pretrained(tiny_model, device="cpu"), drawn, tmp_path)
    assert (tmp_path / "strips_0.png").stat().st_size > 10_000
    assert [row["text"] for row in read_json(tmp_path / "answers.json")["answers"]] == [one["text"] for one in drawn]
    right, wrong = {"action": True, "side": True}, {"action": True, "order": False, "note": "the other way round"}
    write_json(tmp_path / "judged.json", {str(number): right if number else wrong for number in range(6)})
    monkeypatch.setattr(people_prompts, "RESULTS", tmp_path / "results.json")
    main(["count", "--work", str(tmp_path)])
    assert capsys.readouterr().out == "5 of 6 are right\n"
    found = read_json(tmp_path / "results.json")
    assert (found["action"], found["order"]) == ({"right": 6, "of": 6}, {"right": 0, "of": 1})
    assert "text" not in found["rows"][0] and found["rows"][0]["note"] == "the other way round"
    assert sum(share["of"] for share in found["made"].values()) == 6
    assert "by the second judge" not in found and "right_again" not in found["rows"][0]
    write_json(tmp_path / "judged_again.json", {str(number): right if number != 2 else wrong for number in range(6)})
    main(["count", "--work", str(tmp_path)])
    found = read_json(tmp_path / "results.json")
    assert (found["all"], found["by the second judge"]) == ({"right": 5, "of": 6}, {"right": 5, "of": 6})
    assert found["judged alike by both"] == 4
    write_json(tmp_path / "judged.json", {"0": right})
    with pytest.raises(RemogptError, match="no judgement of number 1"):
        main(["count", "--work", str(tmp_path)])
