"""BERTScore by a tiny local model: the same sentence is 1, another one less, and a missing model is named."""

import shutil
from pathlib import Path

import pytest

from remogpt.eval.text.bertscore import bert_score_f1, check_bert_model
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


def test_a_score_is_rescaled_by_the_baseline_of_a_model_of_that_name(model: str, tmp_path: Path) -> None:
    """A folder that is called as a model that bert-score knows has that model's layer and baseline."""
    with pytest.raises(RemogptError, match=r"has no baseline for .* take roberta-large"):
        bert_score_f1(["a person walks"], [["a person walks"]], model, rescale=True)
    known = shutil.copytree(model, tmp_path / "bert-base-uncased")
    layer, baseline = check_bert_model(str(known), rescale=True)
    assert layer == 9 and baseline is not None and Path(baseline).name == "bert-base-uncased.tsv"
    captions, references = ["a person walks", "the right"], [["a man waves"], ["a woman runs"]]
    plain = bert_score_f1(captions, references, str(known), num_layers=1)
    rescaled = bert_score_f1(captions, references, str(known), num_layers=1, rescale=True)
    base = float(Path(baseline).read_text().splitlines()[2].split(",")[3])  # layer 1, F
    assert rescaled == pytest.approx((plain - base) / (1 - base), abs=1e-5)
