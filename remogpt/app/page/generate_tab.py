"""The tab that writes motions: candidates side by side, the examples behind them, and other choices of examples."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from remogpt.app.page import cards
from remogpt.app.page.shared import database_choices, finished, motions_of_hits, owner, stop, watched, words_of
from remogpt.app.service.answers import motions_of
from remogpt.app.service.questions import GenerateQuestion, Options, SearchQuestion
from remogpt.app.service.service import Service
from remogpt.app.service.work import start_generating

PROMPTS = (
    "a person waves with the right hand",
    "someone walks forward and sits down",
    "a person kicks with the left leg, then turns around",
    "an old man walks slowly",
    "a person jumps up twice",
)
SLOTS = 4
"""Examples whose use can be chosen."""
AS_IT_COMES, ALWAYS, NEVER, INSTEAD = "as it comes", "always use", "never use", "use instead"
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Options of every event: the page shows its own progress, and the HTTP API is the one for programs."""
_CHOICES = (AS_IT_COMES, ALWAYS, NEVER, INSTEAD)


@dataclass(frozen=True)
class _Slot:
    """Where one example is shown and chosen."""

    group: gr.Column
    card: gr.HTML
    use: gr.Radio
    other: gr.Dropdown


def generate_tab(service: Service) -> gr.Dropdown:
    """Add the tab's parts; returns the dropdown of databases."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=300):
            text = gr.Textbox(label="What the person does", value=PROMPTS[0], lines=2, max_lines=4, max_length=4000)
            gr.Examples([[prompt] for prompt in PROMPTS], text, label="Examples to click")
            with gr.Row():
                seconds = gr.Number(label="Seconds", info="0: the model chooses", value=0)
                seed = gr.Number(label="Seed", info="same seed, same motion", value=0, precision=0, minimum=0)
            samples = gr.Slider(1, 4, value=2, step=1, label="Motions")
            database = gr.Dropdown(database_choices(service), value="default", label="Database", filterable=False)
            with gr.Accordion("More", open=False):
                use = gr.Radio(["follow", "show", "none"], value="follow", label="Examples")
                always_written = gr.Checkbox(False, label="Always write: never answer with a retrieved motion as it is")
                guidance = gr.Number(None, label="Guidance", info="how strongly it keeps to the caption; 1: off")
            with gr.Row():
                go = gr.Button("Write", variant="primary", elem_id="write")
                halt = gr.Button("Stop", elem_id="write-stop")
        with gr.Column(scale=5, min_width=320):
            told = gr.HTML(cards.status("Describe what a person does, and press Write."), elem_id="write-status")
            answers = gr.HTML(elem_id="answers")
            slots, again, forget, chosen_note = _examples_area()
    job_id, shown, choice = gr.State(""), gr.State([]), gr.State({"exclude": [], "pinned": []})
    asked = [text, seconds, seed, samples, database, use, always_written, guidance]
    outputs: list[Any] = [told, answers, job_id, shown, again, forget, chosen_note]
    outputs += [part for slot in slots for part in (slot.group, slot.card, slot.use, slot.other)]
    writer = _Writer(service)
    written: dict[str, Any] = {"outputs": outputs, **_QUIET, "concurrency_limit": None}
    for trigger in (go.click, text.submit):
        begun = trigger(_nothing_chosen, outputs=choice, **_QUIET)
        begun.then(writer.write, [*asked, choice], **written)
    uses = [part for slot in slots for part in (slot.use, slot.other)]
    chosen = again.click(_choose, [choice, shown, *uses], choice, **_QUIET)
    chosen.then(writer.write, [*asked, choice], **written)
    forgotten = forget.click(_nothing_chosen, outputs=choice, **_QUIET)
    forgotten.then(writer.write, [*asked, choice], **written)
    halt.click(stop(service), job_id, told, **_QUIET)
    for slot in slots:
        slot.use.change(lambda use: gr.update(visible=use == INSTEAD), slot.use, slot.other, show_progress="hidden",
                        api_visibility="private")  # fmt: skip
    return database


def _examples_area() -> tuple[list[_Slot], gr.Button, gr.Button, gr.HTML]:
    """Lay out the examples, each with its choice, and the buttons that write again."""
    chosen_note = gr.HTML(elem_id="chosen")
    slots = []
    with gr.Row(equal_height=False):
        for number in range(SLOTS):
            with gr.Column(min_width=230, visible=False) as group:
                card = gr.HTML()
                use = gr.Radio(_CHOICES, value=AS_IT_COMES, label=f"Example {number + 1}")
                other = gr.Dropdown([], label="Instead", visible=False, filterable=False)
            slots.append(_Slot(group, card, use, other))
    with gr.Row():
        again = gr.Button("Write again with these choices", visible=False, elem_id="write-again")
        forget = gr.Button("Forget the choices", visible=False, elem_id="write-forget")
    return slots, again, forget, chosen_note


def _nothing_chosen() -> dict[str, list[str]]:
    return {"exclude": [], "pinned": []}


def _choose(choice: dict[str, list[str]], shown: Sequence[dict[str, Any]], *uses: str | None) -> dict[str, list[str]]:
    """Add what was chosen for each example to what was chosen before."""
    exclude, pinned = list(choice["exclude"]), []
    for row, use, other in zip(shown, uses[::2], uses[1::2], strict=False):
        if use == ALWAYS or (use == AS_IT_COMES and row["id"] in choice["pinned"]):
            pinned.append(row["id"])
        elif use == NEVER:
            exclude.append(row["id"])
        elif use == INSTEAD and other:
            exclude.append(row["id"])
            pinned.append(other.partition(":")[0])
    return {"exclude": [one for one in dict.fromkeys(exclude) if one not in pinned], "pinned": pinned[:2]}


class _Writer:
    """Writes motions as a job, so that they can be fetched in any format, and shows them.

    Args:
        service: that writes.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    async def write(
        self, text: str, seconds: float | None, seed: float | None, samples: int, database: str, use: str,
        always_written: bool, guidance: float | None, choice: dict[str, list[str]], request: gr.Request,
    ) -> AsyncIterator[list[Any]]:  # fmt: skip
        """Write, show how far it is, then the answers and their examples."""
        service, who = self.service, owner(request)
        yield self._updates(cards.progress(0, 1, "starting"), "", "")
        try:
            extra = {"retrieved": 0} if always_written else {}
            options = Options(examples=use, guidance=guidance or None, **choice, **extra)  # type: ignore[arg-type]
            question = GenerateQuestion(
                text=text, seconds=seconds or None, seed=int(seed or 0), num_samples=int(samples), database=database,
                options=options,
            )  # fmt: skip
            job = start_generating(service, question, who)
            rows = question.num_samples * service.best_of
            async for line in watched(job, service, "writing", rows):
                yield self._updates(line, job.id)
            answered = finished(job, service)["answers"][0]
            motions = motions_of(answered)
            places = range(len(answered))
            made = [
                cards.candidate(row, motion, place, cards.result_link(job.id, place))
                for row, motion, place in zip(answered, motions, places, strict=True)
            ]
            done = cards.status(f"{len(made)} motion{'s' * (len(made) > 1)} for “{text}”", "done")
            html = cards.together(made, "Written motions")
            examples = answered[0]["examples"][:SLOTS]
            yield [*self._updates(done, job.id, html)[:3], *await self._examples(text, examples, database, choice, who)]
        except Exception as error:  # the last who can tell it
            yield self._updates(words_of(service, error), "", "")

    def _updates(self, told: str, job_id: str, answers: str | None = None) -> list[Any]:
        """Return updates of every output: the status, and what else is given; examples as they are, or hidden."""
        rest = gr.skip() if answers is None else gr.update(visible=False)
        shown = gr.skip() if answers is None else []
        note = gr.skip() if answers is None else ""
        slots = [part for _ in range(SLOTS) for part in (rest, gr.skip(), gr.skip(), gr.skip())]
        return [told, gr.skip() if answers is None else answers, job_id, shown, rest, rest, note, *slots]

    async def _examples(
        self, text: str, rows: Sequence[dict[str, Any]], database: str, choice: dict[str, list[str]], who: str
    ) -> list[Any]:
        """Return updates that show the retrieved examples, with others that could stand in their place."""
        if not rows:
            hidden = gr.update(visible=False)
            slots = [part for _ in range(SLOTS) for part in (hidden, "", gr.skip(), gr.skip())]
            return [[], hidden, hidden, cards.status("answered without retrieved examples"), *slots]
        service = self.service
        motions = await motions_of_hits(service, rows, database, who)
        hits = await service.search(SearchQuestion(text=text, k=12, database=database), None, who)
        there = {row["id"] for row in rows} | set(choice["exclude"])
        others = [f"{hit.id}: {hit.caption[:70]}" for hit in hits if hit.id not in there]
        shown: list[Any] = []
        for row, motion in zip(rows, motions, strict=True):
            use = ALWAYS if row["pinned"] else AS_IT_COMES
            other = gr.update(choices=others, value=others[0] if others else None, visible=False)
            shown += [gr.update(visible=True), cards.example(row, motion), use, other]
        for _ in range(SLOTS - len(rows)):
            shown += [gr.update(visible=False), "", AS_IT_COMES, gr.skip()]
        has_chosen = bool(choice["exclude"] or choice["pinned"])
        said = [f"never used: {', '.join(choice['exclude'])}"] if choice["exclude"] else []
        said += [f"always used: {', '.join(choice['pinned'])}"] if choice["pinned"] else []
        note = f"<h2>Retrieved examples</h2>{cards.status('; '.join(said)) if said else ''}"
        return [rows, gr.update(visible=True), gr.update(visible=has_chosen), note, *shown]
