"""Write what the page shows as HTML: motions that play, what lies behind an answer, curves. All text is escaped."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import count
from typing import Any
from urllib.parse import quote

import numpy as np

from remogpt.motion import Motion
from remogpt.motion.files.film import has_ffmpeg
from remogpt.motion.player import player_fragment
from remogpt.motion.skeleton import FPS
from remogpt.pipeline.described import made_of

ROUTES = {
    "t2m": "its motion fits the caption",
    "t2t": "its caption is alike",
    "m2t": "its caption fits the motion",
    "m2m": "its motion is alike",
}
FORMATS = ("bvh", "glb", "npz", "mp4", "html")
"""Formats of downloads; mp4 where there is an ffmpeg."""
_numbers = count()


def player(motion: Motion, label: str = "") -> str:
    """Return a player of a motion.

    Args:
        motion: what plays.
        label: what screen readers call it; by default its caption, which stands beside it.
    """
    shown, label = Motion(motion.joints, motion.fps), label or motion.caption or "motion"
    return player_fragment(shown, f"motion-{next(_numbers)}", show_name=False, label=label)


def together(players: Sequence[str], label: str) -> str:
    """Return players that start, stop and move on together."""
    named = escape(label, quote=True)
    return f'<div class="rg-grid" role="group" data-remogpt-together aria-label="{named}">{"".join(players)}</div>'


def candidate(row: Mapping[str, Any], motion: Motion, place: int, link: str) -> str:
    """Return one answer to a caption: its player, how sure it is, warnings, checks and downloads.

    Args:
        row: the answer as JSON.
        motion: the answer.
        place: number among the answers.
        link: address of the motion without a format.
    """
    return (
        f'<article class="rg-card"><h2>Motion {place + 1}</h2>{player(motion)}{_sure(row)}{_origin(row)}'
        f"{_checks(row['checks'])}{warnings(row['warnings'])}{_downloads(link, place)}</article>"
    )


def _sure(row: Mapping[str, Any]) -> str:
    if row["confidence"] is None:
        return ""
    percent = round(100 * row["confidence"])
    meter = f'<meter aria-label="Confidence" min="0" max="100" value="{percent}">{percent} %</meter>'
    return f'<p class="rg-sure"><span>Confidence</span> {meter} <b>{percent} %</b></p>'


def _origin(row: Mapping[str, Any]) -> str:
    words = made_of(row, _code)
    return f'<p class="rg-soft">{words[0].upper()}{words[1:]}, {row["seconds"]:.1f} s, seed {row["seed"]}.</p>'


def _code(name: str) -> str:
    return f"<code>{escape(name)}</code>"


def _checks(checks: Sequence[Mapping[str, Any]]) -> str:
    if not checks:
        return ""
    rows = "".join(
        f"<li>{'✓' if check['holds'] else '✗'} {escape(check['fact'])}"
        f"{'' if check['holds'] else ' <b>does not hold</b>'}</li>"
        for check in checks
    )
    return f'<ul class="rg-checks" aria-label="What the caption claims">{rows}</ul>'


def warnings(rows: Sequence[Mapping[str, str]]) -> str:
    """Return reasons to doubt an answer."""
    return "".join(f'<p class="rg-warning" role="note">{escape(row["text"])}</p>' for row in rows)


def _downloads(link: str, place: int) -> str:
    links = "".join(
        f'<a href="{escape(f"{link}&format={name}", quote=True)}" download="motion_{place + 1}.{name}" '
        f'aria-label="download motion {place + 1} as {name}">{name}</a>'
        for name in FORMATS
        if name != "mp4" or has_ffmpeg()
    )
    return f'<p class="rg-downloads"><span>Download</span> {links}</p>'


def example(row: Mapping[str, Any], motion: Motion) -> str:
    """Return a retrieved example: its player, caption, score, and whether it was used, and why (not)."""
    if row.get("pinned"):
        state = "used: you chose it"
    elif row["used"]:
        state = "used: shown to the model"
    else:
        state = "left out: it does not answer the caption, or joined motions show more of it"
    why = escape(ROUTES.get(row["route"], row["route"]))
    about = f"{why} · score {row['score']:.2f} · <code>{escape(row['id'])}</code>"
    return (
        f'<article class="rg-card{"" if row["used"] else " rg-unused"}">{player(motion, row["caption"])}'
        f'<p class="rg-caption">{escape(row["caption"])}</p><p class="rg-soft">{about}</p>'
        f'<p class="rg-state">{state}</p></article>'
    )


def side(name: str, row: Mapping[str, Any], motion: Motion, examples: Sequence[str]) -> str:
    """Return what one of two databases makes of a caption: the motion, and its examples."""
    own = f'<h4>Its examples</h4><div class="rg-grid">{"".join(examples)}</div>' if examples else ""
    return (
        f'<section class="rg-card rg-side"><h3>{escape(name)}</h3>{player(motion)}{_sure(row)}{_origin(row)}'
        f"{warnings(row['warnings'])}{own}</section>"
    )


def hit(row: Mapping[str, Any], motion: Motion) -> str:
    """Return a hit of a search."""
    doubt = "" if row["answers"] is not False else '<p class="rg-state">close, but no answer by the model\'s test</p>'
    return (
        f'<article class="rg-card">{player(motion, row["caption"])}<p class="rg-caption">{escape(row["caption"])}</p>'
        f'<p class="rg-soft">score {row["score"]:.2f} · <code>{escape(row["id"])}</code></p>{doubt}</article>'
    )


def captioned(row: Mapping[str, Any], motion: Motion | None) -> str:
    """Return a file with the caption that was written for it, or why there is none."""
    head = f"<h2>{escape(row['file'])}</h2>"
    if motion is None:
        return f'<article class="rg-card">{head}<p class="rg-warning" role="alert">{escape(row["error"])}</p></article>'
    notices = "".join(f'<p class="rg-soft">{escape(one)}</p>' for one in row["notices"])
    if row["copied_from"]:
        ids = " and ".join(map(_code, row["copied_from"]))
        notices = f'<p class="rg-soft">As the caption of {ids} in the database</p>{notices}'
    if row["is_stated"]:
        notices = (
            f'<p class="rg-soft">Said by rule from what the joints show; no caption that was written fits</p>{notices}'
        )
    doubts = [warning for warning in row["warnings"] if warning["kind"] != "not_seen"]  # the checks say so
    return (
        f'<article class="rg-card">{head}{player(motion)}<p class="rg-caption">{escape(row["caption"])}</p>{_sure(row)}'
        f"{_checks(row['checks'])}{warnings(doubts)}{notices}</article>"
    )


def entry(identity: str, motion: Motion) -> str:
    """Return a motion of a database with its caption."""
    return (
        f'<article class="rg-card">{player(motion)}<p class="rg-caption">{escape(motion.caption or "")}</p>'
        f'<p class="rg-soft"><code>{escape(identity)}</code></p></article>'
    )


def status(words: str, kind: str = "") -> str:
    """Return a line that page.js lets screen readers read aloud when it changes; kind: error, done or nothing."""
    return f'<p class="rg-status {kind}">{escape(words)}</p>'


def progress(done: int, total: int, words: str) -> str:
    """Return a progress bar; without a share where nothing is known yet."""
    value = f' value="{done}" max="{total}"' if total > 1 and done else ""
    return f'<p class="rg-status"><progress aria-label="progress"{value}></progress> {escape(words)}</p>'


def moments(recording: Motion, spans: Sequence[Mapping[str, Any]], curves: Mapping[str, np.ndarray], label: str) -> str:
    """Return a recording that plays, its curve with the spans shaded, and a button for each span that plays it.

    Args:
        recording: was searched.
        spans: best first, with start, end and score.
        curves: `curve` and `pyramid_curve`, (T,) each.
        label: what was looked for.
    """
    shown = player(recording)
    name = shown.partition('id="')[2].partition('"')[0]
    short, best = curves["curve"], curves["pyramid_curve"]
    seconds = max(len(short) / FPS, 1 / FPS)
    low, high = float(min(short.min(), best.min(), 0.0)), float(max(short.max(), best.max(), 0.5))
    scale = _Scale(seconds, low, high)
    shades = "".join(
        f'<rect class="rg-span{" best" if number == 0 else ""}" x="{scale.x(span["start"]):.1f}" y="10" '
        f'width="{scale.x(span["end"]) - scale.x(span["start"]):.1f}" height="{scale.height}"/>'
        for number, span in enumerate(spans)
    )
    step = max(1, math.ceil(seconds / 12))
    ticks = "".join(
        f'<text x="{scale.x(second):.1f}" y="{scale.height + 28}">{second} s</text>'
        for second in range(0, math.floor(seconds) + 1, step)
    )
    rows = "".join(
        f'<li><button type="button" data-remogpt-seek="{name}" data-seconds="{span["start"]:.2f}">▶ '
        f"{span['start']:.1f} to {span['end']:.1f} s</button> score {span['score']:.2f}</li>"
        for span in spans
    )
    title = escape(f"How well each moment fits: {label}", quote=True)
    return (
        f'<div class="rg-wide">{shown}</div>'
        f'<figure class="rg-curve"><svg viewBox="0 0 720 180" role="img" aria-label="{title}">{shades}'
        f'<polyline class="short" points="{scale.points(short)}"/>'
        f'<polyline class="best" points="{scale.points(best)}"/>'
        f"{ticks}</svg><figcaption>thick: best of all lengths; thin: one second around; shaded: the moments found"
        f"</figcaption></figure><ol class='rg-spans'>{rows}</ol>"
    )


class _Scale:
    """Turns seconds and scores into drawing units."""

    height = 130

    def __init__(self, seconds: float, low: float, high: float) -> None:
        self.seconds, self.low, self.high = seconds, low, high

    def x(self, second: float) -> float:
        return 10 + 700 * min(second / self.seconds, 1.0)

    def points(self, curve: np.ndarray) -> str:
        every = max(1, len(curve) // 700)
        return " ".join(
            f"{self.x(frame / FPS):.1f},{10 + self.height * (self.high - float(value)) / (self.high - self.low):.1f}"
            for frame, value in list(enumerate(curve))[::every]
        )


def result_link(job: str, place: int) -> str:
    """Return the address of one motion of a job's result, to which a format is added."""
    return f"/v1/jobs/{quote(job)}/result?index={place}"
