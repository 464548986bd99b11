"""Count answers that someone judged by eye."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.pipeline.captioning import Captioned
from remogpt.pipeline.segment import Candidate, Generated
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json


def count(work: Path, asked: Sequence[str], study: str, out: Path) -> None:
    """Put the answers and the judgements of a folder together, print how many are right, and write all to a file.

    A row's "text" is somebody's: its hash is written in its place.

    Args:
        work: folder of `answers.json` (its "model", and "answers", each with its "number") and `judged.json` (for each
            number an object of an action, and perhaps of the others, true or false, and of a note); and perhaps of
            `judged_again.json`, by somebody else who did not see the first.
        asked: what is judged, the action first; an answer is right where none of them is false.
        study: module of the study, for the command that is written with the numbers.
        out: JSON file.

    Raises:
        RemogptError: if an answer has no judgement of its action.
    """
    told, judged = read_json(work / "answers.json"), read_json(work / "judged.json")
    second = work / "judged_again.json"
    again = read_json(second) if second.is_file() else {}
    rows = []
    for row in told["answers"]:
        verdict = judged.get(str(row["number"]))
        if verdict is None or asked[0] not in verdict:
            raise RemogptError(f"{work / 'judged.json'} has no judgement of number {row['number']}, wanted an action")
        text = row.pop("text")
        said = {"right": _is_right(verdict, asked)}
        if again:
            said["right_again"] = _is_right(again[str(row["number"])], asked)
        rows.append({**row, "sha256": hashlib.sha256(text.encode()).hexdigest()[:12], **verdict, **said})
    found: dict[str, Any] = {"command": f"python -m {study} count --work FOLDER", "model": told["model"]}
    found |= {"all": _share(rows), "with a warning": _share([row for row in rows if row["warnings"]])}
    found |= {"without": _share([row for row in rows if not row["warnings"]])}
    for name in sorted({"made", "source"} & rows[0].keys()):
        values = sorted({row[name] for row in rows})
        found[name] = {value: _share([row for row in rows if row[name] == value]) for value in values}
    for name in asked:
        found[name] = _share([{"right": row[name]} for row in rows if name in row])
    if again:
        found["by the second judge"] = _share([{"right": row["right_again"]} for row in rows])
        found["judged alike by both"] = sum(row["right"] == row["right_again"] for row in rows)
    write_json(out, {**found, "rows": rows})
    print(f"{found['all']['right']} of {found['all']['of']} are right")


def _is_right(verdict: Mapping[str, Any], asked: Sequence[str]) -> bool:
    return all(verdict.get(name, True) for name in asked)


def how_made(motion: Generated | Candidate) -> str:
    """Return how a motion was made: "written", "retrieved" or "joined"."""
    return "joined" if motion.joined_from else "retrieved" if motion.copied_from is not None else "written"


def how_sure(made: Generated | Captioned) -> dict[str, Any]:
    """Return what an answer says of itself: its confidence, and the kinds of its warnings."""
    confidence = None if np.isnan(made.confidence) else round(made.confidence, 2)
    return {"confidence": confidence, "warnings": [notice.kind for notice in made.warnings]}


def _share(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {"right": sum(row["right"] for row in rows), "of": len(rows)}
