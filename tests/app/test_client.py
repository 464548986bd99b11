"""`remogpt.Client` against a service that listens, and `remogpt serve` itself."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

import uvicorn

from remogpt import Client, GenerationOptions, load_motion
from remogpt.app.serve import settings_of
from remogpt.app.service.application import create_app
from remogpt.app.service.service import Service
from remogpt.runtime.errors import RemogptError


@pytest.fixture(scope="module")
def url(service: Service) -> Iterator[str]:
    """Address of the session's service, on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(service), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def test_the_clients_answers_are_the_models(url: str, service: Service, wave: Path) -> None:
    client, model = Client(url), service.model
    options = GenerationOptions(best_of=2, exclude=["000000"])
    served, own = (
        client.generate("a person walks", seed=7, options=options)[0],
        model.generate("a person walks", seed=7, options=options)[0],
    )
    np.testing.assert_array_equal(served.motion.features, own.motion.features)
    np.testing.assert_array_equal(served.codes, own.codes)
    assert served.motion.caption == "a person walks" and served.seed == 7
    assert [one.id for one in served.examples] == [one.id for one in own.examples]
    assert served.confidence == pytest.approx(own.confidence, abs=1e-3)
    both = client.generate(["a person walks", "a man waves"], seed=7, options=options)
    np.testing.assert_array_equal(both[0][0].codes, own.codes)
    motion = load_motion(wave)
    assert client.caption(motion).text == model.caption(motion, seed=0).text
    assert [one.text for one in client.caption([motion, motion])] == [model.caption(motion, seed=0).text] * 2
    found = client.search(motion=motion, route="m2m", k=2, min_score=-1)
    assert [one.id for one in found] == [one.id for one in model.search(motion=motion, route="m2m", k=2)]
    assert [one.id for one in client.search("a man", k=1)] == [one.id for one in model.search("a man", k=1)]
    assert client.similarity(["a man"], [motion]).shape == (1, 1) and client.similarity(["a", "b"]).shape == (2, 2)
    assert client.databases()[0]["name"] == "default"


def test_the_clients_errors_are_the_services(url: str, tmp_path: Path) -> None:
    client = Client(url)
    with pytest.raises(RemogptError, match="holds no words"):
        client.generate("")
    with pytest.raises(RemogptError, match="there is no database 'none'"):
        client.search("a man", database="none")
    with pytest.raises(RemogptError, match="no service answers at"):
        Client("http://127.0.0.1:9").databases()
    (tmp_path / "x.npy").write_bytes(b"x")
    with pytest.raises(RemogptError, match="no captions came"):
        client.build_database("mine", [tmp_path / "x.npy"])


def test_what_the_command_refuses(run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "choose another --port" in run("serve", "--port", port, "--work", tmp_path / "w").complaint
    keys = tmp_path / "keys.txt"
    keys.write_text("\n")
    common = ("serve", "--port", "0", "--work", tmp_path / "w")
    assert "holds no key" in run(*common, "--api-key-file", keys).complaint
    assert str(tmp_path / "none") in run(*common, "--model", tmp_path / "none").complaint
    assert "no motion database" in run(*common, "--database", tmp_path).complaint
    assert "is taken or no name" in run(*common, "--database", f"default={tmp_path}").complaint
    assert "must lie between" in run("serve", "--port", "70000").complaint


@pytest.mark.parametrize(("max_upload", "timeout"), [(0, 60.0), (20, 0.0), (20, -1.0)])
def test_a_service_that_could_take_or_answer_nothing_is_refused(max_upload: int, timeout: float) -> None:
    with pytest.raises(RemogptError, match=f"must be above 0, got {max_upload} and {timeout:g}"):
        settings_of(SimpleNamespace(max_upload=max_upload, timeout=timeout))
