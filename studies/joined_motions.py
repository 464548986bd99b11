"""What joined motions add: retrieved stretches, one for each step of a caption, among the candidates of an answer.

    python -m studies.joined_motions --data runs/mini/set

Each caption is answered once, with `MOST` joined motions beside the model's own candidates; of the same candidates an
answer is then chosen with none, some and all of the joined ones, as the model chooses. Facts are those of the clip that
a caption describes: by the predicates, which cut, join and choose here, and by the second detectors and the evaluator's
R-precision (top 3 of 32), which decide nothing. Validation clips, and clips of another seed whose combination of
actions training never saw; no test clip.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.facts import check_all, summarise
from remogpt.eval.generation import r_precision
from remogpt.motion import features_to_joints
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.judge import Judge
from remogpt.retriever import TextMotionRetriever
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.runtime.progress import progress
from studies.answer_choice import Query, unseen_queries, val_queries
from studies.judged import how_made

RESULTS = Path(__file__).parent / "results" / "joined_motions.json"
MOST = 8
SOME = (0, 1, 2, 4, MOST)


def answer(model: ReMoGPT, query: Query) -> dict[int, tuple[np.ndarray, str]]:
    """Return the answer for each number of joined motions: its features, and how it was made."""
    (whole,) = model.generate(query.text, seed=0, options=GenerationOptions(joined=MOST))
    (segment,) = whole.segments
    options = GenerationOptions().with_defaults(model.generation)
    motions = [
        model.tokenizer.decode_batch([one.codes])[0] if one.features is None else one.features
        for one in segment.candidates
    ]
    (scores,) = Judge(model.retriever, options.fact_weight or 0.0).scores([query.text], [segment.reading], [motions])
    ways = [how_made(one) for one in segment.candidates]
    first = ways.index("joined") if "joined" in ways else len(ways)
    found = {}
    for count in SOME:
        best = int(scores[: first + count].argmax())
        found[count] = motions[best], ways[best]
    return found


def measure(queries: Sequence[Query], answers: Sequence[tuple[np.ndarray, str]], judge: TextMotionRetriever) -> Any:
    """Return facts by predicates and second detectors, R-precision, and how the answers were made."""
    facts, joints = [query.facts for query in queries], [features_to_joints(motion) for motion, _ in answers]
    found = {
        name: summarise(facts, check_all(facts, joints, second=second))
        for name, second in (("predicates", False), ("second_detectors", True))
    }
    texts = judge.encode_text([query.text for query in queries])
    near = r_precision(texts, judge.encode_motion([motion for motion, _ in answers]))
    ways = [way for _, way in answers]
    return {
        **found, "r_precision_top_3": float(near[2]), "seconds": float(np.mean([len(one) / 20 for one, _ in answers])),
        "made": {way: ways.count(way) for way in ("written", "retrieved", "joined")},
    }  # fmt: skip


def cost(model: ReMoGPT, queries: Sequence[Query]) -> dict[str, float]:
    """Return the processor seconds of an answer without joined motions and with the model's own number of them."""
    seconds = {"without": 0.0, "with": 0.0}
    for query in queries:  # in turns, so that both see the same machine
        for name, joined in (("without", 0), ("with", None)):
            begun = time.process_time()
            model.generate(query.text, seed=0, options=GenerationOptions(joined=joined))
            seconds[name] += (time.process_time() - begun) / len(queries)
    return seconds


def main() -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None, help="default: the embedded one")
    parser.add_argument("--data", type=Path, required=True, help="procedural set")
    parser.add_argument("--clips", type=int, default=160, help="validation clips; 0.6 times as many unseen ones")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    model = ReMoGPT.from_pretrained(args.model)
    evaluator = TextMotionRetriever.from_pretrained(embedded_model("evaluator"))
    queries = {
        "validation clips": val_queries(MotionTextSet.open(args.data), args.clips),
        "unseen combinations": unseen_queries(round(0.6 * args.clips)),
    }
    found: dict[str, Any] = {"command": f"python -m studies.joined_motions --data runs/mini/set --clips {args.clips}"}
    for name, asked in queries.items():
        answers = [answer(model, query) for query in progress(asked, desc=name, unit="caption")]
        found[name] = {f"{count} joined": measure(asked, [own[count] for own in answers], evaluator) for count in SOME}
        for row, numbers in found[name].items():
            print(name, row, *(f"{numbers[key]['share']:.3f}" for key in ("predicates", "second_detectors")),
                  f"{numbers['r_precision_top_3']:.3f}", numbers["made"])  # fmt: skip
    found["processor_seconds_an_answer"] = cost(model, queries["validation clips"][:40])
    write_json(args.out, found)


if __name__ == "__main__":
    main()
