"""`/v1/generate` and `/v1/caption`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from remogpt.app.service import uploads
from remogpt.app.service.answers import ARRAYS, motion_answer
from remogpt.app.service.formats import OF_CAPTIONS, chosen_format, motion_response
from remogpt.app.service.jobs import Job
from remogpt.app.service.questions import CaptionQuestion, GenerateQuestion
from remogpt.app.service.routes.common import (
    MOTION_TYPES,
    UPLOAD,
    Files,
    Fps,
    QuestionField,
    Skeleton,
    accepted,
    caption_table,
    hand_over,
    motions_among,
    owner_of_request,
    read_question,
    wants_job,
)
from remogpt.app.service.service import Service
from remogpt.runtime.errors import RemogptError


def add_motions(router: APIRouter, service: Service) -> None:
    """Add the routes that write motions and captions."""

    @router.post("/v1/generate", tags=["motions"], responses=MOTION_TYPES)
    async def generate(
        request: Request, question: GenerateQuestion, fps: Fps = None, skeleton: Skeleton = None
    ) -> Response:
        """Write motions for captions: as JSON, or as motion files by `Accept`; several files come as a zip.

        With the header `Prefer: respond-async` the answer is a job.
        """
        kind, owner = chosen_format(request), owner_of_request(request)
        if wants_job(request):
            return accepted(_start_generating(service, question, owner))
        answered = await service.generate(question, owner)
        if kind == "json":
            rows = [[motion_answer(one, seed, question.include) for one in own] for seed, own in answered]
            return JSONResponse({"answers": rows})
        motions = [one.motion for _, own in answered for one in own]
        return await run_in_threadpool(motion_response, motions, kind, skeleton=skeleton, fps=fps)

    @router.post("/v1/caption", tags=["motions"])
    async def caption(request: Request, files: Files, question: QuestionField = "{}") -> Response:
        """Write a caption for each motion file, as JSON or as a CSV table (`Accept: text/csv`).

        A file that cannot be read has an `error` in its row. With `Prefer: respond-async` the answer is a job.
        """
        asked, owner = read_question(CaptionQuestion, question), owner_of_request(request)
        kind = chosen_format(request, OF_CAPTIONS)
        service.databases.path(asked.database, owner)
        with uploads.scratch(service.settings.work) as folder:
            paths = await run_in_threadpool(_save, service, files, folder)
            if wants_job(request):
                return accepted(_start_captioning(service, asked, owner, folder, [path.name for path in paths]))
            rows = [await service.caption_file(path, asked, owner) for path in paths]
            if len(rows) == 1 and rows[0]["error"]:
                raise RemogptError(rows[0]["error"])
        if kind == "json":
            return JSONResponse({"captions": rows})
        return Response(caption_table(rows), media_type="text/csv")


def _start_generating(service: Service, question: GenerateQuestion, owner: str) -> Job:
    asked = service.ask_for_motions(question, owner)  # what cannot be asked is refused at once

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


def _start_captioning(service: Service, asked: CaptionQuestion, owner: str, folder: Path, names: Sequence[str]) -> Job:
    async def work(job: Job, home: Path) -> dict[str, Any]:
        rows = []
        for name in names:
            rows.append(await service.caption_file(home / UPLOAD / name, asked, owner))
            job.done += 1
        return {"captions": rows}

    job = service.jobs.start("caption", owner, work, len(names))
    hand_over(service, job, folder)
    return job


def _save(service: Service, files: Sequence[UploadFile], folder: Path) -> list[Path]:
    (folder / UPLOAD).mkdir()
    return motions_among(uploads.save(files, folder / UPLOAD, uploads.MOTIONS, service.settings))
