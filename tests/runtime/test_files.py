"""Files are whole or absent; arrays are numbers or refused."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import atomic_folder, atomic_path, read_json, read_npy, sha256_file, write_json, write_npy


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(RuntimeError, match="midway"), atomic_path(tmp_path / "a.json") as temporary:
        temporary.write_text("half")
        raise RuntimeError("midway")
    assert read_json(tmp_path / "a.json") == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "x").write_text("1")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "set") as folder:
        raise RuntimeError
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "y").write_text("2")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["y"]


def test_arrays_round_trip_and_pickles_are_refused(tmp_path: Path) -> None:
    write_npy(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    assert read_npy(tmp_path / "a.npy", mmap=True).tolist() == [[0, 1, 2], [3, 4, 5]]
    np.save(tmp_path / "b.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(RemogptError, match="numeric"):
        read_npy(tmp_path / "b.npy")
    (tmp_path / "c.npy").write_bytes(b"")
    with pytest.raises(RemogptError, match="not a readable"):
        read_npy(tmp_path / "c.npy")
    with pytest.raises(MissingPathError, match="no file"):
        read_npy(tmp_path / "d.npy")


def test_json_errors_name_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1,\n}')
    with pytest.raises(RemogptError, match="line 2"):
        read_json(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "b.json")


def test_sha256_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256_file(tmp_path / "empty").startswith("e3b0c44298fc1c14")
