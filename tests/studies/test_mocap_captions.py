"""Clips of real motion capture are drawn, captioned, and judgements counted."""

import json
from pathlib import Path

import numpy as np
import pytest

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from studies import mocap_captions
from studies.mocap_captions import draw, main

FRAMES = 30
IDS = {"bandai": "dataset-2_wave-left-hand_active_00{}", "cmu": "5_{}", "utd_mhad": "a{}_s1_t1"}
# Head, shoulders, spine and hips; each arm and leg from the trunk outwards, left and right.
_ARM, _LEG = ((0.2, 1.4), (0.25, 1.1), (0.25, 0.85), (0.25, 0.75)), ((0.1, 0.9), (0.1, 0.5), (0.1, 0.1), (0.1, 0.05))
_STANDING = [
    *((0.0, height, 0.0) for height in (1.65, 1.45, 1.15, 0.95)),
    *(
        (side * x, height, 0.1 * (limb is _LEG and height < 0.1))
        for limb in (_ARM, _LEG)
        for side in (1, -1)
        for x, height in limb
    ),
]
LABELS = ["wave left hand, active", "a dance", "right hand wave"]


@pytest.fixture
def mocap(tmp_path: Path) -> Path:
    """A folder like the sources', of three clips each in which nobody moves."""
    standing = np.repeat(np.array([_STANDING], dtype=float), 3 * FRAMES, axis=0)
    for name, ids in IDS.items():
        np.savez(
            tmp_path / f"{name}.npz", ids=[ids.format(number) for number in (1, 2, 3)],
            offsets=np.arange(4) * FRAMES, fps=30, joints=standing,
        )  # fmt: skip
    np.savez(tmp_path / "cmu_bvh.npz", ids=["6_1"], offsets=np.array([0, FRAMES]), fps=30, joints=standing[:FRAMES])
    trials = {f"5_{n}": {"description": "a dance"} for n in (1, 2, 3)} | {"6_1": {"description": "a walk"}}
    (tmp_path / "cmu_captions.json").write_text(json.dumps(trials))
    (tmp_path / "utd_mhad_actions.json").write_text(json.dumps({f"a{n}": "right hand wave" for n in (1, 2, 3)}))
    return tmp_path


def test_clips_of_each_source_are_drawn_with_their_labels(mocap: Path) -> None:
    drawn = [row for row, _ in draw(mocap, 1, [0, 0, 0])]
    assert [row["text"] for row in drawn] == LABELS
    assert [row["source"] for row in drawn] == list(IDS)
    assert [row["number"] for row, _ in draw(mocap, 2, [0, 0, 0])] == list(range(6))
    assert [row["text"] for row, _ in draw(mocap, 1, [3, 3, 1])] == ["a walk", LABELS[2]]


def test_what_is_passed_over_is_one_number_or_one_each(mocap: Path, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="one for each of bandai, cmu, utd_mhad, got 2"):
        main(["answer", "--mocap", str(mocap), "--skip", "1", "2", "--work", str(tmp_path / "work")])


def test_captions_are_written_and_judgements_counted(
    mocap: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    main(["answer", "--mocap", str(mocap), "--model", str(tiny_model), "--clips", "1", "--work", str(work)])
    answers = read_json(work / "answers.json")["answers"]
    assert [answer["text"] for answer in answers] == LABELS and all(answer["written"] for answer in answers)
    judged = {"0": {"action": True, "side": False}, "1": {"action": True}, "2": {"action": False, "side": True}}
    write_json(work / "judged.json", judged)
    monkeypatch.setattr(mocap_captions, "RESULTS", tmp_path / "results.json")
    main(["count", "--work", str(work)])
    assert capsys.readouterr().out.endswith("1 of 3 are right\n")
    found = read_json(tmp_path / "results.json")
    assert (found["action"], found["side"]) == ({"right": 2, "of": 3}, {"right": 1, "of": 2})
    assert found["source"]["cmu"] == {"right": 1, "of": 1} and "text" not in found["rows"][0]
