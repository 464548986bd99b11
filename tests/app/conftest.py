"""A service with the tiny model, asked without a network."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

from fastapi.testclient import TestClient

from remogpt.app.service.application import create_app
from remogpt.app.service.service import Service
from remogpt.app.service.settings import ServiceSettings

MakeClient = Callable[..., TestClient]


@pytest.fixture(scope="session")
def service(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service that most tests ask."""
    yield Service(ServiceSettings(work=tmp_path_factory.mktemp("serve") / "work", model=str(tiny_model)))


@pytest.fixture(scope="session")
def client(service: Service) -> Iterator[TestClient]:
    """A client of `service` without a name."""
    with TestClient(create_app(service), base_url="http://localhost", raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def ask_service(tiny_model: Path, tmp_path: Path) -> MakeClient:
    """Make a client of a service with settings of its own, in the test's own work folder; use it in a `with` block."""

    def make(**settings: Any) -> TestClient:
        made = Service(ServiceSettings(work=tmp_path / "work", model=str(tiny_model), **settings))
        return TestClient(create_app(made), base_url="http://localhost", raise_server_exceptions=False)

    return make


@pytest.fixture
def finished() -> Callable[..., dict[str, Any]]:
    """Wait for a job: `finished(client, location, headers)` returns how it ended."""

    def wait(client: TestClient, location: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        for _ in range(1200):
            job: dict[str, Any] = client.get(location, headers=headers).json()
            if job["state"] != "running":
                return job
            time.sleep(0.05)
        raise AssertionError(job)

    return wait
