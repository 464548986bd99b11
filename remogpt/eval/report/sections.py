"""The chapters of the report: a title, how to read it, and its tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from remogpt.eval.report.motion_tables import (
    facts_tables,
    generation_tables,
    physical_tables,
    swap_tables,
    tokenizer_tables,
)
from remogpt.eval.report.rare_tables import rare_tables
from remogpt.eval.report.tables import Entry, Report, Table, entries, in_order, marks_table
from remogpt.eval.report.text_tables import captioning_tables, retrieval_tables


@dataclass(frozen=True)
class Section:
    """One chapter of the report."""

    task: str
    title: str
    intro: str
    tables: tuple[Table, ...]
    entries: tuple[Entry, ...]
    """Results that the chapter shows."""
    cards: tuple[Entry, ...]
    """Results whose cards stand below the chapter: those that no earlier chapter has shown."""


def sections(report: Report) -> list[Section]:
    """Return the chapters for which the report has results, so that every result is in one of them."""
    found: list[Section] = []
    seen: set[str] = set()
    for task, (title, intro, make) in _TASKS.items():
        own = _with_bodies(report) if task == "physical" else entries(report, task)
        if own:
            cards = tuple(entry for entry in own if entry.name not in seen)
            seen |= {entry.name for entry in own}
            tables = tuple(one for one in (*make(own), marks_table(own)) if one is not None)
            found.append(Section(task, title, intro, tables, tuple(own), cards))
    others = tuple(
        Entry(name, "", "", result["card"], result["scores"])
        for name, result in report["results"].items()
        if name not in seen
    )
    if others:
        found.append(Section("other", "Other results", "Their scores are in results.json.", (), others, others))
    return found


def _with_bodies(report: Report) -> list[Entry]:
    """Return results with physical quality: of generated motions, and of motions that the tokenizer decodes."""
    own = entries(report, "generation")
    known = {(entry.split, entry.mode) for entry in own}
    own += [entry for entry in entries(report, "facts") if (entry.split, entry.mode) not in known]
    own += [replace(entry, mode="tokenizer") for entry in entries(report, "tokenizer")]
    return in_order([entry for entry in own if entry.scores.get("physical")])


Maker = Callable[[Sequence[Entry]], Iterable[Table | None]]
_TASKS: dict[str, tuple[str, str, Maker]] = {
    "tokenizer": (
        "Tokenizer",
        "How far joints move when a motion is written as codes and read back. No generated motion can be better.",
        tokenizer_tables,
    ),
    "retrieval": (
        "Retrieval",
        "How often the right motion is found for a caption (t2m), and the right caption for a motion (m2t).",
        retrieval_tables,
    ),
    "generation": (
        "Text to motion",
        "Motions written for captions, beside controls that are scored in the same way: the real motions, the motion "
        "retrieved first, and the training motion nearest to the real one.",
        generation_tables,
    ),
    "facts": (
        "Facts",
        "Statements of the captions that joints must prove: which side, how many times, which way, in which order. "
        "No network evaluates here.",
        facts_tables,
    ),
    "physical": (
        "Physical quality",
        "Feet that slide, bodies under or over the floor, jerky movement, bones that change their length; beside the "
        "real motions, and what the tokenizer alone does to real ones.",
        physical_tables,
    ),
    "captioning": (
        "Motion to text",
        "Captions written for motions, against the captions that the set has for them.",
        captioning_tables,
    ),
    "rare": (
        "Rare prompts",
        "What becomes of prompts that resemble nothing in the training set, with retrieval and without.",
        rare_tables,
    ),
    "swap": (
        "Swapped databases",
        "The same model with other databases to retrieve from, and no training in between.",
        swap_tables,
    ),
}
