"""Describe answers, examples and spans as JSON-ready rows, the same for the command line and the service."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `--help` of a command should be fast
    from remogpt.pipeline.captioning import Captioned
    from remogpt.pipeline.segment import Generated
    from remogpt.retriever import RetrievedExample
    from remogpt.retriever.moments import Moments


def describe_examples(examples: "Iterable[RetrievedExample]") -> list[dict[str, Any]]:
    """Return retrieved examples as JSON-ready rows; `fact_share` is null where no facts were asked for."""
    return [
        {
            "id": example.id,
            "route": example.route,
            "score": round(example.score, 4),
            "caption": example.caption,
            "fact_share": None if math.isnan(example.fact_share) else round(example.fact_share, 4),
        }
        for example in examples
    ]


def describe_answer(answer: "Generated | Captioned") -> dict[str, Any]:
    """Return what lies behind an answer as JSON-ready fields: its examples, which were used, how sure it is, checks."""
    examples = [
        {**row, "used": example.used, "pinned": example.pinned}
        for row, example in zip(describe_examples(answer.examples), answer.examples, strict=True)
    ]
    return {
        "examples": examples,
        "confidence": None if math.isnan(answer.confidence) else round(answer.confidence, 3),
        "warnings": [warning.to_json() for warning in answer.warnings],
        "checks": [check.to_json() for check in answer.checks],
    }


def describe_caption(answer: "Captioned") -> dict[str, Any]:
    """Return what lies behind a caption as JSON-ready fields: those of `describe_answer`, and whose words it has."""
    return {**describe_answer(answer), "copied_from": list(answer.copied_from), "is_stated": answer.is_stated}


def describe_motion(answer: "Generated") -> dict[str, Any]:
    """Return what lies behind a motion as JSON-ready fields: those of `describe_answer`, and what it is made of."""
    return {
        **describe_answer(answer),
        "copied_from": answer.copied_from,
        "joined_from": list(answer.joined_from),
        "follows": list(answer.follows),
    }


def made_of(row: Mapping[str, Any], show: Callable[[str], str] = str) -> str:
    """Say in words what a motion is made of, from its row of `describe_motion`; `show` writes an id."""
    joined, follows = (" and ".join(map(show, row[key])) for key in ("joined_from", "follows"))
    if len(row["joined_from"]) == 1:
        return f"the motion {joined} of the database, with more or fewer repetitions"
    if joined:
        return f"stretches of the motions {joined} of the database, joined"
    if row["copied_from"]:
        return f"the motion {show(row['copied_from'])} of the database, as it is"
    if follows:
        return f"written by the model, which followed stretches of the motions {follows} of the database, joined"
    return "written by the model"


def describe_spans(found: "Moments") -> list[dict[str, Any]]:
    """Return spans as JSON-ready rows: seconds, frames, and both numbers of the ranking."""
    return [
        {
            "start": span.seconds[0],
            "end": span.seconds[1],
            "start_frame": span.start,
            "end_frame": span.end,
            "score": round(span.score, 4),
            "cosine": round(span.cosine, 4),
        }
        for span in found.spans
    ]
