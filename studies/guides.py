"""What the examples are worth that a written motion follows: found by cosines or by facts, or joined of several.

    python -m studies.guides --data runs/mini/set

Each caption is answered by what the model writes alone, one candidate and the best of eight by the caption's facts,
after: no example; the examples that the cosines find; motions that hold the most of what the caption claims; a guide,
which is joined of retrieved motions (`remogpt.pipeline.generation`), followed as strongly as an example, and two and
three times as strongly; and guides of mini's weight where all evidence has another strength. Facts are those of the
clip that a caption describes: by the predicates, which join and choose here, and by the second detectors and the
evaluator's R-precision (top 3 of 32), which decide nothing. Validation clips, and clips of another seed whose
combination of actions training never saw; no test clip.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT, generation
from remogpt.pipeline.segment import Guide
from remogpt.retriever import TextMotionRetriever
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.runtime.progress import progress
from studies.answer_choice import Query, unseen_queries, val_queries
from studies.joined_motions import measure

RESULTS = Path(__file__).parent / "results" / "guides.json"
EXAMPLES = ("none", "by the cosines", "by facts", "joined, 1", "joined, 2", "joined, 3")
STRENGTHS = (3.0, 4.0, 5.0, 6.0, 7.0)
BATCH = 8


@contextmanager
def guided(strength: float) -> Iterator[None]:
    """Let guides be followed with another weight."""

    @dataclass(frozen=True, eq=False)
    class Weighed(Guide):
        weight: float = strength

    with patch.object(generation, "Guide", Weighed):
        yield


def most_held(model: ReMoGPT, text: str) -> list[str]:
    """Return the ids of the two motions that rank first by the cosine and what the caption claims."""
    options = GenerationOptions(best_of=1, retrieved=2, joined=0, verify=True)
    (answer,) = model.generate(text, seed=0, options=options)
    return [one.copied_from for one in answer.segments[0].candidates if one.copied_from]


def write(model: ReMoGPT, queries: Sequence[Query], examples: str, best_of: int) -> list[tuple[np.ndarray, str]]:
    """Return what the model writes for each caption: features, and "guided" or "written"."""
    joined, weight, strength = (*examples.split(", "), "", "")[:3]
    found = list[tuple[np.ndarray, str]]()
    for start in range(0, len(queries), BATCH):
        texts = [query.text for query in queries[start : start + BATCH]]
        options = GenerationOptions(
            examples="none" if examples == "none" else "follow", best_of=best_of, retrieved=0, verify=True,
            joined=None if joined == "joined" else 0,
            strength=float(strength.removeprefix("strength ")) if strength else None,
            pinned=[most_held(model, text) for text in texts] if examples == "by facts" else (),
        )  # fmt: skip
        with guided(float(weight or 1)):
            answers = model.generate(texts, seed=start, options=options)
        found += [(one.motion.features, "guided" if one.follows else "written") for (one,) in answers]
    return found


def _listed(values: Iterable[Any]) -> str:
    return " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def main(words: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None, help="default: the embedded one")
    parser.add_argument("--data", type=Path, required=True, help="procedural set")
    parser.add_argument("--clips", type=int, default=160, help="validation clips; 0.6 times as many unseen ones")
    parser.add_argument("--best-of", type=int, nargs="+", default=[1, 8], help="candidates")
    parser.add_argument("--examples", nargs="+", default=EXAMPLES, choices=EXAMPLES)
    parser.add_argument(
        "--strengths", type=float, nargs="*", default=STRENGTHS, help="of following examples and guides"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    model = ReMoGPT.from_pretrained(args.model)
    evaluator = TextMotionRetriever.from_pretrained(embedded_model("evaluator"))
    queries = {
        "validation clips": val_queries(MotionTextSet.open(args.data), args.clips),
        "unseen combinations": unseen_queries(round(0.6 * args.clips)),
    }
    found: dict[str, Any] = {
        "command": f"python -m studies.guides --data runs/mini/set --clips {args.clips} "
        f"--best-of {_listed(args.best_of)} --examples {_listed(map(repr, args.examples))} "
        f"--strengths {_listed(args.strengths)}",
        "model": model.manifest["hashes"],
    }
    strengths = [f"joined, 2, strength {strength:g}" for strength in args.strengths]
    rows = [(best_of, examples) for best_of in args.best_of for examples in (*args.examples, *strengths)]
    for best_of, examples in progress(rows, desc="guides", unit="row"):
        for name, asked in queries.items():
            answers = write(model, asked, examples, best_of)
            row = {**measure(asked, answers, evaluator), "guided": sum(way == "guided" for _, way in answers)}
            row.pop("made")
            found.setdefault(name, {})[f"best of {best_of}, {examples}"] = row
            shares = (f"{row[key]['share']:.3f}" for key in ("predicates", "second_detectors"))
            print(name, best_of, examples, *shares, f"{row['r_precision_top_3']:.3f}", row["guided"], flush=True)
        write_json(args.out, found)


if __name__ == "__main__":
    main()
