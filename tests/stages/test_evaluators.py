"""Which evaluator a path names, what it learned from, and when it may not evaluator a model."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.evaluators.import_guo import load_released
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import RetrieverConfig, train_retriever
from remogpt.retriever.training.tmr import TMRTrainingConfig, train_tmr
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.folders.model_folder import assemble
from remogpt.runtime.folders.training_record import TrainingRecord, read_record, write_record
from remogpt.runtime.training.loop import LoopConfig
from remogpt.stages.evaluators import open_evaluator, why_dependent

MOTIONS = [np.random.default_rng(seed).normal(size=(44, 263)).astype(np.float32) for seed in (0, 1)]


@pytest.fixture(scope="module")
def trained(tiny_set: Path, tiny_text_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Retrievers of two steps: a, b (another seed), tmr (another network) of one set, and c of half of it."""
    folder = tmp_path_factory.mktemp("trained")
    motions = MotionTextSet.open(tiny_set)
    train, val = (TrainingPairs.from_set(motions, split) for split in ("train", "val"))
    half = TrainingPairs.from_arrays(train.captions[:6], [train.load(index) for index in range(6)])
    small = PLTMRConfig(part_width=16, num_layers=1, num_heads=2, feedforward=32, patch=8, projection_dim=16,
                        text_width=16, text_layers=1, text_heads=2, text_feedforward=32)  # fmt: skip
    for name, seed, pairs in (("a", 0, train), ("b", 7, train), ("c", 0, half)):
        loop = LoopConfig(steps=2, batch_size=4, seed=seed, cpu=True)
        config = RetrieverConfig(model=small, text_model=str(tiny_text_model), fine_tune_text=False, loop=loop)
        train_retriever(config, pairs, val, folder / "runs" / name, folder / name)
    config = TMRTrainingConfig(model=TMRConfig(width=16, num_layers=1, feedforward=32), text_model=str(tiny_text_model),
                               filter_threshold=None, loop=LoopConfig(steps=2, batch_size=4, cpu=True))  # fmt: skip
    train_tmr(config, train, val, folder / "runs" / "tmr", folder / "tmr")
    return folder


def test_a_training_leaves_a_record_of_what_it_learned_from(trained: Path, tiny_set: Path) -> None:
    motions = MotionTextSet.open(tiny_set)
    first, second, other = (read_json(trained / name / "training.json") for name in ("a", "b", "c"))
    assert (first["set"], first["seed"], second["seed"]) == (motions.name, 0, 7)
    assert first["clips"] == len(motions.clips("train", max_frames=199)) and other["clips"] == 6
    assert first["data"] == second["data"] != other["data"]
    assert first["part"] == TextMotionRetriever.from_pretrained(trained / "a").hash


@pytest.mark.parametrize(("folder", "name"), [("a", "pl_tmr"), ("tmr", "tmr")])
def test_a_retriever_is_an_evaluator(trained: Path, folder: str, name: str) -> None:
    evaluator, retriever = open_evaluator(trained / folder), TextMotionRetriever.from_pretrained(trained / folder)
    assert (evaluator.name, evaluator.hash) == (name, retriever.hash)
    assert (
        evaluator.trained_on is not None
        and evaluator.trained_on.endswith("seed 0)")
        and "clips, data " in evaluator.trained_on
    )
    np.testing.assert_array_equal(evaluator.encode_text(["a man walks"], [()]), retriever.encode_text(["a man walks"]))
    np.testing.assert_array_equal(evaluator.encode_motion(MOTIONS), retriever.encode_motion(MOTIONS))


