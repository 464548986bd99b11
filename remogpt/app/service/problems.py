"""Errors as application/problem+json (RFC 9457), in the words of the command line; no traceback ever leaves."""

import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.text import printable

_log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
LONGEST = 1000
"""Characters of a problem's detail."""
RETRY_SECONDS = 5
"""What a client that came at a busy moment is told to wait."""


class ServiceError(RemogptError):
    """Raised where a request cannot be answered, with the status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem(status: int, detail: str) -> JSONResponse:
    """Return a problem as a response."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else None
    return JSONResponse(problem_body(status, detail), status, headers, PROBLEM)


def problem_body(status: int, detail: str) -> dict[str, Any]:
    """Return the body of a problem: plain text without anything that a terminal obeys."""
    words = printable(" ".join(detail.split()))
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": words[:LONGEST]}


def status_of(error: BaseException) -> int:
    """Return the status of an error: its own, 422 for what a user can mend, 500 for what nobody foresaw."""
    if isinstance(error, ServiceError):
        return error.status
    if isinstance(error, TimeoutError):
        return 504
    if isinstance(error, MemoryError):
        return 413
    return 422 if isinstance(error, RemogptError) else 500


def describe(error: BaseException, hidden: Iterable[str] = ()) -> dict[str, Any]:
    """Return an error as the body of a problem; folders of the server are cut out of its words."""
    status = status_of(error)
    if status == 500:
        _log.error("a request failed", exc_info=error)
        return problem_body(500, "the service met an error that it did not foresee; its log says where")
    if isinstance(error, TimeoutError):
        return problem_body(504, "the answer took too long and was given up; ask for less, or as a job")
    words = str(error)
    if isinstance(error, MissingPathError):
        words = words.replace("No such file or directory", "there is no such file")
    for folder in hidden:
        words = words.replace(f"{folder}/", "").replace(folder, "the service")
    return problem_body(status, words)


def answer_with_problems(app: FastAPI, hidden: Iterable[str]) -> None:
    """Let an application answer every error as a problem.

    Args:
        app: the application.
        hidden: folders of the server, which no message names.
    """
    folders = tuple(hidden)

    @app.exception_handler(RemogptError)
    @app.exception_handler(MemoryError)
    @app.exception_handler(TimeoutError)
    async def _known(request: Request, error: Exception) -> JSONResponse:
        body = describe(error, folders)
        return problem(body["status"], body["detail"])

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "; ".join(_sentence(one) for one in list(error.errors())[:3]))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        words = {404: f"there is nothing at {request.url.path}", 405: f"{request.method} is not possible here"}
        answer = problem(error.status_code, words.get(error.status_code, str(error.detail)))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        body = describe(error)
        return problem(body["status"], body["detail"])


def _sentence(error: dict[str, Any]) -> str:
    """Turn one of pydantic's errors into a sentence: where, what was wanted, what came."""
    where = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path", "header", "str"))
    where = re.sub(r"\.?(list|function|constrained)\S*", "", where)
    if isinstance(error.get("input"), bytes):
        return "the body is not marked as JSON; send it with Content-Type: application/json"
    if error["type"] == "json_invalid":
        return 'the body is not valid JSON; send an object, for example {"text": "a person waves"}'
    if error["type"] == "missing":
        return f"{where or 'body'} is missing"
    if error["type"] == "extra_forbidden":
        return f"there is no field {where!r}"
    given = repr(error.get("input"))
    came = f", got {given}" if len(given) < 80 else ""
    what = error["msg"].removeprefix("Value error, ")
    return f"{where or 'body'}: {what[:1].lower()}{what[1:]}{came}"
