"""What a reader of captions understands: of the grammar's captions, of rewordings, and of captions that people wrote.

    python -m studies.reader --reader runs/reader --captions ../shared/data/text/humanml3d_test_captions.json

People's captions were labelled by hand (tests/data/people_captions.md); none of them was seen in training. Facts are
what the claims imply, order and what happens together among them. Grammar captions are of another seed.
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from remogpt.data.procedural.make import is_unseen
from remogpt.data.procedural.rewordings import claimed_captions
from remogpt.data.procedural.vocabularies import WIDE
from remogpt.motion.facts import Fact, Steps, claims_from_json, facts_of_claims
from remogpt.reader import CaptionReader, Reading
from remogpt.reader.claim_language import ClaimLanguage
from remogpt.runtime.files import read_json, write_json, write_text

LABELS = Path(__file__).parents[1] / "tests" / "data" / "people_captions.json"
RESULTS = Path(__file__).parent / "results"
SEED = 900
Known = tuple[str, Steps]
"""A caption and what it claims."""


def grammar_captions(vocabulary: str, count: int, reworded: float, unseen: bool) -> list[Known]:
    """Return captions whose combination of actions training has seen, or has not; all of another seed."""
    found: list[Known] = []
    for script, caption in claimed_captions(SEED, 0, 50 * count, reworded, vocabulary=vocabulary):
        if is_unseen(script) == unseen:
            found.append((caption.text, caption.steps))
        if len(found) == count:
            break
    return found


def people_captions(texts: Path, vocabulary: str) -> list[Known]:
    """Return the labelled captions of people, and what they claim that a vocabulary has predicates for."""
    captions, found = read_json(texts)["captions"], []
    for label in read_json(LABELS):
        text = captions[label["id"]][label["caption"]]
        if hashlib.sha256(text.encode()).hexdigest()[:12] != label["sha256"]:
            raise SystemExit(f"caption {label['caption']} of {label['id']} in {texts} is not the one that was labelled")
        of_this = label.get("wide", label) if vocabulary == WIDE else label
        found.append((text, claims_from_json(of_this["steps"])))
    return found


def scores(known: list[Known], readings: list[Reading]) -> dict[str, Any]:
    """Compare readings with what captions claim: exact ones, and precision and recall of facts, by factor."""
    held: Counter[str] = Counter()
    said: Counter[str] = Counter()
    read: Counter[str] = Counter()
    exact = 0
    for (_, steps), reading in zip(known, readings, strict=True):
        wanted, came = (_facts(one) for one in (steps, reading.steps))
        exact += wanted == came
        said.update(_factors(wanted))
        read.update(_factors(came))
        held.update(_factors(wanted & came))
    factors = {
        factor: {
            "said": said[factor],
            "recall": held[factor] / said[factor],
            "precision": _share(held[factor], read[factor]),
        }
        for factor in sorted(said)
    }
    every = {"recall": _share(held.total(), said.total()), "precision": _share(held.total(), read.total())}
    return {"captions": len(known), "exact": exact / len(known), **every, "factors": factors}


def _facts(steps: Steps) -> set[str]:
    """Return the facts of claims as text, numbers on the grid of the claim language, in its order within a step."""
    language = ClaimLanguage.of([(steps, 0)])
    on_grid, _ = language.decode(language.encode(steps))
    return {json.dumps(fact.to_json(), sort_keys=True) for fact in facts_of_claims(on_grid)}


def _factors(facts: Iterable[str]) -> list[str]:
    return [Fact.from_json(json.loads(fact)).factor for fact in facts]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def study(reader: CaptionReader, texts: Path) -> dict[str, Any]:
    """Score the reader on each kind of captions."""
    vocabulary = reader.vocabulary
    people = people_captions(texts, vocabulary)
    kinds = {
        "grammar, seen combinations": grammar_captions(vocabulary, 200, 0.0, unseen=False),
        "grammar, unseen combinations": grammar_captions(vocabulary, 200, 0.0, unseen=True),
        "reworded, unseen combinations": grammar_captions(vocabulary, 200, 1.0, unseen=True),
        "people, with an action of the catalogue": [known for known in people if known[1]],
    }
    found: dict[str, Any] = {}
    for kind, known in kinds.items():
        found[kind] = scores(known, reader.read([text for text, _ in known]))
    strange = reader.read([text for text, steps in people if not steps])
    found["people, without one"] = {
        "captions": len(strange),
        "read as nothing": sum(not reading.steps for reading in strange) / len(strange),
        "read as nothing, or an unknown action named": sum(
            not reading.steps or reading.num_unknown > 0 for reading in strange
        )
        / len(strange),
    }
    return found


def table(found: dict[str, Any]) -> str:
    """Return the study as Markdown."""
    lines = ["| captions | n | exact | recall of facts | precision |", "|---|---|---|---|---|"]
    full = {kind: row for kind, row in found.items() if "exact" in row}
    for kind, row in full.items():
        numbers = " | ".join(f"{100 * row[key]:.1f}" for key in ("exact", "recall", "precision"))
        lines.append(f"| {kind} | {row['captions']} | {numbers} |")
    factors = sorted({factor for row in full.values() for factor in row["factors"]})
    lines += ["", "Recall / precision by factor (%):", "", f"| captions | {' | '.join(factors)} |"]
    lines.append("|---" * (len(factors) + 1) + "|")
    for kind, row in full.items():
        cells = [row["factors"].get(factor) for factor in factors]
        lines.append(f"| {kind} | {' | '.join(map(_cell, cells))} |")
    strange = found["people, without one"]
    lines += ["", f"Of {strange['captions']} captions of people without an action of the catalogue "
              f"{100 * strange['read as nothing']:.0f} % are read as nothing, "
              f"{100 * strange['read as nothing, or an unknown action named']:.0f} % as nothing or as naming an action "
              "that no predicate covers."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    precision = "" if row["precision"] is None else f"{100 * row['precision']:.0f}"
    return f"{100 * row['recall']:.0f} / {precision} (n={row['said']})"


def main() -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--captions", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    reader = CaptionReader.from_pretrained(args.reader)
    found = study(reader, args.captions)
    command = (
        "python -m studies.reader --reader runs/reader --captions ../shared/data/text/humanml3d_test_captions.json"
    )
    write_json(args.out / "reader.json", {"command": command, "reader": reader.hash, "scores": found})
    write_text(args.out / "reader.md", f"# What a reader of captions understands\n\n`{command}`\n\n{table(found)}")
    print(table(found))


if __name__ == "__main__":
    main()
