"""What a killed process leaves goes with the next write of the same file; what another process writes stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import remogpt
from remogpt.runtime import leftovers
from remogpt.runtime.files import atomic_folder, write_text
from remogpt.runtime.folders.component import save_component

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such locks on Windows")
KILLED = """
import os, sys
from pathlib import Path
from remogpt.runtime.files import atomic_folder, write_text
def stop(self, target):
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), 9)
    print("writing", flush=True)
    sys.stdin.read()
Path.replace = stop
if sys.argv[2] == "folder":
    with atomic_folder("a") as folder:
        (folder / "half").touch()
elif sys.argv[2] == "file":
    write_text("a.txt", "half")
else:
    import torch
    from remogpt.runtime.folders.component import save_component
    save_component(".", "copy", {}, {"weight": torch.zeros(1)})
"""
NAMES = {"folder": ["a"], "file": ["a.txt"], "component": ["config.json", "model.safetensors"]}


def start(how: str, what: str, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(remogpt.__file__).parents[1])}
    command = [sys.executable, "-c", KILLED, how, what]
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def write(what: str, folder: Path) -> list[str]:
    """Write the same here; return what is in the folder then."""
    if what == "folder":
        with atomic_folder(folder / "a") as made:
            (made / "whole").touch()
    elif what == "file":
        write_text(folder / "a.txt", "whole")
    else:
        import torch

        save_component(folder, "copy", {}, {"weight": torch.zeros(1)})
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("what", list(NAMES))
def test_what_a_killed_process_left_goes_with_the_next_write(what: str, tmp_path: Path) -> None:
    assert start("kill", what, tmp_path).wait(60) == -9
    assert len(list(tmp_path.iterdir())) == 1
    assert write(what, tmp_path) == NAMES[what]


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    process = start("wait", "file", tmp_path)
    assert process.stdout is not None and process.stdout.readline() == b"writing\n"
    (own,) = tmp_path.iterdir()
    assert write("file", tmp_path) == [own.name, "a.txt"]
    process.kill()
    process.wait()
    assert write("file", tmp_path) == ["a.txt"]


def test_other_hidden_files_stay(tmp_path: Path) -> None:
    names = [".a.b.txt", ".a.abcdefgh.csv", ".b.abcdefgh.txt", ".a.ABCDEFGH.txt", ".env", "a.abcdefgh.txt"]
    for name in names:
        (tmp_path / name).touch()
    assert write("file", tmp_path) == sorted([*names, "a.txt"])


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_locks", None)
    (tmp_path / ".a.abcdefgh.txt").touch()
    assert write("file", tmp_path) == [".a.abcdefgh.txt", "a.txt"]
