"""Motions by a TMR's decoder: `remogpt generate --retriever` and `remogpt eval generation --retriever`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.data.humanml3d import MotionTextSet
from remogpt.motion import clean_features
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.tmr_decoder import reconstruct, synthesise
from remogpt.retriever.training.new_retriever import new_tmr_retriever
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.training_record import TrainingRecord, write_record
from remogpt.stages.evaluators import why_dependent
from remogpt.stages.tmr_generator import Synthesis


def make_tmr(folder: Path, text_model: Path, tiny_set: Path, is_variational: bool) -> Path:
    torch.manual_seed(0)
    config = TMRConfig(width=16, num_layers=1, num_heads=2, feedforward=32, is_variational=is_variational)
    motions = MotionTextSet.open(tiny_set)
    mean, std = (torch.from_numpy(np.asarray(values)) for values in (motions.mean, motions.std))
    new_tmr_retriever(config, str(text_model), mean, std).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tmr(tiny_text_model: Path, tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained TMR of Gaussians."""
    return make_tmr(tmp_path_factory.mktemp("tmr") / "tmr", tiny_text_model, tiny_set, is_variational=True)


def test_one_caption_is_decoded_to_a_file(run, tmr: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for seed, file in enumerate(files):
        ran = run("generate", "a person walks", "--retriever", tmr, "--seconds", 2.5, "--seed", seed, "--out", file)
        assert ran.code == 0 and "(2.5 s)" in ran.out and "retrieved" not in ran.out
    with np.load(files[0]) as one, np.load(files[1]) as other:
        assert one["joints"].shape == (50, 22, 3) and np.isfinite(one["joints"]).all()
        assert np.array_equal(one["joints"], other["joints"])  # the mean of the caption's latent
        expected = clean_features(synthesise(TextMotionRetriever.from_pretrained(tmr), ["a person walks"], [50])[0])
        np.testing.assert_allclose(one["features"], expected, atol=1e-4)
    ran = run(
        "generate", "a person walks", "--retriever", tmr, "--seconds", 1, "--out", tmp_path / "walk.bvh", "--json"
    )
    assert json.loads(ran.out)[0] | {"path": ""} == {
        "path": "", "caption": "a person walks", "frames": 20, "seconds": 1.0, "examples": [],
        "copied_from": None, "joined_from": [], "follows": [], "checks": [], "confidence": None, "warnings": [],
    }  # fmt: skip
    assert "Frames: 20" in (tmp_path / "walk.bvh").read_text()


def test_several_motions_are_drawn_with_the_seed(run, tmr: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ran = run("generate", "a man waves", "--retriever", tmr, "--seconds", 1, "--num-samples", 2, "--seed", seed,
                  "--out", tmp_path / name, "--format", "npy")  # fmt: skip
        assert ran.code == 0
    first, again, other = (
        [np.load(path) for path in sorted((tmp_path / name).glob("*.npy"))] for name in ("a", "b", "c")
    )
    assert len(first) == 2 and not np.allclose(*first, atol=1e-4)
    assert np.array_equal(first, again) and not np.allclose(first, other, atol=1e-4)


def test_what_a_decoder_cannot_do_is_refused(
    run, tmr: Path, tiny_set: Path, tiny_model: Path, tiny_text_model: Path, tmp_path: Path
) -> None:
    points = make_tmr(tmp_path / "points", tiny_text_model, tiny_set, is_variational=False)
    before = sorted(path.name for path in tmp_path.iterdir())
    cases = {
        ("--retriever", tmr): "no length of its own; give one with --seconds",
        ("--retriever", tmr, "--seconds", 30): "between 1 and 200 frames, the longest that this TMR was trained on",
        ("--retriever", tmr, "--seconds", ".inf"): "seconds must be a number, got inf",
        ("--retriever", tmr, "--seconds", 2, "--model", tiny_model): "leave --model out",
        ("--retriever", tmr, "--seconds", 2, "--no-retrieval"): "leave --no-retrieval out",
        ("--retriever", tmr, "--seconds", 2, "--best-of", 2): "leave --best-of out",
        ("--retriever", tiny_model, "--seconds", 2): "(PL-TMR) has no decoder",
        ("--retriever", tmp_path / "nowhere", "--seconds", 2): "nowhere",
        ("--retriever", points, "--seconds", 2, "--num-samples", 2): "nothing to draw",
    }
    for words, message in cases.items():
        out = tmp_path / ("m" if "--num-samples" in words else "m.npy")
        assert message in run("generate", "a person walks", *words, "--out", out).complaint, words
    words = ("--retriever", tmr, "--seconds", 2, "--out", tmp_path / "m.npy")
    assert "holds no words" in run("generate", " ", *words).complaint
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.slow
def test_a_decoder_is_scored_like_a_model(run, tmr: Path, tiny_set: Path, tiny_model: Path, tmp_path: Path) -> None:
    words = ("--data", tiny_set, "--retriever", tmr, "--out", tmp_path / "out", "--config.splits", "[train]",
             "--config.num_generation", 5, "--config.repeats", 2, "--config.memorisation", "false")  # fmt: skip
    assert run("eval", "generation", *words, "--evaluator", tiny_model).code == 0
    assert run("eval", "facts", *words).code == 0
    results = read_json(tmp_path / "out" / "results.json")["results"]
    written = ("synthesis", "reconstruction")
    assert set(results) == {
        f"{task}/train/{mode}" for task in ("generation", "facts") for mode in (*written, "real", "nearest_training")
    }
    retriever, motions = TextMotionRetriever.from_pretrained(tmr), MotionTextSet.open(tiny_set)
    for mode in written:
        result = results[f"generation/train/{mode}"]
        assert result["card"]["true_length"] is True and result["card"]["hashes"] == {"retriever": retriever.hash}
        assert len(result["scores"]["items"]) == 5 and np.isfinite(result["scores"]["evaluator"]["fid"]["mean"])
        assert 0.0 <= results[f"facts/train/{mode}"]["scores"]["share"] <= 1.0
        items = result["scores"]["items"]
        real = [motions.features(item["id"])[:196] for item in items]
        if mode == "synthesis":
            decoded = synthesise(retriever, [item["caption"] for item in items], [len(motion) for motion in real])
            expected = [clean_features(motion) for motion in decoded]
        else:
            expected = reconstruct(retriever, real)
        for item, motion in zip(items, expected, strict=True):
            made = np.load(tmp_path / "out" / "motions" / "train" / mode / f"{item['id']}.npy")
            np.testing.assert_allclose(made, motion, atol=1e-4)
    for option, value in (("--model", tiny_model), ("--database", tiny_model), ("--motions", tmp_path)):
        assert "leave --" in run("eval", "generation", *words, option, value).complaint
    complaint = run("eval", "generation", *words[:2], "--retriever", tiny_model, "--out", tmp_path / "x").complaint
    assert "(PL-TMR) has no decoder" in complaint


def test_an_evaluator_that_learned_from_the_same_data_is_named(tmr: Path, tiny_model: Path, tmp_path: Path) -> None:
    own, evaluator = tmp_path / "own", tmp_path / "evaluator"
    shutil.copytree(tmr, own)
    shutil.copytree(tiny_model / "retriever", evaluator)
    assert why_dependent(own, Synthesis(own)) is not None  # itself
    assert why_dependent(evaluator, Synthesis(own)) is None
    for folder in (own, evaluator):
        write_record(folder, TrainingRecord("a set", "d" * 64, 0, 10, read_json(folder / "config.json")["hash"]))
    assert "trained on the same data" in str(why_dependent(evaluator, Synthesis(own)))
