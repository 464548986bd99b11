"""What the routes share: who asks, questions outside the body, jobs as answers, tables."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import File, Form, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from remogpt.app.service.formats import OF_MOTIONS, TYPES
from remogpt.app.service.jobs import Job
from remogpt.runtime.text import csv_cell

QuestionT = TypeVar("QuestionT", bound=BaseModel)
Fps = Annotated[float | None, Query(gt=0, le=240, description="frames a second of a motion file")]
Skeleton = Annotated[
    str | None,
    Query(max_length=40, description="joint names of a .bvh or .glb: smpl, mixamo, humanik, unreal"),
]
Files = Annotated[list[UploadFile], File(description="files")]
QuestionField = Annotated[str, Form(max_length=200_000, description="further fields, as a JSON object")]
MOTION_TYPES: dict[int | str, dict[str, Any]] = {200: {"content": {TYPES[name]: {} for name in OF_MOTIONS}}}


def owner_of_request(request: Request) -> str:
    """Return who asks, as the guard found out."""
    return str(request.state.owner)


def wants_job(request: Request) -> bool:
    """Tell whether the answer shall be a job. Source: RFC 7240."""
    return "respond-async" in request.headers.get("prefer", "").lower()


def accepted(job: Job) -> Response:
    """Return a job as an answer."""
    headers = {"Location": f"/v1/jobs/{job.id}", "Preference-Applied": "respond-async"}
    return JSONResponse(job.to_json(), 202, headers)


def read_question(kind: type[QuestionT], content: str | bytes) -> QuestionT:
    """Read a question that FastAPI does not read, with the same errors."""
    try:
        return kind.model_validate_json(content or b"{}")
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def caption_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return captions as the table that `remogpt caption --out` writes."""
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    names = ("file", "caption", "seconds", "error")
    writer.writerow(names)
    writer.writerows([csv_cell("" if row[name] is None else row[name]) for name in names] for row in rows)
    return content.getvalue()
