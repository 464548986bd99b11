"""The page in a real browser: each tab from input to a playing motion, errors, cancelling, a phone's width.

Also whether those who do not see the page can use it: axe-core finds no fault, and what happens is read aloud. Needs
Chromium and `playwright` (in the dev extra; its own browsers are not needed): `apt-get install chromium`. One test, so
that one server and one browser serve all of it.
"""

import asyncio
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the page needs pip install '.[serve]'")
pytest.importorskip("playwright", reason="Chromium is driven by playwright: pip install '.[dev]'")
pytest.importorskip("axe_playwright_python", reason="axe-core looks at the page: pip install '.[dev]'")

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from remogpt import Motion, load_motion
from remogpt.app.page.page import add_page
from remogpt.app.service import databases
from remogpt.app.service.application import create_app
from remogpt.app.service.service import Service
from remogpt.app.service.settings import ServiceSettings
from remogpt.cli import main
from remogpt.motion.files.film import has_ffmpeg

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open the page with")
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
SLOWLY = "window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 100);"
"""Ten pictures a second: a dozen figures are drawn without a GPU here."""
GRADIOS = ["#caption-table", ".icon-button-wrapper"]
"""Parts of gradio whose faults are not ours to mend: names of locked columns, a button within a button."""
MARKUP = "<img src=x onerror=window.hacked=1> a person walks <script>window.hacked=2</script>"


async def run_here(words: Any, job: Any, work: Path) -> list[str]:
    """Run a build's command in this process, which has loaded everything; another test runs it truly."""
    assert await asyncio.to_thread(main, [str(word) for word in words]) == 0
    return []


@pytest.fixture
def served(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Service]]:
    """Address of a page, and its service."""
    monkeypatch.setattr(databases, "_run", run_here)
    service = Service(ServiceSettings(work=tmp_path / "work", model=str(tiny_model)))
    app = add_page(create_app(service), service)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", service
    server.should_exit = True
    thread.join(timeout=20)


def says(page: Page, status: str, words: str) -> None:
    """Wait until a tab is done, well or not, and says some words."""
    expect(page.locator(f"#{status} .done, #{status} .error")).to_contain_text(words, timeout=30_000)


def can_be_used_by_all(page: Page) -> None:
    """Check contrast, names, roles and headings by the rules of WCAG 2.1 AA."""
    found = Axe().run(
        page, {"exclude": [[one] for one in GRADIOS]},
        {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    ).response["violations"]  # fmt: skip
    assert not [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]


def playing(page: Page, area: str) -> int:
    """Count the players in an area, and check that time goes on in all of them."""
    page.locator(f"#{area} canvas").first.wait_for(timeout=10_000)
    count = f"""() => {{
        const own = [...RemogptPlayer.players.values()].filter((one) => one.element.closest("#{area}"));
        return own.length && own.every((one) => one.playing && one.time > 0.05) ? own.length : 0;
    }}"""
    return int(page.wait_for_function(count, timeout=10_000).json_value())


def generates(page: Page, tmp_path: Path, service: Service) -> None:
    page.get_by_label("What the person does").fill("a person walks")
    page.get_by_role("button", name="Write", exact=True).click()
    says(page, "write-status", "2 motions for “a person walks”")
    assert playing(page, "answers") == 2
    expect(page.locator("#rg-live")).to_have_text("2 motions for “a person walks”")
    can_be_used_by_all(page)
    with page.expect_download() as download:
        page.locator("#answers").get_by_role("link", name="bvh").first.click()
    download.value.save_as(tmp_path / "got.bvh")
    wanted = service.model.generate("a person walks", num_samples=2, seed=0)[0]
    assert load_motion(tmp_path / "got.bvh", first_frame=0).num_frames == wanted.motion.num_frames
    if has_ffmpeg():
        with page.expect_download() as download:
            page.get_by_role("link", name="download motion 2 as mp4").click()
        assert Path(download.value.path()).read_bytes()[4:8] == b"ftyp"
    player = page.get_by_role("group", name="player: a person walks").first
    player.focus()
    page.keyboard.press("Space")
    assert page.evaluate("() => [...RemogptPlayer.players.values()].filter((one) => !one.playing).length") == 2
    names = []
    for _ in range(5):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))
        if names[-1].startswith("more"):
            page.keyboard.press("Enter")
    assert names == ["play", "position", "speed 1×", "more: loop, camera, picture, full screen", "loop"]
    assert page.locator("#answers input[type=range]").first.get_attribute("aria-valuetext").endswith(" s")


def bans_and_replaces_examples(page: Page) -> None:
    cards = page.locator(".rg-card:has(.rg-state) code")
    before = cards.all_inner_texts()
    page.get_by_label("never use").nth(0).check()
    page.get_by_label("use instead").nth(1).check()
    assert page.get_by_role("group", name="Example 1").get_by_role("radio").count() == 4
    other = page.get_by_label("Instead", exact=True)
    expect(other).to_be_visible()
    instead = other.input_value().partition(":")[0]
    page.get_by_role("button", name="Write again with these choices").click()
    expect(page.locator("#chosen")).to_contain_text("never used", timeout=20_000)
    after = cards.all_inner_texts()
    assert instead == after[0] and not set(before) & set(after)
    assert "used: you chose it" in page.locator(".rg-state").first.inner_text()
    page.get_by_role("button", name="Forget the choices").click()
    expect(page.locator("#chosen")).not_to_contain_text("never used", timeout=20_000)
    expect(cards).to_have_text(before, timeout=20_000)


