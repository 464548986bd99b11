"""Show motions on a web page: one file, no network, no third-party code.

`motion_html` writes a whole page. Other pages include `PLAYER_STYLE` and `PLAYER_SCRIPT` once and a `player_fragment`
for each motion; players that are inserted later start by themselves.

Drag turns the view, a pinch or the wheel (after a click) zooms, a double click or R puts the view back; space plays and
pauses, arrow keys step, F fills the screen. Behind the button of three dots: whether the motion begins again, the
camera follows, the way and the footprints are shown, and a picture of poses to save. Players within one element that
has `data-remogpt-together` play in step. The left side of the body is blue, the right side orange.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.text import printable

if TYPE_CHECKING:
    from remogpt.motion.motion import Motion


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


PLAYER_SCRIPT = _asset("player_body.js") + _asset("player.js")
"""JavaScript that turns every fragment on a page into a player; put it into one `<script>`."""

PLAYER_STYLE = _asset("player.css")
"""CSS of the players and the legend; put it into one `<style>`. Light and dark follow the reader's system."""

PLAYER_LEGEND = '<div class="remogpt-legend"><span>left side</span><span class="right">right side</span></div>'
"""HTML that explains the two colours."""

_INT16_MAX = 32767


def player_fragment(
    motion: Motion,
    element_id: str,
    *,
    autoplay: bool = True,
    show_name: bool = True,
    label: str = "",
    unplayed: str = "",
) -> str:
    """Write the HTML of one player, to be put anywhere on a page that has `PLAYER_STYLE` and `PLAYER_SCRIPT`.

    Args:
        motion: what to play; its caption is shown below, as text.
        element_id: id of the HTML element, for the page's own use; unique on the page.
        autoplay: start at once, unless the system setting for reduced motion is on.
        show_name: show name and length below the caption.
        label: what screen readers call the figure; default: what is shown below it.
        unplayed: HTML that stands in the player's place where no script runs.

    Returns:
        One `<figure>`; joints are rounded to millimetres (132 bytes a frame before base64).

    Raises:
        RemogptError: if the motion stretches over more than 30 km.
    """
    motion.check_our_body("it cannot be played")
    data, unit = _packed(motion)
    lines = []
    if motion.caption:
        lines.append(escape(motion.caption))
    if show_name:
        facts = [motion.name] if motion.name else []
        facts += [f"{motion.seconds:.1f} s", f"{motion.num_frames} frames at {motion.fps:g} fps"]
        lines.append(f"<small>{escape(' · '.join(facts))}</small>")
    named = f' data-label="{escape(label, quote=True)}"' if label else ""
    return printable(
        f'<figure class="remogpt-player" id="{escape(element_id, quote=True)}" data-fps="{motion.fps:g}" '
        f'data-unit="{unit}" data-autoplay="{str(autoplay).lower()}" data-joints="{data}"'
        f"{named}>{unplayed}"
        f"<figcaption>{''.join(lines)}</figcaption></figure>"
    )


def motion_html(motions: Motion | Sequence[Motion], *, title: str = "") -> str:
    """Write a self-contained page that plays one motion, or several side by side.

    Args:
        motions: one or more; captions and names are escaped.
        title: heading and title of the page; the motion's name or a count where it is empty.

    Returns:
        A complete HTML document, about 35 kB per ten seconds of motion.

    Raises:
        RemogptError: no motion at all.
    """
    motions = list(motions) if isinstance(motions, Sequence) else [motions]
    if not motions:
        raise RemogptError("motions: wanted at least one motion to show, got none.")
    if not title:
        title = (motions[0].name or "motion") if len(motions) == 1 else f"{len(motions)} motions"
    players = "\n".join(player_fragment(motion, f"motion-{index}") for index, motion in enumerate(motions))
    restart = '<button type="button" data-remogpt-restart>Restart together</button>' if len(motions) > 1 else ""
    together = " data-remogpt-together" if len(motions) > 1 else ""
    return printable(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{PLAYER_STYLE}{_asset("player_page.css")}</style>
</head>
<body class="{"single" if len(motions) == 1 else "several"}">
<header><h1>{escape(title)}</h1>{PLAYER_LEGEND}{restart}</header>
<main{together}>
{players}
</main>
<footer>Drag to turn, pinch or wheel to zoom, double-click to reset; space plays, arrow keys step, F fills the
screen.</footer>
<script>
{PLAYER_SCRIPT}</script>
</body>
</html>
""")


def _packed(motion: Motion) -> tuple[str, int]:
    """Round joints to int16 in steps of `unit` millimetres, 1 unless the motion leaves 32 m around its start."""
    joints = motion.joints - motion.joints[0, 0] * np.array([1.0, 0.0, 1.0], dtype=np.float32)
    unit = max(1, math.ceil(float(np.abs(joints).max()) * 1000 / _INT16_MAX))
    if unit > 1000:
        raise RemogptError(
            f"{motion.name or 'motion'}: wanted metres, got joints {unit * 32:g} m apart. Check the unit."
        )
    steps = np.round(joints * (1000 / unit)).astype("<i2")
    return base64.b64encode(steps.tobytes()).decode("ascii"), unit
