"""`/v1/generate` and `/v1/caption`."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from remogpt.app.service import uploads
from remogpt.app.service.answers import motion_answer
from remogpt.app.service.formats import OF_CAPTIONS, chosen_format, motion_response
from remogpt.app.service.questions import CaptionQuestion, GenerateQuestion
from remogpt.app.service.routes.common import (
    MOTION_TYPES,
    Files,
    Fps,
    QuestionField,
    Skeleton,
    accepted,
    caption_table,
    owner_of_request,
    read_question,
    wants_job,
)
from remogpt.app.service.service import Service
from remogpt.app.service.work import start_captioning, start_generating
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
            return accepted(start_generating(service, question, owner))
        answered = await service.generate(question, owner)
        if kind == "json":
            rows = [[motion_answer(one, seed, question.include) for one in own] for seed, own in answered]
            return JSONResponse({"answers": rows})
        motions = [one.motion for _, own in answered for one in own]
        return await service.written(motion_response, motions, kind, skeleton=skeleton, fps=fps)

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
                return accepted(start_captioning(service, asked, owner, folder, [path.name for path in paths]))
            rows = [await service.caption_file(path, asked, owner) for path in paths]
            if len(rows) == 1 and rows[0]["error"]:
                raise RemogptError(rows[0]["error"])
        if kind == "json":
            return JSONResponse({"captions": rows})
        return Response(caption_table(rows), media_type="text/csv")


def _save(service: Service, files: Sequence[UploadFile], folder: Path) -> list[Path]:
    (folder / uploads.UPLOAD).mkdir()
    return uploads.motions_among(uploads.save(files, folder / uploads.UPLOAD, uploads.MOTIONS, service.settings))
