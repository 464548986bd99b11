"""Find the weight of stored facts in retrieval: how many of a caption's facts the first retrieved motion holds.

  remogpt db build runs/set --split train --limit 1500 --out runs/database
  python -m studies.stored_facts --set runs/set --database runs/database

Queries are the first captions of the set's val split, and of clips of another seed whose combination of actions the
set's training never saw. Hits are ranked by cosine + weight * share of the facts that are given with the query:
  true      the facts of the query's clip, which a perfect reader of captions would find and more (a caption need not
            say all of them)
  misread   the same, each exchanged with probability 0.3 for a fact of another clip
  random    those of another clip: what a reader does that reads nothing right
The measure is the share of the query clip's facts that the joints of the first hit (route t2m) prove: by the predicates
that found the stored facts, and by the second detectors, which share nothing with them. `best` is the entry that holds
most by its stored facts. Results: studies/results/stored_facts.json, and the table beside it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.detectors import facts_hold
from remogpt.eval.interval import mean_interval
from remogpt.motion import features_to_joints
from remogpt.motion.body import Body
from remogpt.motion.facts import Fact, holds
from remogpt.motion.found_facts import find_facts
from remogpt.retriever import MotionDatabase, TextMotionRetriever
from remogpt.retriever.database.stored_facts import StoredFacts
from remogpt.runtime.files import write_json, write_text
from remogpt.runtime.progress import progress
from studies.unseen import unseen_clips

RESULTS = Path(__file__).parent / "results" / "stored_facts.json"
WEIGHTS = (0.0, 0.2, 0.4, 0.8, 1.6, 3.0)
MISREAD = 0.3
CHECKS = ("predicates", "second detectors")


@dataclass(frozen=True)
class Query:
    """A caption, and the facts of its clip."""

    caption: str
    facts: list[Fact]


class Trial:
    """A database that is asked, and its motions."""

    def __init__(self, database: MotionDatabase, retriever: TextMotionRetriever) -> None:
        self.database, self.retriever = database, retriever

    def first_hits(self, query: Query, given: Mapping[str, list[Fact]]) -> dict[str, int]:
        """Return the row of the first hit, by kind of facts given and weight: {"true 0.8": 17, ...}."""
        embedding = self.retriever.encode_text([query.caption])[0]
        rows = {"best": int(self.database.fact_shares(query.facts).argmax())}
        for kind, facts in given.items():
            for weight in WEIGHTS:
                (hit,) = self.database.search_embedding(embedding, "t2m", 1, facts=facts, fact_weight=weight)
                rows[f"{kind} {weight}"] = self.database.rows[hit.id]
        return rows

    def held(self, row: int, queries: Sequence[Query]) -> list[dict[str, float]]:
        """Return the share of each query's facts that an entry's joints prove, by predicates and second detectors."""
        joints = features_to_joints(np.array(self.database.features(row)))
        body = Body(joints)
        return [
            {
                "predicates": float(np.mean([holds(fact, body) for fact in query.facts])),
                "second detectors": float(np.mean(facts_hold(query.facts, joints))),
            }
            for query in queries
        ]


def seen_queries(motions: MotionTextSet, limit: int) -> list[Query]:
    """Return the val clips of a set that have facts."""
    clips = motions.clips("val", 4, 10**9)[: limit or None]
    queries = [Query(clip.captions[0], motions.facts(clip)) for clip in clips]
    return [query for query in queries if query.facts]


def unseen_queries(count: int, seed: int) -> list[Query]:
    """Make clips of another seed whose combination no training split holds."""
    return [Query(clip.captions[0].text, clip.facts) for clip in unseen_clips(seed, count)]


def measure(trial: Trial, queries: Sequence[Query], seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return mean and interval of what first hits hold, by what checks it, then by kind of facts and weight."""
    rng = np.random.default_rng(seed)
    hits: list[dict[str, int]] = []
    asking: dict[int, list[int]] = {}
    for number, query in enumerate(progress(queries, desc="queries", unit="query")):
        other = queries[(number + int(rng.integers(1, len(queries)))) % len(queries)].facts
        misread = [other[rng.integers(len(other))] if rng.random() < MISREAD else fact for fact in query.facts]
        hits.append(trial.first_hits(query, {"true": query.facts, "misread": misread, "random": other}))
        for row in set(hits[-1].values()):
            asking.setdefault(row, []).append(number)
    held: dict[tuple[int, int], dict[str, float]] = {}
    for row, numbers in progress(asking.items(), desc="entries", unit="entry"):
        found = trial.held(row, [queries[number] for number in numbers])
        held.update({(number, row): one for number, one in zip(numbers, found, strict=True)})
    return {
        check: {
            key: mean_interval(np.array([held[number, rows[key]][check] for number, rows in enumerate(hits)]))
            for key in hits[0]
        }
        for check in CHECKS
    }


