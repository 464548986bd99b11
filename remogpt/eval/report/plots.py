"""Curves and bars as SVG that lies inline in the page.

A figure is drawn in the page's light colours, and each colour is then named by the page's CSS variable for it, so that
one drawing serves light and dark. Text stays text. The same values give the same bytes: ids come from a fixed salt,
matplotlib's defaults are taken instead of the user's, and no date is written. matplotlib is imported on first use.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"ink": "#1c2330", "soft": "#5d6778", "line": "#d9e0ea", "left": "#2671c9", "right": "#c9590c",
           "third": "#0f8a78", "fourth": "#8a4fc4", "fifth": "#a8862a", "sixth": "#c23b78"}  # fmt: skip
"""Colours of the light page, by the names of the variables in report.css."""
SERIES = ("left", "right", "third", "fourth", "fifth", "sixth")
DASHES = ("solid", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
WIDTH = 10.4
"""Inches of a figure as wide as the page's column; at 72 points an inch it is shown at about 1.4 times its size."""
Curve = Mapping[str, Sequence[Any]]
"""`Curve.to_json` of eval.rare: edges, means, ci95, counts."""


def recall_curves(curves: Mapping[str, Mapping[str, Sequence[float]]], galleries: Mapping[str, float]) -> str:
    """Draw recall over the number of items looked at, a panel for each split.

    Args:
        curves: split -> direction -> recall in percent at 1, 2, 3 ... items.
        galleries: split -> number of items, for the chance line.
    """
    with _style():
        figure = _figure(3.1)
        panels = figure.subplots(1, max(len(curves), 2), squeeze=False, sharey=True)[0]
        for panel, (split, ways) in zip(panels, curves.items(), strict=False):
            for index, (way, values) in enumerate(ways.items()):
                ranks = np.arange(1, len(values) + 1)
                panel.plot(ranks, values, color=COLOURS[SERIES[index]], linestyle=DASHES[index], label=way)
            longest = max((len(values) for values in ways.values()), default=1)
            ranks = np.arange(1, longest + 1)
            chance = np.minimum(100.0, 100.0 * ranks / galleries[split])
            panel.plot(ranks, chance, color=COLOURS["soft"], linestyle=(0, (1, 2)), linewidth=1.3, label="chance")
            panel.set(title=f"{split}, gallery of {galleries[split]:.0f}", xlabel="items looked at", ylim=(0, 101))
            panel.set_xlim(1, max(longest, 2))
            panel.legend(loc="best")
        panels[0].set_ylabel("recall (%)")
        for panel in panels[len(curves) :]:
            panel.set_visible(False)
        return _svg(figure, "recall", "Recall curves of retrieval with the chance line")


def fact_bars(
    shares: Mapping[str, Mapping[str, float]], levels: Mapping[str, Mapping[str, float]], counts: Mapping[str, int],
    name: str,
) -> str:  # fmt: skip
    """Draw the share of facts that hold as bars, factor by factor.

    Args:
        shares: mode -> factor -> share. levels: name such as real or shuffled -> factor -> share, drawn across.
        counts: factor -> facts checked. name: unique in the page.
    """
    labels = [f"{factor} ({count})" for factor, count in counts.items()]
    return _bars(shares, levels, dict(zip(counts, labels, strict=True)), name, "facts that hold (%)", 100.0)


def physical_bars(shares: Mapping[str, Mapping[str, float]], name: str) -> str:
    """Draw which share of motions is worse than 95 % of real motions, measure by measure; real ones stand at 5 %."""
    measures = {measure: measure.replace("_", " ") for values in shares.values() for measure in values}
    levels = {"real": dict.fromkeys(measures, 0.05)}
    largest = 100.0 * max((share for values in shares.values() for share in values.values()), default=0.0)
    return _bars(shares, levels, measures, name, "motions worse than 95 % of the real ones (%)", max(largest, 20.0))


def _bars(
    shares: Mapping[str, Mapping[str, float]], levels: Mapping[str, Mapping[str, float]], labels: Mapping[str, str],
    name: str, xlabel: str, xmax: float,
) -> str:  # fmt: skip
    with _style():
        thick = 0.8 / max(len(shares), 1)
        figure = _figure(0.9 + len(labels) * max(0.28, 0.15 * len(shares)))
        axes = figure.subplots()
        for index, (mode, values) in enumerate(shares.items()):
            at = np.arange(len(labels)) + (index - (len(shares) - 1) / 2) * thick
            wide = [100.0 * values.get(key, 0.0) for key in labels]
            axes.barh(at, wide, height=0.86 * thick, color=COLOURS[SERIES[index % len(SERIES)]], label=mode)
            for key, y, x in zip(labels, at, wide, strict=True):
                if key in values:
                    axes.annotate(f"{x:.0f}", (x, y), (3, 0), textcoords="offset points", va="center", fontsize=7)
        for index, (level, values) in enumerate(levels.items()):
            rows = [row for row, key in enumerate(labels) if key in values]
            across = [100.0 * values[key] for key in labels if key in values]
            axes.vlines(across, np.subtract(rows, 0.46), np.add(rows, 0.46), color=COLOURS["ink"],
                        linestyle=DASHES[2 * index % 4], linewidth=1.6, label=level)  # fmt: skip
        axes.set_yticks(range(len(labels)), list(labels.values()))
        axes.set(xlabel=xlabel, xlim=(0, xmax * 1.04), ylim=(len(labels) - 0.4, -0.6))
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper left", ncols=6)
        return _svg(figure, name, f"Bars: {xlabel}, by {', '.join(labels)}")


