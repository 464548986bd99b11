"""Markup, escape sequences and formulas in captions, ids, factors and names of files stay text everywhere.

In pages, tables and on the terminal. Pages are opened in a real browser (Debian's package chromium) where there is one.
"""

import csv
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.report import write_report
from remogpt.motion import Motion
from tests.eval.report import report_example

RUN = "document.documentElement.dataset.run='1'"
MARKUP = (
    f"a person <script>{RUN}</script> walks", f"</script></style></title><img src=x onerror=\"{RUN}\">",
    f"\"'><svg onload=\"{RUN}\">", f"{{{{ 7*7 }}}} <a href=\"javascript:{RUN}\">walks</a>", "<!-- waves", "]]> -->",
)  # fmt: skip
ESCAPES = "walks \x1b]0;owned\x07 \x1b[2J\x1b[31m \u202egnp \x9b31m"
FORMULA = "=cmd|'/c calc'!A1 walks"
HOSTILE = (*MARKUP, ESCAPES, FORMULA)
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def hostile_set(tiny_set: Path, tmp_path: Path) -> Path:
    """A set whose name, licence, captions, tags and one split are hostile."""
    folder = tmp_path / "set"
    shutil.copytree(tiny_set, folder)
    about = json.loads((folder / "set.json").read_text()) | {"name": MARKUP[1], "licence": f"{MARKUP[0]} {ESCAPES}"}
    (folder / "set.json").write_text(json.dumps(about))
    for number, path in enumerate(sorted((folder / "texts").iterdir())):
        text = HOSTILE[number % len(HOSTILE)]
        path.write_text(f"{text}#x/NOUN#0.0#0.0\n", encoding="utf-8")
        item = folder / "items" / f"{path.stem}.json"
        tags = {MARKUP[number % len(MARKUP)]: text, "style": MARKUP[1]}
        item.write_text(json.dumps(json.loads(item.read_text()) | {"tags": tags, "source_id": MARKUP[0]}))
    return folder


class Attributes(HTMLParser):
    """Collects the attributes of every element."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += attrs


def opened(page: Path) -> str:
    """Return a page as the browser holds it after its scripts have run."""
    if BROWSER is None:
        pytest.skip("no Chromium; install Debian's package chromium to open pages in it")
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom",
        "--virtual-time-budget=3000", f"--user-data-dir={page.parent / 'profile'}", page.absolute().as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def check_page(page: Path, *shown: str) -> None:
    """Nothing of the hostile text is markup, nothing of it has run, and it is there to be read."""
    text = page.read_text(encoding="utf-8")
    assert not OBEYED.search(text), "control characters"
    for pattern in (r"<img src=x", r"<svg onload", r"<script>document\.documentElement", r'<a [^>]*href="javascript:'):
        assert not re.search(pattern, text), pattern
    held = opened(page)
    head = held[: held.index("<head")]
    assert "data-run" not in head, head
    for one in shown:
        assert one in held, one
    attributes = Attributes()
    attributes.feed(held)
    assert not [one for one in attributes.found if one[0].startswith("on") or str(one[1]).startswith("javascript:")]
    assert ("src", "x") not in attributes.found


def check_terminal(*texts: str) -> None:
    for text in texts:
        shown = text.replace("\r", "")  # of progress bars
        assert not OBEYED.search(shown), OBEYED.findall(shown)[:3]


@pytest.mark.slow
def test_the_player(tmp_path: Path, tiny_set: Path) -> None:
    joints = np.load(tiny_set / "new_joints" / "000004.npy")[:20]
    for number, text in enumerate(HOSTILE):
        page = tmp_path / f"{number}.html"
        Motion(joints, caption=text, name=text).save(page)
        assert not OBEYED.search(page.read_text(encoding="utf-8")), text
    check_page(tmp_path / "1.html", "&lt;img src=x onerror=")
    check_page(tmp_path / "0.html", "&lt;script&gt;")


@pytest.mark.slow
def test_database_demo_tables_and_terminal(run: Any, hostile_set: Path, tiny_model: Path, tmp_path: Path) -> None:
    model, database = ("--model", tiny_model), tmp_path / "db <b> \x1b[31m"
    ran = [
        run("data", "stats", hostile_set), run("db", "build", hostile_set, "--out", database, *model),
        run("db", "info", database), run("db", "info", database, "--json"), run("verify", database, hostile_set),
        run("search", HOSTILE[0], "--database", database, *model),
        run("db", "export", database, "--out", tmp_path / "t.csv"),
        run("search", ESCAPES, "--database", tmp_path / ESCAPES),
    ]  # fmt: skip
    assert [one.code for one in ran[:-1]] == [0] * 7, [(one.code, one.err) for one in ran]
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not any(cell.lstrip()[:1] in ("=", "+", "-", "@") for cell in cells)
    assert any(MARKUP[0] in cell for cell in cells)
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for name in ("=1+1.npy", "<img src=x onerror=1>.npy", "a\x1b[2Jb.npy"):
        shutil.copy(hostile_set / "new_joints" / "000004.npy", recordings / name)
    (tmp_path / "p.txt").write_text("\n".join([*MARKUP[:2], ESCAPES]), encoding="utf-8")
    words = ("--motions", recordings, "--prompts", tmp_path / "p.txt", "--database", database, *model)
    ran.append(run("demo", "--out", tmp_path / "demo", *words))
    ran.append(run("caption", recordings, "--out", tmp_path / "c.csv", "--database", database, *model))
    assert [one.code for one in ran[-2:]] == [0, 0], [one.err for one in ran[-2:]]
    check_terminal(*(text for one in ran for text in (one.out, one.err)))
    rows = list(csv.reader((tmp_path / "c.csv").open(encoding="utf-8", newline="")))
    assert not OBEYED.search((tmp_path / "c.csv").read_text(encoding="utf-8").replace("\n", ""))
    assert not any(cell.lstrip()[:1] in ("=", "+", "-", "@") for row in rows for cell in row)
    check_page(tmp_path / "demo" / "index.html", "&lt;script&gt;", "&lt;img src=x onerror=")


@pytest.mark.slow
def test_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model, set, licence, splits, what was left out, names of factors, ids, captions and prompts."""
    factors = dict.fromkeys(HOSTILE, 20) | {"side": 40}
    monkeypatch.setattr(report_example, "FACTORS", factors)
    report = report_example.example_report(tmp_path)
    results = {}
    for number, (name, result) in enumerate(report["results"].items()):
        result["card"] |= {"set": MARKUP[1], "licence": f"{MARKUP[0]} {ESCAPES}", "model": MARKUP[2]}
        for key in ("rarest", "items"):
            for item in result["scores"].get(key) or ():
                item |= {one: HOSTILE[number % len(HOSTILE)] for one in ("id", "caption") if one in item}
        name = name.replace("kitchen", MARKUP[3].replace("/", "")).replace("test_unseen", f"test {MARKUP[2]}")
        results[name] = result
    report |= {"results": results, "missing_splits": [MARKUP[1]], "left_out": {MARKUP[2]: ESCAPES}}
    write_report(report, tmp_path)
    check_page(tmp_path / "report.html", "&lt;script&gt;", "<canvas")
    assert not OBEYED.search((tmp_path / "report.md").read_text(encoding="utf-8").replace("\n", ""))


def test_a_set_with_such_captions_reads_as_it_is(hostile_set: Path) -> None:
    captions = {text for clip in MotionTextSet.open(hostile_set).clips("all", 1, 10**9) for text in clip.captions}
    assert set(HOSTILE) <= captions
