"""Putting components together, and refusing those that do not belong together."""

import shutil
from pathlib import Path

import pytest
import torch

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, write_json, write_text
from remogpt.runtime.folders.component import save_component
from remogpt.runtime.folders.model_folder import assemble, read_manifest

COMPONENTS = ("tokenizer", "retriever", "lm")


@pytest.fixture
def components(tmp_path: Path) -> dict[str, Path]:
    made = {kind: tmp_path / "components" / kind for kind in COMPONENTS}
    for number, (kind, folder) in enumerate(made.items()):
        save_component(folder, kind, {"size": number}, {"weight": torch.full((2,), float(number))})
    return made


@pytest.fixture
def database(components: dict[str, Path], tmp_path: Path) -> Path:
    """Two versions of a database that these components built; the second is in use."""
    folder = tmp_path / "database"
    hashes = {f"{kind}_hash": read_json(components[kind] / "config.json")["hash"] for kind in COMPONENTS}
    for version in ("old", "new"):
        write_json(folder / "versions" / version / "manifest.json", hashes)
    write_text(folder / "CURRENT", "new\n")
    return folder


def test_a_model_is_its_parts_and_the_version_in_use(components, database: Path, tmp_path: Path) -> None:
    manifest = assemble(tmp_path / "model", components, database, "mine", "MIT")
    assert read_manifest(tmp_path / "model") == manifest
    assert manifest["hashes"].keys() == {*COMPONENTS, "database"} and manifest["name"] == "mine"
    assert [path.name for path in (tmp_path / "model/database/versions").iterdir()] == ["new"]


@pytest.fixture
def copy(components: dict[str, Path], tmp_path: Path) -> Path:
    """A copy head of these components."""
    hashes = {kind: read_json(components[kind] / "config.json")["hash"] for kind in ("tokenizer", "retriever")}
    save_component(tmp_path / "copy", "copy", hashes, {"weight": torch.zeros(2)})
    return tmp_path / "copy"


def test_a_copy_head_belongs_to_the_model_where_there_is_one(components, copy: Path, tmp_path: Path) -> None:
    manifest = assemble(tmp_path / "model", {**components, "copy": copy}, None, "mine", "MIT")
    assert manifest["hashes"]["copy"] == read_json(copy / "config.json")["hash"]
    assert read_manifest(tmp_path / "model") == manifest
    shutil.rmtree(tmp_path / "model" / "copy")
    with pytest.raises(MissingPathError, match="no copy in"):
        read_manifest(tmp_path / "model")


def test_a_copy_head_of_other_parts_is_refused(components, copy: Path, tmp_path: Path) -> None:
    save_component(components["retriever"], "retriever", {"size": 9}, {"weight": torch.ones(2)})
    with pytest.raises(RemogptError, match=r"was trained with retriever \w{12}, but retriever \w{12} was given"):
        assemble(tmp_path / "model", {**components, "copy": copy}, None, "mine", "MIT")


def test_a_copy_head_goes_with_a_tokenizer_that_has_the_codes_of_its_own(
    components, copy: Path, tmp_path: Path
) -> None:
    own = read_json(components["tokenizer"] / "config.json")["hash"]
    for codes_of, fits in ((own, True), ("0" * 64, False)):
        save_component(components["tokenizer"], "tokenizer", {"codes_of": codes_of}, {"weight": torch.ones(2)})
        parts = {**components, "copy": copy}
        if fits:
            assert assemble(tmp_path / "model", parts, None, "mine", "MIT")["hashes"]["tokenizer"] != own
        else:
            with pytest.raises(RemogptError, match="was trained with tokenizer"):
                assemble(tmp_path / "other", parts, None, "mine", "MIT")


def test_the_training_run_stays_behind_but_a_parts_own_folders_come_along(components, tmp_path: Path) -> None:
    write_text(components["lm"] / "run" / "training.pt", "large")
    write_text(components["lm"] / "text" / "run" / "kept.json", "{}")
    assemble(tmp_path / "model", components, None, "mine", "MIT")
    assert not (tmp_path / "model/lm/run").exists() and (tmp_path / "model/lm/text/run/kept.json").is_file()


def test_an_earlier_model_is_replaced_even_from_its_own_components(components, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assemble(out, components, None, "first", "MIT")
    assemble(out, {kind: out / kind for kind in COMPONENTS}, None, "second", "MIT")
    assert read_manifest(out)["name"] == "second"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_nothing_else_is_ever_replaced(components, tmp_path: Path) -> None:
    write_text(tmp_path / "home" / "thesis.txt", "years")
    with pytest.raises(RemogptError, match=r"holds something else than a model \(thesis.txt"):
        assemble(tmp_path / "home", components, None, "mine", "MIT")
    with pytest.raises(RemogptError, match="is a file"):
        assemble(tmp_path / "home" / "thesis.txt", components, None, "mine", "MIT")
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years"


def test_a_failed_assembly_leaves_the_earlier_model(
    components, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "model"
    assemble(out, components, None, "first", "MIT")

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr(shutil, "copytree", fails)
        assemble(out, components, None, "second", "MIT")
    assert read_manifest(out)["name"] == "first"


def test_a_database_of_other_parts_is_refused(components, database: Path, tmp_path: Path) -> None:
    save_component(components["tokenizer"], "tokenizer", {"size": 9}, {"weight": torch.zeros(2)})
    with pytest.raises(RemogptError, match=r"was built with tokenizer .* but tokenizer .* is in use"):
        assemble(tmp_path / "model", components, database, "mine", "MIT")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("kind", COMPONENTS)
def test_another_part_in_its_place_is_refused(components, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "model"
    assemble(folder, components, None, "mine", "MIT")
    save_component(folder / kind, kind, {"size": 9}, {"weight": torch.zeros(2)})
    with pytest.raises(RemogptError, match=f"the {kind} in .* has hash .* but remogpt.json names"):
        read_manifest(folder)
    shutil.rmtree(folder / kind)
    with pytest.raises(MissingPathError, match=f"no {kind} in .*config.json and model.safetensors missing"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "wanted object, got array"),
        ('{"hashes": {"lm": "x"}}', "should name the hashes"),
        ('{"format": 99, "hashes": {"tokenizer": "", "retriever": "", "lm": ""}}', "newer than 1; upgrade"),
    ],
)
def test_a_manifest_that_is_none(components, tmp_path: Path, content: str, message: str) -> None:
    assemble(tmp_path / "model", components, None, "mine", "MIT")
    (tmp_path / "model" / "remogpt.json").write_text(content)
    with pytest.raises(RemogptError, match=message):
        read_manifest(tmp_path / "model")


def test_a_database_whose_version_is_gone_is_named(components, database: Path, tmp_path: Path) -> None:
    assemble(tmp_path / "model", components, database, "mine", "MIT")
    shutil.rmtree(tmp_path / "model" / "database" / "versions")
    with pytest.raises(MissingPathError, match="has no version 'new'"):
        read_manifest(tmp_path / "model")