def costs(database: MotionDatabase, facts: Sequence[Fact]) -> dict[str, float]:
    """Return what stored facts cost: milliseconds of one core to find them and to ask for eight of them, and bytes."""
    joints = [features_to_joints(np.array(database.features(row))) for row in range(0, len(database), 30)]
    frames = sum(len(one) for one in joints)
    rows, lengths = np.array(database.facts.rows), np.diff(database.facts.offsets)
    copies = -(-100_000 // len(database))
    many = StoredFacts(np.tile(rows, (copies, 1)), np.concatenate([[0], np.cumsum(np.tile(lengths, copies))]))
    return {
        "find_ms_of_5_seconds": 100 * _milliseconds(lambda: [find_facts(one) for one in joints]) / frames,
        "ask_ms": min(_milliseconds(lambda: database.facts.shares(facts)) for _ in range(5)),
        "ask_100000_first_ms": _milliseconds(lambda: many.shares(facts)),
        "ask_100000_ms": min(_milliseconds(lambda: many.shares(facts)) for _ in range(5)),
        "bytes_of_a_clip": rows.nbytes / len(database) + 8,
    }


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000.0 * (time.process_time() - began)


def table(results: Mapping[str, Any]) -> str:
    """Draw the results as Markdown."""
    held = results["held"]
    widest = max(one["ci95"] for split in held.values() for check in split.values() for one in check.values())
    lines = [
        "# Stored facts in retrieval", "",
        "Facts (%) of the query's clip that the first retrieved motion holds; seen / unseen combinations, "
        f"{results['queries']['seen']} / {results['queries']['unseen']} queries, {results['entries']} entries. "
        f"Half widths of 95 % intervals are at most {100 * widest:.1f} points.", "",
        "| checked by | facts given | " + " | ".join(f"weight {weight:g}" for weight in WEIGHTS) + " | best entry |",
        "|---|---|" + "---:|" * (len(WEIGHTS) + 1),
    ]  # fmt: skip
    for check in CHECKS:
        for kind in ("true", "misread", "random"):
            keys = [*(f"{kind} {weight}" for weight in WEIGHTS), "best"]
            cells = [" / ".join(f"{100 * held[split][check][key]['mean']:.1f}" for split in held) for key in keys]
            lines.append(f"| {check} | {kind} | {' | '.join(cells)} |")
    cost = results["cost"]
    lines += [
        "",
        f"Milliseconds of one core: {cost['find_ms_of_5_seconds']:.0f} to find the facts of 5 s of motion; "
        f"to ask for 8 facts of all entries {cost['ask_ms']:.1f}, of 100,000 {cost['ask_100000_ms']:.0f}, "
        f"the first time {cost['ask_100000_first_ms']:.0f}. Stored are {cost['bytes_of_a_clip']:.0f} bytes a clip.",
    ]
    return "\n".join([*lines, ""])


def main(words: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--set", type=Path, required=True, help="procedural set, whose val split asks")
    parser.add_argument("--database", type=Path, required=True, help="database of its train split, with facts")
    parser.add_argument("--seen", type=int, default=0, help="largest number of val clips; 0: all")
    parser.add_argument("--unseen", type=int, default=200, help="number of clips of unseen combinations")
    parser.add_argument("--seed", type=int, default=5, help="of the unseen clips")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON of the results; the table lies beside it")
    args = parser.parse_args(words)
    began = time.process_time()
    retriever = TextMotionRetriever.from_pretrained()
    trial = Trial(MotionDatabase.open(args.database, retriever), retriever)
    queries = {
        "seen": seen_queries(MotionTextSet.open(args.set), args.seen),
        "unseen": unseen_queries(args.unseen, args.seed),
    }
    results = {
        "held": {split: measure(trial, asking, args.seed) for split, asking in queries.items()},
        "queries": {split: len(asking) for split, asking in queries.items()},
        "cost": costs(trial.database, [fact for query in queries["unseen"][:8] for fact in query.facts][:8]),
        "entries": len(trial.database),
        "database": trial.database.hash,
        "retriever": retriever.hash,
        "cpu_seconds": round(time.process_time() - began),
        "command": f"python -m studies.stored_facts --seen {args.seen} --unseen {args.unseen} --seed {args.seed}",
    }
    write_json(args.out, results)
    write_text(args.out.with_suffix(".md"), table(results))
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
