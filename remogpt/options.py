"""How a model answers one call: what it does with examples, how many candidates it writes, how ids are drawn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from remogpt.runtime.errors import RemogptError

ExampleUse = Literal["follow", "show", "none"]


@dataclass(frozen=True, kw_only=True)
class GenerationOptions:
    """How motions and captions are written; what is None is as the model has it (`generation` in its remogpt.json)."""

    examples: ExampleUse = "follow"
    """follow: examples that answer are shown in the prompt and copied from, others left out (as `show` where the model
    has no copy head); show: all are shown in the prompt, as in the paper; none: nothing is retrieved."""
    strength: float | None = None
    """How strongly examples are followed, 0 or more; 0 only shows them."""
    exclude: Sequence[str] | Sequence[Sequence[str]] = ()
    """Ids of clips or recordings, for all captions or motions of a call, or one collection for each of them; an entry
    that bears one, as its own id, its source's or its mirror's, is not retrieved."""
    best_of: int | None = None
    """Candidates for each answer, of which the retriever keeps the one that fits best."""
    temperature: float | None = None
    """0 takes the likeliest id at each step; captions take it unless told otherwise."""
    top_k: int | None = None
    """Draw from the k likeliest ids; 0 from all."""
    top_p: float | None = None
    """Draw from the fewest likeliest ids whose probabilities reach this sum."""

    def __post_init__(self) -> None:
        if self.examples not in get_args(ExampleUse):
            raise RemogptError(f"examples must be one of {', '.join(get_args(ExampleUse))}, got {self.examples!r}")
        if self.strength is not None and not 0 <= self.strength < math.inf:
            raise RemogptError(f"strength must be 0 or more, got {self.strength:g}")
        if self.best_of is not None and self.best_of < 1:
            raise RemogptError(f"best_of must be at least 1, got {self.best_of}")
        if isinstance(self.exclude, str):
            raise RemogptError(f"exclude must be a list of ids, got one string; give [{self.exclude!r}]")

    @property
    def sampling(self) -> dict[str, Any]:
        """What is set of temperature, top_k and top_p."""
        values = {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}
        return {name: value for name, value in values.items() if value is not None}

    def with_defaults(self, defaults: Mapping[str, Any]) -> "GenerationOptions":
        """Return these options with values of `defaults` for those that are None."""
        return replace(self, **{name: value for name, value in defaults.items() if getattr(self, name) is None})

    def excluded(self, count: int) -> list[frozenset[str]]:
        """Return the ids that are not retrieved for each of `count` captions or motions.

        Raises:
            RemogptError: if they are given one by one, and not for as many.
        """
        if all(isinstance(one, str) for one in self.exclude):
            return [frozenset(self.exclude)] * count  # type: ignore[arg-type]
        if len(self.exclude) != count:
            raise RemogptError(f"exclude has ids for {len(self.exclude)} captions or motions, expected {count}")
        return [frozenset(ids) for ids in self.exclude]
