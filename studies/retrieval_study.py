"""Compare TMR, PL-TMR and what can be added to them as small retrievers, on procedural and on real motion.

  python -m studies.retrieval_study --work runs/study --data ../shared/data/mocap --sets procedural bandai \\
      --seeds 0 1 2 --workers 2
  python -m studies.retrieval_study --work runs/study --summary

Each run (a set, a variant, a seed) is one process's work on one core and has a folder of its own; runs that are there
are not made again, killed ones go on. Every network trains at most 3 M parameters over the same frozen text features.
Networks get the same CPU time, not the same steps: TMR's decoder makes its steps dearer. Both are reported.
The summary goes to studies/results/retrieval_study.json and .md: mean and standard deviation over the seeds.
Four additions did not help and were taken out again; commit 471a651 has them, the results keep their rows. R@1 caption
to motion on procedural clips, test and test_unseen, beside PL-TMR's 54.4 +- 1.7 and 54.7 +- 0.9: a queue of earlier
batches 49.7 +- 3.3 and 50.0 +- 3.3; the best 50 reranked by words and body parts 49.0 +- 1.5 and 51.9 +- 4.1; captions
with a swapped word as negatives 47.9 +- 1.8 and 49.4 +- 5.2; queries as the mean of rewordings 53.8 +- 2.0 and
54.4 +- 3.3.
Label-derived captions (bandai) and a grammar's (procedural) are no human descriptions, and neither set is HumanML3D.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# Before torch is loaded, here and in the workers, which inherit it: two processes share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json, write_text
from studies.retrieval.runs import Run, Study, carry_out, prepare_runs
from studies.retrieval.sets import SETS
from studies.retrieval.summary import keep_taken_out, markdown, summarise
from studies.retrieval.variants import VARIANTS

RESULTS = Path(__file__).parent / "results" / "retrieval_study.json"


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--work", type=Path, default=Path("runs/study"), help="folder of sets and runs")
    parser.add_argument("--data", type=Path, default=None, help="folder of bandai.npz, cmu.npz, cmu_bvh.npz")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["procedural", "bandai"])
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--clips", type=int, default=Study.num_clips, help="of the procedural set")
    parser.add_argument("--steps", type=int, default=None, help="of every run, for a trial; else each variant's own")
    parser.add_argument("--batch-size", type=int, default=None, help="of every run, for a trial")
    parser.add_argument("--text-model", default=Study.text_model, help="frozen text model")
    parser.add_argument("--summary", action="store_true", help="train nothing; sum up what is there")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON of the summary; the table lies beside it")
    return parser.parse_args(words)


def study_of(args: argparse.Namespace) -> Study:
    """Return what all runs share."""
    loop = {"steps": args.steps, "batch_size": args.batch_size}
    changed = {name: value for name, value in loop.items() if value is not None}
    return Study(args.work, args.data, args.clips, args.text_model, {"loop": changed} if changed else {})


def runs_of(args: argparse.Namespace) -> list[Run]:
    """Return the runs, the first seed of everything first, so that a study that is stopped early is even."""
    return [Run(name, variant, seed) for seed in args.seeds for name in args.sets for variant in args.variants]


def carry_out_all(runs: Sequence[Run], study: Study, workers: int) -> None:
    """Make the runs that are not there, and say how each ended."""
    missing = [run for run in runs if run.result(study) is None]
    prepare_runs(missing, study)
    print(f"{len(runs) - len(missing)} of {len(runs)} runs are there; {len(missing)} to do", flush=True)
    start, work = time.perf_counter(), [(run, study) for run in missing]
    for number, (run, result) in enumerate(_results(work, min(workers, len(work))), 1):
        spent = time.perf_counter() - start
        print(f"[{number}/{len(missing)}, {spent / 60:.1f} min] {_line(run, result)}", flush=True)


def _results(work: Sequence[tuple[Run, Study]], workers: int) -> Iterable[tuple[Run, dict[str, Any] | None]]:
    if workers < 2:
        yield from map(_work, work)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_work, work)


def _work(item: tuple[Run, Study]) -> tuple[Run, dict[str, Any] | None]:
    return item[0], carry_out(*item)


def _line(run: Run, result: dict[str, Any] | None) -> str:
    name = f"{run.set} {run.variant} seed {run.seed}"
    if result is None:
        return f"{name}: another process is at it"
    test, seconds = result["scores"]["test"]["same_label"], result["seconds"]
    return (
        f"{name}: R@1 {test['t2m/R@1']:.1f} / {test['m2t/R@1']:.1f}, MedR {test['t2m/MedR']:g} / {test['m2t/MedR']:g} "
        f"(same label), {result['settings']['loop']['steps']} steps, {seconds['training_cpu']:.0f} s of CPU"
    )


def main(words: Sequence[str] | None = None) -> int:
    """Run, sum up, write."""
    args = parse(words)
    study, runs = study_of(args), runs_of(args)
    try:
        if not args.summary:
            carry_out_all(runs, study, args.workers)
        summary = summarise(runs, study)
        if args.out.is_file():
            keep_taken_out(summary, read_json(args.out))
    except RemogptError as error:
        print(f"retrieval_study: error: {error}", file=sys.stderr)
        return 2
    write_json(args.out, summary)
    write_text(args.out.with_suffix(".md"), markdown(summary))
    print(markdown(summary))
    return 0


if __name__ == "__main__":
    # A study that is told to end takes its workers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
