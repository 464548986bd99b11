"""Describe a database: lengths, licences, tags, and what its tokenizer cannot say."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.retriever.database.version_reader import VersionReader
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path

MOST_SHOWN = 10
POORLY_SAID = 2.0
"""An entry is poorly said where the tokenizer loses this many times what it loses of the median entry."""

_MOST_BARS, _MOST_LETTERS, _BLUE = 16, 40, "#3b6ea5"


def describe(database: VersionReader) -> dict[str, Any]:
    """Return a JSON-ready description; distributions as percentiles, tags with their most frequent values."""
    infos = list(database.infos())
    tags: dict[str, Counter[str]] = {}
    for info in infos:
        for name, value in info.tags.items():
            if not isinstance(value, str | int):  # a script or a timeline: every entry has another one
                continue
            tags.setdefault(name, Counter())[str(value)] += 1
    described: dict[str, Any] = {
        "entries": len(infos),
        "captions": database.manifest["counts"]["captions"],
        "sources": len({info.source_id for info in infos}),
        "minutes": round(sum(info.num_frames for info in infos) / database.body.fps / 60, 1),
        "motions": database.motions_kept,
        "facts": database.has_facts,
        "licences": database.manifest["licences"],
        "provenance": dict(Counter(info.provenance for info in infos).most_common(MOST_SHOWN)),
        "tags": {name: dict(values.most_common(MOST_SHOWN)) for name, values in sorted(tags.items())},
    }
    if database.has_facts:
        described["actions"] = database.facts.actions()
    if infos:
        described["seconds"] = _percentiles(np.array([info.num_frames / database.body.fps for info in infos]))
    if infos and database.has_reconstruction_errors:
        errors = 100 * np.asarray(database.reconstruction_errors, dtype=np.float64)
        worst = np.argsort(-errors, kind="stable")
        poor = [int(row) for row in worst if errors[row] > POORLY_SAID * np.median(errors)]
        described["lost by the tokenizer (cm)"] = _percentiles(errors)
        described["poorly said"] = {
            "entries": len(poor),
            "worst": [{"id": infos[row].id, "cm": round(errors[row], 1), "caption": infos[row].captions[0]}
                      for row in poor[:MOST_SHOWN]],
        }  # fmt: skip
    return described


def to_text(described: dict[str, Any]) -> str:
    """Return a description as lines to read."""
    lines = [
        f"  {described['entries']} entries of {described['sources']} recordings, {described['captions']} captions, "
        f"{described['minutes']:g} minutes",
        f"  motions kept as {described['motions']}, facts {'stored' if described['facts'] else 'not stored'}",
    ]
    for name in ("seconds", "lost by the tokenizer (cm)"):
        if name in described:
            lines.append(f"  {name}: " + ", ".join(f"{key} {value:g}" for key, value in described[name].items()))
    if "poorly said" in described:
        poor = described["poorly said"]
        lines.append(f"  {poor['entries']} entries lose over {POORLY_SAID:g} times the median's")
        lines += [f"    {row['cm']:5.1f} cm  {row['id']}  {row['caption']}" for row in poor["worst"]]
    if "actions" in described:
        shown = dict(list(described["actions"].items())[:MOST_SHOWN])
        more = len(described["actions"]) - len(shown)
        lines.append(f"  entries by what they show: {_counts(shown)}" + (f", and {more} more actions" if more else ""))
    for name in ("licences", "provenance"):
        lines.append(f"  {name}: " + _counts(described[name]))
    lines += [f"  tag {name}: " + _counts(values) for name, values in described["tags"].items()]
    return "\n".join(lines)


def plot(database: VersionReader, path: str | Path) -> None:
    """Draw the distributions of lengths, of what the tokenizer loses, of actions and licences, as PNG or SVG."""
    from matplotlib.figure import Figure

    if (form := Path(path).suffix[1:].lower()) not in ("png", "svg"):
        raise RemogptError(f"wanted a picture's name to end in .png or .svg, came {str(path)!r}")
    shown = {"seconds": np.array([info.num_frames / database.body.fps for info in database.infos()])}
    if database.has_reconstruction_errors:
        shown["cm lost by the tokenizer"] = 100 * np.asarray(database.reconstruction_errors)
    counted = {"actions": database.facts.actions()} if database.has_facts else {}
    counted["licences"] = dict(sorted(database.manifest["licences"].items(), key=lambda one: -one[1]))
    figure = Figure(figsize=(9, 6), layout="constrained")
    places = iter(figure.subplots(2, 2).ravel())
    for name, values in shown.items():
        axes = next(places)
        axes.hist(values, bins=40, color=_BLUE)
        axes.set_xlabel(name)
        axes.set_ylabel("entries")
    for name, counts in counted.items():
        axes, most = next(places), list(counts.items())[:_MOST_BARS]
        axes.barh([label[:_MOST_LETTERS] or "(none)" for label, _ in most], [count for _, count in most], color=_BLUE)
        axes.invert_yaxis()
        of = f" (the {_MOST_BARS} most frequent)" if len(counts) > len(most) else ""
        axes.set_xlabel(f"entries by {name}{of}")
    for axes in places:
        axes.set_axis_off()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=form, dpi=120)


def _percentiles(values: np.ndarray) -> dict[str, float]:
    shares = {"min": 0, "5 %": 5, "median": 50, "95 %": 95, "max": 100}
    return {name: round(float(np.percentile(values, share)), 2) for name, share in shares.items()}


def _counts(values: dict[str, int]) -> str:
    return ", ".join(f"{name or '(none)'} {count}" for name, count in values.items()) or "none"
