"""Find where in one long recording a sentence happens: `remogpt search --inside`, without a database."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import remogpt
from remogpt.motion.skeleton import FPS
from remogpt.pipeline.described import describe_spans
from remogpt.prompts import clean_text
from remogpt.retriever.moments import PAPER_WINDOWS, Moments, find_moments
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, check_output_file

OF_INSIDE = ("plot", "windows", "retriever")
"""Options of `search` that need --inside."""
OF_DATABASES = ("like", "route", "database", "part", "contributions")
"""Options of `search` that need a database."""


def add_inside_options(parser: Any) -> None:
    """Add --inside, --windows, --retriever and --plot."""
    parser.add_argument("--inside", type=str, default=None, help="motion file; print where the words happen in it")
    parser.add_argument(
        "--windows", type=str, default=None,
        help="with --inside: frames of its windows, such as 20,40,60; paper: TMR's, 10 to 60, by the cosine alone",
    )  # fmt: skip
    parser.add_argument("--retriever", type=str, default=None, help="with --inside: retriever, in place of the model's")
    parser.add_argument("--plot", type=str, default=None, help="with --inside: .png file of the match over time")


def run_inside(args: Any) -> int:
    """Print the spans of `args.inside` that match `args.text`, best first; draw the curve if `args.plot` names a file.

    Raises:
        RemogptError: no words, k below 1, an option of databases, a recording that cannot be read, a plot that cannot
            be written.
    """
    if args.inside is None:
        used = next(name for name in OF_INSIDE if getattr(args, name) is not None)
        raise RemogptError(f"--{used} is of a search in one recording; name the recording with --inside")
    if unused := [f"--{name}" for name in OF_DATABASES if getattr(args, name, None)]:
        raise RemogptError(f"--inside searches one recording, not a database; leave out {', '.join(unused)}")
    if args.text is None or not clean_text(args.text):
        raise RemogptError('give the words to look for in the recording, e.g. remogpt search "kicks" --inside walk.bvh')
    if args.k < 1:
        raise RemogptError(f"k must be at least 1, got {args.k}")
    if args.plot is not None:
        check_plot_file(args.plot)
    windows = _windows(args.windows)
    motion = remogpt.load_motion(args.inside)
    found = find_moments(_retriever(args), motion.features, [args.text], num_spans=args.k, **windows)[0]
    if args.plot is not None:
        plot_curve(args.plot, [found])
    if args.json:
        print(json.dumps(describe_spans(found), indent=2))
    else:
        for span in found.spans:
            start, end = span.seconds
            print(f"{span.score:.3f}  {start:.2f}-{end:.2f} s")
    return 0


def _windows(given: str | None) -> dict[str, Any]:
    """Return the arguments of `find_moments` that --windows stands for."""
    if given is None:
        return {}
    if given == "paper":
        return {"windows": PAPER_WINDOWS, "length_prior": 0.0}
    try:
        return {"windows": tuple(int(one) for one in given.split(","))}
    except ValueError as error:
        raise RemogptError(
            f"--windows wants frames separated by commas (20,40,60), or paper; came {given!r}"
        ) from error


def _retriever(args: Any) -> Any:
    """Open the retriever that is named, or the model's."""
    if args.retriever is None:
        return remogpt.ReMoGPT.from_pretrained(args.model).retriever
    if args.model is not None:
        raise RemogptError("--retriever is taken in place of a model's; leave --model out")
    from remogpt.retriever import TextMotionRetriever

    return TextMotionRetriever.from_pretrained(args.retriever)


WIDTH, HEIGHT = 9.0, 2.4
"""Inches of one sentence's curve."""


def plot_curve(
    path: str | Path, moments: Sequence[Moments], truth: Sequence[tuple[float, float] | None] | None = None
) -> Path:
    """Draw each sentence's two curves over time, its best span shaded.

    Args:
        path: of a .png file.
        moments: one panel each.
        truth: start and end of the true span in frames for each sentence, or None if unknown.

    Raises:
        RemogptError: for another suffix, nothing to draw, or another number of true spans.
    """
    path = check_plot_file(path)
    if not moments:
        raise RemogptError("wanted the moments of at least one sentence to draw, got none")
    truth = [None] * len(moments) if truth is None else truth
    if len(truth) != len(moments):
        raise RemogptError(f"wanted a true span (or None) for each of {len(moments)} sentences, got {len(truth)}")
    # Avoid pyplot: it needs a window system and keeps figures in global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT * len(moments) + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(moments), 1, sharex=True, squeeze=False)[:, 0]
    for panel, found, span in zip(panels, moments, truth, strict=True):
        seconds = np.arange(len(found.curve)) / FPS
        panel.axvspan(*found.best.seconds, color="tab:orange", alpha=0.25, linewidth=0, label="best span")
        if span is not None:
            for edge in span:
                panel.axvline(
                    edge / FPS, color="tab:green", linestyle="--", label="true span" if edge == span[0] else None
                )
        panel.plot(seconds, found.curve, color="tab:blue", linewidth=0.8, alpha=0.7, label="short window")
        panel.plot(seconds, found.pyramid_curve, color="black", linewidth=1.6, label="best of all windows")
        panel.set_title(found.text, loc="left", fontsize=10, parse_math=False)
        panel.set_ylabel("score")
        panel.margins(x=0)
    # One legend outside the panels, which share their entries except for the true span.
    handles = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=4, fontsize=8, frameon=False)
    panels[-1].set_xlabel("seconds")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def check_plot_file(path: str | Path) -> Path:
    """Return the path if a plot could be written there; call this before a long computation.

    Raises:
        RemogptError: for another suffix than .png, or a path that cannot be written to.
    """
    if Path(path).suffix.lower() != ".png":
        raise RemogptError(f"wanted a .png file for the plot, got {path}; name it with that suffix")
    return check_output_file(path)
