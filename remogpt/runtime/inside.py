"""Make paths of names that come from outside (ids of a set, of a database, of predictions), and keep them inside."""

import os
import re
from pathlib import Path, PureWindowsPath

from remogpt.runtime.errors import RemogptError

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
"""Control characters, and what separates folders on Windows."""
LONGEST = 200
"""Bytes of the longest part of a name; file systems hold 255 with suffix and temporary mark."""


def path_inside(folder: str | Path, name: str, suffix: str = "", *, for_reading: bool = False) -> Path:
    """Return `folder / (name + suffix)` if that lies inside the folder.

    Args:
        folder: may itself be a link.
        name: such as `000001` or `dance/000001`.
        suffix: such as `.npy`.
        for_reading: follow links that lead out of the folder, as of a set whose large files lie on another disk;
            nothing is ever written through one.

    Raises:
        RemogptError: for a name that is empty, absolute, holds `..` or control characters, and where a link leads out
            of the folder.
    """
    folder, why = Path(folder), why_no_name(name)
    if why:
        raise RemogptError(f"{name!r} is no name for a file in {folder}: {why}")
    path = folder / f"{name}{suffix}"
    if for_reading:
        return path
    if path.is_symlink() or any(parent.is_symlink() for parent in path.parents if folder in parent.parents):
        real = path.resolve()
        if not real.is_relative_to(folder.resolve()):
            raise RemogptError(f"{path} is a link that leads out of {folder} (to {real}); copy the file there instead")
    return path


def why_no_name(name: str) -> str:
    """Say why a name cannot name a file within a folder; empty where it can."""
    parts = name.split("/") if isinstance(name, str) else []
    if not isinstance(name, str) or not name.strip():
        return "it is empty"
    if name.startswith("/") or (os.name == "nt" and PureWindowsPath(name).drive):
        return "it is a path of its own"
    if any(part in ("", ".", "..") for part in parts):
        return "it leads to another folder"
    found = _FORBIDDEN.search(name)
    if found:
        return f"it holds {found[0]!r}"
    if any(len(part.encode("utf-8", "replace")) > LONGEST for part in parts):
        return f"it is longer than {LONGEST} bytes"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "it is not text"
    return ""
