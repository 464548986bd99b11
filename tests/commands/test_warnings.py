"""Warnings on the command line: one line each on stderr, fields of the JSON."""

import json
import shutil
from pathlib import Path

import pytest

from remogpt.notices import KnownWords


@pytest.fixture(scope="module")
def model_with_words(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words") / "model"
    shutil.copytree(tiny_model, folder)
    KnownWords.from_captions(["a person walks twice", "someone waves"]).save(folder / "lm")
    return folder


def test_generate_tells_each_reason_once(run, model_with_words: Path, tmp_path: Path) -> None:
    words = ("generate", "a person never wlaks", "--seconds", 1, "--model", model_with_words, "--format", "npy")
    ran = run(*words, "--num-samples", 2, "--out", tmp_path / "several", "--json")
    assert [line for line in ran.err.splitlines() if line.startswith("warning: ")] == [
        'warning: "wlaks" is read as "walks"',
        'warning: "never wlaks": the model cannot promise what is not to happen',
    ]
    rows = json.loads(ran.out)
    assert [[one["kind"] for one in row["warnings"]] for row in rows] == [["misspelling", "negation"]] * 2
    assert "warning" not in run(*words[:1], "a person walks", *words[2:6], "--out", tmp_path / "one.npy").err
