"""Show a prepared set on a page: what it was made of, its clips as they play, what was left out."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.motion.figures import MotionFigures
from remogpt.motion.player import PLAYER_LEGEND, PLAYER_SCRIPT, PLAYER_STYLE
from remogpt.runtime.files import read_npy, write_text
from remogpt.runtime.text import read_text

MOST_SHOWN = 60
"""Clips that are shown, evenly taken from all."""
MOST_TOLD = 200
"""Recordings that are listed as left out; the JSON has all."""

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
.clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1.5rem; }
.clip p { margin: .4rem 0 0; color: #555; overflow-wrap: anywhere; } .strip { width: 100%; height: auto; }
.strip polyline, .strip circle { fill: none; stroke: #666; stroke-width: 3.5; stroke-linecap: round; }
.strip .left { stroke: #1f6fd1; } .strip .right { stroke: #d9730d; } .strip .ground { stroke: #bbb; }
.strip text { font-size: 13px; text-anchor: middle; fill: #888; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #ddd; } .clip p { color: #aaa; } }
"""


def write_page(folder: Path, report: Mapping[str, Any], path: Path) -> None:
    """Write the page of a prepared set.

    Args:
        folder: the set.
        report: as `prepare_set` returns.
        path: of the page.
    """
    rows = [[source, *(f"{counts.get(key, 0):g}" for key in ("recordings", "used", "clips", "minutes"))]
            for source, counts in report["sources"].items()]  # fmt: skip
    left_out = list(report["left_out"].items())
    more = len(left_out) - MOST_TOLD
    figures = MotionFigures()
    parts = [
        f"<h1>{escape(folder.resolve().name)}</h1>",
        _table(["source", "recordings", "used", "clips", "minutes"], rows),
        f"<p>{report['mirror_images']} mirror images; "
        + ", ".join(f"{split} {count}" for split, count in report["splits"].items())
        + "</p>",
        f"<h2>Clips</h2>{PLAYER_LEGEND}",
        '<div class="clips">',
        *(_clip(folder, clip, figures) for clip in _chosen(report["clips"])),
        "</div>",
        f"<h2>Left out: {len(left_out)}</h2>",
        _table(["recording", "why"], left_out[:MOST_TOLD]),
        f"<p>and {more} more, in report.json</p>" if more > 0 else "",
        "<h2>Understood and mended</h2>",
        _table(
            ["what", "recordings", "the first"],
            [[text, str(about["recordings"]), about["first"]] for text, about in report["notices"].items()],
        ),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(folder.resolve().name)}</title><style>{PLAYER_STYLE}{_STYLE}</style>"
    )
    body = "\n".join([*parts, f"<script>\n{PLAYER_SCRIPT}</script>"])
    write_text(path, f"<!doctype html>\n<html lang=en><head>{head}</head><body>\n{body}\n</body></html>\n")


def _chosen(clips: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    places = np.unique(np.linspace(0, len(clips) - 1, min(MOST_SHOWN, len(clips))).round().astype(int))
    return [clips[place] for place in places]


def _clip(folder: Path, clip: Mapping[str, Any], figures: MotionFigures) -> str:
    name = clip["id"]
    joints = read_npy(folder / "new_joints" / f"{name}.npy")
    caption = read_text(folder / "texts" / f"{name}.txt").partition("\n")[0].partition("#")[0]
    about = f"{name} · {clip['recording']} · {clip['frames'] / 20:.1f} s"
    [drawn] = figures.group([(joints, caption)])
    return f'<div class="clip">{drawn}<p>{escape(about)}<br>{escape(caption)}</p></div>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>none</p>"
    cells = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    titles = "".join(f"<th>{escape(one)}</th>" for one in head)
    return f"<table><tr>{titles}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
