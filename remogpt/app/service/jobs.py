"""Jobs: long work that a client asks for, looks after and fetches; finished ones outlive the process.

    jobs/<id>/job.json      what it is and how it stands, replaced atomically
              result.json   written before job.json says "done"

A job belongs to the client that began it; for every other client there is no such job. After a kill, finished jobs are
there as they were, and unfinished ones say that they were interrupted.
"""

import asyncio
import logging
import re
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from remogpt.app.service.problems import ServiceError, describe, problem_body
from remogpt.app.service.settings import ServiceSettings
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json

_log = logging.getLogger(__name__)

State = Literal["running", "done", "failed", "cancelled"]
_ID = re.compile(r"[0-9a-f]{32}")
_MOST_KEPT = 2000
"""Finished jobs that are kept, of all clients."""


@dataclass
class Job:
    """One job, as job.json holds it."""

    id: str
    owner: str
    """Of the client; see `guard.owner_of`."""
    kind: str
    """generate, caption or database."""
    state: State = "running"
    created: float = field(default_factory=time.time)
    """Seconds since 1970."""
    finished: float | None = None
    done: int = 0
    """Items that are finished."""
    total: int = 1
    problem: dict[str, Any] | None = None
    """Why it failed, as a problem."""

    def to_json(self) -> dict[str, Any]:
        """Return what the client may see."""
        row = asdict(self)
        del row["owner"]
        return {**row, "seconds_left": self._seconds_left()}

    def _seconds_left(self) -> float | None:
        """Estimate the rest by the items that are finished; None where none is."""
        if self.state != "running" or not self.done:
            return None
        return round((time.time() - self.created) / self.done * (self.total - self.done), 1)


Work = Callable[[Job, Path], Awaitable[Any]]
"""Does a job: gets the job, whose `done` it moves on, and a folder of its own; returns the result as JSON."""


class Jobs:
    """All jobs of a service.

    Args:
        settings: where they are kept, and for how long.
        hidden: folders of the server, which no message names.
    """

    def __init__(self, settings: ServiceSettings, hidden: Iterable[str] = ()) -> None:
        self.settings, self.hidden = settings, tuple(hidden)
        self.folder = settings.work / "jobs"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        for path in sorted(self.folder.iterdir()):
            self._restore(path)
        self.forget_old()

    def _restore(self, folder: Path) -> None:
        """Read a job that an earlier process left; what cannot be read is removed."""
        try:
            job = Job(**read_json(folder / "job.json"))
        except (RemogptError, TypeError) as error:
            _log.warning("%s is no job and is removed: %s", folder, error)
            shutil.rmtree(folder, ignore_errors=True)
            return
        self._jobs[job.id] = job
        if job.state == "running":
            self._end(job, "failed", problem_body(503, "the service stopped before this job was done; send it again"))

    def start(self, kind: str, owner: str, work: Work, total: int = 1) -> Job:
        """Begin a job; must be called on the event loop.

        Raises:
            ServiceError: 429 where the client has too many unfinished ones.
        """
        self.forget_old()
        running = sum(job.owner == owner and job.state == "running" for job in self._jobs.values())
        if running >= self.settings.max_jobs:
            raise ServiceError(429, f"you have {running} unfinished jobs; wait for one, or cancel one")
        job = Job(secrets.token_hex(16), owner, kind, total=total)
        self._jobs[job.id] = job
        self._save(job)
        task = self._tasks[job.id] = asyncio.get_running_loop().create_task(self._run(job, work))
        task.add_done_callback(lambda _: self._never_began(job))
        return job

    def _never_began(self, job: Job) -> None:
        """End a job that was cancelled before its first step, of which `_run` hears nothing."""
        if job.state == "running":
            self._tasks.pop(job.id, None)
            self._end(job, "cancelled")

    async def _run(self, job: Job, work: Work) -> None:
        folder = self.folder / job.id
        try:
            async with asyncio.timeout(self.settings.job_timeout):
                result = await work(job, folder)
            await asyncio.to_thread(write_json, folder / "result.json", result)
            job.done = job.total
            self._end(job, "done")
        except asyncio.CancelledError:
            self._end(job, "cancelled")
        except Exception as error:
            self._end(job, "failed", describe(error, (str(folder), *self.hidden)))
        finally:
            self._tasks.pop(job.id, None)

    def find(self, job_id: str, owner: str) -> Job:
        """Return a client's job.

        Raises:
            ServiceError: 404 where the client has no such job.
        """
        job = self._jobs.get(job_id) if _ID.fullmatch(job_id) else None
        if job is None or job.owner != owner:
            raise ServiceError(404, f"there is no job {job_id[:40]!r}")
        return job

    def of(self, owner: str) -> list[Job]:
        """Return a client's jobs, the latest first."""
        return sorted((job for job in self._jobs.values() if job.owner == owner), key=lambda job: -job.created)

    def result(self, job: Job) -> Any:
        """Return the result of a finished job.

        Raises:
            ServiceError: 409 where there is none (yet), or the status of the job's own problem.
        """
        if job.state == "failed" and job.problem is not None:
            raise ServiceError(int(job.problem["status"]), str(job.problem["detail"]))
        if job.state != "done":
            raise ServiceError(409, f"the job is {job.state} and has no result{' yet' * (job.state == 'running')}")
        return read_json(self.folder / job.id / "result.json")

    def remove(self, job: Job) -> None:
        """Cancel a running job, or delete a finished one."""
        task = self._tasks.get(job.id)
        if task is not None:
            task.cancel()
            return
        self._jobs.pop(job.id, None)
        shutil.rmtree(self.folder / job.id, ignore_errors=True)

    def forget_old(self) -> None:
        """Delete finished jobs that are older than `keep_hours`, and the oldest where there are too many."""
        finished = sorted((job for job in self._jobs.values() if job.state != "running"), key=lambda job: job.created)
        before = time.time() - 3600 * self.settings.keep_hours
        surplus = len(finished) - _MOST_KEPT
        for place, job in enumerate(finished):
            if place < surplus or job.created < before:
                self.remove(job)

    async def close(self) -> None:
        """Stop running jobs; they are marked as cancelled."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, job: Job, state: State, why: dict[str, Any] | None = None) -> None:
        job.state, job.finished, job.problem = state, time.time(), why
        for path in (self.folder / job.id).iterdir() if (self.folder / job.id).is_dir() else ():
            if path.name not in ("job.json", "result.json"):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self._save(job)

    def _save(self, job: Job) -> None:
        write_json(self.folder / job.id / "job.json", asdict(job))
