"""The tab of databases: what there is, building one of one's own motions, comparing two on one caption."""

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from remogpt.app.page import cards
from remogpt.app.page.shared import copied, database_choices, finished, motions_of_hits, owner, stop, watched, words_of
from remogpt.app.service import uploads
from remogpt.app.service.answers import motion_answer
from remogpt.app.service.questions import GenerateQuestion
from remogpt.app.service.service import Service
from remogpt.app.service.work import start_building
from remogpt.runtime.errors import RemogptError

COLUMNS = ["name", "motions", "captions", "licences", "yours"]


def databases_tab(service: Service) -> list[gr.Dropdown]:
    """Add the tab's parts; returns its dropdowns of databases."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            table = gr.Dataframe(_rows(service, ""), headers=COLUMNS, interactive=False, label="Databases", wrap=True,
                                 column_widths=[130, 90, 95, 120, 70])  # fmt: skip
            gr.HTML("<h2>Build one of your own motions</h2>")
            name = gr.Textbox(label="Name", placeholder="mine", max_length=64)
            kinds = [".zip", *uploads.MOTIONS, *uploads.TABLES]
            files = gr.File(label="A zip, or motion files with captions.csv", file_count="multiple", file_types=kinds,
                            elem_id="database-files")  # fmt: skip
            folder = gr.File(label="or a folder", file_count="directory", elem_id="database-folder")
            gr.HTML('<p class="rg-soft">Captions come as captions.csv with the columns file and caption, or as a .txt '
                    "of the same name beside each motion, one caption a line.</p>")  # fmt: skip
            with gr.Row():
                go = gr.Button("Build", variant="primary", elem_id="build")
                halt = gr.Button("Stop", elem_id="build-stop")
            told = gr.HTML(elem_id="build-status")
            with gr.Row():
                gone = gr.Dropdown([], label="Delete one of yours", filterable=False)
                delete = gr.Button("Delete", elem_id="database-delete")
        with gr.Column(scale=4, min_width=320):
            gr.HTML("<h2>Compare two on one caption</h2>")
            text = gr.Textbox(label="Caption", value="a person waves with the right hand", max_length=4000)
            with gr.Row():
                first, second = (
                    gr.Dropdown(database_choices(service), value="default", label=label, filterable=False)
                    for label in ("One", "The other")
                )
                seed = gr.Number(label="Seed", value=0, precision=0, minimum=0)
            compare = gr.Button("Compare", variant="primary", elem_id="compare")
            compared_told, compared = gr.HTML(elem_id="compare-status"), gr.HTML(elem_id="compared")
    job_id, builder = gr.State(""), _Builder(service)
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    build = go.click(builder.build, [name, files, folder], [told, job_id], concurrency_limit=None, **hidden)
    halt.click(stop(service), job_id, told, **hidden)
    deleted, there = delete.click(builder.delete, gone, told, **hidden), [table, gone, first, second]
    for changed in (build, deleted):
        changed.then(builder.table, outputs=there, **hidden)
    compare.click(builder.compare, [text, first, second, seed], [compared_told, compared], concurrency_limit=None,
                  **hidden)  # fmt: skip
    return [first, second]


def _rows(service: Service, who: str) -> list[list[Any]]:
    return [
        [row["name"], row["entries"], row["captions"], ", ".join(row["licences"]), "yes" if row["yours"] else "no"]
        for row in service.databases.rows(who)
    ]


class _Builder:
    """Builds, deletes and compares databases."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def table(self, request: gr.Request) -> list[Any]:
        """Return the databases there are, those that may be deleted, and two to compare."""
        rows = _rows(self.service, owner(request))
        names, mine = [row[0] for row in rows], [row[0] for row in rows if row[-1] == "yes"]
        two = [gr.update(choices=names, value=name) for name in (names[:1] + names[-1:] or (None, None))]
        return [rows, gr.update(choices=mine, value=mine[0] if mine else None), *two]

    def delete(self, name: str | None, request: gr.Request) -> str:
        """Delete a database of one's own."""
        try:
            self.service.databases.remove(name or "", owner(request))
            return cards.status(f"deleted {name}", "done")
        except RemogptError as error:
            return words_of(self.service, error)

    async def build(
        self, name: str, files: Sequence[str] | None, folder: Sequence[str] | None, request: gr.Request
    ) -> AsyncIterator[tuple[str, str]]:
        """Build a database, with progress."""
        service = self.service
        yield cards.progress(0, 1, "taking the files"), ""
        try:
            service.databases.check_new((name or "").strip(), owner(request))
            with uploads.scratch(service.settings.work) as home:
                self._take([*(files or ()), *(folder or ())], home)
                job = start_building(service, name.strip(), owner(request), home)
            async for line in watched(job, service, "importing" if not job.done else "building"):
                yield line, job.id
            row = finished(job, service)
            left_out = f"; {' '.join(row['left_out'])}" if row["left_out"] else ""
            words = f"{row['name']} has {row['entries']} motions; choose it as database in the other tabs{left_out}"
            yield cards.status(words, "done"), job.id
        except Exception as error:  # the last who can tell it
            yield words_of(service, error), ""

    def _take(self, files: Sequence[str], home: Path) -> None:
        """Copy dropped files, or unpack the zip, into the scratch folder's upload."""
        target = home / uploads.UPLOAD
        target.mkdir()
        kinds = (*uploads.MOTIONS, *uploads.TABLES)
        archives = [file for file in files if file.lower().endswith(".zip")]
        if archives and len(files) > 1:
            raise RemogptError("drop one zip, or files without a zip")
        if archives:
            shutil.copy(archives[0], home / "upload.zip")
            uploads.unpack(home / "upload.zip", target, self.service.settings)
            return
        copied([file for file in files if Path(file).suffix.lower() in kinds], target, kinds)

    async def compare(
        self, text: str, first: str, second: str, seed: float | None, request: gr.Request
    ) -> AsyncIterator[tuple[str, str]]:
        """Write a motion for one caption with each of two databases, and show the examples of both."""
        service, who = self.service, owner(request)
        yield cards.progress(0, 1, "writing with both"), ""
        try:
            sides = []
            for name in (first, second):
                question = GenerateQuestion(text=text, seed=int(seed or 0), database=name)
                [(own_seed, [answer])] = await service.generate(question, who)
                row = motion_answer(answer, own_seed)
                examples = await motions_of_hits(service, row["examples"], name, who)
                made = [cards.example(one, motion) for one, motion in zip(row["examples"], examples, strict=True)]
                sides.append(cards.side(name, row, answer.motion, made))
            yield cards.status(f"“{text}” with both databases", "done"), cards.together(sides, "Two databases")
        except Exception as error:  # the last who can tell it
            yield words_of(service, error), ""
