"""Temporary files beside what they become: locked while they are written, removed once no process holds them.

A killed process cannot tidy up. Each temporary file or folder is therefore locked (`flock`, which ends with its
process, however that ends), and whoever writes the same file next removes those that are not locked. Where there are no
such locks (Windows, some network file systems), nothing is removed.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl as _fcntl
except ImportError:  # Windows
    _fcntl = None  # type: ignore[assignment]
_locks: Any = _fcntl

_NAME = re.compile(r"\.(?P<stem>.+)\.[a-z0-9_]{8}(?P<suffix>\.[^.]*)?", re.DOTALL)
"""Name of a temporary file, as `temporary_path` makes it: that of the file with eight characters put in."""
_NAMES_A_WRITE = 64
"""A folder of many files is searched again only after one write for every so many, so that writing tens of thousands of
files into it does not take much longer."""
_found: dict[Path, tuple[int, dict[tuple[str, str], list[Path]]]] = {}
"""By folder: writes until it is searched again, and the temporary files in it by stem and suffix of what they should
become."""


@contextmanager
def temporary_path(path: Path, *, is_folder: bool = False) -> Iterator[Path]:
    """Yield an empty, locked file (or folder) beside `path`, and remove it afterwards if it still has its name.

    What killed processes left of the same file is removed first.
    """
    remove_leftovers(path)
    stem, suffix = (path.name, "") if is_folder else (path.stem, path.suffix)
    while True:
        if is_folder:
            temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{stem}."))
        else:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{stem}.", suffix=suffix)
            os.close(handle)
            temporary = Path(name)
        with _locked(temporary) as is_ours:
            if not is_ours:  # removed by another process before it was locked
                continue
            try:
                yield temporary
            finally:
                _remove(temporary)
            return


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold the lock of a file or folder, where there are locks; yields False if the file is not there any more."""
    if _locks is None:
        yield True
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _lock(handle) is not False and _is_at(handle, path)
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Return whether a process holds a temporary file or folder; False where there are no locks."""
    return _try_lock(path) is False


def _try_lock(path: Path) -> bool | None:
    """Lock a file for an instant: whether that could be done, None where it cannot be known."""
    if _locks is None:
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _lock(handle)
    finally:
        os.close(handle)


def remove_leftovers(path: str | Path) -> None:
    """Delete temporary files and folders of `path` that no process holds.

    An earlier folder, which a kill between two renames left hidden in `.<name>.old.<8 characters>`, is put back first.
    """
    path = Path(path)
    found = _search(path.parent)
    for left in found.pop((f"{path.name}.old", ""), []):
        if (left / path.name).is_dir() and not path.exists() and not is_held(left):
            (left / path.name).replace(path)
        _remove_unless_held(left)
    for key in {(path.stem, path.suffix), (path.name, "")}:
        for left in found.pop(key, []):
            _remove_unless_held(left)


def _remove_unless_held(path: Path) -> None:
    if _try_lock(path):
        _remove(path)


def _lock(handle: int) -> bool | None:
    """Take a file's lock: whether this process has it, None where the file system has no locks."""
    try:
        _locks.flock(handle, _locks.LOCK_EX | _locks.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _search(folder: Path) -> dict[tuple[str, str], list[Path]]:
    """Return the temporary files of a folder by stem and suffix of what they should become."""
    writes, found = _found.get(folder, (0, {}))
    if writes:
        _found[folder] = writes - 1, found
        return found
    found, paths = {}, []
    with suppress(OSError):  # a folder that may be written to, but not listed
        paths = list(folder.iterdir())
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match:
            found.setdefault((match["stem"], match["suffix"] or ""), []).append(path)
    _found[folder] = len(paths) // _NAMES_A_WRITE, found
    return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
