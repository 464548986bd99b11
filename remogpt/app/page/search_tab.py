"""The tab that searches: by words, by a motion, by body parts, and for moments inside a long recording."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from remogpt.app.page import cards
from remogpt.app.page.shared import copied, database_choices, motions_of_hits, owner, words_of
from remogpt.app.service import uploads
from remogpt.app.service.questions import SearchQuestion
from remogpt.app.service.routes.search import described_hits
from remogpt.app.service.service import Service
from remogpt.motion import Motion
from remogpt.pipeline.described import describe_spans

WORDS, MOTION, MOMENTS = "by words", "by a motion", "for moments in a recording"
PARTS = ("right_arm", "left_arm", "right_leg", "left_leg", "backbone", "root")
PROMPTS = ("a person kicks with the left leg", "raises the right arm", "someone sits down")


def search_tab(service: Service) -> gr.Dropdown:
    """Add the tab's parts; returns the dropdown of databases."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=300):
            way = gr.Radio((WORDS, MOTION, MOMENTS), value=WORDS, label="Search")
            text = gr.Textbox(label="Words", value=PROMPTS[0], max_length=4000)
            examples = gr.Examples([[prompt] for prompt in PROMPTS], text, label="Examples to click")
            file = gr.File(label="Motion file", file_types=list(uploads.MOTIONS), visible=False, elem_id="search-file")
            parts = gr.CheckboxGroup(PARTS, label="Only these body parts", info="none: the whole body")
            count = gr.Slider(1, 12, value=6, step=1, label="Hits")
            database = gr.Dropdown(database_choices(service), value="default", label="Database", filterable=False)
            go = gr.Button("Search", variant="primary", elem_id="search")
        with gr.Column(scale=5, min_width=320):
            told = gr.HTML(cards.status("Say what to look for, and press Search."), elem_id="search-status")
            found = gr.HTML(elem_id="hits")
    searcher = _Searcher(service)
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    way.change(_fields, way, [text, file, parts, database, examples.dataset], **hidden)
    for trigger in (go.click, text.submit):
        trigger(lambda: cards.progress(0, 1, "searching"), outputs=told, **hidden).then(
            searcher.search, [way, text, file, parts, count, database], [told, found], concurrency_limit=None, **hidden
        )
    return database


def _fields(way: str) -> list[Any]:
    """Show what a way of searching needs."""
    needs = (way != MOTION, way != WORDS, way != MOMENTS, way != MOMENTS, way != MOTION)
    return [gr.update(visible=needed) for needed in needs]


class _Searcher:
    """Searches, and lets what was found play."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def search(
        self, way: str, text: str, file: str | None, parts: Sequence[str], count: float, database: str,
        request: gr.Request,
    ) -> tuple[str, str]:  # fmt: skip
        """Return the status and the hits."""
        service, who = self.service, owner(request)
        try:
            motion = None if way == WORDS else await self._dropped(file)
            if way == MOMENTS:
                assert motion is not None
                return await self._moments(text, motion, int(count))
            route: Any = "m2m" if way == MOTION and parts else None
            question = SearchQuestion(
                text=text if way == WORDS else None, k=int(count), part=",".join(parts) or None, database=database,
                route=route,
            )  # fmt: skip
            hits = described_hits(await service.search(question, motion, who))
            motions = await motions_of_hits(service, hits, database, who)
            made = [cards.hit(row, one) for row, one in zip(hits, motions, strict=True)]
            words = f"{len(made)} hits for {'the motion' if way == MOTION else f'“{text}”'}"
            return cards.status(words, "done"), cards.together(made, "Hits")
        except Exception as error:  # the last who can tell it
            return words_of(service, error), ""

    async def _dropped(self, file: str | None) -> Motion:
        with uploads.scratch(self.service.settings.work) as folder:
            return await self.service.read(uploads.motions_among(copied(file, folder))[0])

    async def _moments(self, text: str, recording: Motion, count: int) -> tuple[str, str]:
        found = await self.service.moments(text, recording, count)
        curves = {"curve": found.curve, "pyramid_curve": found.pyramid_curve}
        made = cards.moments(recording, describe_spans(found), curves, text)
        start, end = found.best.seconds
        words = f"“{text}” fits best from {start:.1f} to {end:.1f} s"
        return cards.status(words, "done"), made
