"""The report as Markdown: tables, and the protocol card of every result."""

from typing import Any

from remogpt.eval.cards import short
from remogpt.eval.report.sections import sections
from remogpt.eval.report.tables import Report, Table
from remogpt.runtime.text import printable


def to_markdown(report: Report) -> str:
    """Return the report as Markdown; captions and names are escaped, so that they stay within their cells."""
    lines = ["# Evaluation", "", heading(report), ""]
    found = sections(report)
    for section in found:
        if section.tables:
            lines += [f"## {section.title}", "", section.intro, ""]
        for one in section.tables:
            lines += [f"### {one.title}", "", *_table(one), ""]
    if found:
        lines += ["## Protocol cards", "", "What every number was made with.", ""]
        lines += [_card(entry.name, entry.card) for section in found for entry in section.cards] + [""]
    return printable("\n".join(lines))


def heading(report: Report) -> str:
    """Return what all results share, in one or two sentences."""
    cards = [result["card"] for result in report["results"].values()]
    if not cards:
        line = "No results."
    else:
        first = cards[0]
        of = f"Model **{_escape(str(first['model']))}**" if first.get("model") else "Answers from files"
        line = f"{of} on **{_escape(str(first.get('set')))}** "
        line += f"({_escape(str(first.get('licence')))}), seed {first.get('seed')}. "
        line += "± is the half width of a 95 % interval."
    if report.get("missing_splits"):
        line += f" Nothing to score in {_escape(', '.join(report['missing_splits']))}."
    if report.get("left_out"):
        line += f" **Left out, since they could not be used:** {_escape(', '.join(report['left_out']))}."
    for reason in dependences(report):
        line += f" **The evaluator is not independent of the model:** {_escape(reason)}."
    return line


def dependences(report: Report) -> list[str]:
    """Return why the evaluator is not independent of the model, each reason once."""
    reasons = [result["card"].get("evaluator_dependence") for result in report["results"].values()]
    return list(dict.fromkeys(str(reason).rstrip(".") for reason in reasons if reason))


def _table(one: Table) -> list[str]:
    rule = "|" + "---|" * one.labels + "---:|" * (len(one.head) - one.labels)
    lines = [_line(one.head), rule, *(_line(row.cells) for row in one.rows)]
    return [*lines, "", one.note] if one.note else lines


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(_escape(cell) for cell in cells)} |"


def _escape(text: str) -> str:
    for character in "\\`*[]<>|":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _card(name: str, card: dict[str, Any]) -> str:
    shown = [f"{key} `{short(value).replace('`', ' ')}`" for key, value in card.items() if value is not None]
    return f"- **{_escape(name)}**: {'; '.join(shown)}"
