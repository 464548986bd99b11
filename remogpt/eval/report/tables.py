"""Results as tables of words, from which the Markdown and the web page are both made, so that they cannot disagree.

Numbers are written with the decimals that their interval can carry, a 95 % interval as `1.2 ± 0.3`; an empty cell is a
score that was not computed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]
CONTROLS = ("real", "retrieved", "nearest_training", "tokenizer")
"""Modes that are not answers of the model, for numbers to compare with."""


@dataclass(frozen=True)
class Entry:
    """One result: its name, `<task>/<split>[/<mode>]`, taken apart."""

    name: str
    split: str
    mode: str
    card: dict[str, Any]
    scores: dict[str, Any]

    @property
    def is_control(self) -> bool:
        """Whether the answers are not the model's own."""
        return self.mode in CONTROLS

    @property
    def kind(self) -> str:
        """Kind of its rows."""
        return "control" if self.is_control else ""


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    cells: tuple[str, ...]
    name: str = ""
    """Name of the result whose card says how the numbers were made; empty for chance."""
    kind: str = ""
    """`control`, `chance`, or empty for the model's own."""


@dataclass(frozen=True)
class Table:
    """Heading, rows, and a note for the reader."""

    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    labels: int
    """Columns at the left that hold words; the others hold numbers."""
    note: str = ""
    shown: str = "open"
    """On the page: `open`, `folded` (on demand), or `drawn` where drawings say the same."""


NOTHING = 1e-12
"""Largest half width that rounding alone gives equal numbers."""
Column = tuple[str, Callable[[Entry], str]]
"""Heading, and the function that writes a result's cell."""


def entries(report: Report, task: str) -> list[Entry]:
    """Return the results of a task, in order."""
    found = []
    for name, result in report["results"].items():
        own, split, mode = [*name.split("/", 2), "", ""][:3]
        if own == task:
            found.append(Entry(name, split, mode, result["card"], result["scores"]))
    return in_order(found)


def in_order(found: Sequence[Entry]) -> list[Entry]:
    """Sort results split by split: the real motions first, the other controls last."""
    splits = list(dict.fromkeys(entry.split for entry in found))
    rank = {"real": -1, "retrieved": 1, "nearest_training": 2}
    return sorted(found, key=lambda entry: (splits.index(entry.split), rank.get(entry.mode, 0)))


def by_split(found: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Group results by split, in their order."""
    groups: dict[str, list[Entry]] = {}
    for entry in found:
        groups.setdefault(entry.split, []).append(entry)
    return groups


def table(
    title: str,
    found: Sequence[Entry],
    columns: Sequence[Column],
    count: Column | None = None,
    *,
    note: str = "",
    extra: Callable[[str], Sequence[Row]] | None = None,
    labels: tuple[str, str] = ("split", "mode"),
    shown: str = "open",
) -> Table | None:
    """Make a table with a row for each result, without empty columns and rows.

    Args:
        count: add a last column with the number of items; a result that has nothing else gets no row.
        extra: rows that follow those of a split, with every cell: split, mode, and one for each column and the count.

    Returns:
        The table, or None where no result has any of the columns.
    """
    width, columns = len(columns), [*columns, *([count] if count else [])]
    groups: list[tuple[list[Row], list[Row]]] = []
    for split, group in by_split(found).items():
        rows = [_row(entry, columns) for entry in group]
        groups.append(([row for row in rows if any(row.cells[2 : 2 + width])], list(extra(split)) if extra else []))
    own = [row for rows, _ in groups for row in rows]
    if not own:
        return None
    # Splits are always named; other columns stay only where a result fills them.
    kept = [column for column in range(len(columns) + 2) if column == 0 or any(row.cells[column] for row in own)]
    lines = [row for rows, more in groups if rows for row in (*rows, *more)]
    shorter = tuple(Row(tuple(row.cells[column] for column in kept), row.name, row.kind) for row in lines)
    heads = [*labels, *(head for head, _ in columns)]
    return Table(title, tuple(heads[column] for column in kept), shorter, 2 if 1 in kept else 1, note, shown)


def marks_table(found: Sequence[Entry]) -> Table | None:
    """Return what some results must not be read without, a line each; None where there is nothing."""
    modes: dict[tuple[str, str], list[Entry]] = {}
    for entry in found:
        for mark in entry.scores.get("marks", ()):
            modes.setdefault((entry.split, mark), []).append(entry)
    rows = [
        Row((split, ", ".join(entry.mode for entry in marked), mark), marked[0].name)
        for (split, mark), marked in modes.items()
    ]
    return Table("Not to be compared without this", ("split", "mode", "what"), tuple(rows), labels=3) if rows else None


def _row(entry: Entry, columns: Sequence[Column]) -> Row:
    cells = (entry.split, entry.mode, *(value(entry) for _, value in columns))
    return Row(cells, entry.name, entry.kind)


# ---- numbers as words ------------------------------------------------------------------------------------------------


def number(value: Any, digits: int = 1, scale: float = 1.0) -> str:
    """Write a number, empty where there is none."""
    if value is None or isinstance(value, (str, bool)) or not math.isfinite(value):
        return ""
    return f"{scale * value:.{digits}f}"


def rounded(mean: Any, half: Any) -> str:
    """Write a mean with the decimals in which the half width of its interval has two digits, four at most."""
    if not number(mean):
        return ""
    if not number(half) or half <= 0:
        return f"{mean:.3g}"
    digits = min(max(1 - math.floor(math.log10(half)), 0), 4)
    return interval(mean, half, digits)


def interval(mean: Any, half: Any, digits: int = 1, scale: float = 1.0) -> str:
    """Write a mean and the half width of its interval; the mean alone where none is known or nothing was drawn."""
    first, second = number(mean, digits, scale), number(half, digits, scale)
    # Repeats over the same motions do not change FID, which then has no interval.
    return f"{first} ± {second}" if first and second and half > NOTHING else first


def score(scores: Any, name: str, digits: int = 1, scale: float = 1.0) -> str:
    """Write a score that stands as a number beside `<name>_ci95`, or as {"mean", "ci95"}."""
    value = (scores or {}).get(name)
    if isinstance(value, dict):
        return interval(value.get("mean"), value.get("ci95"), digits, scale)
    # Shares of facts have a plain `ci95` beside them.
    half = (scores or {}).get("ci95" if name == "share" else f"{name}_ci95")
    count = (scores or {}).get("num_facts")
    if name == "share" and count and value is not None and half is not None and half > value:
        return f"{round(value * count)} of {count}"  # an interval wider than its number tells less than a count
    return interval(value, half, digits, scale)


def column(head: str, name: str, digits: int = 1, scale: float = 1.0, of: str = "") -> Column:
    """Make a column of a score, which lies in the dictionary `of` of the scores where one is named."""

    def value(entry: Entry) -> str:
        scores: Any = entry.scores
        for step in of.split("/") if of else ():
            scores = (scores or {}).get(step)
        return score(scores, name, digits, scale)

    return head, value
