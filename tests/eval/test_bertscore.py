"""BERTScore by a tiny local model: the same sentence is 1, another one less, and a missing model is named."""

import shutil
from pathlib import Path

import pytest

from remogpt.eval.text.bertscore import bert_score_f1
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json


@pytest.fixture
def model(tiny_text_model: Path, tmp_path: Path) -> str:
    """The tiny text model with a longest sentence, which every published one has."""
    folder = shutil.copytree(tiny_text_model, tmp_path / "model")
    settings = read_json(folder / "tokenizer_config.json")
    write_json(folder / "tokenizer_config.json", {**settings, "model_max_length": 64})
    return str(folder)


def test_the_closest_reference_counts(model: str) -> None:
    references = [["a man waves", "a person walks"], ["a woman runs", "the left"]]

    def score(*captions: str) -> float:
        return bert_score_f1(captions, references, model)

    assert score("a person walks", "a woman runs") == pytest.approx(1.0, abs=1e-5)
    assert score("a person walks", "the right") < 0.999


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=r"cannot load the model .*nothing"):
        bert_score_f1(["a person walks"], [["a person walks"]], str(tmp_path / "nothing"))
