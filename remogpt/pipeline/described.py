"""Describe answers, examples and spans as JSON-ready rows, the same for the command line and the service."""

import math
from collections.abc import Iterable
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


def made_of(answer: "Generated") -> str:
    """Say in words what the motion of an answer is made of."""
    if len(answer.joined_from) == 1:
        return f"the motion {answer.joined_from[0]} of the database, with more or fewer repetitions"
    if answer.joined_from:
        return f"stretches of the motions {' and '.join(answer.joined_from)} of the database, joined"
    if answer.copied_from:
        return f"the motion {answer.copied_from} of the database, as it is"
    if answer.follows:
        return f"written by the model, which followed {' and '.join(answer.follows)} of the database, joined"
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
