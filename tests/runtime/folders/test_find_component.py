"""Every component is opened in the same ways: by its own folder, by a model's, by a name on the hub, or embedded."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from remogpt.lm import MotionLanguageModel
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.retriever import MotionDatabase, TextMotionRetriever
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.find_model import embedded_model, find_component
from remogpt.runtime.folders.model_folder import assemble
from remogpt.tokenizer_vqvae import MotionTokenizer

OPEN: dict[str, Any] = {
    "tokenizer": MotionTokenizer.from_pretrained,
    "retriever": TextMotionRetriever.from_pretrained,
    "lm": MotionLanguageModel.from_pretrained,
    "copy": CopyHead.from_pretrained,
    "database": MotionDatabase.open,
}
WITH_WEIGHTS = tuple(kind for kind in OPEN if kind != "database")


@pytest.fixture(scope="module")
def model(tiny_components: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that holds every kind of component. Read it only."""
    folder = tmp_path_factory.mktemp("components")
    tokenizer, retriever = (OPEN[kind](getattr(tiny_components, kind)) for kind in ("tokenizer", "retriever"))
    head = CopyHead(tokenizer.code_vectors)
    head.config = {"tokenizer": tokenizer.hash, "retriever": retriever.hash}
    head.save_pretrained(folder / "copy")
    components = {kind: getattr(tiny_components, kind) for kind in ("tokenizer", "retriever", "lm")}
    assemble(folder / "model", {**components, "copy": folder / "copy"}, tiny_components.database, "tiny", "MIT")
    return folder / "model"


@pytest.mark.parametrize("kind", OPEN)
def test_the_same_component_by_every_way(kind: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = read_json(model / "remogpt.json")["hashes"][kind]
    assert OPEN[kind](model / kind).hash == wanted, "its own folder"
    assert OPEN[kind](str(model)).hash == wanted, "the model's folder"
    asked: list[str] = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name: asked.append(name) or str(model))
    assert OPEN[kind]("owner/tiny").hash == wanted and asked == ["owner/tiny"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPEN)
def test_without_a_path_it_is_the_embedded_models(kind: str) -> None:
    assert OPEN[kind]().hash == read_json(embedded_model("mini") / "remogpt.json")["hashes"][kind]


@pytest.mark.parametrize("kind", WITH_WEIGHTS)
@pytest.mark.parametrize("device", ["meta", torch.device("meta")])
def test_it_runs_where_it_is_told(kind: str, device: Any, model: Path) -> None:
    assert _device_of(OPEN[kind](model)) == torch.device("cpu")
    assert _device_of(OPEN[kind](model, device=device)) == torch.device("meta")


def _device_of(component: Any) -> torch.device:
    network = getattr(component, "network", component)
    return next(network.parameters()).device


def test_a_retriever_moves_by_name_or_by_device(model: Path) -> None:
    retriever = OPEN["retriever"](model)
    assert retriever.to("meta").device == retriever.to(torch.device("meta")).device == torch.device("meta")


@pytest.mark.parametrize("kind", OPEN)
def test_a_folder_of_another_kind_is_refused(kind: str, model: Path) -> None:
    other = "lm" if kind == "tokenizer" else "tokenizer"
    message = f"wanted a {kind}, but .*{other} holds a {other}" if kind in WITH_WEIGHTS else "no motion database in"
    with pytest.raises(RemogptError, match=message):
        OPEN[kind](model / other)


@pytest.mark.parametrize("kind", OPEN)
def test_a_model_without_the_component_is_named_with_its_place(kind: str, model: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(model, tmp_path / "bare", ignore=shutil.ignore_patterns(kind))
    with pytest.raises(MissingPathError, match=rf"no (motion )?{kind} in {bare / kind}"):
        OPEN[kind](bare)


@pytest.mark.parametrize("kind", OPEN)
def test_what_is_neither_here_nor_on_the_hub(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingPathError, match=f"no folder 'runs/none'.* on the hub .*wanted the folder of a {kind}"):
        OPEN[kind]("runs/none")


def test_components_side_by_side_need_no_manifest(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model / "lm", tmp_path / "imported" / "lm")
    assert find_component(tmp_path / "imported", "lm") == tmp_path / "imported" / "lm"
    assert find_component(tmp_path / "imported", "tokenizer") == tmp_path / "imported"
