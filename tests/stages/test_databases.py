"""Databases built and searched for neighbours by Python functions."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import remogpt
from remogpt import stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.retriever import MotionDatabase, Neighbours, TextMotionRetriever
from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae import MotionTokenizer


def test_paths_objects_and_the_command_line_give_one_database(
    run: Any, tiny_set: Path, tiny_model: Path, tiny_components: Any, tmp_path: Path
) -> None:
    ran = run("db", "build", tiny_set, "--split", "train", "--out", tmp_path / "command", "--model", tiny_model)
    assert ran.code == 0, ran.err
    wanted = MotionDatabase.open(tmp_path / "command").hash
    by_path = stages.build_database(tiny_set, out=tmp_path / "paths", split="train", model=tiny_model)
    opened = {"retriever": TextMotionRetriever.from_pretrained(tiny_components.retriever),
              "tokenizer": MotionTokenizer.from_pretrained(tiny_components.tokenizer)}  # fmt: skip
    motions = MotionTextSet.open(tiny_set)
    by_components = stages.build_database(motions, out=tmp_path / "objects", split="train", **opened)
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    by_model = stages.build_database(motions, out=tmp_path / "model", split="train", model=model)
    assert by_path.hash == by_components.hash == by_model.hash == wanted
    assert by_components.search(text="a person walks", k=2), "what was built is open for searching"


def test_neighbours_are_those_of_the_command_line(run: Any, tiny_components: Any, tmp_path: Path) -> None:
    database = MotionDatabase.open(tiny_components.database)
    found = stages.find_neighbours(database, out=tmp_path / "python.safetensors", depth=4)
    assert run("db", "neighbours", database.path, "--out", tmp_path / "command.safetensors", "--depth", 4).code == 0
    assert (tmp_path / "python.safetensors").read_bytes() == (tmp_path / "command.safetensors").read_bytes()
    read = Neighbours.load(tmp_path / "python.safetensors", database)
    assert found.header["depth"] == read.header["depth"] == 4
    assert all(np.array_equal(found.tensors[name], read.tensors[name]) for name in found.tensors)


def test_limit_and_empty(tiny_set: Path, tiny_model: Path, tmp_path: Path) -> None:
    few = stages.build_database(tiny_set, out=tmp_path / "few", model=tiny_model, split="all", limit=5, compact=True)
    assert [info.id for info in few.infos()] == ["000000", "000003", "000006", "000009", "000012"]
    assert len(stages.build_database(tiny_set, out=tmp_path / "none", model=tiny_model, empty=True)) == 0


def test_what_is_refused_before_anything_is_loaded(tiny_set: Path, tiny_components: Any, tmp_path: Path) -> None:
    components = {
        "retriever": tiny_components.retriever,
        "tokenizer": tiny_components.tokenizer,
        "model": tmp_path / "nowhere",
    }
    for named, message in (
        (components, "leave nothing of --model to be used"),
        ({"limit": -1}, "--limit must be at least 0"),
        ({"min_frames": 3}, "--min-frames at least 4"),
        ({"split": "trian"}, "no split 'trian'"),
    ):
        with pytest.raises(RemogptError, match=message):
            stages.build_database(tiny_set, out=tmp_path / "out", **named)
    with pytest.raises(RemogptError, match=r"must end in \.safetensors, got '.*n\.txt'"):
        stages.find_neighbours(tiny_components.database, out=tmp_path / "n.txt")
    assert not (tmp_path / "out").exists()


def test_a_set_of_normalised_features_is_refused(tiny_set: Path, tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_set, tmp_path / "set")
    for file in (tmp_path / "set" / "new_joint_vecs").glob("*.npy"):
        features = np.load(file)
        np.save(file, ((features - features.mean(0)) / (features.std(0) + 1e-3)).astype(np.float32))
    with pytest.raises(RemogptError, match=r"the features seem to be normalised, \(x - mean\) / std"):
        stages.build_database(tmp_path / "set", out=tmp_path / "database", model=tiny_model)