def test_guos_evaluator_is_an_evaluator_in_either_variant(guo_release: Path, tmp_path: Path) -> None:
    evaluator = load_released([guo_release])
    evaluator.save_pretrained(tmp_path / "guo")
    evaluator = open_evaluator(tmp_path / "guo")
    assert (evaluator.name, evaluator.hash, evaluator.trained_on) == ("guo-packed", evaluator.hash, None)
    np.testing.assert_array_equal(evaluator.encode_motion(MOTIONS), evaluator.encode_motion(MOTIONS))
    other = open_evaluator(tmp_path / "guo", "unpacked")
    assert other.name == "guo-unpacked" and other.hash != evaluator.hash
    with pytest.raises(RemogptError, match="unknown evaluator variant 'loose'; choose one of packed, unpacked"):
        open_evaluator(tmp_path / "guo", "loose")


def test_what_is_no_evaluator(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=r"only Guo et al.'s evaluator has variants"):
        open_evaluator(trained / "a", "packed")
    with pytest.raises(MissingPathError, match=r"no evaluator in .*: there is no such folder; give a folder made by"):
        open_evaluator(tmp_path / "nowhere")
    with pytest.raises(MissingPathError, match=r"it has no config\.json"):
        open_evaluator(tmp_path)
    write_json(tmp_path / "config.json", {"kind": "tokenizer"})
    with pytest.raises(RemogptError, match="holds a component of kind 'tokenizer'"):
        open_evaluator(tmp_path)
    write_json(tmp_path / "config.json", {"model": "?"})
    with pytest.raises(RemogptError, match="holds something else"):
        open_evaluator(tmp_path)


def test_who_may_not_score_a_model(trained: Path, make_tiny_components, guo_release: Path, tmp_path: Path) -> None:
    components = make_tiny_components(tmp_path / "components", 0)
    model = tmp_path / "model"
    assemble(
        model,
        {"tokenizer": components.tokenizer, "retriever": trained / "a", "lm": components.lm},
        None,
        "m",
        "unknown",
    )
    assert (model / "retriever" / "training.json").is_file(), "assemble takes the record along"
    opened = SimpleNamespace(manifest=read_json(model / "remogpt.json"), folder=model)
    alone = SimpleNamespace(manifest=opened.manifest, folder=trained / "a")
    load_released([guo_release]).save_pretrained(tmp_path / "guo")
    expected = {
        trained / "a": "is the model's own retriever",
        model: "is the model's own retriever",
        trained / "b": "was trained on the same data as the model's retriever: ",
        trained / "tmr": "was trained on the same data as the model's retriever: ",
        trained / "c": None,
        components.retriever: None,  # nothing is known of it
        tmp_path / "guo": None,
    }
    for evaluator, reason in expected.items():
        found = why_dependent(evaluator, opened)
        assert found == why_dependent(evaluator, alone), "a retriever alone is known as well as in a model"
        assert found is None if reason is None else reason in found, evaluator
    assert why_dependent(trained / "a", SimpleNamespace(manifest={"hashes": {}})) is None
    assert "own retriever" in why_dependent(trained / "a", SimpleNamespace(manifest=opened.manifest))
    with pytest.raises(MissingPathError, match="no evaluator in"):
        why_dependent(tmp_path / "nowhere", opened)


def test_a_record_of_a_part_that_lay_there_before_is_not_taken(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "c", tmp_path / "component")
    shutil.copy(trained / "a" / "training.json", tmp_path / "component" / "training.json")
    assert open_evaluator(tmp_path / "component").trained_on is None
    other = SimpleNamespace(
        manifest={"hashes": {"retriever": read_json(trained / "b" / "config.json")["hash"]}}, folder=trained / "b"
    )
    assert why_dependent(tmp_path / "component", other) is None
    assert why_dependent(trained / "a", other) is not None
    write_record(tmp_path / "component", TrainingRecord("by hand"))
    assert open_evaluator(tmp_path / "component").trained_on == "by hand"
    assert str(TrainingRecord("s", "d" * 64, 3, 10)) == "s (10 clips, data dddddddddddd, seed 3)"
    write_json(tmp_path / "component" / "training.json", {"data": "x"})
    with pytest.raises(RemogptError, match="missing required field set"):
        read_record(tmp_path / "component")
