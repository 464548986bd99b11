"""The report of an evaluation: results as JSON for programs, as Markdown and as a web page for people.

Every number stands beside its interval and the level that it must be read against (real motions, chance), and every
result's protocol card says how it was made.
"""

from pathlib import Path

from remogpt.eval.report.markdown import to_markdown
from remogpt.eval.report.page import to_html
from remogpt.eval.report.tables import Report
from remogpt.runtime.files import write_json, write_text

__all__ = ["to_html", "to_markdown", "write_report"]


def write_report(results: Report, out: str | Path) -> None:
    """Write `results.json`, `report.md` and `report.html` into a folder.

    Args:
        results: {"missing_splits", "results": {"<task>/<split>[/<mode>]": {"card", "scores"}}}.
        out: folder, relative to which the results name their motions.
    """
    out = Path(out)
    write_json(out / "results.json", results)
    write_text(out / "report.md", to_markdown(results))
    write_text(out / "report.html", to_html(results, out))
