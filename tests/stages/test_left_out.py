"""One bad motion never stops a whole: it is named before work begins, left out, and counted."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.retriever import MotionDatabase
from remogpt.runtime.files import read_json
from remogpt.runtime.training.loop import LoopConfig
from remogpt.stages import train_tokenizer
from remogpt.tokenizer_vqvae.train import TokenizerConfig

LOOP = LoopConfig(steps=2, batch_size=4, learning_rate=1e-3, save_every=2, cpu=True)
SMALL = TokenizerConfig(width=16, num_codes=32, code_dim=16, depth=1, window=32, loop=LOOP)


@pytest.fixture
def broken_set(tiny_set: Path, tmp_path: Path) -> tuple[Path, str, str]:
    """A set of which one training and one validation motion hold NaN; their ids."""
    folder = tmp_path / "set"
    shutil.copytree(tiny_set, folder)
    motions = MotionTextSet.open(folder)
    names = [motions.clips(split)[0].file_id for split in ("train", "val")]
    for name in names:
        path = folder / "new_joint_vecs" / f"{name}.npy"
        rows = np.load(path)
        rows[11, 5] = np.nan
        np.save(path, rows)
    return folder, *names  # type: ignore[return-value]


def test_training_names_them_and_a_repaired_set_goes_on(
    broken_set: tuple[Path, str, str], tiny_set: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from dataclasses import replace

    folder, *names = broken_set
    out = tmp_path / "tokenizer"
    train_tokenizer(folder, out=out, config=SMALL)
    for name in names:
        assert f"{name}.npy holds nan in frame 11" in caplog.text
    assert set(read_json(out / "run" / "left_out.json")) == set(names)
    first = [json.loads(line) for line in (out / "run" / "log.jsonl").read_text().splitlines()]
    for name in names:
        shutil.copy(tiny_set / "new_joint_vecs" / f"{name}.npy", folder / "new_joint_vecs" / f"{name}.npy")
    train_tokenizer(folder, out=out, config=replace(SMALL, loop=replace(LOOP, steps=2)))  # the checkpoint is taken
    assert [json.loads(line) for line in (out / "run" / "log.jsonl").read_text().splitlines()][: len(first)] == first
    assert set(read_json(out / "run" / "left_out.json")) == set(names)


def test_a_database_is_built_of_the_others_and_the_exit_code_says_so(
    run: Any, broken_set: tuple[Path, str, str], tiny_model: Path, tmp_path: Path
) -> None:
    folder, train, val = broken_set
    whole = len(MotionTextSet.open(folder).clips("all", 8, 10**9))
    (folder / "texts" / "empty.txt").write_text("##0.0#0.0\n")
    np.save(folder / "new_joint_vecs" / "empty.npy", np.zeros((60, 263), dtype=np.float32))
    with (folder / "all.txt").open("a") as file:
        file.write("empty\n")
    ran = run("db", "build", folder, "--split", "all", "--out", tmp_path / "db", "--model", tiny_model, "--no-facts")
    assert ran.code == 1 and "4 motions or captions of" in ran.err, ran.err
    database = MotionDatabase.open(tmp_path / "db")
    assert len(database) == whole - 2 and not {train, val, "empty"} & set(database.rows)
    assert run("encode", "--set", folder, "--split", "all", "--out", tmp_path / "e", "--model", tiny_model).code == 1
    assert run("data", "stats", folder).code == 1


def test_an_evaluation_leaves_bad_motions_out(
    run: Any, broken_set: tuple[Path, str, str], tiny_model: Path, tmp_path: Path
) -> None:
    folder, _, val = broken_set
    words = ("--data", folder, "--out", tmp_path / "out", "--model", tiny_model, "--config.splits", '["val"]')
    ran = run("eval", "retrieval", *words)
    items = len(MotionTextSet.open(folder).clips("val")) - 1
    if items:
        assert ran.code == 1 and read_json(tmp_path / "out" / "results.json")["results"], ran.err
    else:
        assert ran.code == 2 and f"{val}.npy holds nan in frame 11" in ran.err


def test_a_caption_that_cannot_be_answered_costs_itself_alone(
    run: Any, tiny_set: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "set", tmp_path / "out"
    shutil.copytree(tiny_set, folder)
    bad, good = (clip.file_id for clip in MotionTextSet.open(folder).clips("val"))
    (folder / "texts" / f"{bad}.txt").write_text("< >##0.0#0.0\n")
    with (folder / "texts" / f"{good}.txt").open("a") as file:
        file.write("qz7!" * 300 + "##0.0#0.0\n")
    settings = ("--config.splits", '["val"]', "--config.best_of", "[1]", "--config.controls", "false")
    ran = run("eval", "facts", "--data", folder, "--out", out, "--model", tiny_model, *settings)
    report = read_json(out / "results.json")
    assert ran.code == 1 and "could not be used and were left out" in ran.err, ran.err
    assert f"{bad}, caption 1" in report["left_out"] and len(report["left_out"]) == 2
    items = report["results"]["facts/val/no_retrieval"]["scores"]["items"]
    assert [item["id"] for item in items] == [good]
    assert f"{bad}, caption 1" in (out / "report.md").read_text()
    assert run("eval", "tokenizer", "--data", folder, "--out", out, "--model", tiny_model, *settings).code == 0


def test_a_bad_item_of_given_captions_costs_itself_alone(run: Any, tmp_path: Path) -> None:
    given = [{"id": "a", "caption": "a man walks", "references": ["a man walks"]}, {"id": "b", "caption": 7},
             {"id": "a", "caption": "a man runs", "references": ["a man runs"]}]  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(given))
    ran = run("eval", "captioning", "--captions", tmp_path / "c.json", "--out", tmp_path / "out")
    assert ran.code == 1 and "2 motions or captions of" in ran.err, ran.err
    report = read_json(tmp_path / "out" / "results.json")
    assert report["results"]["captioning/all/files"]["scores"]["num_items"] == 1
    assert [place.rpartition(" ")[2] for place in report["left_out"]] == ["1", "2"]
    (tmp_path / "c.json").write_text(json.dumps(given[1:2]))
    assert "item 0 of" in run("eval", "captioning", "--captions", tmp_path / "c.json", "--out", tmp_path).complaint
