"""`remogpt search --inside`: where in one long recording a sentence happens. No database is needed."""

import json
from typing import Any

import remogpt
from remogpt.prompts import clean_text
from remogpt.retriever.moments import Moments, find_moments
from remogpt.retriever.moments_plot import check_plot_file, plot_curve
from remogpt.runtime.errors import RemogptError

OF_DATABASES = ("like", "route", "database", "part", "contributions")
"""Options of `search` that say how a database is searched."""


def add_inside_options(parser: Any) -> None:
    """Add --inside and --plot."""
    parser.add_argument("--inside", type=str, default=None, help="motion file: print where in it the words happen")
    parser.add_argument("--plot", type=str, default=None, help="with --inside: draw the match over time, a .png file")


def run_inside(args: Any) -> int:
    """Print the spans of `args.inside` that match `args.text`, best first; draw the curve if `args.plot` names a file.

    Raises:
        RemogptError: no words, k below 1, an option of databases, a recording that cannot be read, a plot that cannot
            be written.
    """
    if args.inside is None:
        raise RemogptError("--plot draws where words happen in one recording; name it with --inside")
    if unused := [f"--{name}" for name in OF_DATABASES if getattr(args, name, None)]:
        raise RemogptError(f"--inside searches one recording, not a database; leave out {', '.join(unused)}")
    if args.text is None or not clean_text(args.text):
        raise RemogptError('give the words to look for in the recording, e.g. remogpt search "kicks" --inside walk.bvh')
    if args.k < 1:
        raise RemogptError(f"k must be at least 1, got {args.k}")
    if args.plot is not None:
        check_plot_file(args.plot)
    motion = remogpt.load_motion(args.inside)
    retriever = remogpt.ReMoGPT.from_pretrained(args.model).retriever
    found = find_moments(retriever, motion.features, [args.text], num_spans=args.k)[0]
    if args.plot is not None:
        plot_curve(args.plot, [found])
    if args.json:
        print(json.dumps(describe_spans(found), indent=2))
    else:
        for span in found.spans:
            start, end = span.seconds
            print(f"{span.score:.3f}  {start:.2f}-{end:.2f} s")
    return 0


def describe_spans(found: Moments) -> list[dict[str, Any]]:
    """Return spans as JSON-ready rows: seconds, frames, and both numbers behind the order."""
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