def tells_errors_and_runs_no_script(page: Page) -> None:
    page.get_by_label("What the person does").fill("")
    page.get_by_role("button", name="Write", exact=True).click()
    says(page, "write-status", "holds no words; describe a motion")
    page.get_by_label("What the person does").fill(MARKUP)
    page.get_by_role("button", name="Write", exact=True).click()
    says(page, "write-status", "<script>window.hacked=2</script>")
    assert page.evaluate("window.hacked") is None


def stops(page: Page, service: Service) -> None:
    held = threading.Event()
    service.thread.call(held.wait)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("#write-status progress")).to_be_visible()
    expect(page.locator("#write-status")).to_contain_text("waiting")
    page.locator("#write-stop").click()
    expect(page.locator("#write-status")).to_contain_text("stopped")
    held.set()


def captions(page: Page, wave: Path, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Caption").click()
    (tmp_path / "bad.npy").write_text("no array")
    page.set_input_files("#caption-files input[type=file]", [str(wave), str(tmp_path / "bad.npy")])
    expect(page.locator("#caption-files")).to_contain_text("bad", timeout=10_000)
    page.locator("#caption").click()
    says(page, "caption-status", "1 captioned, 1 could not be read")
    assert playing(page, "captioned") == 1
    assert "is not a readable numeric .npy array" in page.locator("#captioned [role=alert]").inner_text()
    cell = page.locator("#caption-table [role=gridcell][aria-colindex='2']").first
    cell.dblclick()
    editor = cell.get_by_role("textbox")
    editor.fill("a person dances, as I see it")
    editor.press("Enter")
    rows: list[str] = []
    for _ in range(50):  # the table's file follows a moment later
        with page.expect_download() as download:
            page.locator("#caption-save").click()
        rows = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
        if "dances" in rows[1]:
            break
        page.wait_for_timeout(50)
    assert rows[0] == "file,caption,seconds,error" and rows[1].startswith('wave.npy,"a person dances, as I see it",')


def searches(page: Page, wave: Path) -> None:
    page.get_by_role("tab", name="Search").click()
    page.locator("#search").click()
    says(page, "search-status", "6 hits for “a person kicks")
    assert playing(page, "hits") == 6
    can_be_used_by_all(page)
    page.get_by_label("by a motion").check()
    page.set_input_files("#search-file input[type=file]", str(wave))
    expect(page.locator("#search-file")).to_contain_text("wave", timeout=10_000)
    page.get_by_label("right_arm").check()
    page.locator("#search").click()
    says(page, "search-status", "hits for the motion")
    page.get_by_label("for moments in a recording").check()
    page.locator("#search").click()
    says(page, "search-status", "fits best from")
    assert page.locator("#hits .rg-curve polyline").count() == 2 and playing(page, "hits") == 1
    page.locator("#hits [data-remogpt-seek]").first.click()


def builds_and_compares(page: Page, tiny_set: Path, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Databases").click()
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.write(tiny_set / "new_joints" / "000003.npy", "walk.npy")
        archive.writestr("captions.csv", "file,caption\nwalk.npy,a person walks <b>boldly</b>\n")
    page.get_by_label("Name").fill("mine")
    page.set_input_files("#database-files input[type=file]", str(tmp_path / "mine.zip"))
    expect(page.locator("#database-files")).to_contain_text("mine", timeout=10_000)
    page.locator("#build").click()
    says(page, "build-status", "mine has 1 motions")
    expect(page.get_by_label("The other")).to_have_value("mine")
    page.locator("#compare").click()
    says(page, "compare-status", "with both databases")
    assert playing(page, "compared") == 2 + 2 + 1
    can_be_used_by_all(page)
    assert "a person walks <b>boldly</b>" in page.locator("#compared").inner_text()


def shows_the_gallery(page: Page) -> None:
    page.get_by_role("tab", name="Gallery").click()
    assert playing(page, "gallery-motions") > 3


def fits_a_phone_in_the_dark(browser: Browser, url: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    page = context.new_page()
    page.add_init_script(SLOWLY)
    page.set_default_timeout(60_000)
    page.goto(url)
    page.get_by_role("button", name="Write", exact=True).tap()
    says(page, "write-status", "2 motions for")
    playing(page, "answers")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    can_be_used_by_all(page)
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.remogpt-player')).getPropertyValue('--rg-card')")
        != "#fff"
    )
    # Another browser is another client: it does not see the first one's database.
    assert page.evaluate("fetch('/v1/databases').then((one) => one.json()).then((one) => one.databases.length)") == 1
    context.close()


@pytest.mark.slow
def test_every_tab_from_input_to_a_playing_motion(
    served: tuple[str, Service], wave: Path, tiny_set: Path, tmp_path: Path
) -> None:
    url, service = served
    assert isinstance(load_motion(wave), Motion)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS.split())
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.add_init_script(SLOWLY)
        page.set_default_timeout(60_000)
        requests, errors = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        page.locator("#write").wait_for(timeout=30_000)
        generates(page, tmp_path, service)
        bans_and_replaces_examples(page)
        tells_errors_and_runs_no_script(page)
        stops(page, service)
        captions(page, wave, tmp_path)
        searches(page, wave)
        builds_and_compares(page, tiny_set, tmp_path)
        shows_the_gallery(page)
        fits_a_phone_in_the_dark(browser, url)
        browser.close()
    strange = [one for one in requests if not one.startswith((url, "data:", f"blob:{url}"))]
    assert not strange, "the page asked another machine"
    assert not errors
