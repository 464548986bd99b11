"""Files are whole or absent; arrays are numbers or refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.runtime import files
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import (
    atomic_folder,
    atomic_path,
    read_json,
    read_npy,
    sha256_file,
    write_json,
    write_npy,
)
from remogpt.runtime.leftovers import remove_leftovers


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


def test_json_is_written_for_people_unless_told_otherwise(tmp_path: Path) -> None:
    for indent, text in (({}, '{\n  "é": [\n    1\n  ]\n}\n'), ({"indent": None}, '{"é": [1]}\n')):
        write_json(tmp_path / "a.json", {"é": [1]}, **indent)
        assert (tmp_path / "a.json").read_text(encoding="utf-8") == text


def test_json_errors_name_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1,\n}')
    with pytest.raises(RemogptError, match="line 2"):
        read_json(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "b.json")


def test_sha256_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256_file(tmp_path / "empty").startswith("e3b0c44298fc1c14")


CUT = """
import os, sys
from pathlib import Path
from remogpt.runtime import files
from remogpt.runtime.files import atomic_folder
count, last = 0, int(sys.argv[1])
def dying(real):
    def step(*words):
        global count
        count += 1
        if count == last:
            os.kill(os.getpid(), 9)
        return real(*words)
    return step
files._exchange, Path.replace = dying(files._exchange), dying(Path.replace)
with atomic_folder("model") as folder:
    (folder / "new").write_text("new")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems cannot exchange two folders' names")
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_whole_folder_stands_under_the_name_at_every_moment(step: int, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").write_text("old")
    environment = {**os.environ, "PYTHONPATH": str(Path(remogpt.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", CUT, str(step)], cwd=tmp_path, env=environment, check=False)
    assert {path.name for path in (tmp_path / "model").iterdir()} in ({"old"}, {"new"})
    remove_leftovers(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_a_kill_between_two_renames_hid_is_put_back(tmp_path: Path) -> None:
    """As on systems that cannot exchange two names in one step."""
    hidden = tmp_path / ".model.old.a1b2c3d4" / "model"
    hidden.mkdir(parents=True)
    (hidden / "old").write_text("old")
    (tmp_path / ".model.x1y2z3w4").mkdir()
    remove_leftovers(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"] and (tmp_path / "model" / "old").is_file()


def test_without_an_exchange_a_folder_is_replaced_in_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    for name in ("old", "new"):
        with atomic_folder(tmp_path / "model") as folder:
            (folder / name).write_text(name)
    assert [path.name for path in tmp_path.iterdir()] == ["model"] and (tmp_path / "model" / "new").is_file()
