"""Put guard, routes and service together into one application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match

import remogpt
from remogpt.app.service.guard import Guard
from remogpt.app.service.login import add_login
from remogpt.app.service.problems import answer_with_problems
from remogpt.app.service.routes.databases import add_databases
from remogpt.app.service.routes.jobs import add_jobs
from remogpt.app.service.routes.motions import add_motions
from remogpt.app.service.routes.search import add_search
from remogpt.app.service.service import Service

ABOUT = """Text to motion and motion to text, with retrieved examples.

Errors are `application/problem+json`. Long work: send `Prefer: respond-async` and follow the job. Who shows no API key
is told from others by the secret word in the header `Remogpt-Client`, if it sends one: jobs and databases belong to it.
"""


def create_app(service: Service) -> FastAPI:
    """Return the application that answers with a service, and closes it in the end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    app = FastAPI(
        title="remogpt", version=remogpt.__version__, description=ABOUT, lifespan=lifespan,
        docs_url=None, redoc_url=None,  # both pages load scripts from another machine
    )  # fmt: skip
    app.state.service = service
    router = APIRouter()
    for add in (add_motions, add_search, add_databases, add_jobs):
        add(router, service)
    add_login(router)
    app.include_router(router)
    _refuse_others(app, router)
    app.add_middleware(Guard, settings=service.settings)
    answer_with_problems(app, service.hidden)
    return app


def _refuse_others(app: FastAPI, router: APIRouter) -> None:
    """Refuse every other address below /v1, before a page that is mounted at / answers it in words of its own."""

    @app.api_route("/v1/{rest:path}", methods=["DELETE", "GET", "PATCH", "POST", "PUT"], include_in_schema=False)
    async def _unknown(request: Request, rest: str) -> None:
        here = [one for one in router.routes if one.matches(request.scope)[0] is Match.PARTIAL]  # by another method
        allowed = sorted({method for route in here for method in getattr(route, "methods", ())})
        if allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
        raise HTTPException(404)
