"""Run a command in a forked process: everything is imported once, and each run costs its work alone.

The process can be killed at its n-th change of the file system (opening a file to write, renaming, making or deleting),
before that change happens, or after some seconds.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from remogpt import cli

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")
"""Audit events, beside "open", that change the file system."""
TRACEBACK, UNFORESEEN = "Traceback (most recent call last)", "no part of the program expected this"


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    """Exit code; minus a signal's number if that ended it."""
    seconds: float
    changes: int
    """Changes of the file system inside the folder."""
    told: str
    """What it printed."""

    @property
    def complaint(self) -> str:
        """Why the end is no good one; empty for success and for an error that a user can read."""
        if TRACEBACK in self.told or UNFORESEEN in self.told:
            return "traceback"
        return "" if self.code in (0, 1, 2) else f"exit code {self.code}"


@dataclass(frozen=True)
class Running:
    """A process that runs a command."""

    process: int
    folder: Path
    begin: float

    def wait(self, kill_after: float | None = None, limit: float = 300.0) -> Ran:
        """Wait for its end; kill it after some seconds, if any are given."""
        until = self.begin + (limit if kill_after is None else kill_after)
        while True:
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > until:
                os.kill(self.process, signal.SIGKILL)
                _, status = os.waitpid(self.process, 0)
                break
            time.sleep(0.001)
        log, end = (_beside(self.folder, self.process, name) for name in ("log", "end"))
        told = log.read_text(errors="replace") if log.is_file() else ""
        changes, *modules = end.read_text().split() if end.is_file() else ["0"]
        for path in (log, end):
            path.unlink(missing_ok=True)
        for module in set(modules) - set(sys.modules):  # the next process need not import them
            with suppress(ImportError, AttributeError):
                import_module(module)
        return Ran(os.waitstatus_to_exitcode(status), time.monotonic() - self.begin, int(changes), told)


def start(
    words: Sequence[str], folder: Path, *, kill_at: int = 0, prepare: Callable[[], None] = lambda: None
) -> Running:
    """Start `remogpt WORDS` in a folder.

    Args:
        words: of the command line.
        folder: working folder, whose changes are counted; the cache of embeddings lies in it.
        kill_at: number of the change before which the process is killed; 0: never.
        prepare: called in the new process, to take something away from it (file handles).
    """
    begin = time.monotonic()
    process = os.fork()
    if process:
        return Running(process, folder, begin)
    code = 70
    try:
        _become(folder)
        changes = _watch(folder, kill_at)
        prepare()
        code = cli.main(list(words))
        sys.stdout.flush()
        sys.stderr.flush()
        _beside(folder, os.getpid(), "end").write_text(" ".join([str(changes[0]), *_modules()]))
    finally:
        os._exit(code)


def run(words: Sequence[str], folder: Path, **how: Any) -> Ran:
    """Start a command and wait for its end."""
    return start(words, folder, **how).wait()


def _modules() -> list[str]:
    return [name for name, module in list(sys.modules.items()) if getattr(module, "__spec__", None) is not None]


def few_handles(number: int) -> Callable[[], None]:
    """Return what leaves a process a number of open files."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def _beside(folder: Path, process: int, name: str) -> Path:
    return folder.parent.parent / f"{process}.{name}"


def _become(folder: Path) -> None:
    os.chdir(folder)
    os.environ["REMOGPT_CACHE"] = str(folder / "cache")
    handle = os.open(_beside(folder, os.getpid(), "log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    for spare in (handle, nothing):
        os.close(spare)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115


def _watch(folder: Path, kill_at: int) -> list[int]:
    """Count changes in a folder from now on, for as long as the process lives."""
    count, inside = [0], str(folder)

    def note(event: str, details: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = details
            is_change = bool(set(mode or "") & set("wax+")) or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))
        else:
            path, is_change = details[0] if details else None, event in CHANGES
        if is_change and isinstance(path, str | bytes) and str(Path(os.fsdecode(path)).absolute()).startswith(inside):
            count[0] += 1
            if count[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(note)
    return count
