"""Fill the papers' tables with what evaluations have found."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from remogpt.eval.cards import Card, ReportFile, differing_entries, short
from remogpt.eval.paper.tables import Block, Column, PaperTable, Row, paper_tables
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json

Results = Mapping[str, Any]
"""`results` of a `results.json`."""
FILES = "files"
"""How the answers of another method are called in a result's name."""


@dataclass(frozen=True)
class Cell:
    """One number; None where there is none."""

    own: float | None = None
    half: float | None = None
    """Half width of its 95 % interval."""
    published: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class Line:
    """One row of a filled table."""

    label: str
    cells: tuple[Cell, ...]
    run: str = ""
    """Name of the run; empty where there is none."""
    made_on: str = ""
    """Set and number of items of the run's results."""
    note: str = ""
    is_real: bool = False
    cards: Mapping[str, Card] = field(default_factory=dict)
    """Cards of the results that fill it, by their names."""


@dataclass(frozen=True)
class Filled:
    """A table with its numbers."""

    table: PaperTable
    blocks: tuple[tuple[Block, tuple[Line, ...]], ...]
    warnings: tuple[str, ...]
    """What the numbers must not be read without."""


def run_folders(words: Sequence[str | Path]) -> dict[str, Path]:
    """Return the folder of each run by its name; `words` as in `open_runs`, which raises the same errors."""
    return {name: path.parent for word in words for name, path in _folders(word)}


def open_runs(words: Sequence[str | Path]) -> dict[str, Results]:
    """Read evaluations.

    Args:
        words: folders of results (or their `results.json`), each the run of its own name, folders of such folders, or
            `NAME=FOLDER`.

    Returns:
        name of the run -> its results.

    Raises:
        MissingPathError: if a folder holds no results.
        RemogptError: if two runs have one name.
    """
    found: dict[str, Results] = {}
    for word in words:
        for name, path in _folders(word):
            if name in found:
                raise RemogptError(
                    f"two runs are called {name!r}; rename a folder, or give one another name: NAME={path}"
                )
            found[name] = read_json(path, ReportFile)["results"]
    return found


def _folders(word: str | Path) -> Iterator[tuple[str, Path]]:
    given, _, rest = str(word).partition("=")
    name, path = (given, Path(rest)) if rest and not Path(word).exists() else ("", Path(word))
    if path.is_file():
        yield name or path.resolve().parent.name, path
    elif (path / "results.json").is_file():
        yield name or path.resolve().name, path / "results.json"
    else:
        inside = [] if name else sorted(path.glob("*/results.json"))
        if not inside:
            raise MissingPathError(f"no results.json in {path}; name folders that 'remogpt eval' wrote (its --out)")
        yield from ((one.parent.name, one) for one in inside)


def fill_tables(runs: Mapping[str, Results], tables: Sequence[PaperTable] | None = None) -> list[Filled]:
    """Fill tables with runs.

    Args:
        runs: name -> results, as `open_runs` returns them.
        tables: default: all of both papers.

    Raises:
        RemogptError: if a run stands under the name of another row than its own, or fills nothing in all tables.
    """
    known = {row.run for table in paper_tables() for row in table.rows if row.run}
    filled = [_filled(table, runs, known) for table in (paper_tables() if tables is None else tables)]
    used = {line.run for one in filled for _, lines in one.blocks for line in lines}
    idle = [name for name in runs if name not in used]
    if tables is None and idle:
        near = difflib.get_close_matches(idle[0], sorted(known), n=1, cutoff=0.6)
        is_misspelt = near and idle[0] not in known
        why = f"did you mean {near[0]!r}?" if is_misspelt else "it has none of the results that a row wants."
        raise RemogptError(
            f"run {idle[0]!r} fills no row of any table: {why} Runs and their results: docs/guide/evaluation.md"
        )
    return filled


def _filled(table: PaperTable, runs: Mapping[str, Results], known: set[str]) -> Filled:
    rows = [*table.rows, *(_others(table, runs, known) if table.takes_others else ())]
    blocks, warnings = list[tuple[Block, tuple[Line, ...]]](), list[str]()
    for block in table.blocks:
        lines = [_line(table, block, row, runs) for row in rows]
        strange = list(_differences(lines))
        warnings += [one for one in strange if one not in warnings]
        if not blocks or any(cell.own is not None for line in lines for cell in line.cells):
            blocks.append((block, tuple(lines if strange else _with_best(table, lines))))
    return Filled(table, tuple(blocks), (*_other_sets(table, blocks), *warnings))


def _others(table: PaperTable, runs: Mapping[str, Results], known: set[str]) -> Iterator[Row]:
    """Make a row for each run that no table names and that has this table's result on its set."""
    for name, results in runs.items():
        answers = (FILES, *table.answers)
        row = Row(name, name, answers)
        own = [_result(table, row, column, results)[1] for column in table.columns]
        if name not in known and any(one and is_of_set(one["card"].get("set"), table.set) for one in own):
            yield row


