"""SHA-256 of a folder's files, kept in its manifest beside the manifest's own, so that any changed bit is noticed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remogpt.runtime.files import sha256_file
from remogpt.runtime.inside import path_inside

OWN = "sha256"
"""Key of the manifest's own hash, over everything else in it."""
SMALL = 1 << 25
"""Bytes of the largest file that is compared with its sum whenever it is opened: a few hundredths of a second."""


def file_sums(folder: Path, *, leave_out: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder by its path in it; `leave_out` names some at its top."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in leave_out:
            found[name.as_posix()] = sha256_file(path)
    return found


def own_hash(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its own entry."""
    rest = {name: value for name, value in manifest.items() if name != OWN}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def changed_files(folder: Path, sums: Mapping[str, str], largest: int | None = None) -> list[str]:
    """Name the files that are missing or are not what their sum says.

    Args:
        folder: of the files.
        sums: SHA-256 by path in the folder.
        largest: bytes of the largest file that is read; None: all.
    """
    found = []
    for name, wanted in sums.items():
        path = path_inside(folder, name, for_reading=True)
        is_there = path.is_file()
        if not is_there or ((largest is None or path.stat().st_size <= largest) and sha256_file(path) != wanted):
            found.append(name)
    return found
