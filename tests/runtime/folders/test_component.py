"""Components of a model folder: strict, whole, and what they say they are."""

from pathlib import Path

import pytest
import torch

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.folders.component import load_component, save_component


def saved(folder: Path) -> str:
    return save_component(
        folder, "tokenizer", {"width": 4}, {"w": torch.ones(2, 2), "n": torch.tensor(3)},
        {"mean": torch.zeros(2)}, dtype=torch.float16,
    )  # fmt: skip


def test_round_trip(tmp_path: Path) -> None:
    component_hash = saved(tmp_path / "a")
    component = load_component(tmp_path / "a", "tokenizer")
    assert component.hash == component_hash and component.config == {"width": 4}
    assert component.tensors["w"].dtype == torch.float32 and component.tensors["n"].item() == 3
    assert component.normalizer["mean"].tolist() == [0, 0]
    assert saved(tmp_path / "b") == component_hash


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(MissingPathError, match=r"model.safetensors missing \(it holds config.json"):
        load_component(tmp_path, "tokenizer")


def test_an_edited_part_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    text = (tmp_path / "config.json").read_text().replace('"width": 4', '"width": 5')
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RemogptError, match="not what was saved"):
        load_component(tmp_path, "tokenizer")


def test_another_kind_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(RemogptError, match=r"wanted a retriever, but .* holds a tokenizer"):
        load_component(tmp_path, "retriever")
