"""Results as JSON for programs and as Markdown for people, every number beside its items, seed and hashes."""

from pathlib import Path
from typing import Any

from remogpt.runtime.files import write_json, write_text

Report = dict[str, Any]
ITEM_ROWS = 8
"""Captions shown as samples for each captioning result."""


def write_report(report: Report, folder: str | Path) -> None:
    """Write `results.json` and `report.md` into a folder."""
    folder = Path(folder)
    write_json(folder / "results.json", report)
    write_text(folder / "report.md", to_markdown(report))


def to_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    sections = [
        ("Tokenizer: reconstruction error in mm", _reconstruction(report)),
        ("Retrieval, percent (MedR counts from 1)", _retrieval(report)),
        ("Text to motion: facts that hold, percent", _generation(report)),
        ("Facts by factor, percent (facts)", _factors(report)),
        ("Text to motion: physical quality", _physical(report)),
        ("Motion to text", _captioning(report)),
        ("Protocol cards", _cards(report)),
    ]
    text = ["# Evaluation", "", _heading(report), ""]
    for title, lines in sections:
        if lines:
            text += [f"## {title}", "", *lines, ""]
    return "\n".join(text)


def _heading(report: Report) -> str:
    cards = [result["card"] for result in report["results"].values()]
    if not cards:
        return "No results."
    first = cards[0]
    line = f"Model **{first['model']}** on **{first['set']}** ({first['licence']}), seed {first['seed']}. "
    line += "± is the half width of a 95 % interval over items."
    if report["missing_splits"]:
        line += f" The set has no clips in {', '.join(report['missing_splits'])}."
    return line


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _of(report: Report, part: str) -> list[tuple[list[str], dict[str, Any]]]:
    """Results of a part as (name after the part, scores)."""
    found = [(name.split("/"), result["scores"]) for name, result in report["results"].items()]
    return [(words[1:], scores) for words, scores in found if words[0] == part]


def _reconstruction(report: Report) -> list[str]:
    names = ("mpjpe", "mpjpe_global", "pa_mpjpe", "accel")
    rows = [
        [split, *(f"{scores[name]:.1f} ± {scores[f'{name}_ci95']:.1f}" for name in names),
         str(scores["codes_used"]), f"{scores['num_items']:.0f}"]
        for (split,), scores in _of(report, "reconstruction")
    ]  # fmt: skip
    head = ["split", "MPJPE (root-relative)", "MPJPE (global)", "PA-MPJPE", "ACCEL (mm/frame²)", "codes used", "clips"]
    return _table(head, rows)


def _retrieval(report: Report) -> list[str]:
    rows = []
    for (split,), scores in _of(report, "retrieval"):
        for protocol in ("normal", "identical", "guo"):
            one = scores.get(protocol)
            if one is None:
                continue
            for way in ("t2m", "m2t"):
                recalls = [f"{one[f'{way}/R@{k}']:.1f}" for k in (1, 3, 10)]
                rows.append([split, protocol, way, *recalls, f"{one[f'{way}/MedR']:g}", f"{one[f'{way}/len']:.0f}"])
    return _table(["split", "protocol", "direction", "R@1", "R@3", "R@10", "MedR", "gallery"], rows)


def _generation(report: Report) -> list[str]:
    rows = []
    for (split, mode), scores in _of(report, "generation"):
        facts = scores["facts"]
        if facts:
            rows.append([
                split, mode,
                f"{100 * facts['share']:.1f} ± {100 * facts['ci95']:.1f}", f"{100 * facts['all_hold']:.1f}",
                f"{100 * facts['real']:.1f}", f"{100 * facts['shuffled']:.1f}" if "shuffled" in facts else "",
                f"{100 * scores['copied_share']:.1f}", f"{facts['num_items']}",
            ])  # fmt: skip
    head = [
        "split",
        "mode",
        "facts hold",
        "all of a caption's",
        "real motions",
        "other captions' motions",
        "copies",
        "captions",
    ]
    return _table(head, rows)


def _factors(report: Report) -> list[str]:
    results = [(words, scores["facts"]["by_factor"]) for words, scores in _of(report, "generation") if scores["facts"]]
    factors = sorted({factor for _, found in results for factor in found})
    rows = [
        [*words, *(_share(found.get(factor)) for factor in factors)]
        for words, found in results
    ]  # fmt: skip
    return _table(["split", "mode", *factors], rows)


def _share(entry: dict[str, Any] | None) -> str:
    return f"{100 * entry['share']:.0f} ({entry['num_facts']})" if entry else ""


def _physical(report: Report) -> list[str]:
    rows = [
        [*words, *(f"{value['mean']:.3g} ± {value['ci95']:.2g}" for value in scores["physical"].values()),
         f"{scores['frames']['mean']:.0f} / {scores['frames_real']['mean']:.0f}"]
        for words, scores in _of(report, "generation")
    ]  # fmt: skip
    head = [
        "skating (share)",
        "penetration (mm)",
        "floating (mm)",
        "jerk (m/s³)",
        "bone drift (mm)",
        "frames made / real",
    ]
    return _table(["split", "mode", *head], rows)


def _captioning(report: Report) -> list[str]:
    rows, samples = [], []
    for words, scores in _of(report, "captioning"):
        for protocol in ("raw", "ptb"):
            one = scores[protocol]
            rows.append([
                *words, protocol, f"{100 * one['bleu1']:.1f}", f"{100 * one['bleu4']:.1f}",
                f"{100 * one['rougeL']:.1f} ± {100 * one['rougeL_ci95']:.1f}",
                f"{100 * one['cider']:.1f} ± {100 * one['cider_ci95']:.1f}", f"{one['length']:.1f}",
                f"{100 * scores['copied_share']:.1f}", f"{scores['num_items']}",
            ])  # fmt: skip
        if words[-1] == "retrieval":
            samples += [[words[0], item["id"], item["caption"]] for item in scores["items"][:ITEM_ROWS]]
    head = ["split", "mode", "protocol", "BLEU-1", "BLEU-4", "ROUGE-L", "CIDEr", "words", "copies (%)", "motions"]
    scored = [*_table(head, rows), "", "The first captions written with retrieval:", ""]
    return [*scored, *_table(["split", "clip", "caption"], samples)] if rows else []


def _cards(report: Report) -> list[str]:
    lines = []
    for name, result in report["results"].items():
        entries = ", ".join(f"{key} {_short(value)}" for key, value in result["card"].items() if value is not None)
        lines.append(f"- **{name}**: {entries}")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={str(entry)[:12]}" for key, entry in value.items())
    return f"`{value}`"
