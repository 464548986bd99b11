"""A CSV of captions that grows row by row, so that an interrupted run loses nothing and the next one goes on."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_text
from remogpt.runtime.text import csv_cell, read_text, text_of_csv_cell

COLUMNS = ("file", "caption", "seconds", "error")


class CaptionTable:
    """Rows of file, caption, seconds, error.

    Args:
        path: CSV to write; one that is there is gone on from.
        begin_anew: write over a table that is there.

    Raises:
        RemogptError: if the file holds something else.
    """

    def __init__(self, path: str | Path, *, begin_anew: bool = False) -> None:
        self.path = Path(path)
        self.done: dict[str, dict[str, str]] = {}
        """Finished rows by file; files that failed are tried again."""
        if self.path.is_file() and not begin_anew:
            self.done = {row["file"]: row for row in self._read() if not row["error"]}
        # Also drops the row that a killed run was writing.
        write_text(self.path, "".join(map(_line, [dict(zip(COLUMNS, COLUMNS, strict=True)), *self.done.values()])))

    def _read(self) -> list[dict[str, str]]:
        text = read_text(self.path)
        whole = text[: text.rfind("\n") + 1]
        reader = csv.DictReader(io.StringIO(whole, newline=""))
        if text and tuple(reader.fieldnames or ()) != COLUMNS:
            raise RemogptError(
                f"{self.path} is there and is no table of {', '.join(COLUMNS)}; name another file, or --force to write "
                "over it"
            )
        try:
            rows = [row for row in reader if None not in row.values() and None not in row]
        except csv.Error as error:
            raise RemogptError(f"{self.path} is not a table ({error}); name another file, or --force") from error
        return [{name: text_of_csv_cell(row[name]) for name in COLUMNS} for row in rows]

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; it is in the file when this returns."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            file.write(_line(row))
            file.flush()
            os.fsync(file.fileno())


def _line(row: Mapping[str, Any]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow([csv_cell(row[name]) for name in COLUMNS])
    return line.getvalue().encode("utf-8", "replace").decode()
