"""The tab that shows what the model knows: motions of a database, spread over all that it has."""

import gradio as gr

from remogpt.app.page import cards
from remogpt.app.page.shared import database_choices, owner, words_of
from remogpt.app.service.service import Service

SHOWN = 9
"""Motions on a page of the gallery."""


def gallery_tab(service: Service) -> tuple[gr.Tab, gr.Dropdown]:
    """Add the tab; returns it, and its dropdown of databases."""
    with gr.Tab("Gallery", id="gallery") as tab:
        with gr.Row(equal_height=False):
            database = gr.Dropdown(
                database_choices(service), value="default", label="Database", filterable=False, scale=2
            )
            more = gr.Button("Show others", scale=1, elem_id="gallery-more")
        told, shown, page = gr.HTML(elem_id="gallery-status"), gr.HTML(elem_id="gallery-motions"), gr.State(-1)
        gallery = _Gallery(service)
        for trigger in (tab.select, more.click, database.input):
            trigger(
                gallery.show, [database, page], [told, shown, page], show_progress="hidden", api_visibility="private",
                concurrency_limit=None,
            )  # fmt: skip
    return tab, database


class _Gallery:
    """Shows entries of a database, a page at a time."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def show(self, name: str, page: int, request: gr.Request) -> tuple[str, str, int]:
        """Return the next page of entries, evenly spread over the database."""
        service, who, page = self.service, owner(request), page + 1
        try:
            ids = await service.answer(service.thread.call(self._ids, name, who))
            stride = max(1, len(ids) // SHOWN)
            chosen = [ids[(place * stride + page * 7) % len(ids)] for place in range(min(SHOWN, len(ids)))]
            motions = [await service.motion(name, one, who) for one in chosen]
            made = [cards.entry(one, motion) for one, motion in zip(chosen, motions, strict=True)]
            words = f"{len(chosen)} of {len(ids)} motions that examples are taken from"
            return cards.status(words), cards.together(made, "Motions of the database"), page
        except Exception as error:  # the last who can tell it
            return words_of(service, error), "", page

    def _ids(self, name: str, who: str) -> list[str]:
        return list(self.service.model.database(self.service.databases.path(name, who)).rows)
