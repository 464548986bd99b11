"""What the page's tabs answer, without a browser: their parts, errors, stopping, and what is hidden."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the page needs pip install '.[serve]'")

import gradio as gr
from fastapi.testclient import TestClient

from remogpt.app.page.databases_tab import _Builder
from remogpt.app.page.generate_tab import SLOTS, _Writer
from remogpt.app.page.page import add_page, page_of
from remogpt.app.page.search_tab import WORDS, _Searcher
from remogpt.app.page.shared import stop
from remogpt.app.service import databases
from remogpt.app.service.application import create_app
from remogpt.app.service.jobs import Job
from remogpt.app.service.questions import GenerateQuestion
from remogpt.app.service.service import Service
from remogpt.app.service.settings import ServiceSettings
from remogpt.cli import main

OWNER = "mine"
Ask = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def request_of() -> Any:
    """What gradio tells a handler of who asks."""
    asked: Any = SimpleNamespace(scope={"state": {"owner": OWNER}})
    return gr.Request(asked)


@pytest.fixture
def ask(client: TestClient) -> Ask:
    """Run a handler on the event loop of the session's service."""
    assert client.portal is not None
    return client.portal.call


def test_every_tab_has_its_parts_and_takes_captions_as_long_as_the_service_does(service: Service) -> None:
    parts = page_of(service).config["components"]
    names = {part["props"].get("elem_id") for part in parts}
    assert {"write", "caption", "search", "hits", "build", "compare", "gallery-motions"} <= names
    captions = ("What the person does", "Words", "Caption")
    boxes = [part["props"] for part in parts if part["type"] == "textbox" and part["props"]["label"] in captions]
    most, *others = (box["max_length"] for box in boxes)
    assert others == [most, most]
    assert GenerateQuestion(text="a" * most).text
    with pytest.raises(ValueError, match=f"at most {most} characters"):
        GenerateQuestion(text="a" * (most + 1))


def test_as_many_wait_for_the_page_as_the_settings_say(tiny_model: Path, tmp_path: Path) -> None:
    service = Service(ServiceSettings(work=tmp_path, model=str(tiny_model), max_waiting=3))
    app = add_page(create_app(service), service)
    mounted: list[Any] = [getattr(route, "app", None) for route in app.routes]
    pages = [one for one in mounted if hasattr(one, "get_blocks")]
    assert [page.get_blocks()._queue.max_size for page in pages] == [3]
    asyncio.run(service.close())


def test_what_cannot_be_searched_is_told(service: Service, ask: Ask, request_of: Any) -> None:
    told, hits = ask(lambda: _Searcher(service).search(WORDS, "", None, [], 3, "default", request_of))
    assert "holds no words" in told and "error" in told and hits == ""


def test_a_motion_without_examples_shows_none(service: Service, ask: Ask, request_of: Any) -> None:
    async def write() -> list[Any]:
        nothing: dict[str, list[str]] = {"exclude": [], "pinned": []}
        words = ("a person walks", 1, 0, 1, "default", "none", True, None, nothing, request_of)
        return [updates async for updates in _Writer(service).write(*words)][-1]

    told, answers, _, shown, again, forget, note, *slots = ask(write)
    assert "1 motion for" in told and answers and not shown and "without retrieved examples" in note
    assert [one["visible"] for one in (again, forget, *slots[::4])] == [False] * (2 + SLOTS)


def test_a_running_job_can_be_stopped_by_its_owner(service: Service, ask: Ask, request_of: Any) -> None:
    async def forever(job: Job, folder: Path) -> None:
        await asyncio.sleep(60)

    async def stopped() -> list[str]:
        own, other = (service.jobs.start("generate", owner, forever) for owner in (OWNER, "another"))
        await asyncio.sleep(0)  # they begin
        told = [stop(service)(job_id, request_of) for job_id in ("", other.id, own.id)]
        await asyncio.sleep(0.05)
        states = [other.state, own.state]
        service.jobs.remove(other)
        return [*told, *states]

    none, others, own, *states = ask(stopped)
    assert "nothing is running" in none and "nothing is running" in others and "stopped" in own
    assert states == ["running", "cancelled"]


def test_a_job_that_is_cancelled_before_it_begins_is_over(service: Service, ask: Ask) -> None:
    async def forever(job: Job, folder: Path) -> None:
        await asyncio.sleep(60)

    async def cancelled() -> list[str]:
        job = service.jobs.start("generate", OWNER, forever)
        service.jobs.remove(job)
        await asyncio.sleep(0.05)
        return [job.state]

    assert ask(cancelled) == ["cancelled"]


def test_a_database_is_built_and_offered(
    service: Service, ask: Ask, request_of: Any, tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_here(words: Any, job: Job, work: Path) -> list[str]:
        assert await asyncio.to_thread(main, [str(word) for word in words]) == 0
        return ["one file was left out"]

    monkeypatch.setattr(databases, "_run", run_here)
    recordings = tmp_path / "job" / "upload"
    recordings.mkdir(parents=True)
    (recordings / "walk.npy").write_bytes((tiny_set / "new_joints" / "000003.npy").read_bytes())
    (recordings / "walk.txt").write_text("a person walks boldly\n", encoding="utf-8")
    row = ask(lambda: service.databases.build("bold", OWNER, Job("0" * 32, OWNER, "database"), recordings))
    assert (row["name"], row["entries"], row["yours"], row["left_out"]) == ("bold", 1, True, ["one file was left out"])
    rows, deletable, first, second = _Builder(service).table(request_of)
    assert [one[0] for one in rows] == ["default", "bold"] and deletable["choices"] == ["bold"]
    assert [one["value"] for one in (first, second)] == ["default", "bold"]
    assert "deleted bold" in _Builder(service).delete("bold", request_of)
