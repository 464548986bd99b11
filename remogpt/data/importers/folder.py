"""Find the motion files of a downloaded dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from remogpt.runtime.errors import MissingPathError, RemogptError


def find_files(path: Path, suffixes: tuple[str, ...], dataset: str) -> list[Path]:
    """Return the files with one of the suffixes under a folder (or the one file that `path` is), sorted.

    Raises:
        MissingPathError: if there is no such file or folder.
        RemogptError: if no file fits; lists the suffixes found.
    """
    if path.is_file() and path.suffix.lower() in suffixes:
        return [path]
    wanted = " or ".join(suffixes)
    if not path.exists():
        raise MissingPathError(f"no folder {path}; expected the {dataset} there ({wanted} files). Check the path")
    present = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else [path]
    found = [file for file in present if file.suffix.lower() in suffixes]
    if not found:
        kinds = (
            ", ".join(
                f"{count} {suffix or 'without suffix'}"
                for suffix, count in Counter(file.suffix.lower() for file in present).most_common(5)
            )
            or "nothing"
        )
        raise RemogptError(
            f"{path}: expected {wanted} files of the {dataset}, found {kinds}. Unpack the download and name its folder"
        )
    return found
