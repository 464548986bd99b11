"""`remogpt search --inside`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.compose import join_motions
from remogpt.runtime.folders.model_folder import assemble


@pytest.fixture
def recording(tiny_set: Path, tmp_path: Path) -> Path:
    """Two clips, one after the other: joints (T, 22, 3)."""
    clips = [np.load(tiny_set / "new_joints" / f"{name}.npy") for name in ("000003", "000004")]
    path = tmp_path / "recording.npy"
    np.save(path, join_motions(clips)[0])
    return path


@pytest.fixture
def model(tiny_components: Any, tmp_path: Path) -> Path:
    """A tiny model that comes without a database."""
    components = {
        "tokenizer": tiny_components.tokenizer,
        "retriever": tiny_components.retriever,
        "lm": tiny_components.lm,
    }
    assemble(tmp_path / "model", components, None, "tiny", "MIT")
    return tmp_path / "model"


def test_spans_are_printed_best_first(run, model: Path, recording: Path) -> None:
    ran = run("search", "a person walks", "--inside", recording, "-k", 3, "--model", model)
    rows = [re.fullmatch(r"(-?\d\.\d{3})  (\d+\.\d\d)-(\d+\.\d\d) s", line) for line in ran.out.splitlines()]
    assert ran.code == 0 and 1 <= len(rows) <= 3 and all(rows), ran.out
    scores = [float(row[1]) for row in rows if row]
    asked = ("search", "a person walks", "--inside", recording, "-k", 3, "--model", model, "--json")
    spans = json.loads(run(*asked).out)
    assert scores == sorted(scores, reverse=True) and scores == pytest.approx([s["score"] for s in spans], abs=6e-4)
    frames = len(np.load(recording)) - 1
    for span in spans:
        assert 0 <= span["start_frame"] < span["end_frame"] <= frames and span["score"] <= span["cosine"]
        assert (span["start"], span["end"]) == (span["start_frame"] / 20, span["end_frame"] / 20)


def test_windows_and_another_retriever(run, model: Path, recording: Path) -> None:
    asked = ("search", "a person walks", "--inside", recording, "--json")
    frames = len(np.load(recording)) - 1
    by_model = run(*asked, "--windows", "20,30", "--model", model)
    for span in (spans := json.loads(by_model.out)):
        assert span["end_frame"] - span["start_frame"] in (20, 30)
    assert len(spans) > 1 and frames > 60
    alone = run(*asked, "--windows", "20,30", "--retriever", model / "retriever")
    assert alone.out == by_model.out
    paper = json.loads(run(*asked, "--windows", "paper", "--retriever", model / "retriever").out)
    assert all(span["score"] == span["cosine"] and span["end_frame"] - span["start_frame"] <= 60 for span in paper)
    assert "leave --model out" in run(*asked, "--retriever", model / "retriever", "--model", model).complaint


def test_a_plot_is_drawn_beside_the_answer(run, model: Path, recording: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plots" / "curve.png"
    ran = run("search", "walks", "--inside", recording, "--plot", plot, "--model", model)
    assert ran.code == 0 and ran.out and plot.read_bytes().startswith(b"\x89PNG")


def test_what_a_user_may_get_wrong(run, model: Path, recording: Path, tmp_path: Path) -> None:
    inside = ("--inside", recording)
    cases = {
        inside: "give the words to look for",
        ("  ", *inside): "give the words to look for",
        ("walks", *inside, "-k", 0): "k must be at least 1, got 0",
        ("walks", "--inside", tmp_path / "absent.bvh"): "no file",
        ("walks", *inside, "--plot", tmp_path / "curve.pdf"): "wanted a .png file",
        ("walks", *inside, "--like", recording): "not a database; leave out --like",
        ("walks", *inside, "--route", "t2m", "--database", tmp_path): "leave out --route, --database",
        ("walks", "--plot", tmp_path / "curve.png"): "name the recording with --inside",
        ("walks", "--windows", "20"): "--windows is of a search in one recording; name the recording with --inside",
        ("walks", *inside, "--windows", "long"): "--windows wants frames separated by commas (20,40,60), or paper",
        ("walks", *inside, "--windows", "0"): "a stride of at least 1 frame",
    }
    for words, message in cases.items():
        assert message in run("search", *words, "--model", model).complaint, words
