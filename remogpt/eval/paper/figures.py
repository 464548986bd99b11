"""The same prompts answered by every method, side by side: motions as in ReMoGPT's Figure 6, captions as in Figure 7.

Who is shown are the rows of its Tables 2 and 4 that have a run, other methods among them, with the real motion and each
answer's retrieved examples; the ids of the clips alone decide what is asked. An evaluation keeps these motions in its
folders `motions` and `shown`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.eval.cards import show_order
from remogpt.eval.paper.fill import FILES, Filled, Results
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
class ShownExample:
    """A retrieved example."""

    id: str
    caption: str = ""
    drawing: str = ""
    """HTML of its motion."""


@dataclass(frozen=True)
class Answer:
    """What one method made of one prompt."""

    label: str
    text: str
    """Its caption, or, where it was asked with other words than the first method, these."""
    examples: tuple[ShownExample, ...]
    drawing: str = ""
    """HTML of its motion."""


@dataclass(frozen=True)
class Prompt:
    """One clip and all answers to it."""

    id: str
    asked: str
    """The caption that motions were written for, or the references of a motion's captions."""
    answers: tuple[Answer, ...]
    drawing: str = ""
    """HTML of the real motion."""


@dataclass(frozen=True)
class _Method:
    """One row of a table: its items by their clips' ids, and where its motions lie."""

    items: Mapping[str, Mapping[str, Any]]
    run: Path
    task: str
    split: str
    answers: str

    @property
    def motions(self) -> Path:
        """Folder of its answers."""
        if self.answers == FILES:
            return self.run / "shown" / self.split / self.task / self.answers
        return self.run / "motions" / self.split / self.answers

    @property
    def examples(self) -> Path:
        """Folder of the examples."""
        return self.run / "shown" / self.split / self.task / f"{self.answers}_examples"

    @property
    def real(self) -> Path:
        """Folder of the set's own motions."""
        return self.run / "shown" / self.split / "real"


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
    methods: dict[str, _Method] = {}
    for line in one.blocks[0][1]:
        for name in line.cards if not line.is_real else ():
            found = {item["id"]: item for item in runs[line.run][name]["scores"].get("items", ())}
            if found:
                methods[line.label] = _Method(found, folders[line.run], *name.split("/"))
    shared = set.intersection(*(set(method.items) for method in methods.values())) if methods else set()
    return [_prompt(key, methods, figures) for key in show_order(shared)[:NUM_SHOWN]]


def _prompt(key: str, methods: Mapping[str, _Method], figures: MotionFigures) -> Prompt:
    answers = {label: method.items[key] for label, method in methods.items()}
    first = next(iter(answers.values()))
    is_caption = "references" in first
    asked = " / ".join(_plain(one) for one in first["references"]) if is_caption else first["caption"]
    drawings = _drawings(key, methods, figures, asked, is_caption)
    shown = []
    for label, item in answers.items():
        own = item["caption"] if is_caption or item["caption"] != asked else ""
        said = item.get("example_captions", ())
        examples = tuple(
            ShownExample(one, said[number] if number < len(said) else "", drawings.get((label, number + 1), ""))
            for number, one in enumerate(item.get("examples", ()))
        )
        shown.append(Answer(label, own, examples, drawings.get((label, 0), "")))
    return Prompt(key, asked, tuple(shown), drawings.get(("", 0), ""))


def _drawings(
    key: str, methods: Mapping[str, _Method], figures: MotionFigures, asked: str, is_caption: bool
) -> dict[tuple[str, int], str]:
    """Draw what there is of a prompt: (method, 0) its answer, (method, n) its n-th example, ("", 0) the real motion."""
    found: dict[tuple[str, int], tuple[np.ndarray, str]] = {}
    for label, method in methods.items():
        item = method.items[key]
        files = {} if is_caption else {(label, 0): (method.motions, key, f"{label}: {item['caption']}")}
        for number, example in enumerate(item.get("examples", ()), start=1):
            files[label, number] = (method.examples, f"{key}_{number}", f"{label}, retrieved: {example}")
        files["", 0] = (method.real, key, f"real: {asked}")
        for place, (folder, name, said) in files.items():
            joints = None if place in found else _joints(folder, name)
            if joints is not None:
                found[place] = (joints, said)
    return dict(zip(found, figures.group(list(found.values())), strict=True))


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
