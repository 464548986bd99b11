"""Where a model is looked for."""

from pathlib import Path

import pytest

from remogpt.runtime.errors import MissingPathError
from remogpt.runtime.folders.find_model import find_model


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert find_model(tmp_path) == tmp_path
    assert find_model(tmp_path / "a" / "b") == tmp_path / "a" / "b"  # what is missing there is said when it is read


@pytest.mark.parametrize("name", ["models/-mine", "owner/name-that-is-not-there"])
def test_a_path_that_is_neither_here_nor_on_the_hub(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingPathError, match=r"no folder .* and no model of that name on the hub .*check the path"):
        find_model(name)


def test_a_wrong_path_in_a_folder_that_is_here_asks_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("the hub was asked"))
    for path in ("runs/tokenizer", "../model"):
        assert find_model(path) == Path(path)  # what reads it says that it is missing
