"""Modes in which a model writes motions: those of the evaluation's settings, or the model's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from remogpt.eval.cards import Card
from remogpt.eval.runs.run import Run
from remogpt.interfaces import GeneratedMotion
from remogpt.options import GenerationOptions
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Mode:
    """A mode in which a model answers."""

    name: str
    """Name of the result, and of the folder of its motions."""
    retrieval: bool = True
    """With retrieved examples."""
    best_of: int = 1
    """Candidates, of which the model keeps one."""
    true_length: bool | None = None
    """Whether the real motion's length is given; None: as the settings say."""
    is_drawn: bool = True
    """Whether another seed gives another motion; if not, one generation is enough."""
    copy_strength: float | None = None
    """Strength of copying from examples; None: the model's own."""
    uses_facts: bool = False
    """Whether what a caption claims counts as in the model's own settings: where examples are ranked, and where
    candidates are chosen; if not, the retriever's cosine alone decides."""
    retrieved: int | None = 0
    """Retrieved motions that compete with the written ones; None: the model's own number."""
    cleanup: bool | None = None
    """Whether written motions get constant bones and planted feet; None: as the settings say."""
    reads_motion: bool = False
    """Whether the model gets the real motion instead of its caption, which shows the best its decoder can do."""

    def card(self, run: Run) -> Card:
        """Return card entries of settings that are told of modes alone, or that only some runs change."""
        entries: Card = {} if self.reads_motion else {"cleanup": self.cleans(run)}
        if self.copy_strength is not None:
            entries["copy_strength"] = self.copy_strength
        entries |= run.config.shown if self.retrieval else {}
        if self.uses_facts:
            entries |= {"uses_facts": True, "retrieved": self.retrieved}
        return entries

    def options(self, run: Run, exclude: Sequence[Sequence[str]]) -> GenerationOptions:
        """Return how the model answers in this mode; `exclude` holds ids that are not retrieved, for each item."""
        return GenerationOptions(
            examples="follow" if self.retrieval else "none", strength=self.copy_strength, best_of=self.best_of,
            exclude=exclude, retrieved=self.retrieved,
            fact_weight=None if self.uses_facts else 0.0, verify=None if self.uses_facts else False,
            cleanup=self.cleans(run),
            **(run.config.shown if self.retrieval else {}),
        )  # fmt: skip

    def cleans(self, run: Run) -> bool:
        """Whether written motions are cleaned in this run."""
        return run.config.cleanup if self.cleanup is None else self.cleanup

    def gives_length(self, run: Run) -> bool:
        """Whether the model is told the real motion's length in this run."""
        return run.config.true_length if self.true_length is None else self.true_length


@runtime_checkable
class NamesModes(Protocol):
    """A model that has modes of its own."""

    @property
    def modes(self) -> Sequence[Mode]:
        """Return the modes, in the order of the report."""

    def reconstruct_batch(self, motions: Sequence[np.ndarray]) -> Sequence[GeneratedMotion]:
        """Encode and decode raw features, (T, 263) each; for modes that read motions."""


def modes(run: Run) -> list[Mode]:
    """Return the ways in which the model answers; of these, if `config.modes` names some, those.

    Raises:
        RemogptError: if the model does not answer in a way that is named.
    """
    every = _every_mode(run)
    missing = sorted(set(run.config.modes) - {mode.name for mode in every})
    if missing:
        names = ", ".join(mode.name for mode in every)
        raise RemogptError(f"the model does not answer in the mode {missing[0]!r}; its modes are {names}")
    return [mode for mode in every if not run.config.modes or mode.name in run.config.modes]


def caption_modes(run: Run) -> list[Mode]:
    """Return the modes in which a model's captions differ: motions that compete and clean bodies make no difference."""
    return [mode for mode in modes(run) if not mode.uses_facts or (mode.retrieved is None and mode.cleanup is None)]


def _every_mode(run: Run) -> list[Mode]:
    """Return the model's own ways to answer; else with retrieval where it has a database, and without, by `best_of`.

    A model that copies from its examples also answers as the paper does, with examples in its prompt alone. One whose
    settings let a caption's facts decide answers by them too, from written candidates alone (`verified`). One by whose
    settings facts decide or retrieved motions compete answers as users get it (`default`), and without the cleanup of
    bodies (`default_raw_body`).
    """
    if isinstance(run.model, NamesModes):
        return list(run.model.modes)
    manifest = {} if run.model is None else run.model.manifest
    copies = bool(run.own_database_hash) and "copy" in manifest.get("hashes", {})
    prompt_only = [Mode("prompt_only", copy_strength=0.0)] if copies else []
    answers = ("retrieval", "no_retrieval") if run.own_database_hash else ("no_retrieval",)
    plain = [
        Mode(_numbered(name, count), retrieval=name == "retrieval", best_of=count)
        for name in answers
        for count in run.config.best_of
    ]
    return [*prompt_only, *_as_answered(run, manifest.get("generation", {})), *plain]


def _as_answered(run: Run, own: Mapping[str, Any]) -> list[Mode]:
    """Return the modes in which facts decide, or retrieved motions compete, where the model's settings let them."""
    if not run.own_database_hash or not (own.get("fact_weight") or own.get("retrieved")):
        return []
    counts = run.config.best_of if own.get("fact_weight") else ()
    verified = [Mode(_numbered("verified", count), best_of=count, uses_facts=True) for count in counts]
    default = Mode("default", best_of=own.get("best_of", 1), uses_facts=True, retrieved=None)
    return [*verified, default, replace(default, name="default_raw_body", cleanup=False)]


def _numbered(name: str, count: int) -> str:
    return name if count == 1 else f"{name}_best_of_{count}"
