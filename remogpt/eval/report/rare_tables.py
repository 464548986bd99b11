"""Tables and curves about rare prompts."""

from collections.abc import Iterable, Sequence
from typing import Any

from remogpt.eval.report.tables import Entry, Row, Table, interval, number, score

NUM_RAREST = 5
"""Prompts shown for each result."""
GALLERIES = {"training": "training captions", "database": "database captions"}
"""What rareness is measured against."""
GAIN = "gain of retrieval"


def _ways(entry: Entry, gallery: str) -> dict[str, dict[str, Any]]:
    """Return the scores of each way of making the motions (retrieval, no_retrieval, real) on rare prompts."""
    own = entry.scores.get(gallery) or {}
    return {way: scores for way, scores in own.items() if isinstance(scores, dict)}


def rare_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return MM-dist on rare prompts, over ranges of rareness, and the rarest prompts."""
    rows = [
        Row((entry.split, entry.mode, words, way, score(own, "mm_dist", 3), score(own, "mm_dist_rare", 3),
             score(own, "mm_dist_balanced", 3), score(own, "diversity_rare", 2), number(own.get("num_rare"), 0),
             number(own.get("num_items"), 0)), entry.name, "control" if way == "real" else "")
        for entry in found
        for gallery, words in GALLERIES.items()
        for way, own in _ways(entry, gallery).items()
    ]  # fmt: skip
    encoders = sorted({str(entry.scores["encoder"]) for entry in found if entry.scores.get("encoder")})
    note = "Rareness is 1 minus the largest cosine with a caption of the gallery"
    note += f", by the text encoder {', '.join(encoders)}." if encoders else "."
    note += " Balanced: every range of rareness counts once. Lower is better for MM-dist."
    if rows:
        head = ("split", "result", "rareness against", "motions", "MM-dist", "rarest", "balanced", "Diversity, rarest",
                "rare prompts", "prompts")  # fmt: skip
        yield Table("MM-dist on rare prompts", head, tuple(rows), labels=4, note=note)
    yield _ranges(found)
    shown = [
        Row((entry.split, entry.mode, str(item["id"]), item["caption"], item.get("nearest_caption") or "",
             number(item.get("rareness"), 3)), entry.name)
        for entry in found
        for item in (entry.scores.get("rarest") or [])[:NUM_RAREST]
    ]  # fmt: skip
    if shown:
        words = ("split", "result", "motion", "caption", "nearest caption", "rareness")
        yield Table("The rarest prompts", words, tuple(shown), labels=5, shown="drawn")


def curves(entry: Entry) -> dict[str, dict[str, dict[str, Any]]]:
    """Return a result's curves over rareness: MM-dist of each way against each gallery, and what retrieval gained."""
    found = {
        f"MM-dist, {words}": {way: own["bins"] for way, own in _ways(entry, name).items() if own.get("bins")}
        for name, words in GALLERIES.items()
    }
    if entry.scores.get("gain"):
        found[GAIN] = {"MM-dist without retrieval minus with it": entry.scores["gain"]}
    return {panel: lines for panel, lines in found.items() if lines}


def _ranges(found: Sequence[Entry]) -> Table | None:
    rows = [
        Row((entry.split, entry.mode, panel, line, f"{bins['edges'][place]:.3f} to {bins['edges'][place + 1]:.3f}",
             interval(mean, bins["ci95"][place], 3), str(bins["counts"][place])), entry.name)
        for entry in found
        for panel, lines in curves(entry).items()
        for line, bins in lines.items()
        for place, mean in enumerate(bins["means"])
    ]  # fmt: skip
    head = ("split", "result", "value", "motions", "rareness", "mean", "prompts")
    return Table("By range of rareness", head, tuple(rows), labels=5, shown="folded") if rows else None
