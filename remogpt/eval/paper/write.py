"""Write filled tables as Markdown, as a web page and as one CSV a table."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from remogpt.eval.cards import Card, short
from remogpt.eval.paper.fill import Cell, Filled, Line, Results, fill_tables
from remogpt.eval.paper.tables import Column
from remogpt.runtime.files import write_text
from remogpt.runtime.text import printable

NOT_RUN = "not run"
LEGEND = (
    "Our number ± half the width of its 95 % interval; in brackets the published one, as far as it is known here. "
    "Bold: the best of ours. ↑ higher is better, ↓ lower, → nearer to the real motions."
)


def write_tables(runs: Mapping[str, Results], out: str | Path) -> list[Filled]:
    """Fill the papers' tables and write `tables.md`, `tables.html` and `<table>.csv`.

    Args:
        runs: name -> results (`open_runs`). out: folder.

    Returns:
        The filled tables.
    """
    filled, out = fill_tables(runs), Path(out)
    for one in filled:
        write_text(out / f"{one.table.name}.csv", to_csv(one))
    write_text(out / "tables.md", to_markdown(filled))
    write_text(out / "tables.html", to_html(filled))
    return filled


def to_markdown(filled: Sequence[Filled]) -> str:
    """Return all tables as Markdown."""
    lines = ["# The papers' tables", "", LEGEND, ""]
    for one in filled:
        lines += [f"## {one.table.title}", ""]
        lines += [f"**{_escape(warning)}.**\n" for warning in one.warnings]
        for block, rows in one.blocks:
            lines += [f"### {block.title}", ""] if block.title else []
            head = ["", *(column.title for column in one.table.columns), "made on"]
            lines += [_line(head), "|---|" + "---:|" * len(one.table.columns) + "---|"]
            lines += [_line([_escape(row.label), *_cells(one, row), _escape(_made_on(row))]) for row in rows]
            lines.append("")
        lines += [f"{one.table.note}\n"] if one.table.note else []
        lines += [f"{_missing(one)}\n"] if _missing(one) else []
        lines += [f"- {_escape(what)}: {_escape(how)}" for what, how in protocol(one).items()] + [""]
    return printable("\n".join(lines))


def to_html(filled: Sequence[Filled]) -> str:
    """Return all tables as one page without script or network."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    here = Path(__file__).parent
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"short": short}
    template = environment.from_string((here / "tables.html.j2").read_text(encoding="utf-8"))
    style = Markup((here.parent / "report" / "report.css").read_text(encoding="utf-8"))
    page: str = template.render(
        filled=filled, style=style, legend=LEGEND, parts=_parts, made_on=_made_on, missing=_missing, protocol=protocol
    )
    return printable(page)


def to_csv(one: Filled) -> str:
    """Return a table with every number in a column of its own, all digits, empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [f"{column.head}{suffix}" for column in one.table.columns for suffix in ("", " ±", " published")]
    writer.writerow(["row", "protocol", "run", "made on", *heads])
    for block, rows in one.blocks:
        for row in rows:
            numbers = [value for cell in row.cells for value in (cell.own, cell.half, cell.published)]
            written = ["" if value is None else f"{value:.6g}" for value in numbers]
            writer.writerow([row.label, block.protocol, row.run, _made_on(row), *written])
    return text.getvalue()


def protocol(one: Filled) -> dict[str, str]:
    """Return the protocol card of a table: for each result, the entries that all its rows share."""
    cards: dict[str, list[Card]] = {}
    for _, rows in one.blocks:
        for row in rows:
            for name, card in row.cards.items():
                cards.setdefault("/".join(name.split("/")[:2]), []).append(card)
    return {
        name: "; ".join(
            f"{entry} {short(value)}"
            for entry, value in some[0].items()
            if value is not None and all(card.get(entry) == value for card in some)
        )
        for name, some in cards.items()
    }


def _cells(one: Filled, row: Line) -> Iterator[str]:
    for cell, column in zip(row.cells, one.table.columns, strict=True):
        own, half, published = _parts(cell, column)
        own = f"**{own}**" if own and cell.is_best else own
        yield " ".join(part for part in (own, half and f"± {half}", published and f"({published})") if part)


def _parts(cell: Cell, column: Column) -> tuple[str, str, str]:
    """Return our number, its half interval and the published number as words, empty where there is none."""
    values = (cell.own, cell.half, cell.published)
    # Adding 0 makes the -0.000 of a vanishing FID 0.000.
    written = ("" if one is None else f"{round(one, column.digits) + 0.0:.{column.digits}f}" for one in values)
    own, half, published = written
    return own, half, published


def _made_on(row: Line) -> str:
    return row.made_on or NOT_RUN


def _missing(one: Filled) -> str:
    """Say what fills the rows that are not run."""
    rows = {row.label: row for _, lines in one.blocks for row in lines if not row.run}
    told = [f"{label}: {row.note}." for label, row in rows.items() if row.note]
    rest = [label for label, row in rows.items() if not row.note]
    if rest and one.table.made_by:
        told.append(f"Not run: {', '.join(rest)}; {one.table.made_by}.")
    return " ".join(told)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    for character in "\\`*[]<>|":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