def rareness_curves(panels: Mapping[str, Mapping[str, Curve]], name: str, *, zero_line: Sequence[str] = ()) -> str:
    """Draw means over ranges of rareness with their 95 % bands, and below them how many prompts each range has.

    Args:
        panels: title -> line -> curve; the lines of a panel share their ranges. name: unique in the page.
        zero_line: titles of panels that show a difference, where 0 is drawn and its sign explained.
    """
    with _style():
        figure = _figure(3.8)
        axes = figure.subplots(2, max(len(panels), 2), squeeze=False, sharex="col", height_ratios=(4, 1))
        for index, (title, lines) in enumerate(panels.items()):
            upper, lower = axes[:, index]
            own = [label for label in lines if label != "real"]
            for label, curve in lines.items():
                series = SERIES[own.index(label) % len(SERIES)] if label in own else "soft"
                _line(upper, label, curve, "third" if title in zero_line else series)
            if title in zero_line:
                upper.axhline(0.0, color=COLOURS["ink"], linewidth=1.0)
                upper.annotate("above 0: retrieval helps", (0.02, 0.98), xycoords="axes fraction", va="top",
                               fontsize=8, color=COLOURS["soft"])  # fmt: skip
                upper.margins(y=0.2)
            else:
                upper.legend()
            upper.set_title(title)
            _counts(lower, next(iter(lines.values())))
        for panel in axes[:, len(panels) :].flat:
            panel.set_visible(False)
        axes[1, 0].set_ylabel("prompts")
        return _svg(figure, name, f"Curves over rareness: {', '.join(panels)}")


def _line(axes: Axes, label: str, curve: Curve, series: str) -> None:
    middle = _middle(curve)
    means, half = (np.array([np.nan if v is None else v for v in curve[key]], dtype=float) for key in ("means", "ci95"))
    known, colour = np.isfinite(means), COLOURS[series]
    index = SERIES.index(series) if series in SERIES else -1
    low, high = (means - half)[known], (means + half)[known]
    axes.fill_between(middle[known], low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(middle[known], means[known], color=colour, linestyle=DASHES[index % len(DASHES)],
              marker="os^D"[index % 4], markersize=4, label=label)  # fmt: skip


def _counts(axes: Axes, curve: Curve) -> None:
    middle = _middle(curve)
    axes.bar(middle, curve["counts"], width=0.9 * np.diff(curve["edges"]), color=COLOURS["soft"], alpha=0.55)
    for x, count in zip(middle, curve["counts"], strict=True):
        axes.annotate(str(count), (x, count), (0, 2), textcoords="offset points", ha="center", fontsize=7)
    axes.set(xlabel="rareness", yticks=[])
    axes.margins(y=0.45)
    axes.grid(visible=False)


def _middle(curve: Curve) -> np.ndarray:
    edges = np.asarray(curve["edges"], dtype=float)
    return (edges[:-1] + edges[1:]) / 2


# ---- drawing ---------------------------------------------------------------------------------------------------------


def _style() -> AbstractContextManager[None]:
    import matplotlib.style

    ink, soft, line = COLOURS["ink"], COLOURS["soft"], COLOURS["line"]
    return matplotlib.style.context(
        ["default", {
            "svg.fonttype": "none", "svg.hashsalt": "remogpt", "text.parse_math": False, "font.size": 9,
            "axes.titlesize": 9.5, "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
            "axes.grid": True, "axes.axisbelow": True, "axes.edgecolor": line, "axes.labelcolor": soft,
            "axes.titlecolor": ink, "grid.color": line, "grid.linewidth": 0.6, "text.color": ink, "xtick.color": line,
            "ytick.color": line, "xtick.labelcolor": soft, "ytick.labelcolor": ink, "legend.frameon": False,
            "legend.fontsize": 8.5, "lines.linewidth": 1.8, "figure.facecolor": "none", "axes.facecolor": "none",
        }]
    )  # fmt: skip


def _figure(height: float) -> Figure:
    """Make a figure without pyplot: no window system, no backend and no global state is touched."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def _svg(figure: Figure, name: str, label: str) -> str:
    """Write a figure as an `<svg>` element for HTML; `name` keeps its ids apart from those of other figures."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", text, flags=re.S)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text).replace("xlink:href", "href")
    variables = {colour: f"var(--{variable}, {colour})" for variable, colour in COLOURS.items()}
    text = re.sub(
        r"((?:fill|stroke): )(#[0-9a-f]{6})\b", lambda found: found[1] + variables.get(found[2], found[2]), text
    )
    box = re.search(r'viewBox="[^"]+"', text)
    assert box, "matplotlib writes a viewBox"
    opening = f'<svg class="plot" role="img" aria-label="{escape(label, quote=True)}" {box[0]}>'
    return re.sub(r"\n\s*", "\n", re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1)).strip()
