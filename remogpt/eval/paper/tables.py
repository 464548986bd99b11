"""What the papers' tables look like: rows, columns, the result and metric of each cell, and published values."""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.schema import checked

ARROWS = {"up": "↑", "down": "↓", "real": "→", "": ""}
"""Which way is better; `real`: the nearer to the real motions, the better."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One metric."""

    head: str
    score: str
    """Path within a result's scores, steps separated by dots; `{protocol}` stands for the block's."""
    result: str = ""
    """Result that holds it, instead of the table's."""
    better: Literal["up", "down", "real", ""] = ""
    digits: int = 2
    scale: float = 1.0

    @property
    def title(self) -> str:
        """Heading with its arrow."""
        return f"{self.head} {ARROWS[self.better]}".rstrip()


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    label: str
    run: str = ""
    """Name of the run that fills it; a row without one cannot be made here, and `note` says why."""
    answers: tuple[str, ...] = ()
    """Ways to answer that stand for `{answers}` in a result's name, the first that the run has; none: the table's."""
    published: dict[str, float] = {}
    """Column's heading -> value in the paper."""
    expects: dict[str, object] = {}
    """Entries that the row's cards must have where they tell them; keeps runs from standing in each other's rows."""
    is_real: bool = False
    """Whether it shows the real motions, which compete with none."""
    note: str = ""


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows by one protocol."""

    title: str = ""
    protocol: str = ""
    published: dict[str, dict[str, float]] = {}
    """Row's label -> column's heading -> value in the paper."""


class PaperTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table."""

    name: str
    title: str
    set: str
    """Set that the paper's numbers are of."""
    result: str
    """Name of the result that fills a row, with `{answers}` where a model answers in several ways."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    answers: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = (Block(),)
    made_by: str = ""
    """What makes its runs."""
    takes_others: bool = False
    """Whether runs that no row names get rows."""
    note: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tables: tuple[PaperTable, ...]
    shared: object = None
    """Anchors that the tables refer to."""


@cache
def paper_tables() -> tuple[PaperTable, ...]:
    """Return the tables of ReMoGPT and TMR, in the papers' order.

    Raises:
        RemogptError: if a file of tables is damaged, or a published value names no column.
    """
    found: list[PaperTable] = []
    for paper in ("remogpt", "tmr"):
        path = Path(__file__).with_name(f"{paper}.yaml")
        found += checked(yaml.safe_load(path.read_text(encoding="utf-8")), _File, path).tables
    for table in found:
        _check(table)
    return tuple(found)


def _check(table: PaperTable) -> None:
    heads, labels = {column.head for column in table.columns}, {row.label for row in table.rows}
    values = [row.published for row in table.rows]
    for block in table.blocks:
        values += block.published.values()
        if strange := set(block.published) - labels:
            raise RemogptError(f"{table.name} publishes values of {sorted(strange)}, which is none of its rows")
    if strange := {head for published in values for head in published} - heads:
        raise RemogptError(f"{table.name} publishes values of {sorted(strange)}, which is none of its columns")
