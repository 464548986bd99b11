"""`/v1/jobs` and `/health`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

import remogpt
from remogpt.app.service.answers import motions_of, without_arrays
from remogpt.app.service.formats import OF_CAPTIONS, chosen_format, motion_response
from remogpt.app.service.guard import NOBODY
from remogpt.app.service.problems import ServiceError
from remogpt.app.service.questions import Include
from remogpt.app.service.routes.common import MOTION_TYPES, Fps, Skeleton, caption_table, owner_of_request
from remogpt.app.service.service import Service


def add_jobs(router: APIRouter, service: Service) -> None:
    """Add the routes that follow, cancel and fetch jobs, and the one that tells how the service is."""

    @router.get("/health", tags=["service"])
    async def health() -> dict[str, Any]:
        """Tell that the service is there, what it answers with, and how many wait."""
        waiting = service.thread.num_waiting
        return {"status": "ok", "model": service.name, "version": remogpt.__version__, "waiting": waiting}

    @router.get("/v1/jobs", tags=["jobs"])
    async def jobs(request: Request) -> dict[str, Any]:
        """List one's jobs, the latest first; none for who shows no key and no name, as others may do the same."""
        owner = owner_of_request(request)
        return {"jobs": [] if owner == NOBODY else [job.to_json() for job in service.jobs.of(owner)]}

    @router.get("/v1/jobs/{job_id}", tags=["jobs"])
    async def job(request: Request, job_id: str) -> dict[str, Any]:
        """Tell how a job stands."""
        return service.jobs.find(job_id, owner_of_request(request)).to_json()

    @router.delete("/v1/jobs/{job_id}", tags=["jobs"], status_code=204)
    async def remove(request: Request, job_id: str) -> Response:
        """Cancel a running job, or delete a finished one."""
        service.jobs.remove(service.jobs.find(job_id, owner_of_request(request)))
        return Response(status_code=204)

    @router.get("/v1/jobs/{job_id}/result", tags=["jobs"], responses=MOTION_TYPES)
    async def result(
        request: Request, job_id: str, include: Annotated[list[Include] | None, Query(max_length=3)] = None,
        index: Annotated[int | None, Query(ge=0, description="only this motion of a generate job")] = None,
        fps: Fps = None, skeleton: Skeleton = None,
    ) -> Response:  # fmt: skip
        """Return a finished job's result, as the request that began it would have been answered."""
        found = service.jobs.find(job_id, owner_of_request(request))
        value = await run_in_threadpool(service.jobs.result, found)
        if found.kind == "caption":
            if chosen_format(request, OF_CAPTIONS) == "csv":
                return Response(caption_table(value["captions"]), media_type="text/csv")
            return JSONResponse(value)
        if found.kind == "database":
            return JSONResponse(value)
        kind = chosen_format(request)
        if kind == "json":
            return JSONResponse(
                {"answers": [[without_arrays(row, include or ()) for row in own] for own in value["answers"]]}
            )
        rows = [row for own in value["answers"] for row in own]
        if index is not None and index >= len(rows):
            raise ServiceError(404, f"the job wrote {len(rows)} motions, there is no number {index}; they count from 0")
        motions = motions_of(rows if index is None else rows[index : index + 1])
        return await service.written(motion_response, motions, kind, skeleton=skeleton, fps=fps)
