"""How an answer is chosen: what is written, what competes, and what decides among the candidates.

    python -m studies.answer_choice --data runs/mini/set --finder runs/finder --finder-database runs/finder_database

For each caption the model writes eight candidates, in each of the ways of `WAYS`; its database offers its eight best
motions, as they were recorded. The best is chosen by the retriever's cosine + weight * the share of facts that the
model's reader finds in the words. Whether a fact holds is told by the predicates on the joints, or by a network
(`--finder`): then no predicate runs when the database is built or when it answers. What is chosen is scored by facts
of the clip that the caption describes (predicates, and the second detectors, which decide nothing), and by the
evaluator's R-precision (top 3 of 32), which decides nothing either. `oracle` chooses by the first of these scores.

The rows "examples by facts" were measured when facts could rank the examples in a prompt too. Beside retrieved motions,
guidance did more for the second detectors and for R-precision, and that ranking is out of the code.

Validation clips, and clips of another seed whose combination of actions training never saw; no test clip.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.detectors import facts_hold
from remogpt.eval.generation import r_precision
from remogpt.finder import FactFinder
from remogpt.motion import features_to_joints
from remogpt.motion.body import MIN_FRAMES
from remogpt.motion.facts import Fact
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.judge import facts_held
from remogpt.pipeline.segment import Candidate
from remogpt.retriever import MotionDatabase, TextMotionRetriever
from remogpt.runtime.files import write_json, write_text
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.runtime.progress import progress
from studies.unseen import unseen_clips

RESULTS = Path(__file__).parent / "results"
WEIGHTS = (0.0, 0.2, 0.4, 0.8, 1.6, 3.0)
WAYS = {
    "followed": GenerationOptions(),
    "guided": GenerationOptions(guidance=2.0),
    "guided, strength 2": GenerationOptions(guidance=2.0, strength=2.0),
    "guided, strength 4": GenerationOptions(guidance=2.0, strength=4.0),
}
OFFERED = 8
SEED = 5
POOL = 32


@dataclass(frozen=True)
class Query:
    """A caption and the facts of the clip that it describes."""

    text: str
    facts: list[Fact]


@dataclass(frozen=True)
class Scored:
    """A candidate: by what it may be chosen, and how good it is."""

    cosine: float
    """Of the caption and the motion, by the model's retriever."""
    shares: dict[str, float]
    """Of the caption's facts, as they were read, by who tells which of them hold."""
    facts: float
    second: float
    """Share of the clip's facts, by the predicates and by the second detectors."""
    embedding: list[float]
    """By the evaluator."""


@dataclass(frozen=True)
class Collected:
    """Everything about one caption."""

    embedding: list[float]
    candidates: dict[str, list[Scored]]
    """By where they come from: one of `WAYS`, or 'retrieved WEIGHT, by …'."""


def val_queries(motions: MotionTextSet, count: int) -> list[Query]:
    """Return the first captions of validation clips that have facts."""
    clips = [clip for clip in motions.clips("val") if motions.facts(clip)][:count]
    return [Query(clip.captions[0], motions.facts(clip)) for clip in clips]


def unseen_queries(count: int) -> list[Query]:
    """Return the first captions of clips of another seed, of combinations that no training split holds."""
    return [Query(clip.captions[0].text, clip.facts) for clip in unseen_clips(SEED, count)]


class Collector:
    """Writes, retrieves and scores the candidates of captions."""

    def __init__(self, model: ReMoGPT, finder: tuple[FactFinder, MotionDatabase] | None) -> None:
        self.model = model
        self.evaluator = TextMotionRetriever.from_pretrained(embedded_model("evaluator"))
        self.databases = {"predicates": model.database()}
        self.finder = None
        if finder is not None:
            self.finder, self.databases["finder"] = finder

    def __call__(self, query: Query) -> Collected:
        (reading,) = self.model.reader.read([query.text])  # type: ignore[union-attr]
        candidates = {}
        for way, options in WAYS.items():
            own = {
                "best_of": 8, "retrieved": 0, "verify": False, "fact_weight": 0.0, "top_p": 1.0, "strength": 3.0,
                "guidance": 1.0,
            }  # fmt: skip
            (answer,) = self.model.generate(query.text, seed=0, options=options.with_defaults(own))
            written = self.model.tokenizer.decode_batch([_codes(one) for one in answer.segments[0].candidates])
            candidates[way] = self._scored(query, reading.facts, written)
        cosine_of = np.asarray(self.model.database().motion_embeddings, dtype=np.float32)
        cosines = cosine_of @ self.model.retriever.encode_text([query.text])[0]
        offered = {}
        for by, database in self.databases.items():
            shares = database.fact_shares(reading.facts) if reading.facts else 0.0
            for weight in WEIGHTS:
                order = np.argsort(-(cosines + weight * shares), kind="stable")
                offered[f"retrieved {weight}, by {by}"] = order[:OFFERED].tolist()
        rows = sorted({row for own in offered.values() for row in own})
        recorded = [self.model.database().features(row) for row in rows]
        scored = dict(zip(rows, self._scored(query, reading.facts, recorded), strict=True))
        candidates |= {source: [scored[row] for row in own] for source, own in offered.items()}
        return Collected(self.evaluator.encode_text([query.text])[0].tolist(), candidates)

    def _scored(self, query: Query, read: Sequence[Fact], motions: list[np.ndarray]) -> list[Scored]:
        cosines = self.model.retriever.encode_motion(motions) @ self.model.retriever.encode_text([query.text])[0]
        embeddings = self.evaluator.encode_motion(motions)
        scored = []
        for motion, cosine, embedding in zip(motions, cosines, embeddings, strict=True):
            shares = {"predicates": _share(facts_held(read, motion))}
            if self.finder is not None:
                shares["finder"] = self.finder.find([motion])[0].share(read) if read else 0.0
            second = facts_hold(query.facts, features_to_joints(motion)) if len(motion) >= MIN_FRAMES else []
            facts = _share(facts_held(query.facts, motion))
            scored.append(Scored(float(cosine), shares, facts, _share(second), embedding.round(5).tolist()))
        return scored


