"""The report as a web page: one file, no network, and no script but the player of motions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remogpt.eval.cards import short
from remogpt.eval.report import plots
from remogpt.eval.report.markdown import dependences
from remogpt.eval.report.rare_tables import GAIN, NUM_RAREST, compared, curves
from remogpt.eval.report.sections import Section, sections
from remogpt.eval.report.tables import Entry, Report, by_split, number, score
from remogpt.motion.figures import MotionFigures
from remogpt.motion.player import PLAYER_SCRIPT, PLAYER_STYLE
from remogpt.motion.strips import load_joints
from remogpt.runtime.text import printable

SHOWN = {
    "real": ("real", ""), "retrieved": ("retrieved", ""), "generated": ("generated", "mm_dist"),
    "without_retrieval": ("without retrieval", "mm_dist_without_retrieval"),
}  # fmt: skip
"""Motions of a rare prompt in order: their heading, and the name of their MM-dist."""


@dataclass(frozen=True)
class Figure:
    """A drawing and what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Tile:
    """One number of the overview, with the level to read it against."""

    title: str
    value: str
    against: str
    name: str


def to_html(report: Report, folder: str | Path = ".") -> str:
    """Return the report as one HTML document; whatever captions and names contain is shown as text.

    Args:
        folder: where the motions lie that the results name. One that is not there any more is said to be missing.

    Raises:
        RemogptError: if a motion's file is damaged or holds something else.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    here = Path(__file__).parent
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"short": short, "svg": Markup, "number": number}
    template = environment.from_string((here / "report.html.j2").read_text(encoding="utf-8"))
    found = sections(report)
    names = [entry.name for section in found for entry in section.cards]
    first = found[0].entries[0].card if found else {}
    figures = MotionFigures()
    rarest = [
        (entry, [_prompt(item, Path(folder), figures) for item in entry.scores["rarest"][:NUM_RAREST]])
        for section in found
        for entry in section.entries
        if section.task == "rare" and entry.scores.get("rarest")
    ]
    swapped = [_swapped(group, Path(folder), figures) for group in _swap_groups(found)]
    style, script = (PLAYER_STYLE, PLAYER_SCRIPT) if figures.has_players else ("", "")
    page: str = template.render(
        style=Markup(style + (here / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        first=first,
        missing_splits=report.get("missing_splits") or [],
        left_out=report.get("left_out") or {},
        dependences=dependences(report),
        tiles=_tiles(found),
        sections=found,
        figures={section.task: _figures(section) for section in found},
        rarest=rarest,
        swapped=swapped,
        anchors={name: f"card-{index}" for index, name in enumerate(names)},
    )
    return printable(page)


def _prompt(item: dict[str, Any], folder: Path, figures: MotionFigures) -> dict[str, Any]:
    """Return a rare prompt with its motions."""
    there = [(key, item["motions"][key]) for key in SHOWN if (item.get("motions") or {}).get(key)]
    drawn = _drawn([(SHOWN[key][0], name) for key, name in there], item["caption"], folder, figures)
    for one, (key, _) in zip(drawn, there, strict=True):
        one["distance"] = number(item.get(SHOWN[key][1]), 2)
    return {**item, "drawn": drawn}


def _swap_groups(found: Sequence[Section]) -> list[list[Entry]]:
    """Return, for each split, the results of its databases whose motions are to be shown."""
    swaps = [entry for section in found for entry in section.entries if entry.scores.get("shown")]
    return list(by_split(swaps).values())


def _swapped(group: Sequence[Entry], folder: Path, figures: MotionFigures) -> dict[str, Any]:
    """Return the captions of a split, each with one motion for each database."""
    asked: dict[str, dict[str, Any]] = {}
    for entry in group:
        for item in entry.scores["shown"]:
            prompt = asked.setdefault(item["id"], {"id": item["id"], "caption": item["caption"], "files": []})
            prompt["files"].append((entry.mode, item["motion"]))
    prompts = [
        {**prompt, "drawn": _drawn(prompt["files"], prompt["caption"], folder, figures)} for prompt in asked.values()
    ]
    return {"split": group[0].split, "prompts": prompts}


def _drawn(
    files: Sequence[tuple[str, str]], caption: str, folder: Path, figures: MotionFigures
) -> list[dict[str, Any]]:
    """Draw the motions of one prompt, given as words and file; one that is gone has no drawing."""
    there = {name: load_joints(folder / name) for _, name in files if (folder / name).is_file()}
    named = [(joints, f"{words} motion: {caption}") for words, name in files if (joints := there.get(name)) is not None]
    drawings = iter(figures.group(named))
    return [
        {"words": words, "file": name, "distance": "", "html": next(drawings) if name in there else ""}
        for words, name in files
    ]


def _figures(section: Section) -> list[Figure]:
    makers = {"retrieval": _recall, "facts": _facts, "physical": _physical, "rare": _rare}
    return makers[section.task](section.entries) if section.task in makers else []


def _recall(found: Sequence[Entry]) -> list[Figure]:
    known = {entry.split: entry for entry in found if entry.scores.get("recall_curve") and "normal" in entry.scores}
    if not known:
        return []
    drawing = plots.recall_curves(
        {split: entry.scores["recall_curve"] for split, entry in known.items()},
        {split: entry.scores["normal"]["t2m/len"] for split, entry in known.items()},
    )
    return [Figure(drawing, "Share of queries whose own item is among the first ones found (protocol normal).")]


def _facts(found: Sequence[Entry]) -> list[Figure]:
    figures = []
    for index, (split, group) in enumerate(by_split([entry for entry in found if "by_factor" in entry.scores]).items()):
        own = [entry for entry in group if not entry.is_control]
        if not own:
            continue
        counts = {factor: value["num_facts"] for one in own for factor, value in one.scores["by_factor"].items()}
        levels = {name: _level(name, group, own[0], counts) for name in ("real", "shuffled")}
        drawing = plots.fact_bars(
            {entry.mode: _shares(entry) for entry in own},
            {name: level for name, level in levels.items() if level},
            counts,
            f"facts-{index}",
        )
        caption = f"Facts that hold on {split}, by factor (facts checked). Lines: the real motions, and shuffled ones, "
        figures.append(Figure(drawing, caption + "which belong to other captions."))
    return figures


def _shares(entry: Entry) -> dict[str, float]:
    return {factor: value["share"] for factor, value in entry.scores["by_factor"].items()}


def _level(name: str, group: Sequence[Entry], own: Entry, factors: dict[str, int]) -> dict[str, float]:
    """Return a level by factor where it was scored as a control, else the level of all facts for each factor."""
    control = next((entry for entry in group if entry.mode == name), None)
    if control is not None:
        return _shares(control)
    level = own.scores.get(name)
    return {} if level is None else dict.fromkeys(factors, level)


def _physical(found: Sequence[Entry]) -> list[Figure]:
    known = [entry for entry in found if entry.scores.get("worse_than_95_percent_of_real")]
    figures = []
    for index, (split, group) in enumerate(by_split(known).items()):
        shares = {
            entry.mode: entry.scores["worse_than_95_percent_of_real"]
            for entry in group
            if entry.mode == "tokenizer" or not entry.is_control
        }
        caption = f"Share of motions on {split} that are worse than 95 % of the real ones; at the line: as real ones."
        if shares:
            figures.append(Figure(plots.physical_bars(shares, f"physical-{index}"), caption))
    return figures


def _rare(found: Sequence[Entry]) -> list[Figure]:
    figures = []
    for index, group in enumerate(compared(found)):
        panels: dict[str, dict[str, Any]] = {}
        for entry in group:
            for panel, bins in curves(entry).items():
                panels.setdefault(panel, {})[entry.mode] = bins
        caption = f"On {group[0].split}: mean in each range of rareness with its 95 % interval, and the prompts in it."
        figures.append(Figure(plots.rareness_curves(panels, f"rare-{index}", zero_line=[GAIN]), caption))
    return figures


def _tiles(found: Sequence[Section]) -> list[Tile]:
    """Return the overview: one number of each task, from the first split, in the mode that a user of the model gets."""
    tiles = []
    for section in found:
        entry = _as_users_get_it([entry for entry in section.entries if not entry.is_control])
        tile = _tile(section, entry) if entry is not None else None
        if tile is not None and tile.value:
            tiles.append(tile)
    return tiles


def _as_users_get_it(own: Sequence[Entry]) -> Entry | None:
    """Return the first split's entry that no setting takes anything away from: the default, else with retrieval."""
    first = [entry for entry in own if entry.split == own[0].split]
    for preferred in ("default", "retrieval"):
        for entry in first:
            if entry.mode == preferred:
                return entry
    return first[0] if first else None


