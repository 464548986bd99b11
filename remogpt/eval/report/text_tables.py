"""Tables about retrieval and captioning."""

from collections.abc import Iterable, Sequence
from typing import Any

from remogpt.eval.captioning import PROTOCOLS
from remogpt.eval.report.motion_tables import precision_table
from remogpt.eval.report.tables import Entry, Row, Table, by_split, column, number, score, table

NUM_CAPTIONS = 8
"""Captions shown as samples for each split."""


def retrieval_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return tables of recall in every protocol that was scored, beside chance."""
    names = [*(f"R@{k}" for k in (1, 2, 3, 5, 10)), "MedR"]
    rows: list[Row] = []
    for entry in found:
        galleries: dict[float, dict[str, float]] = {}
        split = " ".join(filter(None, [entry.split, entry.mode]))
        for protocol in ("normal", "threshold", "identical", "nsim", "guo"):
            scores = entry.scores.get(protocol) or {}
            for way in ("t2m", "m2t") if scores else ():
                size = scores[f"{way}/len"]
                galleries.setdefault(size, entry.scores.get("chance", {}) if protocol == "normal" else {})
                cells = [score(scores, f"{way}/{name}") for name in names]
                rows.append(Row((split, protocol, way, *cells, number(size, 0)), entry.name))
        for size, given in galleries.items():
            chance = {f"R@{k}": min(100.0, 100.0 * k / size) for k in (1, 2, 3, 5, 10)} | {"MedR": (size + 1) / 2}
            cells = [number((chance | given).get(name)) for name in names]
            rows.append(Row((split, "chance", "both", *cells, number(size, 0)), kind="chance"))
    if rows:
        yield Table(
            "Recall, percent",
            ("split", "protocol", "direction", *names, "gallery"),
            tuple(rows),
            labels=3,
            note="Galleries of different sizes do not compare. Chance: one right item, the others in random order. "
            "MedR is the median rank and counts from 1.",
        )


def captioning_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return captions' scores by protocol, by the evaluator network, by BERTScore, and some captions."""
    heads = {"bleu1": "BLEU-1", "bleu4": "BLEU-4", "rougeL": "ROUGE-L", "cider": "CIDEr"}
    rows = [
        Row((entry.split, entry.mode, protocol, *(score(entry.scores[protocol], name, scale=100) for name in heads),
             number(entry.scores[protocol].get("length")), number(entry.scores.get("copied_share"), scale=100),
             number(entry.scores.get("num_items"), 0)), entry.name, entry.kind)
        for entry in found
        for protocol in PROTOCOLS
        if protocol in entry.scores
    ]  # fmt: skip
    if rows:
        head = ("split", "mode", "protocol", *heads.values(), "words", "copies (%)", "captions")
        yield Table("Against the references, times 100", head, tuple(rows), labels=3,
                    note="Protocols differ in tokens and in the length that BLEU compares with.")  # fmt: skip
    yield precision_table(found)
    yield table("What captions claim that their motions show, percent", found, [
        column("claims", "share", scale=100, of="claims"),
        column("by second detectors", "share", scale=100, of="claims/second_detectors"),
        column("all of a caption's", "all_hold", scale=100, of="claims"),
        column("claims checked", "num_facts", 0, of="claims"),
    ], note="As the model's reader understands the captions. The second detectors share nothing with the predicates, "
            "by which a model may have chosen its captions.")  # fmt: skip
    yield table("BERTScore, times 100", found, [
        column("F1", "f1", scale=100, of="bertscore"),
        ("model", lambda entry: str((entry.scores.get("bertscore") or {}).get("model", ""))),
        ("rescaled", lambda entry: _yes_or_no((entry.scores.get("bertscore") or {}).get("rescaled"))),
    ])  # fmt: skip
    yield _first_captions(found)


def _yes_or_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _first_captions(found: Sequence[Entry]) -> Table | None:
    rows = [
        Row((entry.split, entry.mode, str(item["id"]), item["caption"], _reference(item)), entry.name)
        for entry in _shown(found)
        for item in entry.scores["items"][:NUM_CAPTIONS]
    ]
    head = ("split", "mode", "motion", "caption", "reference")
    return Table("The first captions", head, tuple(rows), labels=5) if rows else None


def _shown(found: Sequence[Entry]) -> list[Entry]:
    """Return one result of each split, with retrieval where there is one."""
    groups = by_split([entry for entry in found if entry.scores.get("items")]).values()
    return [next((entry for entry in group if entry.mode == "retrieval"), group[0]) for group in groups]


def _reference(item: dict[str, Any]) -> str:
    """Return the first reference, or its lemmas where there is no text."""
    first = (item.get("references") or [""])[0]
    return first if isinstance(first, str) else " ".join(word.split("/")[0] for word in first)
