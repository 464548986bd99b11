"""Keep the motions that the papers' figures show of an evaluation, for clips that only their ids choose.

    shown/<split>/real/<clip id>.npy                          the clip itself
    shown/<split>/<task>/<answers>/<clip id>.npy              an answer that was read from somebody's files
    shown/<split>/<task>/<answers>_examples/<clip id>_1.npy   the first retrieved example, as it was recorded

Raw features (T, F); `:` in an id is written `_`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval.cards import show_order
from remogpt.eval.runs.run import Run
from remogpt.interfaces import FoundExample
from remogpt.runtime.files import write_npy
from remogpt.runtime.inside import path_inside

NUM_KEPT = 32
"""Clips of a split: more than are shown, since not every method answers every clip."""
MOST_EXAMPLES = 2
"""Examples of an answer."""


def kept(clips: Iterable[Clip]) -> list[Clip]:
    """Return the clips of which motions are kept."""
    named = {clip.id: clip for clip in clips}
    return [named[name] for name in show_order(named)[:NUM_KEPT]]


def keep_motions(run: Run, split: str, name: str, motions: Mapping[str, Callable[[], np.ndarray]]) -> None:
    """Write motions by the ids of their clips; `name`: folder within the split's."""
    for clip_id, load in motions.items():
        file = path_inside(run.out / "shown" / split / name, clip_id.replace(":", "_"), ".npy")
        if not file.is_file():
            write_npy(file, load())


def keep_real(run: Run, split: str, clips: Sequence[Clip]) -> None:
    """Write the clips themselves."""
    keep_motions(run, split, "real", {clip.id: partial(run.motions.features, clip) for clip in kept(clips)})


def keep_examples(
    run: Run,
    split: str,
    name: str,
    clips: Sequence[Clip],
    examples: Mapping[str, Sequence[FoundExample]],
    database: Any,
) -> None:
    """Write the motions of the examples that were retrieved: as recorded, or decoded where only codes are kept.

    Args:
        clips: all that are answered; a few of them are chosen.
        examples: of some of these, by their ids.
        database: the one that they were retrieved from.
    """
    keep_motions(run, split, f"{name}_examples", {
        f"{clip.id}_{number}": partial(_recorded, run, example, database)
        for clip in kept(clips)
        for number, example in enumerate(examples.get(clip.id, ())[:MOST_EXAMPLES], start=1)
    })  # fmt: skip


def _recorded(run: Run, example: FoundExample, database: Any) -> np.ndarray:
    return run.needs_model("drawing examples").retrieved_motion(example, database).features
