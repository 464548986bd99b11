"""The tab that writes captions for dropped files, which are corrected by hand and saved as a table."""

import csv
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from remogpt.app.page import cards
from remogpt.app.page.shared import PAGE_FILES, copied, owner, words_of
from remogpt.app.service import uploads
from remogpt.app.service.questions import CaptionQuestion
from remogpt.app.service.service import Service
from remogpt.motion import Motion
from remogpt.runtime.errors import ITEM_ERRORS, RemogptError
from remogpt.runtime.text import csv_cell

_SAVED = (0, 1, 2, 4)
"""Columns of the saved table: those that the command line writes."""
COLUMNS = ["file", "caption", "seconds", "confidence", "error"]


def caption_tab(service: Service) -> None:
    """Add the tab's parts."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=300):
            files = gr.File(label="Motion files", file_count="multiple",
                            file_types=list(uploads.MOTIONS), elem_id="caption-files")  # fmt: skip
            with gr.Row():
                go = gr.Button("Caption", variant="primary", elem_id="caption")
                halt = gr.Button("Stop", elem_id="caption-stop")
            gr.HTML('<p class="rg-soft">BVH, AMC (with the ASF of its body), glTF, npy, npz, mat.</p>')
        with gr.Column(scale=5, min_width=320):
            told = gr.HTML(cards.status("Drop motion files, and press Caption."), elem_id="caption-status")
            players = gr.HTML(elem_id="captioned")
            table = gr.Dataframe(
                headers=COLUMNS, datatype=["str", "str", "number", "str", "str"], interactive=True, wrap=True,
                type="array", label="Captions: click one to correct it", visible=False,
                static_columns=[0, 2, 3, 4], column_widths=[130, 320, 100, 120, 200], elem_id="caption-table",
            )  # fmt: skip
            save = gr.DownloadButton("Save table", visible=False, elem_id="caption-save")
    writer = _Captioner(service)
    running = go.click(writer.caption, files, [told, players, table, save], show_progress="hidden",
                       api_visibility="private", concurrency_limit=None)  # fmt: skip
    halt.click(lambda: cards.status("stopped"), outputs=told, cancels=[running], api_visibility="private")
    table.change(writer.table_file, table, save, show_progress="hidden", api_visibility="private")


class _Captioner:
    """Captions files one after the other, each shown as soon as it is done."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def caption(self, files: Sequence[str] | None, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Caption dropped files."""
        hidden = gr.update(visible=False)
        yield [cards.progress(0, 1, "reading"), "", hidden, hidden]
        try:
            with uploads.scratch(self.service.settings.work) as folder:
                paths = uploads.motions_among(copied(files, folder))
                if len(paths) > self.service.settings.max_files:
                    raise RemogptError(
                        f"{len(paths)} files, at most {self.service.settings.max_files} are taken at once"
                    )
                made: list[str] = []
                rows: list[list[Any]] = []
                for number, path in enumerate(paths, start=1):
                    yield [cards.progress(number - 1, len(paths), f"captioning {path.name}"), *[gr.skip()] * 3]
                    row, motion = await self._one(path, owner(request))
                    made.append(cards.captioned(row, motion))
                    rows.append([row["file"], row["caption"], row["seconds"], _percent(row), row["error"] or ""])
                    yield [gr.skip(), cards.together(made, "Captioned motions"), gr.update(value=rows, visible=True),
                           gr.update(visible=True)]  # fmt: skip
            failed = sum(bool(row[4]) for row in rows)
            words = f"{len(rows) - failed} captioned" + (f", {failed} could not be read" if failed else "")
            yield [cards.status(words, "done"), *[gr.skip()] * 3]
        except Exception as error:  # the last who can tell it
            yield [words_of(self.service, error), *[gr.skip()] * 3]

    async def _one(self, path: Path, who: str) -> tuple[dict[str, Any], Motion | None]:
        row = await self.service.caption_file(path, CaptionQuestion(), who)
        try:
            return row, None if row["error"] else await self.service.read(path)
        except ITEM_ERRORS:  # told in the row
            return row, None

    def table_file(self, table: Sequence[Sequence[Any]]) -> str:
        """Write the table, with its corrections, as `remogpt caption --out` does; return the file."""
        path = Path(tempfile.mkdtemp(dir=self.service.settings.work / PAGE_FILES)) / "captions.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([COLUMNS[column] for column in _SAVED])
            writer.writerows([csv_cell(row[column]) for column in _SAVED] for row in table)
        return str(path)


def _percent(row: dict[str, Any]) -> str:
    return "" if row.get("confidence") is None else f"{row['confidence']:.0%}"
