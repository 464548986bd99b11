"""Requests to the language model: one for each sequence, and options for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from remogpt.lm.decoding.sampling import Sampling
from remogpt.prompts import Prompt
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True, eq=False)
class DecodeRequest:
    """One sequence to write."""

    prompt: Prompt
    length: int | None = None
    """Codes to write, exactly; None where the model stops by itself."""
    begun: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(N,) codes that its motion begins with; the model goes on from them and does not write them again."""
    stream: Sequence[int] | None = None
    """Seed suffix; the request's index among the others without it."""
    seed: int | None = None
    """Seed of its own; that of all sequences without it (`DecodeOptions.seed`)."""
    plain: Prompt | None = None
    """Prompt that guidance contrasts with: the same without its caption or motion."""

    def __post_init__(self) -> None:
        if self.length is not None and self.length < 1:
            raise RemogptError(f"wanted a length of at least 1 code, got {self.length}")


@dataclass(frozen=True)
class DecodeOptions:
    """Options for all sequences of one call."""

    sampling: Sampling | None = None
    """Choice of ids; for motions temperature 1 without truncation, for captions the likeliest id without it."""
    seed: int | None = None
    """The same seed gives the same sequences on the CPU, whatever else is in the batch."""
    guidance: float = 1.0
    """How far to go from the plain prompt towards the other, and past it (`generate.guided`). At 1 the plain prompts
    are not read; otherwise each sequence takes two rows of the decoder."""
    max_length: int | None = None
    """Most ids where no length is given; None takes the longest that the model has learnt."""
    batch_size: int = 32
    """Sequences decoded together; prompts of similar length share a batch."""


def requests_for(prompts: Sequence[Prompt], **columns: Sequence[Any]) -> list[DecodeRequest]:
    """Make a request for each prompt.

    Args:
        prompts: N prompts.
        columns: N values each of other fields of `DecodeRequest`, by their names.

    Example:
        >>> requests_for([first, second], length=[12, None])
    """
    rows = zip(*columns.values(), strict=True) if columns else [()] * len(prompts)
    return [
        DecodeRequest(prompt, **dict(zip(columns, row, strict=True))) for prompt, row in zip(prompts, rows, strict=True)
    ]
