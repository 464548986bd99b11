"""Databases by name: the model's own, those that the service was started with, and those that clients build.

A client names databases, never folders. What it builds is its own: for every other client there is no such database. A
build runs as commands of this package in a process of its own, which can be stopped and takes no memory from the
service, in the job's folder; the finished database is then moved under its name in one step.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remogpt.app.service.jobs import Job
from remogpt.app.service.problems import ServiceError
from remogpt.app.service.settings import NAME, OWN, ServiceSettings
from remogpt.data.importers.caption_table import read_table
from remogpt.motion.files.read import with_clip
from remogpt.retriever.database.version_files import current_version
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.inside import why_no_name
from remogpt.runtime.text import csv_cell

PERCENT = 100
"""Steps of a build: what its progress bar says."""
_MOST = 50
"""Databases of one client."""


class Databases:
    """Finds databases by name.

    Args:
        settings: of the service.
        own: folder of the model's database; None where it has none.
    """

    def __init__(self, settings: ServiceSettings, own: Path | None) -> None:
        self.settings, self.own = settings, own
        self.shared = settings.shared_databases()
        self.folder = settings.work / "databases"

    def path(self, name: str | None, owner: str) -> Path | None:
        """Return the folder of a database; None stands for the model's own.

        Raises:
            ServiceError: 404 where the client has no such database.
        """
        if name is None or name == OWN:
            return None
        if name in self.shared:
            return self.shared[name]
        if NAME.fullmatch(name) and (path := self.folder / owner / name).is_dir():
            return path
        there = ", ".join(self.names(owner))
        raise ServiceError(404, f"there is no database {name[:64]!r}; there are {there}")

    def names(self, owner: str) -> list[str]:
        """Return the names of the databases that a client may use."""
        built = sorted(path.name for path in (self.folder / owner).glob("[!.]*")) if owner else []
        return [OWN, *self.shared, *built]

    def rows(self, owner: str) -> list[dict[str, Any]]:
        """Describe the databases that a client may use: name, counts, licences, and whether it is the client's own."""
        rows = []
        for name in self.names(owner):
            path = self.path(name, owner) or self.own
            if path is None:
                continue
            _, _, manifest = current_version(path)
            is_own = name != OWN and name not in self.shared
            rows.append({"name": name, **manifest["counts"], "licences": manifest["licences"], "yours": is_own})
        return rows

    def check_new(self, name: str, owner: str) -> None:
        """Refuse a name that cannot be given to a new database.

        Raises:
            ServiceError: 422 for no name, 409 for one that is taken, 429 for too many databases.
        """
        if not NAME.fullmatch(name):
            raise ServiceError(422, f"{name[:64]!r} is no name; use up to 64 letters, digits, dots, _ and -")
        if name in self.names(owner):
            raise ServiceError(409, f"there is a database {name!r} already; delete it, or choose another name")
        if len(self.names(owner)) > _MOST:
            raise ServiceError(429, f"you have {_MOST} databases; delete one")

    def remove(self, name: str, owner: str) -> None:
        """Delete a database that the client built.

        Raises:
            ServiceError: 404 where there is none, 403 for one that is not the client's.
        """
        path = self.path(name, owner)
        if path is None or name in self.shared:
            raise ServiceError(403, f"the database {name!r} belongs to the service and stays")
        grave = path.with_name(f".{name}.{os.getpid()}")
        path.replace(grave)  # gone at once, whatever happens while files are deleted
        shutil.rmtree(grave, ignore_errors=True)

    async def build(self, name: str, owner: str, job: Job, recordings: Path) -> dict[str, Any]:
        """Build a database of a folder of recordings with their captions.

        Args:
            name: of the database.
            owner: the client.
            job: is moved on.
            recordings: holds motions, and captions.csv or a .txt beside each motion; lies in the job's folder.

        Raises:
            RemogptError: in the words of the commands.
        """
        work, table = recordings.parent, await asyncio.to_thread(find_table, recordings)
        model = [] if self.settings.model is None else ["--model", self.settings.model]
        words: list[str | Path] = ["db", "build", recordings, "--captions", table, "--out", work / "built", *model]
        left_out = await _run(words, job, work)
        self.check_new(name, owner)
        (self.folder / owner).mkdir(parents=True, exist_ok=True)
        (work / "built").replace(self.folder / owner / name)
        row = next(row for row in self.rows(owner) if row["name"] == name)
        return {**row, "left_out": left_out}


def find_table(folder: Path) -> Path:
    """Return the table of captions in a folder of recordings, written from .txt files where there is none.

    Raises:
        RemogptError: if nothing says what the recordings show.
    """
    tables = sorted(folder.rglob("*.csv"))
    if len(tables) > 1:
        raise RemogptError(f"{len(tables)} .csv tables; send one, with the columns file and caption")
    if tables:
        _check_inside(folder, tables[0])
        return tables[0]
    rows = ["file,caption\n"]
    for text in sorted(folder.rglob("*.txt")):
        beside = [path for path in text.parent.glob(f"{text.stem}.*") if path.suffix.lower() not in (".txt", ".asf")]
        captions = text.read_text(encoding="utf-8", errors="replace").splitlines()
        rows += [_row(beside[0].relative_to(folder), one.split("#")[0]) for one in captions if beside and one.strip()]
    if len(rows) == 1:
        raise RemogptError(
            "no captions came with the recordings; send a table captions.csv with the columns file and caption, or a "
            ".txt of captions beside each recording"
        )
    table = folder / "captions.csv"
    table.write_text("".join(rows), encoding="utf-8")
    return table


def _check_inside(folder: Path, table: Path) -> None:
    """Refuse a table that names other files than those that came with it; the command would look for them anywhere."""
    for file in read_table(table, {}):
        if why_no_name(file) or not with_clip(folder / file)[0].is_file():
            raise RemogptError(f"{table.name} names {file[:80]!r}, which was not sent with it; name the files as sent")


def _row(file: Path, caption: str) -> str:
    cells = [str(csv_cell(one)).replace('"', '""') for one in (file.as_posix(), caption.strip())]
    return f'"{cells[0]}","{cells[1]}"\n'


_BAR = re.compile(rb"(\d+)%\|")


async def _run(words: Sequence[str | Path], job: Job, work: Path) -> list[str]:
    """Run a command of this package; return what it printed to standard error, the folder's path cut out.

    Raises:
        RemogptError: with its complaint if it fails.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "remogpt.cli", *map(str, words), env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    told = b""
    try:
        while some := await process.stderr.read(1 << 16):
            told += some
            if percent := _BAR.findall(some):
                job.done = min(int(percent[-1]), PERCENT - 1)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = _plain_lines(told, work)
    if code not in (0, 1):  # 1: some items could not be used, and are named
        raise RemogptError(lines[-1].partition("error: ")[2] or lines[-1] if lines else "the build was stopped")
    return lines


def _plain_lines(content: bytes, work: Path) -> list[str]:
    text = content.decode("utf-8", "replace").replace(f"{work}/recordings/", "").replace(f"{work}/", "")
    return [line.strip() for line in text.splitlines() if line.strip() and "it/s" not in line and "%|" not in line][
        -50:
    ]