def _tile(section: Section, entry: Entry) -> Tile | None:
    scores = entry.scores
    if section.task == "tokenizer":
        used = f"{number(scores.get('codes_used'), 0) or 'no'} codes used"
        return Tile("Reconstruction error, mm", score(scores, "mpjpe"), used, entry.name)
    if section.task == "retrieval" and "normal" in scores:
        against = f"chance {number(100.0 / scores['normal']['t2m/len'])}, gallery {scores['normal']['t2m/len']:.0f}"
        return Tile("Retrieval t2m R@1, %", score(scores["normal"], "t2m/R@1"), against, entry.name)
    if section.task == "generation":
        real = next((other for other in section.entries if (other.split, other.mode) == (entry.split, "real")), None)
        ceiling = score(real.scores.get("evaluator"), "t2m/R3", 3).split(" ")[0] if real else ""
        against = f"real motions {ceiling}" if ceiling else ""
        return Tile("Text to motion R@3", score(scores.get("evaluator"), "t2m/R3", 3), against, entry.name)
    if section.task == "facts":
        limits = [("real", "real motions"), ("shuffled", "others' motions")]
        against = ", ".join(f"{words} {number(scores[name], 0, 100)}" for name, words in limits if name in scores)
        return Tile("Facts that hold, %", score(scores, "share", scale=100), against, entry.name)
    if section.task == "captioning" and "raw" in scores:
        against = f"BLEU-4 {score(scores['raw'], 'bleu4', scale=100)}, protocol raw"
        return Tile("Captions ROUGE-L × 100", score(scores["raw"], "rougeL", scale=100), against, entry.name)
    if section.task == "rare" and scores.get("training"):
        own = scores["training"]
        against = f"all prompts {number(own['mm_dist'], 2)}"
        return Tile("MM-dist, rarest prompts", score(own, "mm_dist_rare", 2), against, entry.name)
    return None
