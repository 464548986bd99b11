"""Tables and curves about rare prompts."""

from collections.abc import Iterable, Sequence
from typing import Any

from remogpt.eval.report.tables import Entry, Row, Table, by_split, interval, number, score

NUM_RAREST = 5
"""Prompts shown for each result."""
GALLERIES = {"training": "training captions", "database": "database captions"}
"""Captions that rareness is measured against."""
GAIN = "gain of retrieval"


def rare_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return MM-dist on rare prompts, over ranges of rareness, and the rarest prompts."""
    rows = [
        Row((entry.split, entry.mode, words, score(own, "mm_dist", 3), score(own, "mm_dist_rare", 3),
             score(own, "mm_dist_balanced", 3), score(own, "diversity_rare", 2), number(own.get("num_rare"), 0),
             number(own.get("num_items"), 0)), entry.name, entry.kind)
        for entry in found
        for gallery, words in GALLERIES.items()
        if (own := entry.scores.get(gallery))
    ]  # fmt: skip
    encoders = sorted({str(entry.scores["encoder"]) for entry in found if entry.scores.get("encoder")})
    note = "Rareness is 1 minus the largest cosine with a caption of the gallery"
    note += f", by the text encoder {', '.join(encoders)}." if encoders else "."
    note += " Balanced: every range of rareness counts once. Lower is better for MM-dist."
    if rows:
        head = ("split", "mode", "rareness against", "MM-dist", "rarest", "balanced", "Diversity, rarest",
                "rare prompts", "prompts")  # fmt: skip
        yield Table("MM-dist on rare prompts", head, tuple(rows), labels=3, note=note)
    yield _ranges(found)
    shown = [
        Row((entry.split, entry.mode, str(item["id"]), item["caption"], item.get("nearest_caption") or "",
             number(item.get("rareness"), 3)), entry.name)
        for entry in found
        for item in (entry.scores.get("rarest") or [])[:NUM_RAREST]
    ]  # fmt: skip
    if shown:
        words = ("split", "mode", "motion", "caption", "nearest caption", "rareness")
        yield Table("The rarest prompts", words, tuple(shown), labels=5, shown="drawn")


def curves(entry: Entry) -> dict[str, dict[str, Any]]:
    """Return a result's curves over rareness: MM-dist against each gallery, and what retrieval gained."""
    found = {f"MM-dist, {words}": (entry.scores.get(name) or {}).get("bins") for name, words in GALLERIES.items()}
    found[GAIN] = entry.scores.get("gain")
    return {panel: bins for panel, bins in found.items() if bins}


def compared(found: Sequence[Entry]) -> list[list[Entry]]:
    """Group the results of a split that share a drawing: with retrieval, without retrieval, and real motions."""
    groups = []
    for group in by_split([entry for entry in found if curves(entry)]).values():
        leads = [entry.mode for entry in group if entry.mode.startswith("retrieval")]
        sets = [{mode, f"no_{mode}", "real"} for mode in leads] or [{entry.mode for entry in group}]
        groups += [[entry for entry in group if entry.mode in modes] for modes in sets]
    return groups


def _ranges(found: Sequence[Entry]) -> Table | None:
    rows = [
        Row((entry.split, entry.mode, panel, f"{bins['edges'][index]:.3f} to {bins['edges'][index + 1]:.3f}",
             interval(mean, bins["ci95"][index], 3), str(bins["counts"][index])), entry.name, entry.kind)
        for entry in found
        for panel, bins in curves(entry).items()
        for index, mean in enumerate(bins["means"])
    ]  # fmt: skip
    head = ("split", "mode", "value", "rareness", "mean", "prompts")
    return Table("By range of rareness", head, tuple(rows), labels=4, shown="folded") if rows else None
