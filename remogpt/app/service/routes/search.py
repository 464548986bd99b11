"""`/v1/search` and `/v1/similarity`: questions as JSON, or as forms with motion files."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from remogpt.app.service import uploads
from remogpt.app.service.problems import ServiceError
from remogpt.app.service.questions import SearchQuestion, SimilarityQuestion
from remogpt.app.service.routes.common import QuestionT, owner_of_request, read_question
from remogpt.app.service.service import Service
from remogpt.motion import Motion
from remogpt.pipeline.described import describe_examples, describe_spans
from remogpt.retriever.database.entry import RetrievedExample
from remogpt.runtime.errors import RemogptError

Sent = dict[str, list[tuple[str, Motion]]]
"""Uploaded motions with their names, by the form's field."""


def add_search(router: APIRouter, service: Service) -> None:
    """Add the routes that compare."""

    @router.post("/v1/search", tags=["search"], openapi_extra=_body(SearchQuestion, ("motion", "inside")))
    async def search(request: Request) -> dict[str, Any]:
        """Find motions of a database by words (JSON), or by a motion (a form with the file `motion`).

        A form with the file `inside` and a text finds the moments of that recording instead, with their curve. Other
        fields of a form come as JSON in its field `question`.
        """
        async with _received(request, service, SearchQuestion, ("motion", "inside")) as (question, sent):
            motions = [motion for own in sent.values() for _, motion in own]
            if len(motions) > 1:
                raise RemogptError("/v1/search takes one file, called motion or inside")
            if "inside" in sent:
                found = await service.moments(question.text or "", motions[0], question.k)
                curves = {"curve": found.curve, "pyramid_curve": found.pyramid_curve}
                rounded = {name: curve.astype(float).round(4).tolist() for name, curve in curves.items()}
                return {"spans": describe_spans(found), **rounded}
            hits = await service.search(question, motions[0] if motions else None, owner_of_request(request))
            return {"hits": described_hits(hits)}

    @router.post("/v1/similarity", tags=["search"], openapi_extra=_body(SimilarityQuestion, ("files",)))
    async def similarity(request: Request) -> dict[str, Any]:
        """Compare texts with each other (JSON), or with motions (a form with `files`); score = cosine / 2 + 0.5."""
        async with _received(request, service, SimilarityQuestion, ("files",)) as (question, sent):
            names = [name for name, _ in sent.get("files", [])]
            cosines = await service.similarity(question.texts, [motion for _, motion in sent.get("files", [])])
        values = cosines.astype(float)
        return {
            "rows": question.texts or names, "columns": names or question.texts,
            "cosine": values.round(6).tolist(), "score": (values / 2 + 0.5).round(6).tolist(),
        }  # fmt: skip


def described_hits(hits: Sequence[RetrievedExample]) -> list[dict[str, Any]]:
    """Return hits as JSON-ready rows."""
    return [{**row, "answers": hit.answers} for row, hit in zip(describe_examples(hits), hits, strict=True)]


@asynccontextmanager
async def _received(
    request: Request, service: Service, kind: type[QuestionT], fields: Sequence[str]
) -> AsyncIterator[tuple[QuestionT, Sent]]:
    """Read a request's question and the motions that came with it."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        yield read_question(kind, await request.body()), {}
        return
    async with request.form(max_files=service.settings.max_files, max_fields=10, max_part_size=200_000) as form:
        question = read_question(kind, str(form.get("question", "{}")))
        files = [(name, file) for name, file in form.multi_items() if isinstance(file, UploadFile)]
        if strange := [name for name, _ in files if name not in fields]:
            raise ServiceError(422, f"there is no field {strange[0][:40]!r} for a file; take {' or '.join(fields)}")
        with uploads.scratch(service.settings.work) as folder:
            paths = uploads.save([file for _, file in files], folder, uploads.MOTIONS, service.settings)
            motions = set(uploads.motions_among(paths)) if paths else set()
            sent: Sent = {}
            for (name, _), path in zip(files, paths, strict=True):
                if path in motions:
                    sent.setdefault(name, []).append((path.name, await service.read(path)))
            yield question, sent


def _body(question: type[BaseModel], fields: Sequence[str]) -> dict[str, Any]:
    """Describe for OpenAPI a body that is JSON, or a form with files."""
    schema = question.model_json_schema()
    file = {"type": "array", "items": {"type": "string", "format": "binary"}}
    form = {"type": "object", "properties": {"question": {"type": "string"}, **dict.fromkeys(fields, file)}}
    content = {"application/json": {"schema": schema}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}
