"""`/v1/databases`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from remogpt.app.service import uploads
from remogpt.app.service.formats import chosen_format, motion_response
from remogpt.app.service.problems import ServiceError
from remogpt.app.service.routes.common import (
    MOTION_TYPES,
    Files,
    Fps,
    Skeleton,
    accepted,
    owner_of_request,
)
from remogpt.app.service.service import Service
from remogpt.app.service.work import start_building


def add_databases(router: APIRouter, service: Service) -> None:
    """Add the routes that list, build, read and delete databases."""

    @router.get("/v1/databases", tags=["databases"])
    async def databases(request: Request) -> dict[str, Any]:
        """List the databases that may be named in questions."""
        return {"databases": await run_in_threadpool(service.databases.rows, owner_of_request(request))}

    @router.post("/v1/databases", tags=["databases"], status_code=202)
    async def build(request: Request, name: Annotated[str, Form(max_length=100)], files: Files) -> Response:
        """Build a database of recordings and captions, sent as a zip or as files; the answer is a job.

        Captions come as `captions.csv` with the columns file and caption, or as a .txt beside each recording.
        """
        owner = owner_of_request(request)
        service.databases.check_new(name, owner)
        with uploads.scratch(service.settings.work) as folder:
            await run_in_threadpool(save_recordings, service, files, folder)
            return accepted(start_building(service, name, owner, folder))

    @router.delete("/v1/databases/{name}", tags=["databases"], status_code=204)
    async def remove(request: Request, name: str) -> Response:
        """Delete a database of one's own."""
        await run_in_threadpool(service.databases.remove, name, owner_of_request(request))
        return Response(status_code=204)

    @router.get("/v1/databases/{name}/motions/{entry:path}", tags=["databases"], responses=MOTION_TYPES)
    async def motion(request: Request, name: str, entry: str, fps: Fps = None, skeleton: Skeleton = None) -> Response:
        """Return the motion of a database's entry, as JSON or as a motion file."""
        kind = chosen_format(request)
        found = await service.motion(name, entry, owner_of_request(request))
        if kind == "json":
            row = {"id": entry, "caption": found.caption, "frames": found.num_frames, "fps": found.fps}
            return JSONResponse({**row, "joints": found.joints.astype(float).round(4).tolist()})
        return await service.written(motion_response, [found], kind, skeleton=skeleton, fps=fps)


def save_recordings(service: Service, files: Sequence[UploadFile], folder: Path) -> None:
    """Write uploaded recordings and captions, or what a zip holds of them, into the scratch folder's upload.

    Raises:
        ServiceError: for files that are not taken.
    """
    target = folder / uploads.UPLOAD
    target.mkdir()
    archives = [file for file in files if (file.filename or "").lower().endswith(".zip")]
    if not archives:
        uploads.save(files, target, (*uploads.MOTIONS, *uploads.TABLES), service.settings)
        return
    if len(files) > 1:
        raise ServiceError(422, "send one zip, or files without a zip")
    uploads.unpack(uploads.save(archives, folder, (".zip",), service.settings)[0], target, service.settings)
