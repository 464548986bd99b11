"""Begin the three kinds of long work: motions for captions, captions for files, a database of recordings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remogpt.app.service.answers import ARRAYS, motion_answer
from remogpt.app.service.databases import PERCENT
from remogpt.app.service.jobs import Job
from remogpt.app.service.questions import CaptionQuestion, GenerateQuestion
from remogpt.app.service.service import Service
from remogpt.app.service.uploads import UPLOAD


def start_generating(service: Service, question: GenerateQuestion, owner: str) -> Job:
    """Begin to write motions; what cannot be asked is refused at once."""
    asked = service.ask_for_motions(question, owner)

    async def work(job: Job, folder: Path) -> dict[str, Any]:
        rows = []
        try:
            for seed, future in asked:
                own = await service.answer(future, service.settings.job_timeout)
                rows.append([motion_answer(one, seed, ARRAYS) for one in own])
                job.done += 1
        finally:
            for _, future in asked:
                future.cancel()
        return {"answers": rows}

    return service.jobs.start("generate", owner, work, len(asked))


def start_captioning(service: Service, asked: CaptionQuestion, owner: str, folder: Path, names: Sequence[str]) -> Job:
    """Begin to caption uploaded files, by their names in the scratch folder's upload."""

    async def work(job: Job, home: Path) -> dict[str, Any]:
        rows = []
        for name in names:
            rows.append(await service.caption_file(home / UPLOAD / name, asked, owner))
            job.done += 1
        return {"captions": rows}

    job = service.jobs.start("caption", owner, work, len(names))
    _hand_over(service, job, folder)
    return job


def start_building(service: Service, name: str, owner: str, folder: Path) -> Job:
    """Begin to build a database of the recordings in a scratch folder."""

    async def work(job: Job, home: Path) -> dict[str, Any]:
        return await service.databases.build(name, owner, job, home / UPLOAD)

    job = service.jobs.start("database", owner, work, PERCENT)
    _hand_over(service, job, folder)
    return job


def _hand_over(service: Service, job: Job, folder: Path) -> None:
    """Move uploaded files into the folder of a job that was just started, before its first step."""
    (folder / UPLOAD).rename(service.jobs.folder / job.id / UPLOAD)
