"""Read a table of captions: CSV with a header, or JSON Lines with an object on each line.

Its columns are `file`, `caption`, and optionally `start` and `end` in seconds. Several rows of one file (and of one
stretch) are several captions. Other columns are ignored, so that a table of `remogpt caption --out` can be corrected
and used.
"""

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.text import read_text, text_of_csv_cell

COLUMNS = ("file", "caption", "start", "end")
Stretch = tuple[float, float | None]
"""Start and end in seconds; an end of None is the end of the recording."""


def read_table(path: Path, left_out: dict[str, str]) -> dict[str, dict[Stretch, list[str]]]:
    """Return captions by file and stretch.

    Args:
        path: the table.
        left_out: gets the reason of each row that cannot be used, by its line.

    Raises:
        MissingPathError: if there is no such file.
        RemogptError: if it is not such a table, or none of its rows can be used; the message names the first one.
    """
    if not path.is_file():
        raise MissingPathError(f"no file {path}; wanted a table (.csv, .jsonl) of file, caption[, start, end]")
    texts: dict[str, dict[Stretch, list[str]]] = {}
    known = len(left_out)
    for number, row in (_json_rows if path.suffix.lower() == ".jsonl" else _csv_rows)(path):
        where = f"{path}, line {number}"
        try:
            _add_row(texts, _text_of(row, where), where, path.parent)
        except RemogptError as error:
            left_out[where] = str(error)
    if not texts:
        first = list(left_out.values())[known:]
        raise RemogptError(first[0] if first else f"{path} has no rows; write one line for each caption")
    return texts


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[Any, Any]]]:
    """Yield the rows of a CSV table with the numbers of their lines."""
    text = read_text(path)
    header = text.partition("\n")[0].strip()
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    rows.fieldnames = [(name or "").strip().lower() for name in rows.fieldnames or []]
    if absent := {"file", "caption"} - set(rows.fieldnames):
        raise RemogptError(
            f"{path}: wanted a header with the columns file, caption[, start, end], got {header!r} without "
            f"{', '.join(sorted(absent))}; add it as the first line"
        )
    try:
        for row in rows:
            yield rows.line_num, row
    except csv.Error as error:  # a field of more than 128 KiB: a quote that is never closed
        raise RemogptError(f"{path}, line {rows.line_num}: {error}; is a quotation mark missing there?") from error


def _json_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the values of a JSON Lines table, one a line, with the numbers of their lines; a broken one as its text."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, line


def _text_of(row: Any, where: str) -> dict[Any, Any]:
    """Return a row's fields as text, or refuse what is no row."""
    if not isinstance(row, dict) or any(isinstance(row.get(name), dict | list) for name in COLUMNS):
        raise RemogptError(
            f'{where}: wanted one object, {{"file": "walk.bvh", "caption": "a person walks"}}, got {str(row)[:80]}; '
            "write several lines for several captions"
        )
    return {name: value if name is None or value is None else str(value) for name, value in row.items()}


def _add_row(texts: dict[str, dict[Stretch, list[str]]], row: dict[Any, Any], where: str, folder: Path) -> None:
    """Add a row's caption to those of its file and stretch; raises `RemogptError` if it cannot be used."""
    if None in row:
        raise RemogptError(f"{where} has more fields than the header; put a caption with commas in quotes")
    file, caption = (text_of_csv_cell((row[name] or "").strip()) for name in ("file", "caption"))
    if not caption and (row.get("error") or "").strip():
        return  # `remogpt caption` could not read this file either
    if not file or not caption.replace("#", " ").strip():  # which separates fields in a set
        raise RemogptError(f"{where}: wanted a file and its caption, got {file!r} and {caption!r}; fill them in")
    stretch = _stretch(row, where)
    texts.setdefault(_plain_path(folder, file), {}).setdefault(stretch, []).append(caption)


def _plain_path(folder: Path, file: str) -> str:
    """Return a file's path with forward slashes, as another system than Windows writes it."""
    is_windows = "\\" in file and not (folder / file).exists()
    return PureWindowsPath(file).as_posix() if is_windows else Path(file).as_posix()


def _stretch(row: dict[str, str], where: str) -> Stretch:
    values = [(row.get(name) or "").strip() for name in ("start", "end")]
    try:
        start, end = (float(value) if value else None for value in values)
    except ValueError as error:
        raise RemogptError(f"{where}: wanted seconds as start and end, got {values[0]!r} and {values[1]!r}") from error
    begin = 0.0 if start is None else start
    if not math.isfinite(begin) or begin < 0 or (end is not None and not begin < end < math.inf):
        raise RemogptError(f"{where}: wanted 0 <= start < end in seconds, got {values[0]!r} and {values[1]!r}")
    return begin, end
