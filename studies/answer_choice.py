"""How an answer is chosen: by the retriever's cosine, and by the share of the caption's facts, at several weights.

    python -m studies.answer_choice --model runs/mini/model --data runs/mini/set

For each caption the model writes eight candidates; its database offers its eight best motions. What is chosen is scored
by the facts of the clip that the caption describes. It is chosen by the facts that the model's reader finds in the
words (`read`), by those that the caption claims (`claimed`, a perfect reader), or by the cosine alone (weight 0);
`oracle` chooses by the score itself. Validation clips, and clips of another seed whose combination of actions training
never saw; no test clip. Database motions are scored as they were before encoding, candidates as they are decoded.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.motion import features_to_joints
from remogpt.motion.facts import Fact, facts_of_claims
from remogpt.motion.found_facts import find_facts
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.runtime.files import write_json, write_text
from remogpt.runtime.progress import progress
from studies.unseen import unseen_clips

RESULTS = Path(__file__).parent / "results"
WEIGHTS = (0.0, 0.2, 0.4, 0.8, 1.6, 3.0)
OFFERED = 8
SEED = 5
Shares = defaultdict[str, defaultdict[float, list[float]]]


@dataclass(frozen=True)
class Query:
    """A caption, what it claims, and the facts of the clip that it describes."""

    text: str
    claimed: list[Fact]
    facts: list[Fact]


def val_queries(motions: MotionTextSet, count: int) -> list[Query]:
    """Return the first captions of validation clips that have facts."""
    clips = [clip for clip in motions.clips("val") if motions.facts(clip.file_id)][:count]
    return [
        Query(clip.captions[0], facts_of_claims(motions.claims(clip.file_id)[0]), motions.facts(clip.file_id))
        for clip in clips
    ]


def unseen_queries(count: int) -> list[Query]:
    """Return the first captions of clips of another seed, of combinations that no training split holds."""
    return [
        Query(clip.captions[0].text, facts_of_claims(clip.claims[0]), clip.facts) for clip in unseen_clips(SEED, count)
    ]


def study(model: ReMoGPT, queries: list[Query], name: str) -> dict[str, Any]:
    """Return for each way of choosing, at each weight, the mean share of facts that the chosen motions hold."""
    database = model.database()
    shares: Shares = defaultdict(lambda: defaultdict(list))
    assert model.reader is not None
    written = GenerationOptions(retrieved=0, verify=False, fact_weight=0.0)
    for query in progress(queries, desc=name, unit="caption"):
        (answer,) = model.generate(query.text, seed=0, options=written)
        candidates = model.tokenizer.decode_batch([one.codes for one in answer.segments[0].candidates])
        wanted = model.retriever.encode_text([query.text])[0]
        near = model.retriever.encode_motion(candidates) @ wanted
        cosines = np.asarray(database.motion_embeddings, dtype=np.float32) @ wanted
        found = [find_facts(features_to_joints(motion)) for motion in candidates]
        score = np.array([one.share(query.facts) for one in found])
        offered_score = database.fact_shares(query.facts)
        (reading,) = model.reader.read([query.text])
        for by, facts in (("read", reading.facts), ("claimed", query.claimed)):
            own = np.array([one.share(facts) for one in found]) if facts else np.zeros(len(found))
            theirs = database.fact_shares(facts) if facts else np.zeros(len(cosines))
            for weight in WEIGHTS:
                ours, ranks = near + weight * own, cosines + weight * theirs
                best = np.argsort(-ranks, kind="stable")[:OFFERED]
                rows = shares[f"first retrieved, {by}"], shares[f"written, {by}"], shares[f"both, {by}"]
                rows[0][weight].append(offered_score[best[0]])
                rows[1][weight].append(score[np.argmax(ours)])
                both = np.argmax(np.concatenate([ours, ranks[best]]))
                rows[2][weight].append(np.concatenate([score, offered_score[best]])[both])
        shares["written, oracle"][0.0].append(score.max())
        nearest = np.argsort(-cosines, kind="stable")[:OFFERED]
        shares["both, oracle"][0.0].append(max(score.max(), offered_score[nearest].max()))
    return {way: {str(weight): float(np.mean(row)) for weight, row in rows.items()} for way, rows in shares.items()}


def table(found: dict[str, Any]) -> str:
    """Return the study as Markdown, in percent."""
    lines = []
    for name, ways in found.items():
        lines += [f"## {name}", "", f"| chosen | {' | '.join(map(str, WEIGHTS))} |", "|---" * (len(WEIGHTS) + 1) + "|"]
        for way, rows in sorted(ways.items()):
            cells = [f"{100 * rows[str(weight)]:.1f}" if str(weight) in rows else "" for weight in WEIGHTS]
            lines.append(f"| {way} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=100, help="validation clips; 0.6 times as many unseen ones")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    model = ReMoGPT.from_pretrained(args.model)
    queries = {
        "validation clips": val_queries(MotionTextSet(args.data), args.clips),
        "unseen combinations": unseen_queries(max(1, round(0.6 * args.clips))),
    }
    found = {name: study(model, rows, name) for name, rows in queries.items()}
    command = "python -m studies.answer_choice --model runs/mini/model --data runs/mini/set"
    counts = {name: len(rows) for name, rows in queries.items()}
    write_json(args.out / "answer_choice.json", {"command": command, "captions": counts, "facts": found})
    head = f"# How an answer is chosen\n\n`{command}`\n\nFacts that hold (%), by their weight beside the cosine.\n\n"
    write_text(args.out / "answer_choice.md", head + table(found))
    print(table(found))


if __name__ == "__main__":
    main()
