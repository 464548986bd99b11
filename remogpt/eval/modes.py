"""In which ways a model writes motions: as the evaluation's settings say, or as the model itself does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from remogpt.eval.protocols import GeneratedMotion
from remogpt.eval.run import Run


@dataclass(frozen=True)
class Mode:
    """One way in which a model answers."""

    name: str
    """Of the result, and of the folder of its motions."""
    retrieval: bool = True
    """With retrieved examples."""
    best_of: int = 1
    """Candidates, of which the model keeps one."""
    true_length: bool | None = None
    """Whether the real motion's length is given; None: as the settings say."""
    is_drawn: bool = True
    """Whether another seed gives another motion; else there are not several generations."""
    reads_motion: bool = False
    """The real motion goes in instead of its caption: what comes out is the best that the model's decoder can show."""

    def gives_length(self, run: Run) -> bool:
        """Whether the model is told the real motion's length in this run."""
        return run.config.true_length if self.true_length is None else self.true_length


@runtime_checkable
class NamesModes(Protocol):
    """A model that answers in ways of its own."""

    @property
    def modes(self) -> Sequence[Mode]:
        """They, in the order of the report."""

    def reconstruct_batch(self, motions: Sequence[np.ndarray]) -> Sequence[GeneratedMotion]:
        """Raw features, (T, 263) each, in and out again; for modes that read motions."""


def modes(run: Run) -> list[Mode]:
    """Return the model's own ways to answer; else with retrieval where it has a database, and without, by `best_of`."""
    if isinstance(run.model, NamesModes):
        return list(run.model.modes)
    return [
        Mode(name if count == 1 else f"{name}_best_of_{count}", retrieval=name == "retrieval", best_of=count)
        for name in (("retrieval", "no_retrieval") if run.own_database_hash else ("no_retrieval",))
        for count in run.config.best_of
    ]
