"""The same prompts answered by every method, side by side: motions as in ReMoGPT's Figure 6, captions as in Figure 7.

Who is shown are the rows of its Tables 2 and 4 that have a run, other methods among them; the ids of the clips alone
decide what is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from remogpt.eval.paper.fill import Filled, Results
from remogpt.motion.figures import MotionFigures
from remogpt.motion.player import PLAYER_SCRIPT, PLAYER_STYLE
from remogpt.motion.strips import load_joints
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_text
from remogpt.runtime.inside import path_inside
from remogpt.runtime.text import printable

NUM_SHOWN = 8
MOTIONS, CAPTIONS = "remogpt_2", "remogpt_4"
"""Tables whose rows are shown."""


@dataclass(frozen=True)
class Answer:
    """What one method made of one prompt."""

    label: str
    text: str
    """Its caption, or, where it was asked with other words than the first method, these."""
    examples: str
    """Ids of the retrieved examples."""
    drawing: str = ""
    """HTML of its motion."""


@dataclass(frozen=True)
class Prompt:
    """One clip and all answers to it."""

    id: str
    asked: str
    """The caption that motions were written for, or the references of a motion's captions."""
    answers: tuple[Answer, ...]


def write_figures(
    filled: Sequence[Filled], runs: Mapping[str, Results], folders: Mapping[str, Path], out: Path
) -> None:
    """Write `figures.html`.

    Args:
        filled: the tables, filled with `runs`.
        runs: name -> results. folders: name -> folder of the run, in which its motions lie.
        out: folder of the page.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    here = Path(__file__).parent
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["html"] = Markup
    template = environment.from_string((here / "figures.html.j2").read_text(encoding="utf-8"))
    style = Markup(PLAYER_STYLE + (here.parent / "report" / "report.css").read_text(encoding="utf-8"))
    figures = MotionFigures()
    shown = [one for one in filled if one.table.name in (MOTIONS, CAPTIONS)]
    of = {one.table.name: _prompts(one, runs, folders, figures) for one in shown}
    warnings = list(dict.fromkeys(text for one in filled if of.get(one.table.name) for text in one.warnings))
    script = Markup(PLAYER_SCRIPT) if figures.has_players else ""
    page = template.render(style=style, script=script, motions=of[MOTIONS], captions=of[CAPTIONS], warnings=warnings)
    write_text(out / "figures.html", printable(page))


def _prompts(
    one: Filled, runs: Mapping[str, Results], folders: Mapping[str, Path], figures: MotionFigures
) -> list[Prompt]:
    """Return the prompts that every method of a table answered, of a choice that only their ids make."""
    items: dict[str, dict[str, Any]] = {}
    where: dict[str, Path] = {}
    for line in one.blocks[0][1]:
        for name in line.cards if not line.is_real else ():
            found = {item["id"]: item for item in runs[line.run][name]["scores"].get("items", ())}
            if found:
                items[line.label] = found
                where[line.label] = folders[line.run] / "motions" / Path(*name.split("/")[1:])
    shared = set.intersection(*(set(found) for found in items.values())) if items else set()
    return [
        _prompt(key, {label: found[key] for label, found in items.items()}, where, figures)
        for key in sorted(shared, key=lambda key: crc32(key.encode()))[:NUM_SHOWN]
    ]


def _prompt(key: str, answers: Mapping[str, Any], where: Mapping[str, Path], figures: MotionFigures) -> Prompt:
    first = next(iter(answers.values()))
    is_caption = "references" in first
    asked = " / ".join(_plain(one) for one in first["references"]) if is_caption else first["caption"]
    there = {label: _joints(where[label], key) for label in answers if not is_caption}
    motions = {label: joints for label, joints in there.items() if joints is not None}
    named = [(joints, f"{label}: {answers[label]['caption']}") for label, joints in motions.items()]
    drawings = dict(zip(motions, figures.group(named), strict=True))
    shown = []
    for label, item in answers.items():
        own = item["caption"] if is_caption or item["caption"] != asked else ""
        shown.append(Answer(label, own, ", ".join(item.get("examples", ())), drawings.get(label, "")))
    return Prompt(key, asked, tuple(shown))


def _plain(reference: Any) -> str:
    """Return a reference as words, its lemmas where it is tokens."""
    return reference if isinstance(reference, str) else " ".join(one.split("/")[0] for one in reference)


def _joints(folder: Path, key: str) -> np.ndarray | None:
    """Read a run's motion of a clip; None where the run keeps none, as of files of another method."""
    try:
        path = path_inside(folder, key.replace(":", "_"), ".npy")
        return load_joints(path) if path.is_file() else None
    except RemogptError:
        return None
