"""A plain page of tables and motions: one file, light and dark."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from remogpt.motion.figures import MotionFigures
from remogpt.motion.player import PLAYER_LEGEND, PLAYER_SCRIPT, PLAYER_STYLE
from remogpt.runtime.files import write_text

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
img { max-width: 100%; height: auto; background: #fff; }
.clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1.5rem; }
.clip p { margin: .4rem 0 0; color: #555; overflow-wrap: anywhere; } .strip { width: 100%; height: auto; }
.strip polyline, .strip circle { fill: none; stroke: #666; stroke-width: 3.5; stroke-linecap: round; }
.strip .left { stroke: #1f6fd1; } .strip .right { stroke: #d9730d; } .strip .ground { stroke: #bbb; }
.strip text { font-size: 13px; text-anchor: middle; fill: #888; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #ddd; } .clip p { color: #aaa; } }
"""


def clip_list(clips: Iterable[tuple[np.ndarray, str, str]]) -> str:
    """Return clips as they play: joints (T, 22, 3) of each, its caption, and a line about it."""
    figures, shown = MotionFigures(), []
    for joints, caption, about in clips:
        [drawn] = figures.group([(joints, caption)])
        shown.append(f'<div class="clip">{drawn}<p>{escape(about)}<br>{escape(caption)}</p></div>')
    return "\n".join([PLAYER_LEGEND, '<div class="clips">', *shown, "</div>"])


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table, or "none" where there are no rows."""
    if not rows:
        return "<p>none</p>"
    cells = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    titles = "".join(f"<th>{escape(one)}</th>" for one in head)
    return f"<table><tr>{titles}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def write_motion_page(path: Path, title: str, parts: Iterable[str]) -> None:
    """Write a page.

    Args:
        path: of the page.
        title: its heading.
        parts: HTML, as `table` and `clip_list` return.
    """
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PLAYER_STYLE}{_STYLE}</style>"
    )
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts, f"<script>\n{PLAYER_SCRIPT}</script>"])
    write_text(path, f"<!doctype html>\n<html lang=en><head>{head}</head><body>\n{body}\n</body></html>\n")
