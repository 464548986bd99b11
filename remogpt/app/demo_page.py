"""Write the demonstration page: each answer with its retrieved examples, in one file that needs no network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from remogpt.motion import Motion
from remogpt.motion.player import PLAYER_LEGEND, PLAYER_SCRIPT, PLAYER_STYLE, player_fragment
from remogpt.notices import Notice
from remogpt.retriever import RetrievedExample
from remogpt.runtime.text import printable

ROUTE_NAMES = {
    "t2m": "caption → motion",
    "t2t": "caption → caption",
    "m2t": "motion → caption",
    "m2m": "motion → motion",
}

UNUSED = ' class="unused"'


@dataclass(frozen=True)
class Card:
    """One question and its answer."""

    caption: str
    """The given caption of a generated motion, or the caption written for a given motion."""
    motion: Motion
    examples: Sequence[RetrievedExample]
    source: str = ""
    """Where the motion comes from, in words: the file that it was read from, or what it is made of."""
    warnings: Sequence[Notice] = ()
    """Reasons to doubt the answer."""
    retrieved: Sequence[Motion] = ()
    """The examples' motions, in their order; none: they are not played."""
    confidence: float = math.nan
    """Expected share of what was asked that the answer shows."""


def demo_page(generated: Sequence[Card], captioned: Sequence[Card], model_name: str) -> str:
    """Write the page.

    Args:
        generated: captions with the motions written for them.
        captioned: motions with the captions written for them.
        model_name: shown in the heading.
    """
    return printable(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>remogpt: {escape(model_name)}</title>
<style>
{PLAYER_STYLE}{Path(__file__).with_suffix(".css").read_text(encoding="utf-8")}</style>
</head>
<body>
<header>
<h1>remogpt</h1>
<p>What the model <b>{escape(model_name)}</b> makes of a caption and of a motion, with the examples it retrieved
first.</p>
{PLAYER_LEGEND}
</header>
<main>
{_section("From a caption to a motion", "Caption", generated, "generated")}
{_section("From a motion to a caption", "Written caption", captioned, "captioned")}
</main>
<footer>Drag a figure to turn it, pinch or scroll to zoom, double-click to reset; space plays, arrow keys step.
A score is the cosine of two embeddings.</footer>
<script>
{PLAYER_SCRIPT}</script>
</body>
</html>
""")


def _section(title: str, role: str, cards: Sequence[Card], prefix: str) -> str:
    body = "\n".join(_card(card, role, f"{prefix}-{number}") for number, card in enumerate(cards))
    return f"<section>\n<h2>{title}</h2>\n{body}\n</section>" if cards else ""


def _card(card: Card, role: str, element_id: str) -> str:
    shown = Motion(card.motion.joints, card.motion.fps)
    source = f'<p class="source">{escape(card.source)}</p>' if card.source else ""
    return f"""<article class="card">
{player_fragment(shown, element_id)}
<div>
<div class="role">{role}</div>
<h3>{escape(card.caption)}</h3>
{source}{_doubts(card)}{_examples(card, element_id)}
</div>
</article>"""


def _doubts(card: Card) -> str:
    sure = "" if math.isnan(card.confidence) else f'<p class="source">confidence {card.confidence:.0%}</p>\n'
    return sure + "".join(f'<p class="warning">{escape(warning.text)}</p>\n' for warning in card.warnings)


def _examples(card: Card, element_id: str) -> str:
    examples = card.examples
    if not examples:
        return "<p>answered without retrieved examples</p>"
    players = "".join(
        player_fragment(
            Motion(motion.joints, motion.fps), f"{element_id}-{number}", show_name=False, label=example.caption
        )
        for number, (motion, example) in enumerate(zip(card.retrieved, examples, strict=False))
    )
    shown = f'<div class="retrieved" data-remogpt-together>{players}</div>' if players else ""
    rows = "\n".join(
        f'<tr{"" if example.used else UNUSED}><td class="score">{example.score:.3f}</td>'
        f"<td>{ROUTE_NAMES.get(example.route, escape(example.route))}</td>"
        f"<td>{escape(example.caption)}<br><small>{escape(example.id)}</small></td></tr>"
        for example in examples
    )
    note = "" if all(example.used for example in examples) else "; pale ones do not answer and were not used"
    return (
        f"{shown}<table><caption>Retrieved examples{note}</caption>"
        f"<tr><th>Score</th><th>Route</th><th>Caption in the database</th></tr>\n{rows}</table>"
    )
