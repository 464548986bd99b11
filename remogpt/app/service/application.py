"""Put guard, routes and service together into one application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

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
    app.add_middleware(Guard, settings=service.settings)
    answer_with_problems(app, service.hidden)
    return app
