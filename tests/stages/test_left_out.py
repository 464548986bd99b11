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
