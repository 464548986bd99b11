"""The command line's outermost guard: one sentence for every error, and nothing that a terminal would obey."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import remogpt
from remogpt import cli
from remogpt.data.humanml3d import MotionTextSet


class Raising:
    """A command that fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add_arguments(self, parser: Any) -> None:
        """No arguments."""

    def run(self, args: Any) -> int:
        raise self.error


def imported(cause: BaseException) -> ImportError:
    error = ImportError("initialization failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (TypeError("no \x1b[31mred"), 2, r"TypeError: no \x1b[31mred; no part of the program expected this"),
        (MemoryError(), 2, "the memory is not enough (MemoryError)"),
        (RuntimeError("CUDA out of memory."), 2, "the memory is not enough"),
        (OSError(errno.ENOSPC, "No space left on device", "a.npy"), 2, "a.npy: no space left on device; free some"),
        (PermissionError(errno.EACCES, "Permission denied", "b"), 2, "b: permission denied; you may not read"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), 2, "no space left on device; free some"),
        (OSError("19725 requested and 12256 written"), 2, "no space left on device; free some space"),
        (
            RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
            2,
            "no space left on device",
        ),
        (OSError(errno.EMFILE, "Too many open files", "c"), 2, "c: too many open files; allow more open files (ulimit"),
        (RecursionError("maximum recursion depth exceeded"), 2, "the input is nested too deeply"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, "UnicodeDecodeError"),
        (KeyboardInterrupt(), 130, "interrupted; what was finished is kept"),
        (imported(KeyboardInterrupt()), 130, "interrupted"),
    ],
)
def test_every_error_is_one_line(
    error: BaseException, code: int, message: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "command_module", lambda name: Raising(error))
    ran = run("search")
    assert ran.code == code and message in ran.err and ran.err.count("\n") == 1 and "Traceback" not in ran.err
    if code == 2:
        shown = run("search", "--debug")
        assert shown.code == 2 and "Traceback" in shown.err and message in shown.err and "\x1b" not in shown.err


def test_bytes_that_are_no_text(run: Any) -> None:
    for words in (("search", "caf\udce9 walks"), ("generate", "caf\udce9", "--out", "x.bvh")):
        ran = run(*words)
        assert ran.code == 2 and "argument 2 holds bytes that are not UTF-8: b'caf\\xe9" in ran.err


def test_an_encoding_is_an_option_of_every_command(run: Any, tiny_set: Path, tmp_path: Path) -> None:
    assert "--encoding" in run("--help").out
    assert "there is no text encoding 'klingon'" in run("data", "stats", tiny_set, "--encoding", "klingon").complaint
    assert "--encoding wants a name" in run("data", "stats", tiny_set, "--encoding").complaint
    assert run("data", "stats", tiny_set, "--encoding=latin-1").code == 0


def started(*words: object, **more: Any) -> subprocess.Popen:
    """Start a command, whose output waits in Python's buffers as a user's does."""
    own = {"PYTHONPATH": str(Path(remogpt.__file__).parents[1]), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": ""}
    command = [sys.executable, *([] if words[0] == "-c" else ["-m", "remogpt.cli"]), *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env={**os.environ, **own}, **{**pipes, **more})


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
moments = iter(sys.argv.pop(1).split(","))
moment = next(moments)
def interrupt(event, details):
    global moment
    if event == "import" and details[0] == moment:
        moment = next(moments, "")
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(interrupt)
from remogpt.cli import main
sys.exit(main())
"""
"""As the installed command starts, but interrupted whenever it begins to import one of the modules named first."""


@pytest.mark.parametrize(
    "moments",
    ["difflib", "traceback", "remogpt.runtime.text", "jsonargparse", "remogpt.options", "numpy", "torch",
     "numpy,remogpt.runtime.errors"],
)  # fmt: skip
def test_an_interrupt_while_the_program_starts_is_quiet(moments: str, tmp_path: Path) -> None:
    process = started("-c", INTERRUPTED, moments, "search", "a person walks", cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"") and err.count(b"\n") <= 1 and b"Traceback" not in err, err.decode()


def test_a_closed_pipe_and_a_full_disk_are_no_tracebacks(tmp_path: Path) -> None:
    process = started("--help")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 0 and process.stderr is not None and process.stderr.read() == b""
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            process = started("--help", stdout=full)
        told = process.communicate(timeout=60)[1].decode()
        assert process.returncode == 2 and re.fullmatch("remogpt: error: no space left on device;.*\n", told), told


def test_escape_sequences_of_a_set_stay_in_it(run: Any, tiny_set: Path, tmp_path: Path) -> None:
    """Names and captions of a foreign set reach the terminal as text."""
    import shutil

    folder = tmp_path / "set"
    shutil.copytree(tiny_set, folder)
    (folder / "set.json").write_text('{"name": "\\u001b]0;owned\\u0007", "licence": "\\u202egnp"}')
    split = MotionTextSet.open(folder).ids("train")
    (folder / "train.txt").write_text("\n".join([*split, "evil\x1b[2J"]))
    np.save(folder / "new_joint_vecs" / "nan.npy", np.zeros((3, 263)))
    ran = run("data", "stats", folder)
    assert ran.code == 1 and "\\x1b]0;owned\\x07 (\\u202egnp)" in ran.out
    assert "1 motions or captions of" in ran.err and not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
