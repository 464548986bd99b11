"""What the tabs share: who sits before the page, running a job with its progress, files that were dropped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from remogpt.app.page import cards
from remogpt.app.service.jobs import Job
from remogpt.app.service.problems import ServiceError, describe
from remogpt.app.service.service import Service
from remogpt.app.service.uploads import MOTIONS, plain_name
from remogpt.motion import Motion
from remogpt.runtime.errors import RemogptError

PAGE_FILES = "page"
"""Folder of the work folder for files that were dropped on the page or are downloaded from it; old ones are deleted."""
_TICK = 0.25
"""Seconds between two looks at a job."""


def owner(request: gr.Request) -> str:
    """Return the client, as the guard found out."""
    assert request.request is not None  # which only requests of tests lack
    return str(request.request.scope["state"]["owner"])


def words_of(service: Service, error: BaseException) -> str:
    """Return an error as the page shows it."""
    return cards.status(str(describe(error, service.hidden)["detail"]), "error")


async def watched(job: Job, service: Service, verb: str, rows: int = 0) -> AsyncIterator[str]:
    """Yield a job's progress as HTML until it ends.

    Args:
        job: that was started.
        service: it runs in.
        verb: what is done, for the line.
        rows: of the language model that one item takes; 0 where that tells nothing of the time.
    """
    waited = 0.0
    while job.state == "running":
        left = job.to_json()["seconds_left"]
        if left is None and rows and service.thread.seconds_per_row:
            ahead = service.thread.num_waiting
            left = max(rows * job.total * service.thread.seconds_per_row - waited, 0.0) if not ahead else None
        waiting = f", {service.thread.num_waiting} waiting" if service.thread.num_waiting else ""
        time_left = "" if left is None else f", about {max(1, round(left))} s left"
        yield cards.progress(job.done, job.total, f"{verb}{time_left}{waiting}")
        await asyncio.sleep(_TICK)
        waited += _TICK


def finished(job: Job, service: Service) -> Any:
    """Return an ended job's result.

    Raises:
        RemogptError: where there is none, with the reason.
    """
    if job.state == "cancelled":
        raise ServiceError(409, "stopped")
    return service.jobs.result(job)


def stop(service: Service) -> Callable[[str, gr.Request], str]:
    """Return the handler of a Stop button: cancels the job whose id it is given."""

    def cancel(job_id: str, request: gr.Request) -> str:
        try:
            job = service.jobs.find(job_id or "", owner(request))
        except RemogptError:
            return cards.status("nothing is running")
        if job.state == "running":
            service.jobs.remove(job)
        return cards.status("stopped")

    return cancel


def copied(files: Sequence[str] | str | None, folder: Path, suffixes: Sequence[str] = MOTIONS) -> list[Path]:
    """Copy dropped files side by side into a folder, under plain names; an .amc needs its .asf beside it.

    Raises:
        RemogptError: for no file, another kind, or two of one name.
    """
    given = [files] if isinstance(files, str) else list(files or ())
    if not given:
        raise RemogptError("drop a file first")
    paths = []
    for file in given:
        path = folder / plain_name(Path(file).name, suffixes)
        if path.exists():
            raise RemogptError(f"two files are called {path.name}; rename one")
        path.write_bytes(Path(file).read_bytes())
        paths.append(path)
    return paths


async def motions_of_hits(service: Service, rows: Sequence[Any], database: str | None, who: str) -> list[Motion]:
    """Return the motions of a database's entries, by the rows' ids."""
    return [await service.motion(database, row["id"], who) for row in rows]


def database_choices(service: Service, who: str = "") -> list[str]:
    """Return the names of databases, the model's own first."""
    return service.databases.names(who)
