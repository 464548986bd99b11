"""The benchmark of the service: its clients ask together, and all answers are counted."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

import uvicorn
from fastapi import FastAPI, Response

from benchmarks.service import PLAIN, ask_together, question


@pytest.fixture
def url() -> Iterator[str]:
    """A service that answers twice and then tells everybody to wait, two requests at least being there at once."""
    app, seen, both = FastAPI(), [], asyncio.Event()

    @app.post("/v1/generate")
    async def generate(body: dict) -> Response:
        seen.append(body["seed"])
        if len(seen) >= 2:
            both.set()
        await asyncio.wait_for(both.wait(), 10)
        return Response(status_code=200 if body["seed"] < 2 else 503)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def test_clients_ask_together_and_every_answer_is_counted(url: str) -> None:
    found = asyncio.run(ask_together(url, SimpleNamespace(pid=os.getpid()), 6, 3, PLAIN))
    assert found["statuses"] == {"200": 2, "503": 4} and found["requests"] == 6 and found["requests_a_second"] > 0
    assert question(1, PLAIN) != question(2, PLAIN)