def _share(held: Sequence[bool]) -> float:
    return sum(held) / max(len(held), 1)


def _codes(candidate: Candidate) -> np.ndarray:
    return candidate.codes


def choices(rows: Sequence[Collected], by: str) -> Iterator[dict[str, Any]]:
    """Yield how good the chosen candidates are, for each way of writing and each weight, with and without rivals."""
    sources: dict[str, tuple[str | None, bool]] = {"retrieved alone": (None, True)}
    ways = [name for name in rows[0].candidates if not name.startswith("retrieved ")]
    sources |= {f"written, {way}": (way, False) for way in ways} | {f"both, {way}": (way, True) for way in ways}
    for name, (way, retrieved) in sources.items():
        for weight in WEIGHTS:
            chosen = []
            for row in rows:
                pool = row.candidates[way] if way else []
                pool = pool + (row.candidates[f"retrieved {weight}, by {by}"] if retrieved else [])
                chosen.append(max(pool, key=lambda one: one.cosine + weight * one.shares[by]))
            yield {"chosen from": name, "weight": weight, **_scores(rows, chosen)}
        if retrieved:
            best = [
                max([*(row.candidates[way] if way else []), *row.candidates[f"retrieved 3.0, by {by}"]],
                    key=lambda one: one.facts) for row in rows
            ]  # fmt: skip
            yield {"chosen from": name, "weight": "oracle", **_scores(rows, best)}


def _scores(rows: Sequence[Collected], chosen: Sequence[Scored]) -> dict[str, float]:
    texts = np.array([row.embedding for row in rows])
    motions = np.array([one.embedding for one in chosen])
    return {
        "facts": 100 * float(np.mean([one.facts for one in chosen])),
        "second": 100 * float(np.mean([one.second for one in chosen])),
        "R@3": 100 * float(r_precision(texts, motions, group=POOL)[2]),
        "cosine": float((texts * motions).sum(1).mean()),
    }


def table(found: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    """Return the study as Markdown."""
    lines = []
    for name, judges in found.items():
        for by, rows in judges.items():
            lines += [f"## {name}, facts told by the {by}", ""]
            lines += [
                "| chosen from | weight | facts % | second detectors % | R-precision top 3 % | evaluator's cosine |"
            ]
            lines += ["|---|---:|---:|---:|---:|---:|"]
            for row in rows:
                numbers = f"{row['facts']:.1f} | {row['second']:.1f} | {row['R@3']:.1f} | {row['cosine']:.3f}"
                lines.append(f"| {row['chosen from']} | {row['weight']} | {numbers} |")
            lines.append("")
    return "\n".join(lines)


def collected(path: Path, queries: Sequence[Query], collect: Collector, name: str) -> list[Collected]:
    """Collect what is not in the file of an earlier run yet; one line a caption."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    with path.open("a", encoding="utf-8") as file:
        for query in progress(queries[len(lines) :], desc=name, unit="caption"):
            lines.append(json.dumps(asdict(collect(query))))
            print(lines[-1], file=file, flush=True)
    rows = [json.loads(line) for line in lines[: len(queries)]]
    return [
        Collected(row["embedding"], {
            source: [Scored(**one) for one in candidates] for source, candidates in row["candidates"].items()
        }) for row in rows
    ]  # fmt: skip


def main() -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--finder", type=Path, help="a finder, and the database whose facts it found")
    parser.add_argument("--finder-database", type=Path)
    parser.add_argument("--clips", type=int, default=160, help="validation clips; 0.6 times as many unseen ones")
    parser.add_argument("--work", type=Path, default=Path("runs/answer_choice"), help="candidates, to go on from")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    model = ReMoGPT.from_pretrained(args.model)
    finder = None
    if args.finder is not None:
        finder = FactFinder.from_pretrained(args.finder), model.database(args.finder_database)
    args.work.mkdir(parents=True, exist_ok=True)
    queries = {
        "validation clips": val_queries(MotionTextSet(args.data), args.clips),
        "unseen combinations": unseen_queries(round(0.6 * args.clips)),
    }
    collect, found = Collector(model, finder), {}
    for name, asked in queries.items():
        rows = collected(args.work / f"{name.replace(' ', '_')}.jsonl", asked, collect, name)
        found[name] = {by: list(choices(rows, by)) for by in collect.databases}
    command = " ".join(["python -m studies.answer_choice", *_arguments(args)])
    counts = {name: len(rows) for name, rows in queries.items()}
    write_json(args.out / "answer_choice.json", {"command": command, "captions": counts, "choices": found})
    write_text(args.out / "answer_choice.md", f"# How an answer is chosen\n\n`{command}`\n\n{counts}\n\n{table(found)}")
    print(table(found))


def _arguments(args: argparse.Namespace) -> list[str]:
    """Return the command as one would type it, without folders of one machine."""
    given = ["--data runs/mini/set", f"--clips {args.clips}"]
    return given + (["--finder runs/finder --finder-database runs/finder_database"] if args.finder else [])


if __name__ == "__main__":
    main()