def _line(table: PaperTable, block: Block, row: Row, runs: Mapping[str, Results]) -> Line:
    published = row.published | block.published.get(row.label, {})
    cells, cards = [], dict[str, Card]()
    for column in table.columns:
        name, result = _result(table, row, column, runs.get(row.run, {}))
        own, half = (None, None) if result is None else _number(result["scores"], column, block)
        if result is not None and own is not None:
            _check_expected(table, row, result["card"])
            cards[name] = result["card"]
        cells.append(Cell(own, half, published.get(column.head)))
    sets = dict.fromkeys(f"{card.get('set')}, {card.get('num_items')} items" for card in cards.values())
    run = row.run if cards else ""
    return Line(row.label, tuple(cells), run, "; ".join(sets), row.note, row.is_real, cards)


def _result(table: PaperTable, row: Row, column: Column, results: Results) -> tuple[str, Any]:
    wanted = column.result or table.result
    for answers in row.answers or table.answers or ("",):
        name = wanted.format(answers=answers)
        if name in results:
            return name, results[name]
    return wanted, None


def _number(scores: Any, column: Column, block: Block) -> tuple[float | None, float | None]:
    """Return a score and the half width of its interval, in the column's unit."""
    *steps, last = column.score.format(protocol=block.protocol).split(".")
    for step in steps:
        scores = scores.get(step) or {}
    value: Any = scores.get(last)
    half: Any = scores.get(f"{last}_ci95")
    if isinstance(value, dict):
        value, half = value.get("mean"), value.get("ci95")
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None, None
    return column.scale * value, None if not half or not math.isfinite(half) else column.scale * half


def _check_expected(table: PaperTable, row: Row, card: Card) -> None:
    for name, wanted in row.expects.items():
        came = card.get(name)
        if came is not None and came != wanted:  # a card names routes only where the evaluation was given them
            raise RemogptError(
                f"{table.title}: row {row.label!r} wants {name} {short(wanted)}, but run {row.run!r} was made with "
                f"{short(came)}; give that run the name of its own row"
            )


def is_of_set(name: object, wanted: str) -> bool:
    """Whether a set's name says which set of the papers it is: `humanml3d_v2` is HumanML3D, `bandai` is none."""
    plain = [re.sub(r"[^a-z0-9]", "", str(one).lower()) for one in (name, wanted)]
    return plain[1] in plain[0]


def _other_sets(table: PaperTable, blocks: Sequence[tuple[Block, Sequence[Line]]]) -> Iterator[str]:
    cards = [card for _, lines in blocks for line in lines for card in line.cards.values()]
    for name in dict.fromkeys(str(card.get("set")) for card in cards):
        is_rehearsal = "rehearsal" in name
        if is_rehearsal or not is_of_set(name, table.set):
            kind = "a rehearsal" if is_rehearsal else "another set"
            yield f"{name} is {kind}, not {table.set}: compare none of its numbers with published ones"


def _differences(lines: Sequence[Line]) -> Iterator[str]:
    """Say which rows were made by another protocol than the first of the same result."""
    first: dict[str, Line] = {}
    for line in (line for line in lines if not line.is_real):
        for name, card in line.cards.items():
            task = "/".join(name.split("/")[:2])
            other = first.setdefault(task, line)
            before = next(one for key, one in other.cards.items() if key.startswith(task))
            # Of swapped databases: what their differences item by item are from, which no table shows.
            differing = [one for one in differing_entries(before, card) if one != "against"]
            if differing:
                entries = ", ".join(f"{one}: {short(before.get(one))} / {short(card.get(one))}" for one in differing)
                yield f"{other.label} and {line.label} do not compare, their protocols differ ({entries})"


def _with_best(table: PaperTable, lines: Sequence[Line]) -> list[Line]:
    """Mark the best of our own numbers in each column, where there are two or more."""
    real = next((line for line in lines if line.is_real), None)
    marked = [list(line.cells) for line in lines]
    for index, column in enumerate(table.columns):
        level = None if real is None else real.cells[index].own
        own = {at: line.cells[index].own for at, line in enumerate(lines) if not line.is_real}
        loss = {at: _loss(value, column, level) for at, value in own.items() if value is not None}
        if len(loss) < 2 or None in loss.values():
            continue
        least = min(value for value in loss.values() if value is not None)
        for at, value in loss.items():
            if value == least:
                marked[at][index] = replace(marked[at][index], is_best=True)
    return [replace(line, cells=tuple(cells)) for line, cells in zip(lines, marked, strict=True)]


def _loss(value: float, column: Column, real: float | None) -> float | None:
    """Return what is smallest for the best value; None where nothing says which is better."""
    if column.better == "real":
        return None if real is None else abs(value - real)
    return {"up": -value, "down": value}.get(column.better)
